// NFTs: what is owned, what people say of it, what comes.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { byCursor } from "./pages.mjs";
import { refused } from "./refusals.mjs";
import { start } from "./sandbox.mjs";

let sandbox, fund, nfts;

before(async () => {
  sandbox = await start();
  fund = await sandbox.fresh({});
  ({ nfts } = fund.user("editor"));
});
after(() => sandbox?.stop());

const owned = (filters) => byCursor((each) => nfts.getOwnershipTokens(each), filters);
const tokens = (filters) => byCursor((each) => nfts.listOwnedTokens(each), filters);

test("what is owned, by token, collection and account", async () => {
  const rows = await owned({ pageSize: 3 });
  const listed = await tokens({ pageSize: 4 });
  assert.deepEqual(new Set(listed.map(({ id }) => id)), new Set(rows.map(({ id }) => id)));
  const collections = await byCursor((each) => nfts.listOwnedCollections(each), { pageSize: 3 });
  assert.deepEqual(new Set(collections.map(({ id }) => id)), new Set(rows.map(({ collection }) => collection.id)));
  const [token, other] = listed;
  assert.deepEqual((await nfts.getNFT({ id: token.id })).data, token);
  const two = await byCursor((each) => nfts.getNFTs(each), { ids: `${token.id},${other.id},rando` });
  assert.deepEqual(two.map(({ id }) => id).sort(), [token.id, other.id].sort());
  await refused(nfts.getNFT({ id: "rando" }), 404);
});

test("what people say of a token", async () => {
  const [{ id }] = await tokens({ search: "passes" });
  await nfts.updateTokenOwnershipStatus({ id, updateTokenOwnershipStatusDto: { status: "ARCHIVED" } });
  assert.ok((await tokens({ status: "ARCHIVED" })).some((token) => token.id === id));
  await nfts.updateTokensOwnershipStatus({ updateTokensOwnershipStatusRequest: [{ assetId: id, status: "LISTED" }] });
  assert.ok((await tokens({ status: "LISTED" })).some((token) => token.id === id));
  await nfts.updateTokensOwnershipSpam({ updateTokensOwnershipSpamRequest: [{ assetId: id, spam: true }] });
  assert.deepEqual(new Set((await owned({ ids: id })).map(({ spam }) => spam.source)), new Set(["OWNER"]));
});

test("a token comes, and its metadata are read", async () => {
  const { id } = await fund.control("POST", "/incoming_nft", { vaultAccountId: "5", seen: false });
  assert.deepEqual(await owned({ ids: id }), []);
  const found = await nfts.updateOwnershipTokens({ blockchainDescriptor: "ETH", vaultAccountId: "5" });
  assert.equal(found.statusCode, 202);
  assert.deepEqual((await owned({ ids: id })).map(({ vaultAccountId }) => vaultAccountId), ["5"]);
  const blank = (await tokens()).find(({ name }) => !name);
  assert.equal((await nfts.refreshNFTMetadata({ id: blank.id })).statusCode, 202);
  assert.ok((await nfts.getNFT({ id: blank.id })).data.name);
});
