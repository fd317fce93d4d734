// The three kinds of lists: a wallet is made, gets an asset, is referred to, and goes again.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { refused } from "./refusals.mjs";
import { start } from "./sandbox.mjs";

const address = "0x52908400098527886E0F7030069857D2E4169EE7";
const createWalletRequest = { name: "New / ü", customerRefId: "r:1" };
const setCustomerRefIdRequest = { customerRefId: "x:1" };

let sandbox, editor;

before(async () => {
  sandbox = await start();
  editor = (await sandbox.fresh({})).user("editor");
});
after(() => sandbox?.stop());

const told = ({ data }) => [data.id, data.address, data.status];
const approved = ["ETH", address, "APPROVED"];

test("internal wallets", async () => {
  const { internalWallets: lists } = editor;
  const { id: walletId } = (await lists.createInternalWallet({ createWalletRequest })).data;
  const createInternalWalletAssetRequest = { address };
  for (const assetId of ["ETH", "USDC"]) {
    await lists.createInternalWalletAsset({ walletId, assetId, createInternalWalletAssetRequest });
  }
  assert.deepEqual(told(await lists.getInternalWalletAsset({ walletId, assetId: "ETH" })), approved);
  const page = (pageCursor) => lists.getInternalWalletAssetsPaginated({ walletId, pageSize: 1, pageCursor });
  const first = (await page()).data;
  const last = (await page(first.next)).data;
  assert.deepEqual([...first.data.assets, ...last.data.assets].map(({ id }) => id), ["ETH", "USDC"]);
  assert.deepEqual([first.total, last.next], [2, undefined]);
  await lists.setCustomerRefIdForInternalWallet({ walletId, setCustomerRefIdRequest });
  assert.equal((await lists.getInternalWallet({ walletId })).data.customerRefId, "x:1");
  assert.ok((await lists.getInternalWallets()).data.some(({ id }) => id === walletId));
  await lists.deleteInternalWalletAsset({ walletId, assetId: "USDC" });
  assert.deepEqual((await lists.getInternalWallet({ walletId })).data.assets.map(({ id }) => id), ["ETH"]);
  await lists.deleteInternalWallet({ walletId });
  await refused(lists.getInternalWallet({ walletId }), 404, 1204);
});

test("external wallets", async () => {
  const { externalWallets: lists } = editor;
  const { id: walletId } = (await lists.createExternalWallet({ createWalletRequest })).data;
  const wallet = { walletId, assetId: "ETH" };
  await lists.addAssetToExternalWallet({ ...wallet, addAssetToExternalWalletRequest: { address } });
  assert.deepEqual(told(await lists.getExternalWalletAsset(wallet)), approved);
  await lists.setExternalWalletCustomerRefId({ walletId, setCustomerRefIdRequest });
  assert.equal((await lists.getExternalWallet({ walletId })).data.customerRefId, "x:1");
  assert.ok((await lists.getExternalWallets()).data.some(({ id }) => id === walletId));
  await lists.removeAssetFromExternalWallet(wallet);
  assert.deepEqual((await lists.getExternalWallet({ walletId })).data.assets, []);
  await lists.deleteExternalWallet({ walletId });
  await refused(lists.getExternalWallet({ walletId }), 404, 1304);
});

test("contracts", async () => {
  const { contracts: lists } = editor;
  const { id: contractId } = (await lists.createContract({ createContractRequest: { name: "Vault of a DAO" } })).data;
  const contract = { contractId, assetId: "ETH" };
  await lists.addContractAsset({ ...contract, addContractAssetRequest: { address } });
  assert.deepEqual(told(await lists.getContractAsset(contract)), approved);
  assert.deepEqual((await lists.getContract({ contractId })).data.assets.map(({ id }) => id), ["ETH"]);
  assert.ok((await lists.getContracts()).data.some(({ id }) => id === contractId));
  await lists.deleteContractAsset(contract);
  await lists.deleteContract({ contractId });
  await refused(lists.getContract({ contractId }), 404, 1354);
});

test("assets of one's own: registered, priced, noted", async () => {
  const { blockchainsAssets: assets } = editor;
  const registerNewAssetRequest = {
    blockchainId: "ETH",
    address: "0x6B175474E89094C44Da98b954EedeAC495271d0F",
    symbol: "DAI",
  };
  const { legacyId: id } = (await assets.registerNewAsset({ registerNewAssetRequest })).data;
  assert.equal((await assets.getAsset({ id })).data.metadata.scope, "LOCAL");
  await refused(assets.registerNewAsset({ registerNewAssetRequest }), 409, 1002);
  const price = (await assets.setAssetPrice({ id, setAssetPriceRequest: { currency: "USD", price: 1.01 } })).data;
  assert.deepEqual([price.legacyId, price.currency, price.price, price.source], [id, "USD", 1.01, "PRIVATE"]);
  const updateAssetUserMetadataRequest = { metadata: { note: { text: "ours" } } };
  const noted = (await assets.updateAssetUserMetadata({ id, updateAssetUserMetadataRequest })).data;
  assert.equal(noted.metadata.note.text, "ours");
  assert.deepEqual((await assets.getAsset({ id })).data, noted);
});

test("gas stations keep their settings", async () => {
  const { gasStations } = editor;
  const { balance } = (await gasStations.getGasStationInfo()).data;
  assert.deepEqual(Object.keys(balance), ["ETH"]);
  const set = { gasThreshold: "0.02", gasCap: "0.03", maxGasPrice: "55.5" };
  await gasStations.updateGasStationConfiguration({ gasStationConfiguration: set });
  const assetId = "MATIC_POLYGON";
  const other = { gasThreshold: "1", gasCap: "5" };
  await gasStations.updateGasStationConfigurationByAssetId({ assetId, gasStationConfiguration: other });
  assert.deepEqual((await gasStations.getGasStationInfo()).data.configuration, set);
  const { gasThreshold, gasCap } = (await gasStations.getGasStationByAssetId({ assetId })).data.configuration;
  assert.deepEqual({ gasThreshold, gasCap }, other);
});
