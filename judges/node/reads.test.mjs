// The official TypeScript client reads the sandbox: everything once, lists to their end.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { sum, units } from "./amounts.mjs";
import { start } from "./sandbox.mjs";

let sandbox, viewer, editor, admin, accounts;

before(async () => {
  sandbox = await start();
  [viewer, editor, admin] = ["viewer", "editor", "admin"].map((name) => sandbox.client(name));
  const answer = await viewer.vaults.getPagedVaultAccounts({ limit: 500, orderBy: "ASC" });
  accounts = answer.data.accounts;
});
after(() => sandbox?.stop());

/** Follows `paging.after` to the end. */
async function walk(ask, rows, filters) {
  const found = [];
  let cursor;
  for (let page = 0; page < 2000; page += 1) {
    const { data } = await ask({ ...filters, after: cursor });
    found.push(...data[rows]);
    cursor = data.paging.after;
    if (!cursor) return found;
  }
  throw new Error("the list does not end");
}

test("accounts to the end, newest first", async () => {
  const ask = (filters) => viewer.vaults.getPagedVaultAccounts(filters);
  const found = await walk(ask, "accounts", { limit: 7 });
  assert.deepEqual(found, [...accounts].reverse());
  assert.ok(accounts.length >= 24);
});

test("accounts filtered", async () => {
  const ask = async (filters) =>
    (await viewer.vaults.getPagedVaultAccounts({ limit: 500, orderBy: "ASC", ...filters })).data.accounts;
  const clients = accounts.filter((account) => account.name.startsWith("Client 0"));
  assert.deepEqual(await ask({ namePrefix: "Client 0" }), clients);
  assert.deepEqual(await ask({ nameSuffix: " + / ü%" }), []);
  const rich = (least) =>
    accounts.filter((a) => a.assets.some((w) => w.id === "BTC" && units(w.total) > units(least)));
  assert.deepEqual(await ask({ assetId: "BTC", minAmountThreshold: 100 }), rich("100"));
  assert.deepEqual(await ask({ assetId: "BTC", minAmountThreshold: 1e-7 }), rich("0.0000001"));
  assert.deepEqual(await ask({ includeTagIds: ["1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001"] }), []);
});

test("one account, one wallet, totals, all wallets", async () => {
  const [account] = accounts;
  const { data } = await viewer.vaults.getVaultAccount({ vaultAccountId: account.id });
  assert.deepEqual(data, account);
  const [wallet] = account.assets;
  const one = await viewer.vaults.getVaultAccountAsset({ vaultAccountId: account.id, assetId: wallet.id });
  assert.deepEqual(one.data, wallet);
  const all = accounts.flatMap((each) => each.assets);
  const totals = (await viewer.vaults.getVaultAssets()).data;
  for (const total of totals) {
    const held = all.filter((each) => each.id === total.id).map((each) => each.total);
    assert.equal(units(total.total), sum(held), total.id);
  }
  const btc = await viewer.vaults.getVaultBalanceByAsset({ assetId: "BTC" });
  assert.deepEqual(btc.data, totals.find((total) => total.id === "BTC"));
  const ask = (filters) => viewer.vaults.getAssetWallets(filters);
  const wallets = await walk(ask, "assetWallets", { limit: 30 });
  assert.equal(wallets.length, all.length);
  assert.equal(new Set(wallets.map((each) => `${each.vaultId}/${each.assetId}`)).size, all.length);
});

test("addresses to the end", async () => {
  const wallet = { vaultAccountId: "0", assetId: "BTC" };
  for (let number = 0; number < 4; number += 1) {
    const createAddressRequest = { description: `no. ${number} / ü+%` };
    await admin.vaults.createVaultAccountAssetAddress({ ...wallet, createAddressRequest });
  }
  const ask = (filters) => viewer.vaults.getVaultAccountAssetAddressesPaginated({ ...wallet, ...filters });
  const found = await walk(ask, "addresses", { limit: 2 });
  assert.ok(found.length >= 5);
  assert.deepEqual(found.map((each) => each.bip44AddressIndex), [...found.keys()]);
  assert.equal(found.at(-1).description, "no. 3 / ü+%");
});

