//! Policy rules of the newer engine (`PolicyRule` of *Policy Editor V2*).

use serde::Deserialize;
use serde_json::Value;

use super::policy::{AmountCurrency, Matches};
use crate::amount::Amount;

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRuleV2 {
    /// What people call it.
    pub name: String,
    /// What it is known by.
    pub id: String,
    /// What is done: `TRANSFER`, `CONTRACT_CALL`... The policy that it is a rule of.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is done, more closely.
    pub sub_type: Option<String>,
    /// Who initiates.
    pub initiator: Initiator,
    /// Of which assets.
    pub asset: Option<AssetConfig>,
    /// From where.
    pub source: AccountConfig,
    /// To where.
    pub destination: Option<AccountConfig>,
    /// What it says.
    pub verdict: VerdictConfig,
    /// How much at once.
    pub amount: Option<AmountConfig>,
    /// How much over a time.
    pub amount_over_time: Option<AmountOverTime>,
    /// Which of a contract's methods.
    pub method: Option<Value>,
    /// Which programs.
    pub program_call: Option<Value>,
    /// Which keys.
    pub derivation_path: Option<Value>,
}

/// Who initiates: `*`, or those named.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Initiator {
    /// `*`.
    Wildcard(String),
    /// By id.
    Named(InitiatorConfig),
}

/// Initiators by id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct InitiatorConfig {
    /// Users.
    #[serde(default)]
    pub users: Vec<String>,
    /// Groups of them.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Fireblocks' own services.
    #[serde(default)]
    pub services: Vec<String>,
}

/// Assets.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AssetConfig {
    /// Whether it is about NFTs.
    pub nft_transfer: bool,
    /// Which; `*` for all.
    pub asset_types: Option<Vec<String>>,
}

/// Accounts: any that one of the lists names; without lists, all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountConfig {
    /// By type.
    #[serde(rename = "type", default)]
    pub kinds: Vec<String>,
    /// By type and subtype.
    #[serde(default)]
    pub sub_type: Vec<AccountIdentifier>,
    /// By type and id.
    #[serde(default)]
    pub ids: Vec<AccountIdentifier>,
    /// By tag.
    #[serde(default)]
    pub tags: Vec<PolicyTag>,
    /// Of a destination: `WHITELISTED`, `ONE_TIME` or `*`.
    pub address_type: Option<String>,
}

/// An account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountIdentifier {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its id.
    pub id: Option<String>,
    /// Its subtype.
    pub sub_type: Option<String>,
    /// Its address.
    pub address: Option<String>,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct PolicyTag {
    /// Its id.
    pub id: String,
}

/// From what an amount must exceed up to what it may reach.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AmountRange {
    /// It is more than this, or nothing is asked of it: 0.
    pub min: Amount,
    /// It is no more than this.
    pub max: Option<Amount>,
}

/// How much at once.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct AmountConfig {
    /// The range.
    pub range: AmountRange,
    /// What it counts; US dollars where nothing is said.
    pub currency: Option<AmountCurrency>,
}

/// How much over a time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AmountOverTime {
    /// The range.
    pub range: AmountRange,
    /// What it counts.
    pub currency: AmountCurrency,
    /// The time, and what the total is of.
    pub time_period: TimePeriod,
}

/// A time, and what the total is of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TimePeriod {
    /// How long.
    pub seconds: Amount,
    /// Of each initiator, or of all.
    pub initiator: Matches,
    /// Of each source, or of all.
    pub source: Matches,
    /// Of each destination, or of all.
    pub destination: Matches,
}

/// What a rule says.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerdictConfig {
    /// `ALLOW`, `BLOCK`, `2-TIER`; of screening, others.
    pub action: String,
    /// Who approves.
    pub approvers: Option<ApproversConfig>,
    /// Who signs.
    pub designated_signers: Option<DesignatedSignersConfig>,
}

/// Who approves.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApproversConfig {
    /// Whether the initiator's own approval counts.
    pub can_initiator_approve: bool,
    /// The same, by its older name.
    #[serde(default)]
    pub allow_operator_as_authorizer: bool,
    /// `AND` or `OR` over the groups.
    pub operator: Option<String>,
    /// The groups.
    #[serde(default)]
    pub approval_groups: Vec<ApprovalGroupConfig>,
}

/// A group of approvers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ApprovalGroupConfig {
    /// How many must approve.
    pub threshold: Amount,
    /// Users.
    #[serde(default)]
    pub users: Vec<String>,
    /// Groups of them.
    #[serde(default)]
    pub groups: Vec<String>,
}

/// Who signs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct DesignatedSignersConfig {
    /// `SINGLE`, `MULTIPLE` or `INITIATOR`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Users.
    #[serde(default)]
    pub users: Vec<String>,
    /// Groups of them.
    #[serde(default)]
    pub groups: Vec<String>,
}
