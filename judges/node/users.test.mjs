// API users made from CSRs, and what is said where one cannot be.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import sdk from "@fireblocks/ts-sdk";

import { start, until } from "./sandbox.mjs";

let sandbox, admin, folder, secretKey, csrPem;

before(async () => {
  sandbox = await start();
  admin = sandbox.client("admin");
  folder = await mkdtemp(join(tmpdir(), "vestibule-judge-"));
  const [key, csr] = ["key", "csr"].map((name) => join(folder, name));
  const words = ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", csr, "-subj", "/O=Acme"];
  execFileSync("openssl", words, { stdio: "ignore" });
  [secretKey, csrPem] = await Promise.all([key, csr].map((file) => readFile(file, "utf8")));
});
after(async () => {
  await sandbox?.stop();
  await rm(folder, { recursive: true });
});

const listed = async (name) => (await admin.apiUser.getApiUsers()).data.users.find((user) => user.name === name);

test("a user from a CSR comes in with its own key", async () => {
  const createAPIUser = { role: "VIEWER", name: "Acme accounting", csrPem };
  const made = await admin.apiUser.createApiUser({ createAPIUser });
  assert.equal(made.statusCode, 200);
  const user = await until("the new user", () => listed("Acme accounting"));
  assert.deepEqual([user.role, user.status, user.userType, user.enabled], ["VIEWER", "READY", "API", true]);
  const acme = new sdk.Fireblocks({ apiKey: user.id, secretKey, basePath: sandbox.baseUrl });
  assert.equal((await acme.vaults.getVaultAccount({ vaultAccountId: "0" })).data.name, "Treasury");
});

test("what is no CSR makes no user", async () => {
  for (const change of [{ csrPem: secretKey }, { csrPem: "none" }, { name: "" }, { role: "OWNER" }]) {
    const createAPIUser = { role: "VIEWER", name: "Never", csrPem, ...change };
    await assert.rejects(admin.apiUser.createApiUser({ createAPIUser }), ({ response }) => {
      assert.equal(response.statusCode, 400);
      assert.deepEqual([response.data.error.type, typeof response.data.error.message], ["VALIDATION", "string"]);
      return true;
    });
  }
  assert.equal(await listed("Never"), undefined);
});