test("transactions to the end, by the header's whole URL", async () => {
  const all = [];
  let next;
  do {
    const answer = await viewer.transactions.getTransactions({ after: "0", limit: 200, next });
    all.push(...answer.data);
    const link = answer.headers["next-page"];
    next = link && new URL(link).searchParams.get("next");
  } while (next);
  assert.ok(all.length > 500);
  assert.equal(new Set(all.map((each) => each.id)).size, all.length);
  const ids = (list) => list.map((each) => each.id);
  const filters = { after: "0", limit: 500, assets: "BTC,USDC", status: "COMPLETED", destType: "VAULT_ACCOUNT" };
  const filtered = await viewer.transactions.getTransactions(filters);
  const expected = all.filter(
    (each) =>
      ["BTC", "USDC"].includes(each.assetId) &&
      each.status === "COMPLETED" &&
      each.destination.type === "VAULT_ACCOUNT",
  );
  assert.deepEqual(ids(filtered.data), ids(expected));
  const upwards = await viewer.transactions.getTransactions({ after: "0", limit: 9, sort: "ASC" });
  assert.deepEqual(ids(upwards.data), ids(all).slice(-9).reverse());
  const one = await viewer.transactions.getTransaction({ txId: all[3].id });
  assert.deepEqual(one.data, all[3]);
});

test("assets and blockchains", async () => {
  const supported = (await editor.blockchainsAssets.getSupportedAssets()).data;
  const { data, next } = (await viewer.blockchainsAssets.listAssets({ pageSize: 100 })).data;
  assert.ok(!next);
  assert.deepEqual(data.map((each) => each.legacyId).sort(), supported.map((each) => each.id).sort());
  const usdc = data.find((each) => each.legacyId === "USDC");
  assert.deepEqual((await viewer.blockchainsAssets.getAsset({ id: usdc.id })).data, usdc);
  const chains = [];
  let pageCursor;
  do {
    const page = (await viewer.blockchainsAssets.listBlockchains({ pageSize: 2, pageCursor })).data;
    chains.push(...page.data);
    pageCursor = page.next;
  } while (pageCursor);
  assert.ok(chains.some((chain) => chain.id === usdc.blockchainId));
  const chain = await viewer.blockchainsAssets.getBlockchain({ id: chains[0].id });
  assert.deepEqual(chain.data, chains[0]);
  const evm = await viewer.blockchainsAssets.listBlockchains({ protocol: "EVM", test: false });
  assert.deepEqual(evm.data.data, chains.filter((each) => each.onchain.protocol === "EVM"));
});

test("whitelists", async () => {
  const internal = (await editor.internalWallets.getInternalWallets()).data;
  const external = (await editor.externalWallets.getExternalWallets()).data;
  const contracts = (await editor.contracts.getContracts()).data;
  const [walletId, assetId] = [internal[0].id, internal[0].assets[0].id];
  assert.deepEqual((await editor.internalWallets.getInternalWallet({ walletId })).data, internal[0]);
  const asset = await editor.internalWallets.getInternalWalletAsset({ walletId, assetId });
  assert.deepEqual(asset.data, internal[0].assets[0]);
  const theirs = { walletId: external[0].id, assetId: external[0].assets[0].id };
  assert.deepEqual((await editor.externalWallets.getExternalWallet(theirs)).data, external[0]);
  assert.deepEqual((await editor.externalWallets.getExternalWalletAsset(theirs)).data, external[0].assets[0]);
  const contract = { contractId: contracts[0].id, assetId: contracts[0].assets[0].id };
  assert.deepEqual((await editor.contracts.getContract(contract)).data, contracts[0]);
  assert.deepEqual((await editor.contracts.getContractAsset(contract)).data, contracts[0].assets[0]);
});

test("users, the workspace, IP lists", async () => {
  const everybody = (await admin.users.getUsers()).data;
  const people = (await admin.consoleUser.getConsoleUsers()).data.users;
  const machines = (await admin.apiUser.getApiUsers()).data.users;
  assert.equal(everybody.length, people.length + machines.length);
  assert.deepEqual(new Set(machines.map((each) => each.id)), new Set(Object.values(sandbox.fund.keys).map((k) => k.apiKey)));
  assert.equal((await viewer.workspace.getWorkspace()).data.id, sandbox.fund.id);
  const userId = sandbox.fund.keys.auditor.apiKey;
  await sandbox.control("PUT", `/users/${userId}/ip_addresses`, { addresses: ["203.0.113.7"] });
  const list = await admin.whitelistIpAddresses.getWhitelistIpAddresses({ userId });
  assert.deepEqual(list.data, { userId, whitelistedIps: ["203.0.113.7"] });
});
