// An editor proposes; people and chain carry it out; what cannot be is refused by its code.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import sdk from "@fireblocks/ts-sdk";

import { units } from "./amounts.mjs";
import { start, until } from "./sandbox.mjs";

const { FireblocksError } = sdk;
const FINAL = ["COMPLETED", "CANCELLED", "BLOCKED", "REJECTED", "FAILED"];
const WAY = [
  "SUBMITTED",
  "PENDING_AUTHORIZATION",
  "QUEUED",
  "PENDING_SIGNATURE",
  "BROADCASTING",
  "CONFIRMING",
  "COMPLETED",
];
const vault = (id) => ({ type: "VAULT_ACCOUNT", id });

let sandbox, editor, viewer;

before(async () => {
  sandbox = await start();
  [editor, viewer] = ["editor", "viewer"].map((name) => sandbox.client(name));
});
after(() => sandbox?.stop());

const propose = async (request, idempotencyKey) => {
  const transactionRequest = { assetId: "SOL", amount: "0.001", source: vault("0"), destination: vault("1"), ...request };
  const { data } = await editor.transactions.createTransaction({ transactionRequest, idempotencyKey });
  return data.id;
};
const held = async (vaultAccountId, assetId) =>
  (await viewer.vaults.getVaultAccountAsset({ vaultAccountId, assetId })).data;

/** The transaction at its end, and the statuses seen on its way. */
async function follow(txId) {
  const seen = [];
  const done = await until("the end of the transfer", async () => {
    const { data } = await editor.transactions.getTransaction({ txId });
    if (seen.at(-1) !== data.status) seen.push(data.status);
    return FINAL.includes(data.status) && data;
  });
  return { done, seen };
}

/** What is refused: a `FireblocksError` with this status and code. */
async function refused(asked, status, code) {
  await assert.rejects(asked, (error) => {
    assert.ok(error instanceof FireblocksError, String(error));
    assert.equal(error.response?.statusCode, status, error.message);
    if (code !== undefined) assert.equal(error.response.data.code, code, error.message);
    assert.equal(error.message, error.response.data.message);
    return true;
  });
}

test("a token is sent and its fee paid in the base asset", async () => {
  const [usdc, eth, theirs] = [await held("0", "USDC"), await held("0", "ETH"), await held("1", "USDC")];
  const note = 'rent / ü+% "quoted"';
  const { done, seen } = await follow(
    await propose({ assetId: "USDC", amount: "12.345678", note, externalTxId: "a/b ü+%" }),
  );
  assert.equal(done.status, "COMPLETED");
  assert.deepEqual(seen, WAY.filter((status) => seen.includes(status)));
  assert.equal(done.note, note);
  assert.equal(done.createdBy, sandbox.fund.keys.editor.apiKey);
  assert.equal(done.signedBy.length, 1);
  const fee = units(done.feeInfo.networkFee);
  assert.ok(fee > 0n && done.feeCurrency === "ETH");
  assert.equal(units((await held("0", "USDC")).total), units(usdc.total) - units("12.345678"));
  assert.equal(units((await held("0", "ETH")).total), units(eth.total) - fee);
  assert.equal(units((await held("1", "USDC")).total), units(theirs.total) + units("12.345678"));
  const named = await viewer.transactions.getTransactionByExternalId({ externalTxId: "a/b ü+%" });
  assert.deepEqual(named.data, done);
});

test("an external id works once, an idempotency key gives the same answer", async () => {
  const id = await propose({ externalTxId: "once" }, "key-1");
  assert.equal(await propose({ externalTxId: "once" }, "key-1"), id);
  await refused(propose({ externalTxId: "once" }), 400, 1438);
  await refused(propose({}, "k".repeat(41)), 400, 9003);
});

test("an address on no list is blocked", async () => {
  const destination = { type: "ONE_TIME_ADDRESS", oneTimeAddress: { address: "7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV" } };
  const { done } = await follow(await propose({ destination }));
  assert.deepEqual([done.status, done.subStatus], ["BLOCKED", "BLOCKED_BY_POLICY"]);
});

test("new accounts of any name", async () => {
  const name = "Jörg / 50% + 1 & co";
  const { data } = await editor.vaults.createVaultAccount({ createVaultAccountRequest: { name } });
  const found = await viewer.vaults.getPagedVaultAccounts({ namePrefix: name });
  assert.deepEqual(found.data.accounts, [data]);
  const wallet = { vaultAccountId: data.id, assetId: "BTC" };
  const { address } = (await editor.vaults.createVaultAccountAsset(wallet)).data;
  const listed = await viewer.vaults.getVaultAccountAssetAddressesPaginated(wallet);
  assert.equal(listed.data.addresses[0].address, address);
});

test("each refusal is an error of the client's, with its code", async () => {
  const unknown = "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001";
  await refused(propose({ amount: "99999999999" }), 400, 1402);
  await refused(propose({ operation: "ENABLE_ASSET" }), 400, 1401);
  await refused(propose({ operation: "RAW" }), 400, 1409);
  await refused(propose({ assetId: "NOSUCH" }), 400, 1503);
  await refused(viewer.vaults.getVaultAccount({ vaultAccountId: "99999" }), 404, 1004);
  await refused(viewer.transactions.getTransaction({ txId: "a/b" }), 404, 1405);
  await refused(editor.transactions.cancelTransaction({ txId: unknown }), 404, 1405);
  await refused(viewer.vaults.getPagedVaultAccounts({ limit: 501 }), 400, 1000);
  await refused(viewer.webhooksV2.getWebhooks(), 401, -8);
  await refused(viewer.transactions.cancelTransaction({ txId: unknown }), 401, -8);
  const { secretKey } = sandbox.fund.keys.editor;
  await refused(sandbox.client("viewer", { secretKey }).workspace.getWorkspace(), 401, -1);
  await refused(sandbox.client("viewer", { apiKey: unknown }).workspace.getWorkspace(), 401, -7);
  const { tokenization } = sandbox.client("admin");
  await refused(tokenization.getLinkedTokens({}), 501);
});
