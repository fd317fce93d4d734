//! Webhook events: the envelope and the event types.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ids::{NotificationId, WebhookId, WorkspaceId};
use crate::time::Millis;

/// What is posted to a webhook's URL.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// The notification's id: the same event sent again has the same one.
    pub id: NotificationId,
    /// What it is about, where that has an id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// The webhook that sends it. One published example lacks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_id: Option<WebhookId>,
    /// Whose event it is. Keys are per environment: only this says which workspace speaks.
    pub workspace_id: WorkspaceId,
    /// What happened.
    pub event_type: EventType,
    /// When.
    pub created_at: Millis,
    /// The thing it happened to, exactly as sent.
    pub data: Box<RawValue>,
}

macro_rules! event_types {
    ($($variant:ident $name:literal,)*) => {
        /// What happened, in the newest clients' spelling. A name that is not known is kept as it is.
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each is documented by its name on the wire")]
        pub enum EventType {
            $($variant,)*
            /// A name that this build does not know.
            Other(Box<str>),
        }

        impl EventType {
            /// Every known type: what `["*"]` stands for.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Other(name) => name,
                }
            }
        }

        impl FromStr for EventType {
            type Err = std::convert::Infallible;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Ok(match text {
                    $($name => Self::$variant,)*
                    other => Self::Other(other.into()),
                })
            }
        }
    };
}

event_types! {
    TransactionCreated "transaction.created",
    TransactionStatusUpdated "transaction.status.updated",
    TransactionApprovalStatusUpdated "transaction.approval_status.updated",
    TransactionNetworkRecordsProcessingCompleted "transaction.network_records.processing_completed",
    ExternalWalletAssetAdded "external_wallet.asset.added",
    ExternalWalletAssetRemoved "external_wallet.asset.removed",
    InternalWalletAssetAdded "internal_wallet.asset.added",
    InternalWalletAssetRemoved "internal_wallet.asset.removed",
    ContractWalletAssetAdded "contract_wallet.asset.added",
    ContractWalletAssetRemoved "contract_wallet.asset.removed",
    VaultAccountCreated "vault_account.created",
    VaultAccountAssetAdded "vault_account.asset.added",
    VaultAccountAssetBalanceUpdated "vault_account.asset.balance_updated",
    VaultAccountNftBalanceUpdated "vault_account.nft.balance_updated",
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for EventType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// `data` of `vault_account.asset.added`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssetAdded {
    /// The account.
    pub account_id: crate::ids::VaultAccountId,
    /// Its name.
    pub account_name: String,
    /// The asset.
    pub asset_id: crate::ids::AssetId,
}

/// `data` of `vault_account.asset.balance_updated`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BalanceUpdated {
    /// The account: documented as a number, a string in practice; read either way.
    #[serde(deserialize_with = "number_or_text")]
    pub vault_account_id: crate::ids::VaultAccountId,
    /// The asset.
    pub asset_id: crate::ids::AssetId,
    /// Everything.
    pub total: crate::amount::Amount,
    /// What can be spent now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<crate::amount::Amount>,
    /// What is on its way in.
    pub pending: crate::amount::Amount,
    /// What compliance holds back.
    pub frozen: crate::amount::Amount,
    /// What is staked.
    #[serde(default)]
    pub staked: crate::amount::Amount,
    /// What transactions under way hold.
    #[serde(default)]
    pub locked_amount: crate::amount::Amount,
    /// The block that the balances are of.
    #[serde(default)]
    pub block_height: Option<String>,
    /// That block's hash; not filled for UTXO assets.
    #[serde(default)]
    pub block_hash: Option<String>,
}

impl BalanceUpdated {
    /// That a wallet holds this now.
    pub fn of(account: crate::ids::VaultAccountId, balance: &super::vault::VaultAsset) -> Self {
        Self {
            vault_account_id: account,
            asset_id: balance.id.clone(),
            total: balance.total.clone(),
            available: Some(balance.available.clone()),
            pending: balance.pending.clone(),
            frozen: balance.frozen.clone(),
            staked: balance.staked.clone(),
            locked_amount: balance.locked_amount.clone(),
            block_height: balance.block_height.clone(),
            block_hash: balance.block_hash.clone(),
        }
    }
}

fn number_or_text<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<crate::ids::VaultAccountId, D::Error> {
    let text = match serde_json::Value::deserialize(deserializer)? {
        serde_json::Value::String(text) => text,
        serde_json::Value::Number(number) => number.to_string(),
        _ => return Err(serde::de::Error::custom("not a vault account id")),
    };
    text.parse().map_err(serde::de::Error::custom)
}

/// `data` of `*_wallet.asset.added` and `*_wallet.asset.removed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WalletAssetChanged {
    /// The asset.
    pub asset_id: crate::ids::AssetId,
    /// The whitelist entry.
    pub wallet_id: crate::ids::WalletId,
    /// Its name.
    pub wallet_name: String,
    /// The address.
    pub address: String,
    /// Tag or memo, where the chain shares addresses.
    #[serde(default)]
    pub tag: String,
    /// When it may first be used.
    #[serde(default)]
    pub activation_time: String,
}
