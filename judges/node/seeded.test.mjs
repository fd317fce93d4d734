// What a seed has made and nothing changes: connected accounts, off-exchange, trading, earn, payments.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { units } from "./amounts.mjs";
import { byCursor } from "./pages.mjs";
import { refused } from "./refusals.mjs";
import { start } from "./sandbox.mjs";

let sandbox, fund, admin;

before(async () => {
  sandbox = await start();
  fund = await sandbox.fresh({});
  admin = fund.user("admin");
});
after(() => sandbox?.stop());

test("connected accounts, their balances, pairs and rates", async () => {
  const { connectedAccountsBeta: accounts } = admin;
  const listed = await byCursor((filters) => accounts.getConnectedAccounts(filters), { pageSize: 2 });
  assert.equal(listed.length, 3);
  for (const { id: accountId, name } of listed) {
    assert.equal((await accounts.getConnectedAccount({ accountId })).data.name, name);
    const balances = await byCursor((f) => accounts.getConnectedAccountBalances(f), { accountId, pageSize: 2 });
    assert.ok(balances.length > 0);
    const [pair] = await byCursor((f) => accounts.getConnectedAccountTradingPairs(f), { accountId, pageSize: 1 });
    const { baseAssetId, quoteAssetId } = pair;
    const { rate } = (await accounts.getConnectedAccountRates({ accountId, baseAssetId, quoteAssetId })).data;
    assert.ok(Number(rate) > 0);
  }
  await refused(accounts.getConnectedAccount({ accountId: "rando" }), 404);
});

test("trading: providers and orders", async () => {
  const { tradingBeta: trading } = admin;
  const providers = await byCursor((filters) => trading.getTradingProviders(filters), { pageSize: 2 });
  for (const provider of providers) {
    assert.deepEqual((await trading.getTradingProviderById({ providerId: provider.id })).data, provider);
  }
  const orders = await byCursor((filters) => trading.getOrders(filters), { pageSize: 3 });
  assert.equal(orders.length, 7);
  for (const { id: orderId, status } of orders) {
    assert.equal((await trading.getOrder({ orderId })).data.status, status);
  }
});

test("off-exchange", async () => {
  const { exchanges } = (await admin.exchangeAccounts.getPagedExchangeAccounts({ limit: 5 })).data;
  const { mainAccountId: mainExchangeAccountId } = exchanges.find((account) => account.mainAccountId);
  const collateral = (await admin.offExchanges.getOffExchangeCollateralAccounts({ mainExchangeAccountId })).data;
  assert.equal(collateral.mainAccountId, mainExchangeAccountId);
  assert.ok(collateral.assets.every(({ total }) => units(total) >= 0n));
  const settling = (await admin.offExchanges.getOffExchangeSettlementTransactions({ mainExchangeAccountId })).data;
  assert.ok(settling.toExchange.length > 0 && settling.toCollateral.length > 0);
});

test("earn", async () => {
  const { earnBeta: earn } = admin;
  const list = (method, more) => byCursor((filters) => earn[method](filters), { pageSize: 1, ...more });
  assert.deepEqual((await list("getEarnProviders")).map(({ providerId }) => providerId), ["AAVE", "MORPHO"]);
  const opportunities = (await list("getEarnOpportunities")).map(({ id }) => id);
  const positions = await list("getEarnPositions");
  assert.ok(positions.length > 0 && positions.every((each) => opportunities.includes(each.opportunityId)));
  for (const action of await list("getEarnActions", { order: "ASC" })) {
    assert.deepEqual((await earn.getEarnAction({ id: action.id })).data, action);
  }
});

test("payouts", async () => {
  const { payouts } = await fund.control("GET", "/payments");
  const states = new Set();
  for (const payoutId of payouts) {
    const payout = (await admin.paymentsPayout.getPayout({ payoutId })).data;
    assert.equal(payout.payoutId, payoutId);
    states.add(payout.status);
  }
  assert.deepEqual(states, new Set(["DONE", "INSUFFICIENT_BALANCE"]));
});
