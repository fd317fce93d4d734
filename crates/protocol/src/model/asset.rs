//! Assets and blockchains (`GET /supported_assets`, `/assets`, `/blockchains`).

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::ids::AssetId;

/// An asset in the older list, `GET /supported_assets`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SupportedAsset {
    /// The asset's id, as everywhere else.
    pub id: AssetId,
    /// Its name for people.
    pub name: String,
    /// `BASE_ASSET`, `ERC20`, `SOL_ASSET` and so on.
    #[serde(rename = "type")]
    pub kind: String,
    /// The token's contract; empty for a chain's own asset.
    #[serde(default)]
    pub contract_address: String,
    /// The chain's own asset, in which fees are paid.
    #[serde(default)]
    pub native_asset: String,
    /// Places after the decimal point.
    #[serde(default)]
    pub decimals: u8,
}

/// An asset in the newer list, `GET /assets`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Asset {
    /// The asset's id in this list alone.
    pub id: Uuid,
    /// The asset's id everywhere else.
    pub legacy_id: AssetId,
    /// Its blockchain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blockchain_id: Option<Uuid>,
    /// Its name for people.
    pub display_name: String,
    /// Its ticker.
    pub display_symbol: String,
    /// What kind of asset it is.
    pub asset_class: AssetClass,
    /// Places after the decimal point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimals: Option<u8>,
    /// How its chain knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onchain: Option<OnchainAsset>,
    /// Who vouches for it.
    pub metadata: AssetMetadata,
}

/// The contract's `AssetClass`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AssetClass {
    /// A chain's own asset.
    Native,
    /// A fungible token.
    Ft,
    /// Money of a state.
    Fiat,
    /// A token there is one of.
    Nft,
    /// A token there are some of.
    Sft,
}

/// How an asset's chain knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OnchainAsset {
    /// Its ticker on the chain.
    pub symbol: String,
    /// Its name on the chain.
    pub name: String,
    /// The token's contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Places after the decimal point.
    pub decimals: u8,
    /// `ERC20` and the like.
    #[serde(default)]
    pub standards: Vec<String>,
}

/// Who vouches for an asset or a blockchain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssetMetadata {
    /// `Global` or `Local`.
    pub scope: String,
    /// Whether Fireblocks has checked it.
    pub verified: bool,
    /// Whether it is on its way out.
    pub deprecated: bool,
    /// What the workspace's people wrote on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<AssetNote>,
}

/// What somebody of the workspace wrote on an asset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssetNote {
    /// What.
    pub text: String,
    /// Who.
    pub user_id: String,
    /// That user's name.
    pub user_name: String,
    /// When, as a `date-time`.
    pub updated_at: String,
}

/// A blockchain (`GET /blockchains`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Blockchain {
    /// Its id.
    pub id: Uuid,
    /// Its older id, the id of its own asset.
    pub legacy_id: String,
    /// Its name for people.
    pub display_name: String,
    /// The id (in `GET /assets`) of its own asset.
    pub native_asset_id: Uuid,
    /// What its protocol is.
    pub onchain: OnchainBlockchain,
    /// Who vouches for it.
    pub metadata: BlockchainMetadata,
}

/// What a blockchain's protocol is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OnchainBlockchain {
    /// `EVM`, `BTC`, `SOL` and so on.
    pub protocol: String,
    /// The chain's number, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain_id: Option<String>,
    /// Whether it is a test network.
    pub test: bool,
    /// `ECDSA_SECP256K1` or `EDDSA_ED25519`. Strict clients demand it even of deprecated chains.
    pub signing_algo: String,
}

/// Who vouches for a blockchain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockchainMetadata {
    /// `Global` or `Local`.
    pub scope: String,
    /// Whether it is on its way out.
    pub deprecated: bool,
}
