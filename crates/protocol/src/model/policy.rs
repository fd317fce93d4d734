//! Policy rules (`PolicyRule`, v1), in the shape that a client can paste.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;

/// A rule. Rules are read from the top; the first that matches decides; none that matches blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyRule {
    /// `TRANSFER`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is done: `TRANSFER`, `CONTRACT_CALL`...
    pub transaction_type: String,
    /// What the rule says.
    pub action: PolicyAction,
    /// The asset, or `*`.
    pub asset: String,
    /// What `amount` counts.
    pub amount_currency: AmountCurrency,
    /// `SINGLE_TX` or `TIMEFRAME`.
    pub amount_scope: String,
    /// What a transaction must exceed for the rule to apply.
    pub amount: Amount,
    /// The time frame in seconds; 0 with `SINGLE_TX`.
    pub period_sec: u64,
    /// Who initiates.
    pub operators: PolicyUsers,
    /// From where.
    pub src: PolicyPlaces,
    /// To where.
    pub dst: PolicyPlaces,
    /// `WHITELISTED`, `ONE_TIME` or `*`.
    pub dst_address_type: String,
    /// Who signs; the initiator where nobody is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub designated_signers: Option<PolicyUsers>,
    /// Who approves, with `2-TIER`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization_groups: Option<AuthorizationGroups>,
}

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AmountCurrency {
    /// US dollars.
    Usd,
    /// Euros.
    Eur,
    /// The asset's own unit.
    Native,
}

/// Users that a rule names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyUsers {
    /// `*`: everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wildcard: Option<String>,
    /// By id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// Groups by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users_groups: Vec<String>,
}

impl PolicyUsers {
    /// Everybody.
    pub fn everybody() -> Self {
        Self {
            wildcard: Some("*".to_owned()),
            ..Self::default()
        }
    }

    /// These users.
    pub fn of(users: impl IntoIterator<Item = String>) -> Self {
        Self {
            users: users.into_iter().collect(),
            ..Self::default()
        }
    }

    /// Whether the user is named.
    pub fn name(&self, user: &str) -> bool {
        self.wildcard.is_some() || self.users.iter().any(|id| id == user)
    }
}

/// Places that a rule names: `[id]`, `[id, type]` or `[id, type, subtype]`, each part may be `*`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyPlaces {
    /// The places.
    pub ids: Vec<Vec<String>>,
}

impl PolicyPlaces {
    /// One place.
    pub fn one(parts: &[&str]) -> Self {
        Self {
            ids: vec![parts.iter().map(|part| (*part).to_owned()).collect()],
        }
    }

    /// Whether a place of this id, type and subtype is named.
    pub fn name(&self, place: [&str; 3]) -> bool {
        self.ids.iter().any(|parts| {
            !parts.is_empty()
                && parts
                    .iter()
                    .zip(place)
                    .all(|(part, is)| part == "*" || part == is)
        })
    }
}

/// Who approves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationGroups {
    /// `AND` or `OR` over the groups.
    pub logic: String,
    /// Whether the initiator's own approval counts.
    pub allow_operator_as_authorizer: bool,
    /// The groups.
    pub groups: Vec<AuthorizationGroupRule>,
}

/// A group of approvers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationGroupRule {
    /// By id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<String>,
    /// Groups by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users_groups: Vec<String>,
    /// How many must approve.
    pub th: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_guides_rule_is_read_and_printed_alike() {
        let text = r#"{"type":"TRANSFER","transactionType":"TRANSFER","action":"2-TIER","asset":"*","amountCurrency":"USD","amountScope":"SINGLE_TX","amount":"0","periodSec":0,"operators":{"users":["u"]},"src":{"ids":[["7","VAULT","*"]]},"dst":{"ids":[["*","UNMANAGED","EXTERNAL"]]},"dstAddressType":"WHITELISTED","designatedSigners":{"users":["s"]},"authorizationGroups":{"logic":"AND","allowOperatorAsAuthorizer":false,"groups":[{"usersGroups":["t"],"th":2}]}}"#;
        let rule: PolicyRule = serde_json::from_str(text).expect("a rule");
        assert_eq!(serde_json::to_string(&rule).expect("json"), text);
        assert!(rule.src.name(["7", "VAULT", ""]) && !rule.src.name(["8", "VAULT", ""]));
        assert!(rule.dst.name(["x", "UNMANAGED", "EXTERNAL"]));
        assert!(rule.operators.name("u") && !rule.operators.name("v"));
    }
}
