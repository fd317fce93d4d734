//! Whitelists: internal wallets, external wallets and contracts.

use serde::{Deserialize, Serialize};

use super::null_as_default;
use crate::amount::Amount;
use crate::ids::{AssetId, WalletId};

/// Which list an entry stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WhitelistKind {
    /// The client's own wallets outside the workspace.
    Internal,
    /// Other people's wallets.
    External,
    /// Smart contracts.
    Contract,
}

/// An entry of a whitelist, with an address per asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WhitelistedWallet {
    /// Its id.
    pub id: WalletId,
    /// Its name.
    pub name: String,
    /// The client's own name for its customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_ref_id: Option<String>,
    /// Its addresses.
    #[serde(default, deserialize_with = "null_as_default")]
    pub assets: Vec<WhitelistedAsset>,
}

/// An entry with some of its addresses (`PaginatedAssetsResponse`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaginatedAssets {
    /// How many addresses it has.
    pub total: usize,
    /// The entry, with those of the page.
    pub data: WhitelistedWallet,
    /// Where the next page begins. (Left out at the end: the contract has no `null` here.)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One address of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WhitelistedAsset {
    /// The asset.
    pub id: AssetId,
    /// Whether it may be used.
    pub status: WhitelistStatus,
    /// Internal wallets alone: what it holds. Strict clients refuse it elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<Amount>,
    /// Internal wallets alone: what of it is locked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_amount: Option<Amount>,
    /// The address.
    #[serde(default, deserialize_with = "null_as_default")]
    pub address: String,
    /// Tag or memo, where the chain shares addresses.
    #[serde(default, deserialize_with = "null_as_default")]
    pub tag: String,
    /// When it may first be used (milliseconds, as a string).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activation_time: Option<String>,
}

/// Whether a whitelisted address may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WhitelistStatus {
    /// The quorum has not decided.
    WaitingForApproval,
    /// It may be used.
    Approved,
    /// It was withdrawn.
    Cancelled,
    /// The quorum said no.
    Rejected,
    /// It could not be added.
    Failed,
}
