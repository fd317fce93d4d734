// Vault accounts and their wallets, made, changed, listed; accounts and addresses by the dozen.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { refused } from "./refusals.mjs";
import { start } from "./sandbox.mjs";

let sandbox, fund, vaults;

before(async () => {
  sandbox = await start();
  fund = await sandbox.fresh({});
  ({ vaults } = fund.user("admin"));
});
after(() => sandbox?.stop());

const shown = async (vaultAccountId) => (await vaults.getVaultAccount({ vaultAccountId })).data;
const made = async (name) => (await vaults.createVaultAccount({ createVaultAccountRequest: { name } })).data.id;

test("an account is renamed, hidden, shown, referred to, fuelled", async () => {
  const vaultAccountId = await made("To be changed");
  const renamed = await vaults.updateVaultAccount({ vaultAccountId, updateVaultAccountRequest: { name: "Changed ü" } });
  assert.deepEqual([renamed.data.id, renamed.data.name], [vaultAccountId, "Changed ü"]);
  assert.equal((await vaults.hideVaultAccount({ vaultAccountId })).data.success, true);
  assert.equal((await shown(vaultAccountId)).hiddenOnUI, true);
  await refused(vaults.hideVaultAccount({ vaultAccountId }), 400, 1019);
  assert.equal((await vaults.unhideVaultAccount({ vaultAccountId })).data.success, true);
  const setCustomerRefIdRequest = { customerRefId: "client:7" };
  await vaults.setVaultAccountCustomerRefId({ vaultAccountId, setCustomerRefIdRequest });
  await vaults.setVaultAccountAutoFuel({ vaultAccountId, setAutoFuelRequest: { autoFuel: true } });
  const now = await shown(vaultAccountId);
  assert.deepEqual(
    [now.name, now.hiddenOnUI, now.customerRefId, now.autoFuel],
    ["Changed ü", false, "client:7", true],
  );
});

test("a wallet and its addresses", async () => {
  const wallet = { vaultAccountId: await made("With a wallet"), assetId: "BTC" };
  const { address, legacyAddress } = (await vaults.createVaultAccountAsset(wallet)).data;
  const at = { ...wallet, addressId: address };
  await vaults.updateVaultAccountAssetAddress({
    ...at,
    updateVaultAccountAssetAddressRequest: { description: "rent / ü" },
  });
  await vaults.setCustomerRefIdForAddress({ ...at, setCustomerRefIdForAddressRequest: { customerRefId: "c-1" } });
  const [listed] = (await vaults.getVaultAccountAssetAddressesPaginated(wallet)).data.addresses;
  assert.deepEqual([listed.address, listed.description, listed.customerRefId], [address, "rent / ü", "c-1"]);
  assert.equal((await vaults.createLegacyAddress(at)).data.legacyAddress, legacyAddress);
  assert.equal((await vaults.getMaxBipIndexUsed(wallet)).data.maxBip44AddressIndexUsed, 0);
  const balance = (await vaults.updateVaultAccountAssetBalance(wallet)).data;
  assert.deepEqual([balance.id, balance.total], ["BTC", "0"]);
  const active = (await vaults.activateAssetForVaultAccount(wallet)).data;
  assert.deepEqual([active.status, active.address], ["READY", address]);
  await refused(vaults.createLegacyAddress({ ...at, addressId: "nowhere" }), 400, 1015);
});

test("accounts and addresses by the dozen", async () => {
  const createMultipleAccountsRequest = { count: 12, baseAssetIds: ["BTC", "ETH"], prefix: "Dozen " };
  const { jobId } = (await vaults.createMultipleAccounts({ createMultipleAccountsRequest })).data;
  const job = (await vaults.getCreateMultipleVaultAccountsJobStatus({ jobId })).data;
  const ids = Object.keys(job.vaultAccounts);
  assert.deepEqual([job.status, ids.length], ["SUCCESS", 12]);
  const page = await vaults.getPagedVaultAccounts({ namePrefix: "Dozen ", orderBy: "ASC" });
  assert.deepEqual(page.data.accounts.map(({ name }) => name), ids.map((_, at) => `Dozen ${at + 1}`));

  const wallet = { vaultAccountId: page.data.accounts[0].id, assetId: "BTC" };
  const createMultipleDepositAddressesRequest = { ...wallet, vaultAccountId: +wallet.vaultAccountId, count: 3 };
  const asked = (await vaults.createMultipleDepositAddresses({ createMultipleDepositAddressesRequest })).data;
  const { addresses } = (await vaults.getCreateMultipleDepositAddressesJobStatus({ jobId: asked.jobId })).data;
  const listed = (await vaults.getVaultAccountAssetAddressesPaginated(wallet)).data.addresses;
  assert.deepEqual(listed.slice(1).map(({ address }) => address), addresses.map(({ address }) => address));
});

test("a tag is attached, shown and taken off again", async () => {
  const { tags } = fund.user("admin");
  const tag = (await tags.createTag({ createTagRequest: { label: "Treasury" } })).data;
  const attach = async (change) => {
    const vaultAccountsTagAttachmentOperationsRequest = { vaultAccountIds: ["0", "1"], ...change };
    return (await vaults.attachOrDetachTagsFromVaultAccounts({ vaultAccountsTagAttachmentOperationsRequest })).data;
  };
  const told = await attach({ tagIdsToAttach: [tag.id] });
  assert.deepEqual(told.appliedOperations.map((each) => each.action), ["ATTACH", "ATTACH"]);
  const tagged = (await vaults.getPagedVaultAccounts({ tagIds: [tag.id], orderBy: "ASC" })).data.accounts;
  assert.deepEqual(tagged.map(({ id }) => id), ["0", "1"]);
  assert.deepEqual((await shown("1")).tags.map(({ label }) => label), ["Treasury"]);
  await attach({ tagIdsToDetach: [tag.id] });
  assert.deepEqual((await shown("1")).tags, []);
});

test("keys: of an address, and of a path", async () => {
  const at = { vaultAccountId: "1", assetId: "ETH", change: 0, addressIndex: 0 };
  const key = (await vaults.getPublicKeyInfoForAddress(at)).data;
  assert.match(key.publicKey, /^0[23][0-9a-f]{64}$/);
  const derivationPath = JSON.stringify(key.derivationPath);
  const same = (await vaults.getPublicKeyInfo({ derivationPath, algorithm: key.algorithm })).data;
  assert.equal(same.publicKey, key.publicKey);
  await refused(fund.user("viewer").vaults.getPublicKeyInfo({ derivationPath, algorithm: key.algorithm }), 401, -8);
});
