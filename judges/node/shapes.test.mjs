// The check of answers itself: what it must let through, and what it must not.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { start } from "./sandbox.mjs";
import { checked, contractOf } from "./shapes.mjs";

let sandbox, check;

before(async () => {
  sandbox = await start();
  check = await contractOf(new URL(sandbox.baseUrl).origin);
});
after(() => sandbox?.stop());

test("an answer of another shape, another status or no operation is told", async () => {
  const { data } = await sandbox.client("viewer").vaults.getVaultAccount({ vaultAccountId: "0" });
  check("getVaultAccount", 200, data);
  assert.throws(() => check("getVaultAccount", 200, { ...data, name: 7 }), /getVaultAccount 200/);
  assert.throws(() => check("getVaultAccount", 200, { ...data, assets: "none" }), /getVaultAccount 200/);
  assert.throws(() => check("getVaultAccount", 202, data), /which the contract has not/);
  assert.throws(() => check("getNothing", 200, data), /in no contract/);
});

test("every call of a client is checked", async () => {
  const answer = { statusCode: 200, data: { id: "0", name: 7 } };
  const client = checked({ vaults: { getVaultAccount: async () => answer } }, check);
  await assert.rejects(client.vaults.getVaultAccount({ vaultAccountId: "0" }), /getVaultAccount 200/);
});
