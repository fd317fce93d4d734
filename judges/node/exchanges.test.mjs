// Money at third parties: exchange accounts and fiat accounts, which lose and make none.

import assert from "node:assert/strict";
import { constants, publicEncrypt } from "node:crypto";
import { after, before, test } from "node:test";

import { units } from "./amounts.mjs";
import { refused } from "./refusals.mjs";
import { start } from "./sandbox.mjs";

let sandbox, fund, exchanges, fiat;

before(async () => {
  sandbox = await start();
  fund = await sandbox.fresh({});
  ({ exchangeAccounts: exchanges, fiatAccounts: fiat } = fund.user("admin"));
});
after(() => sandbox?.stop());

async function everything() {
  const found = [];
  let after;
  do {
    const { data } = await exchanges.getPagedExchangeAccounts({ limit: 2, after });
    found.push(...data.exchanges);
    after = data.paging.after;
  } while (after);
  return found;
}

const named = async (name) => (await everything()).find((account) => account.name === name);
const held = (assets, id) => units(assets.find((asset) => asset.id === id)?.total ?? "0");

test("an account is added with sealed credentials, and what comes in is seen", async () => {
  const { tenantId, publicKey } = (await exchanges.getExchangeAccountsCredentialsPublicKey()).data;
  assert.equal(tenantId, fund.id);
  const seal = { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
  const creds = publicEncrypt(seal, Buffer.from('{"apiKey":"a","secret":"b"}')).toString("base64");
  const addExchangeAccountRequest = { name: "Bitso, desk 2", exchangeType: "BITSO", creds };
  const { id } = (await exchanges.addExchangeAccount({ addExchangeAccountRequest })).data;
  const shown = (await exchanges.getExchangeAccount({ exchangeAccountId: id })).data;
  assert.deepEqual([shown.name, shown.type, shown.status, shown.assets], ["Bitso, desk 2", "BITSO", "APPROVED", []]);
  await fund.control("POST", "/deposits", { type: "EXCHANGE_ACCOUNT", id, assetId: "BTC", amount: "0.5" });
  const asset = (await exchanges.getExchangeAccountAsset({ exchangeAccountId: id, assetId: "BTC" })).data;
  assert.deepEqual([asset.total, asset.available], ["0.5", "0.5"]);
  await refused(exchanges.addExchangeAccount({ addExchangeAccountRequest }), 400, 1000);
});

test("money is converted and moved inside an account", async () => {
  const before = await named("Coinbase Prime");
  const convertAssetsRequest = { amount: 1000.5, srcAsset: "USD", destAsset: "USDC" };
  await exchanges.convertAssets({ exchangeAccountId: before.id, convertAssetsRequest });
  const then = await named("Coinbase Prime");
  for (const [asset, by] of [["USD", "-1000.5"], ["USDC", "1000.5"]]) {
    assert.equal(held(then.assets, asset) - held(before.assets, asset), units(by));
  }
  const account = (await everything()).find(({ tradingAccounts }) => tradingAccounts?.length > 1);
  const [from, to] = account.tradingAccounts;
  const { id: asset, available } = from.assets.find((each) => units(each.available) > 0n);
  const createInternalTransferRequest = { asset, amount: available, sourceType: from.type, destType: to.type };
  await exchanges.internalTransfer({ exchangeAccountId: account.id, createInternalTransferRequest });
  const after = (await exchanges.getExchangeAccount({ exchangeAccountId: account.id })).data;
  const part = (whole, type) => held(whole.tradingAccounts.find((each) => each.type === type).assets, asset);
  assert.equal(part(after, from.type), part(account, from.type) - units(available));
  assert.equal(part(after, to.type), part(account, to.type) + units(available));
  assert.equal(held(after.assets, asset), held(account.assets, asset));
});

test("fiat money moves to and fro", async () => {
  await fund.control("POST", "/fiat_accounts", { name: "Second", assetId: "EUR", linkedBalance: "100.5" });
  const account = (await fiat.getFiatAccounts()).data.find(({ name }) => name === "Second");
  const accountId = account.id;
  const balance = async () => units((await fiat.getFiatAccount({ accountId })).data.assets[0].balance);
  assert.equal((await fiat.depositFundsFromLinkedDDA({ accountId, funds: { amount: 100.25 } })).data.success, true);
  assert.equal(await balance(), units("100.25"));
  assert.equal((await fiat.redeemFundsToLinkedDDA({ accountId, funds: { amount: 50 } })).data.success, true);
  assert.equal(await balance(), units("50.25"));
  await refused(fiat.redeemFundsToLinkedDDA({ accountId, funds: { amount: 51 } }), 400, 1000);
});
