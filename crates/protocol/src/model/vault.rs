//! Vault accounts, their wallets (an asset in an account) and deposit addresses.

use serde::{Deserialize, Serialize};

use super::null_as_default;
use crate::amount::Amount;
use crate::ids::{AssetId, VaultAccountId};
use crate::time::Millis;

/// A vault account with its wallets (`GET /vault/accounts_paged`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VaultAccount {
    /// Its number.
    pub id: VaultAccountId,
    /// Its name.
    pub name: String,
    /// Whether the Console hides it.
    #[serde(rename = "hiddenOnUI", default, deserialize_with = "null_as_default")]
    pub hidden_on_ui: bool,
    /// The client's own name for its customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_ref_id: Option<String>,
    /// Whether a gas station refuels it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub auto_fuel: bool,
    /// Its tags.
    #[serde(default, deserialize_with = "null_as_default")]
    pub tags: Vec<Tag>,
    /// Its wallets.
    #[serde(default, deserialize_with = "null_as_default")]
    pub assets: Vec<VaultAsset>,
}

/// A label on an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tag {
    /// Its id.
    pub id: String,
    /// Its text.
    pub label: String,
    /// What it means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its colour in the Console.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// Whether administrators alone may change it or where it is attached.
    #[serde(default, deserialize_with = "null_as_default")]
    pub is_protected: bool,
    /// When it was last changed.
    #[serde(default)]
    pub updated_at: Millis,
}

/// The balances of one wallet, or of one asset over all wallets.
/// `total = available + pending + frozen + lockedAmount (+ staked)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VaultAsset {
    /// The asset.
    pub id: AssetId,
    /// Everything.
    pub total: Amount,
    /// The same as `total`; the older name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<Amount>,
    /// What can be spent now.
    #[serde(default, deserialize_with = "null_as_default")]
    pub available: Amount,
    /// What is on its way in.
    #[serde(default, deserialize_with = "null_as_default")]
    pub pending: Amount,
    /// What compliance holds back.
    #[serde(default, deserialize_with = "null_as_default")]
    pub frozen: Amount,
    /// What transactions under way hold.
    #[serde(default, deserialize_with = "null_as_default")]
    pub locked_amount: Amount,
    /// What is staked.
    #[serde(default, deserialize_with = "null_as_default")]
    pub staked: Amount,
    /// The block that the balances are of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_height: Option<String>,
    /// That block's hash; not filled for UTXO assets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_hash: Option<String>,
}

impl VaultAsset {
    /// A wallet with nothing in it.
    pub fn empty(id: AssetId) -> Self {
        Self {
            id,
            total: Amount::zero(),
            balance: Some(Amount::zero()),
            available: Amount::zero(),
            pending: Amount::zero(),
            frozen: Amount::zero(),
            locked_amount: Amount::zero(),
            staked: Amount::zero(),
            block_height: None,
            block_hash: None,
        }
    }
}

/// One row of `GET /vault/asset_wallets`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssetWallet {
    /// The account.
    pub vault_id: VaultAccountId,
    /// The asset.
    pub asset_id: AssetId,
    /// What can be spent now.
    pub available: Amount,
    /// Everything.
    pub total: Amount,
    /// What is on its way in.
    pub pending: Amount,
    /// What is staked.
    pub staked: Amount,
    /// What compliance holds back.
    pub frozen: Amount,
    /// What transactions under way hold.
    pub locked_amount: Amount,
    /// The block that the balances are of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_height: Option<String>,
    /// That block's hash.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block_hash: Option<String>,
    /// When the wallet was made: milliseconds, as a string.
    pub creation_timestamp: String,
}

/// The answer of creating a wallet (`POST /vault/accounts/{id}/{asset}`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateVaultAssetResponse {
    /// The asset.
    pub id: AssetId,
    /// Its first address.
    pub address: String,
    /// That address in the chain's older form.
    pub legacy_address: String,
    /// That address in the provider's form, where there is one.
    #[serde(default)]
    pub enterprise_address: String,
    /// Tag or memo, where the chain shares addresses.
    pub tag: String,
    /// EOS alone.
    #[serde(default)]
    pub eos_account_name: String,
    /// `READY` once it can be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The transaction that activates it, where the chain asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation_tx_id: Option<String>,
}

/// A deposit address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VaultWalletAddress {
    /// The asset.
    pub asset_id: AssetId,
    /// The address.
    pub address: String,
    /// What people call it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub description: String,
    /// Tag or memo, where the chain shares addresses.
    #[serde(default, deserialize_with = "null_as_default")]
    pub tag: String,
    /// `Permanent` or `Deposit`.
    #[serde(rename = "type", default, deserialize_with = "null_as_default")]
    pub kind: String,
    /// The client's own name for its customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_ref_id: Option<String>,
    /// `SEGWIT`, `LEGACY`, `BASE` or `PAYMENT`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_format: Option<String>,
    /// The address in the chain's older form.
    #[serde(default, deserialize_with = "null_as_default")]
    pub legacy_address: String,
    /// The address in the provider's form, where there is one.
    #[serde(default, deserialize_with = "null_as_default")]
    pub enterprise_address: String,
    /// Its place in the account's derivation path.
    #[serde(
        rename = "bip44AddressIndex",
        default,
        deserialize_with = "null_as_default"
    )]
    pub bip44_address_index: u32,
    /// Whether a user made it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub user_defined: bool,
}

/// The answer of creating an address (`POST .../addresses`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateAddressResponse {
    /// The address.
    pub address: String,
    /// The address in the chain's older form.
    pub legacy_address: String,
    /// The address in the provider's form, where there is one.
    pub enterprise_address: String,
    /// Tag or memo, where the chain shares addresses.
    pub tag: String,
    /// Its place in the account's derivation path.
    #[serde(rename = "bip44AddressIndex")]
    pub bip44_address_index: u32,
}

/// Opaque cursors of a page (`paging` style of the contract).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paging {
    /// Where the page before begins; absent on the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Where the next page begins; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A page of accounts (`GET /vault/accounts_paged`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VaultAccountsPagedResponse {
    /// The accounts.
    pub accounts: Vec<VaultAccount>,
    /// The cursors.
    pub paging: Paging,
    /// The call that gives the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_url: Option<String>,
    /// The call that gives the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_url: Option<String>,
}

/// A page of wallets (`GET /vault/asset_wallets`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaginatedAssetWalletResponse {
    /// The wallets.
    pub asset_wallets: Vec<AssetWallet>,
    /// The cursors.
    pub paging: Paging,
}

/// A page of addresses (`GET .../addresses_paginated`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaginatedAddressResponse {
    /// The addresses.
    pub addresses: Vec<VaultWalletAddress>,
    /// The cursors.
    pub paging: Paging,
}
