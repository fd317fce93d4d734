// What a transfer costs and spends, and how one is stopped: nobody acts unless told to.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { sum, units } from "./amounts.mjs";
import { refused } from "./refusals.mjs";
import { start, until } from "./sandbox.mjs";

const vault = (id) => ({ type: "VAULT_ACCOUNT", id });
const btc = { vaultAccountId: "1", assetId: "BTC" };

let sandbox, fund, admin, signer;

before(async () => {
  sandbox = await start("--manual");
  fund = await sandbox.fresh({});
  [admin, signer] = ["admin", "signer"].map(fund.user);
});
after(() => sandbox?.stop());

const shown = async (txId) => (await signer.transactions.getTransaction({ txId })).data;
const act = (txId, what) => fund.control("POST", `/transactions/${txId}/${what}`, {});
const mine = () => fund.control("POST", "/mine");
const request = (assetId, amount, from, to) => ({ assetId, amount, source: vault(from), destination: vault(to) });

/** A transfer that waits for its signer, who asked for it himself. */
async function asked(transactionRequest) {
  const { id } = (await signer.transactions.createTransaction({ transactionRequest })).data;
  await until("it waits for its signature", async () => (await shown(id)).status === "PENDING_SIGNATURE");
  return id;
}

async function mined(txId) {
  return until("it is mined to its end", async () => {
    await mine();
    const now = await shown(txId);
    return now.status === "COMPLETED" && now;
  });
}

test("a fee is what was estimated", async () => {
  const transactionRequest = request("USDC", "1", "2", "1");
  const { low, medium, high } = (await signer.transactions.estimateTransactionFee({ transactionRequest })).data;
  const [a, b, c] = [low, medium, high].map((level) => units(level.networkFee));
  assert.ok(a < b && b < c);
  const txId = await asked(transactionRequest);
  await act(txId, "sign");
  assert.equal((await mined(txId)).feeInfo.networkFee, medium.networkFee);
  const network = (await signer.transactions.estimateNetworkFee({ assetId: "BTC" })).data;
  assert.ok(Number(network.low.feePerByte) < Number(network.high.feePerByte));
});

test("coins are selected, freed, labelled and kept apart", async () => {
  const coins = (await signer.vaults.getUnspentInputs(btc)).data;
  const wallet = (await signer.vaults.getVaultAccountAsset(btc)).data;
  assert.equal(sum(coins.map(({ amount }) => amount)), units(wallet.total));
  const txId = await asked(request("BTC", "0.00001", "1", "2"));
  const selected = (await signer.vaults.getUnspentInputs(btc)).data.filter(({ status }) => status === "SELECTED");
  assert.equal(selected.length, 1);
  await act(txId, "reject");

  const [coin] = coins;
  const attachDetachUtxoLabelsRequest = {
    utxoIdentifiers: [{ txHash: coin.input.txHash, index: coin.input.index }],
    labelsToAttach: ["cold"],
  };
  await signer.utxoManagementBeta.updateUtxoLabels({ ...btc, attachDetachUtxoLabelsRequest });
  const labelled = (await signer.utxoManagementBeta.getUtxos({ ...btc, includeAnyLabels: ["cold"] })).data.data;
  assert.deepEqual(labelled.map(({ input }) => input.txHash), [coin.input.txHash]);
  const others = (await signer.utxoManagementBeta.getUtxos({ ...btc, excludeAnyLabels: ["cold"] })).data.data;
  assert.equal(others.length, coins.length - 1);
  const most = (await signer.vaults.getMaxSpendableAmount(btc)).data.maxSpendableAmount;
  assert.ok(units(most) > 0n && units(most) <= units(wallet.total));
});

test("called back, dropped, frozen, freed", async () => {
  const txId = await asked(request("ETH", "0.01", "2", "1"));
  assert.equal((await signer.transactions.cancelTransaction({ txId })).data.success, true);
  assert.equal((await shown(txId)).status, "CANCELLED");
  await refused(signer.transactions.cancelTransaction({ txId }), 400, 1406);

  const stuck = await asked(request("ETH", "0.01", "2", "1"));
  await act(stuck, "sign");
  const dropTransactionRequest = { feeLevel: "HIGH" };
  const { txId: instead } = (await signer.transactions.dropTransaction({ txId: stuck, dropTransactionRequest })).data;
  await until("it waits for its signature", async () => (await shown(instead)).status === "PENDING_SIGNATURE");
  await act(instead, "sign");
  assert.equal((await mined(instead)).status, "COMPLETED");
  assert.equal((await shown(stuck)).subStatus, "DROPPED_BY_BLOCKCHAIN");

  const { id } = await fund.control("POST", "/incoming", { vaultAccountId: "3", assetId: "SOL", amount: "4" });
  await mined(id);
  assert.equal((await admin.transactions.freezeTransaction({ txId: id })).data.success, true);
  assert.equal((await shown(id)).subStatus, "FROZEN_MANUALLY");
  assert.equal((await admin.transactions.unfreezeTransaction({ txId: id })).data.success, true);
  assert.equal((await shown(id)).status, "COMPLETED");
});

test("as many blocks as asked for", async () => {
  const setConfirmationsThresholdRequest = { numOfConfirmations: 1 };
  const first = await asked(request("ETH", "0.01", "3", "1"));
  const told = await signer.transactions.setTransactionConfirmationThreshold({
    txId: first,
    setConfirmationsThresholdRequest,
  });
  assert.deepEqual(told.data.transactions, [first]);
  await act(first, "sign");
  await mine();
  assert.equal((await shown(first)).status, "COMPLETED");
  const second = await asked(request("ETH", "0.01", "3", "1"));
  await act(second, "sign");
  await mine();
  const { status, txHash } = await shown(second);
  assert.equal(status, "CONFIRMING");
  await signer.transactions.setConfirmationThresholdByTransactionHash({ txHash, setConfirmationsThresholdRequest });
  assert.equal((await shown(second)).status, "COMPLETED");
});

test("whether an address is one", async () => {
  const ask = async (assetId, address) => (await signer.transactions.validateAddress({ assetId, address })).data;
  assert.equal((await ask("BTC", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")).isValid, true);
  assert.equal((await ask("BTC", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")).isValid, false);
  assert.equal((await ask("XRP", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh")).requiresTag, true);
});
