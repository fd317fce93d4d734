// Staking: positions that the workspace's clock moves, from the stake to the withdrawal.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { units } from "./amounts.mjs";
import { byCursor } from "./pages.mjs";
import { refused } from "./refusals.mjs";
import { start, until } from "./sandbox.mjs";

const DAY = 86_400_000;

let sandbox, fund, staking;

before(async () => {
  sandbox = await start();
  fund = await sandbox.fresh({});
  ({ staking } = fund.user("signer"));
});
after(() => sandbox?.stop());

const later = (days) => fund.control("POST", "/clock/advance", { millis: days * DAY });
const position = async (id) => (await staking.getDelegationById({ id })).data;

async function stake(chainDescriptor, stakeAmount, vaultAccountId, more) {
  const stakeRequest = { vaultAccountId, providerId: "kiln", stakeAmount, ...more };
  const { id } = (await staking.stake({ chainDescriptor, stakeRequest })).data;
  await through();
  return id;
}

/** What is asked of positions is under way like any transaction: until all of it is through. */
const through = () =>
  until("nothing is under way", async () => {
    const { data } = await staking.getAllDelegations({});
    return data.every(({ inProgress }) => !inProgress);
  });

test("nothing is staked before the terms are agreed to", async () => {
  assert.deepEqual((await staking.getChains()).data, ["ETH", "SOL"]);
  const info = (await staking.getChainInfo({ chainDescriptor: "SOL" })).data;
  assert.deepEqual([info.chainDescriptor, info.epochDuration], ["SOL", 2 * DAY]);
  await refused(stake("SOL", "1", "0"), 403);
  await staking.approveTermsOfServiceByProviderId({ providerId: "kiln" });
  const providers = (await staking.getProviders()).data;
  assert.equal(providers.find(({ id }) => id === "kiln").isTermsOfServiceApproved, true);
});

test("a stake to its end", async () => {
  const chainDescriptor = "SOL";
  const id = await stake(chainDescriptor, "10.5", "0");
  assert.deepEqual([(await position(id)).status, (await position(id)).amount], ["activating", "10.5"]);
  await later(2);
  assert.equal((await position(id)).status, "active");
  await later(30);
  assert.ok(units((await position(id)).rewardsAmount) > 0n);
  await staking.claimRewards({ chainDescriptor, claimRewardsRequest: { id, feeLevel: "LOW" } });
  await through();
  await staking.unstake({ chainDescriptor, unstakeRequest: { id } });
  await through();
  assert.equal((await position(id)).status, "deactivating");
  await later(2);
  await staking.withdraw({ chainDescriptor, withdrawRequest: { id } });
  await through();
  const gone = await position(id);
  assert.deepEqual([gone.status, gone.amount], ["withdrawn", "0"]);
  assert.ok(gone.relatedTransactions.length >= 4);
});

test("a position is split, and its parts come together", async () => {
  const chainDescriptor = "SOL";
  const destinationId = await stake(chainDescriptor, "20", "1");
  await later(2);
  const splitRequest = { id: destinationId, amount: "8" };
  const { id: sourceId } = (await staking.split({ chainDescriptor, splitRequest })).data;
  await through();
  const ofAccount = (await staking.getSummaryByVault()).data["1"];
  assert.equal(ofAccount.active.length, 1);
  const mergeStakeAccountsRequest = { sourceId, destinationId };
  await staking.mergeStakeAccounts({ chainDescriptor, mergeStakeAccountsRequest });
  await through();
  assert.equal((await position(sourceId)).status, "merged");
  assert.ok(units((await position(destinationId)).amount) >= units("20"));
  const total = (await staking.getSummary()).data.totalStaked.find((each) => each.chainDescriptor === "SOL");
  assert.ok(units(total.amount) >= units("20"));
});

test("two compounding validators become one", async () => {
  const chainDescriptor = "ETH";
  const compounding = { isCompoundingValidator: true };
  const destinationId = await stake(chainDescriptor, "33", "2", compounding);
  const sourceId = await stake(chainDescriptor, "32", "2", compounding);
  await later(1);
  await staking.consolidate({ chainDescriptor, mergeStakeAccountsRequest: { sourceId, destinationId } });
  await through();
  assert.equal((await position(sourceId)).status, "consolidated");
  const listed = await byCursor((filters) => staking.getPositions(filters), { pageSize: 1 });
  const all = (await staking.getAllDelegations({})).data;
  assert.deepEqual(listed.map(({ id }) => id).sort(), all.map(({ id }) => id).sort());
  assert.equal((await staking.getAllDelegations({ chainDescriptor, vaultAccountId: "2" })).data.length, 2);
});
