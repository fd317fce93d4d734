//! Policy rules (`PolicyRule`, v1; the contract's `LegacyPolicyRule`), read from the shape that a
//! client can paste.

use serde::Deserialize;

use crate::amount::Amount;

/// A rule. Rules are read from the top; the first that matches decides; none that matches blocks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRule {
    /// `TRANSFER`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is done: `TRANSFER`, `CONTRACT_CALL`...
    #[serde(default = "transfer")]
    pub transaction_type: String,
    /// What the rule says.
    pub action: PolicyAction,
    /// The asset, or `*`.
    pub asset: String,
    /// What `amount` counts.
    pub amount_currency: AmountCurrency,
    /// `SINGLE_TX` or `TIMEFRAME`.
    pub amount_scope: AmountScope,
    /// What a transaction must exceed for the rule to apply.
    pub amount: Amount,
    /// The time frame in seconds; 0 with `SINGLE_TX`.
    pub period_sec: Amount,
    /// Who initiates.
    pub operators: Option<PolicyUsers>,
    /// From where.
    pub src: Option<PolicyPlaces>,
    /// To where.
    pub dst: Option<PolicyPlaces>,
    /// `WHITELISTED`, `ONE_TIME` or `*`.
    pub dst_address_type: Option<String>,
    /// Who signs; the initiator where nobody is named.
    pub designated_signers: Option<PolicyUsers>,
    /// Who approves, with `2-TIER`.
    pub authorization_groups: Option<AuthorizationGroups>,
    /// What the total of a time frame is of.
    pub amount_aggregation: Option<AmountAggregation>,
    /// Which raw messages.
    pub raw_message_signing: Option<serde_json::Value>,
    /// Whether a rule of contract calls is one of approvals of tokens too.
    pub apply_for_approve: Option<bool>,
    /// Whether a rule of contract calls is one of typed messages too.
    pub apply_for_typed_message: Option<bool>,
    /// What it is known by: `{"id":"..."}`.
    pub external_descriptor: Option<String>,
    /// Deprecated for `operators`: one user, or `*`.
    pub operator: Option<String>,
    /// Deprecated for `designatedSigners`: one user.
    pub designated_signer: Option<String>,
    /// Deprecated for `src`.
    pub src_type: Option<String>,
    /// Deprecated for `src`.
    pub src_sub_type: Option<String>,
    /// Deprecated for `src`.
    pub src_id: Option<String>,
    /// Deprecated for `dst`.
    pub dst_type: Option<String>,
    /// Deprecated for `dst`.
    pub dst_sub_type: Option<String>,
    /// Deprecated for `dst`.
    pub dst_id: Option<String>,
    /// Deprecated for `authorizationGroups`: users and groups.
    pub authorizers: Option<Vec<String>>,
    /// Deprecated for `authorizationGroups`: how many of them.
    pub authorizers_count: Option<Amount>,
}

fn transfer() -> String {
    "TRANSFER".to_owned()
}

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum PolicyAction {
    /// It goes on at once.
    #[serde(rename = "ALLOW")]
    Allow,
    /// It ends here.
    #[serde(rename = "BLOCK")]
    Block,
    /// The named people approve first.
    #[serde(rename = "2-TIER")]
    TwoTier,
}

/// What an amount counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AmountCurrency {
    /// US dollars.
    Usd,
    /// Euros. (The guide writes `EURO`.)
    #[serde(alias = "EURO")]
    Eur,
    /// The asset's own unit.
    Native,
}

/// What an amount is the amount of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AmountScope {
    /// One transaction.
    SingleTx,
    /// All of a time frame.
    Timeframe,
}

/// Of whose transactions a total is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Matches {
    /// Of each that the rule names by itself.
    PerSingleMatch,
    /// Of all that the rule names together.
    AcrossAllMatches,
}

/// What the total of a time frame is of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AmountAggregation {
    /// Of each initiator, or of all.
    pub operators: Option<Matches>,
    /// Of each source, or of all.
    pub src_transfer_peers: Option<Matches>,
    /// Of each destination, or of all.
    pub dst_transfer_peers: Option<Matches>,
}

/// Users that a rule names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyUsers {
    /// `*`: everybody.
    pub wildcard: Option<String>,
    /// By id.
    #[serde(default)]
    pub users: Vec<String>,
    /// Groups by id.
    #[serde(default)]
    pub users_groups: Vec<String>,
    /// Fireblocks' own services.
    #[serde(default)]
    pub services: Vec<String>,
}

/// Places that a rule names: `[id]`, `[id, type]` or `[id, type, subtype]`, each part may be `*`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct PolicyPlaces {
    /// The places.
    #[serde(default)]
    pub ids: Vec<Vec<String>>,
}

/// Who approves.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationGroups {
    /// `AND` or `OR` over the groups.
    #[serde(default = "and")]
    pub logic: String,
    /// Whether the initiator's own approval counts.
    #[serde(default)]
    pub allow_operator_as_authorizer: bool,
    /// The groups.
    #[serde(default)]
    pub groups: Vec<AuthorizationGroupRule>,
}

fn and() -> String {
    "AND".to_owned()
}

/// A group of approvers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationGroupRule {
    /// By id.
    #[serde(default)]
    pub users: Vec<String>,
    /// Groups by id.
    #[serde(default)]
    pub users_groups: Vec<String>,
    /// How many must approve.
    #[serde(default)]
    pub th: Amount,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guides_rule_is_read() {
        let text = r#"{"type":"TRANSFER","transactionType":"TRANSFER","action":"2-TIER","asset":"*","amountCurrency":"USD","amountScope":"SINGLE_TX","amount":"0","periodSec":0,"operators":{"users":["u"]},"src":{"ids":[["7","VAULT","*"]]},"dst":{"ids":[["*","UNMANAGED","EXTERNAL"]]},"dstAddressType":"WHITELISTED","designatedSigners":{"users":["s"]},"authorizationGroups":{"logic":"AND","allowOperatorAsAuthorizer":false,"groups":[{"usersGroups":["t"],"th":2}]}}"#;
        let rule: PolicyRule = serde_json::from_str(text).expect("a rule");
        assert_eq!(
            rule.operators.map(|who| who.users),
            Some(vec!["u".to_owned()])
        );
        let groups = rule.authorization_groups.map(|all| all.groups);
        let two: Amount = "2".parse().expect("an amount");
        assert_eq!(groups.map(|all| all[0].th == two), Some(true));
        let other = text
            .replace(r#""th":2"#, r#""th":2.0"#)
            .replace("USD", "EURO");
        let rule: PolicyRule = serde_json::from_str(&other).expect("a rule");
        assert_eq!(rule.amount_currency, AmountCurrency::Eur);
    }
}
