//! Whether the policy lets somebody's transfers through without an approval. First match wins.

use std::collections::HashSet;

use protocol::model::policy_v2::{
    AccountConfig, AmountConfig, AssetConfig, Initiator, PolicyRuleV2,
};
use serde_json::Value;

use super::practices::judged;
use super::{Seen, Unseen};
use crate::posture::{Finding, Practice, Severity, Verdict};

/// The rules for transfers, in order.
pub(super) struct Policy<'a> {
    rules: Result<Vec<Rule<'a>>, &'a Unseen>,
    exported: bool,
}

struct Rule<'a> {
    rule: &'a PolicyRuleV2,
    who: Who<'a>,
}

/// Whom a rule is for.
enum Who<'a> {
    Anybody,
    /// Users by id; groups, whose members nobody tells.
    Named(HashSet<&'a str>, bool),
}

/// Whether a rule is for somebody.
enum Is {
    Theirs,
    Others,
    Unknown(&'static str),
}

impl<'a> Policy<'a> {
    pub(super) fn of(seen: &'a Seen) -> Self {
        let rules = seen.rules.as_ref().map(|rules| {
            let rule = |rule: &'a PolicyRuleV2| Rule {
                rule,
                who: match &rule.initiator {
                    Initiator::Wildcard(_) => Who::Anybody,
                    Initiator::Named(config) => Who::Named(
                        config.users.iter().map(String::as_str).collect(),
                        !config.groups.is_empty(),
                    ),
                },
            };
            rules.iter().map(rule).collect()
        });
        Self {
            rules,
            exported: seen.exported_rules,
        }
    }

    /// Judges the rules for somebody, whose id may not be known.
    pub(super) fn judge(&self, name: &str, id: Option<&str>) -> Finding {
        let (verdict, evidence) = match &self.rules {
            Err(unseen) => (Verdict::CannotBeSeen, unseen.why.clone()),
            Ok(rules) => of_rules(rules, id),
        };
        let mut judged = judged(Practice::C7, name, verdict, Severity::High, evidence);
        if self.exported {
            judged.source = "the Console's policy export".into();
        }
        judged
    }
}

/// The first match counts: what a rule before has surely taken out does not come to this one.
fn of_rules(rules: &[Rule<'_>], id: Option<&str>) -> (Verdict, String) {
    let mut stops: Vec<&PolicyRuleV2> = Vec::new();
    let mut perhaps: Vec<(&PolicyRuleV2, _)> = Vec::new();
    let mut doubt = None;
    for (number, Rule { rule, who }) in (1..).zip(rules) {
        let unknown = match who.is(id) {
            Is::Others => continue,
            Is::Theirs => None,
            Is::Unknown(why) => Some((number, &rule.name, why)),
        };
        match (rule.verdict.action.as_str(), unknown) {
            ("ALLOW", _) if stops.iter().any(|stop| covers(stop, rule)) => {}
            ("ALLOW", Some(_)) => doubt = doubt.or(unknown),
            ("ALLOW", None) => match perhaps.iter().find(|(stop, _)| covers(stop, rule)) {
                Some((_, unknown)) => doubt = doubt.or(Some(*unknown)),
                None => {
                    let what = "lets some of its transfers through without an approval";
                    let evidence = format!("rule {number} ('{}') {what}", rule.name);
                    return (Verdict::Broken, evidence);
                }
            },
            ("BLOCK" | "2-TIER", None) => stops.push(*rule),
            ("BLOCK" | "2-TIER", Some(unknown)) => perhaps.push((*rule, unknown)),
            _ => {}
        }
    }
    if let Some((number, name, why)) = doubt {
        let evidence = format!("rule {number} ('{name}') is for {why} cannot be seen");
        return (Verdict::CannotBeSeen, evidence);
    }
    let evidence = "no rule for transfers lets it through without an approval";
    (Verdict::Held, evidence.to_owned())
}

/// Whether a rule surely matches whatever of the same initiator's another matches: in each respect it
/// asks for nothing, or for the same.
fn covers(rule: &PolicyRuleV2, other: &PolicyRuleV2) -> bool {
    let free = |value: &Option<Value>| {
        value
            .as_ref()
            .is_none_or(|value| value.as_str() == Some("*"))
    };
    let over_time = &rule.amount_over_time;
    (rule.kind == "*" || rule.kind == other.kind)
        && (rule.sub_type.is_none() || rule.sub_type == other.sub_type)
        && all_assets(rule.asset.as_ref(), other.asset.as_ref())
        && (anywhere(Some(&rule.source)) || rule.source == other.source)
        && (anywhere(rule.destination.as_ref()) || rule.destination == other.destination)
        && (any_amount(rule.amount.as_ref()) || rule.amount == other.amount)
        && (over_time.is_none() || *over_time == other.amount_over_time)
        && (free(&rule.method) || rule.method == other.method)
        && (free(&rule.program_call) || rule.program_call == other.program_call)
        && (rule.derivation_path.is_none() || rule.derivation_path == other.derivation_path)
}

/// Whether it matches each asset that the other does. All of those that are no NFTs are not all.
fn all_assets(asset: Option<&AssetConfig>, other: Option<&AssetConfig>) -> bool {
    let Some(asset) = asset else { return true };
    let types = asset.asset_types.as_deref().unwrap_or_default();
    let all = types.is_empty() || types.iter().any(|id| id == "*");
    other.is_some_and(|other| asset == other || all && asset.nft_transfer == other.nft_transfer)
}

/// Whether it asks for no place.
fn anywhere(account: Option<&AccountConfig>) -> bool {
    account.is_none_or(|account| {
        let free = |kind: &String| matches!(kind.as_str(), "*" | "ANY");
        let named = account.sub_type.len() + account.ids.len() + account.tags.len();
        let any_kind = account.kinds.iter().any(free) || account.kinds.is_empty() && named == 0;
        any_kind
            && account
                .address_type
                .as_deref()
                .is_none_or(|kind| kind == "*")
    })
}

/// Whether it asks for no amount.
fn any_amount(amount: Option<&AmountConfig>) -> bool {
    amount.is_none_or(|amount| amount.range.min.is_zero() && amount.range.max.is_none())
}

impl Who<'_> {
    fn is(&self, id: Option<&str>) -> Is {
        match (self, id) {
            (Self::Anybody, _) => Is::Theirs,
            (Self::Named(users, _), Some(id)) if users.contains(id) => Is::Theirs,
            (Self::Named(_, true), _) => Is::Unknown("groups, and which it is in"),
            (Self::Named(users, _), None) if !users.is_empty() => {
                Is::Unknown("users by their ids, and which id it has")
            }
            (Self::Named(..), _) => Is::Others,
        }
    }
}
