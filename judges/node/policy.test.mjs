// The policy, by both of its editors: drafted, published, agreed to, in force.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { start, until } from "./sandbox.mjs";

const policyTypes = ["TRANSFER"];
const policyType = "TRANSFER";

/** A rule of the older shape: everything, unless changed. */
const legacy = (change) => ({
  type: "TRANSFER",
  transactionType: "TRANSFER",
  action: "ALLOW",
  asset: "*",
  amountCurrency: "USD",
  amountScope: "SINGLE_TX",
  amount: "0",
  periodSec: 0,
  operators: { wildcard: "*" },
  src: { ids: [["*"]] },
  dst: { ids: [["*"]] },
  dstAddressType: "*",
  ...change,
});

/** A rule of the newer shape: every transfer between vaults, unless changed. */
const newer = (id, change) => ({
  name: `Rule ${id}`,
  id,
  policyEngineVersion: "v2",
  type: "TRANSFER",
  initiator: "*",
  source: { operator: "INCLUDES", type: ["VAULT"] },
  destination: { operator: "INCLUDES", addressType: "*" },
  verdict: { action: "ALLOW" },
  ...change,
});

let sandbox, admin, signer;

before(async () => {
  sandbox = await start();
  const fund = await sandbox.fresh({});
  [admin, signer] = ["admin", "signer"].map(fund.user);
});
after(() => sandbox?.stop());

/** How a transfer of SOL ends, and why. */
async function end(amount) {
  const vault = (id) => ({ type: "VAULT_ACCOUNT", id });
  const transactionRequest = { assetId: "SOL", amount, source: vault("0"), destination: vault("1") };
  const { id: txId } = (await signer.transactions.createTransaction({ transactionRequest })).data;
  const { data } = await until("its end", async () => {
    const told = await signer.transactions.getTransaction({ txId });
    return ["COMPLETED", "BLOCKED"].includes(told.data.status) && told;
  });
  return [data.status, data.errorDescription];
}

test("the older editor", async () => {
  const { policyEditorBeta: editor } = admin;
  const before = (await editor.getActivePolicyLegacy()).data;
  assert.deepEqual(before.policy.rules.slice(0, 3).map(({ action }) => action), ["BLOCK", "ALLOW", "2-TIER"]);
  const draft = (await editor.updateDraftLegacy({ legacyPolicyRules: { rules: [legacy({ action: "BLOCK" })] } })).data;
  const { draftId } = draft.draftResponse;
  assert.equal((await editor.getDraftLegacy()).data.draftResponse.draftId, draftId);
  const published = await editor.publishDraftLegacy({ legacyPublishDraftRequest: { draftId } });
  assert.deepEqual([published.statusCode, published.data.status], [201, "AWAITING_QUORUM"]);
  assert.deepEqual(await end("0.5"), ["BLOCKED", "Blocked by policy rule 1"]);
  const rules = [legacy({ action: "BLOCK", asset: "BTC" }), legacy()];
  assert.equal((await editor.publishPolicyRules({ legacyPolicyRules: { rules } })).data.status, "AWAITING_QUORUM");
  const now = (await editor.getActivePolicyLegacy()).data.policy.rules;
  assert.deepEqual(now.map(({ asset }) => asset), ["BTC", "*"]);
  assert.equal((await end("0.5"))[0], "COMPLETED");
});

test("the newer editor", async () => {
  const { policyEditorV2Beta: editor } = admin;
  const amount = { range: { min: "100" }, currency: "USD" };
  const rules = [newer("big", { verdict: { action: "BLOCK" }, amount }), newer("rest")];
  const saved = (await editor.updateDraft({ updateDraftRequest: { policyTypes, rules } })).data;
  const ids = ({ rules: listed }) => listed.map(({ id }) => id);
  assert.deepEqual(ids((await editor.getDraft({ policyType })).data.draftResponse), ["big", "rest"]);
  const publishDraftRequest = { policyTypes, draftId: saved.draftResponse.draftId };
  assert.equal((await editor.publishDraft({ publishDraftRequest })).data.status, "AWAITING_QUORUM");
  assert.deepEqual(ids((await editor.getActivePolicy({ policyType })).data.policy), ["big", "rest"]);
  assert.deepEqual(await end("5"), ["BLOCKED", "Blocked by policy rule 1"]);
  assert.equal((await end("0.1"))[0], "COMPLETED");
});
