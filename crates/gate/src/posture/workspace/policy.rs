//! Whether the policy lets somebody's transfers through without an approval. First match wins.

use std::collections::HashSet;

use protocol::model::policy_v2::Initiator;

use super::practices::judged;
use super::{Seen, Unseen};
use crate::posture::{Finding, Practice, Severity, Verdict};

/// The rules for transfers, in order.
pub(super) struct Policy<'a> {
    rules: Result<Vec<Rule<'a>>, &'a Unseen>,
    exported: bool,
}

struct Rule<'a> {
    name: &'a str,
    lets_through: bool,
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
            let rule = |rule: &'a protocol::model::policy_v2::PolicyRuleV2| Rule {
                name: &rule.name,
                lets_through: rule.verdict.action == "ALLOW",
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
            Err(unseen) => (Verdict::CannotBeSeen, unseen.0.clone()),
            Ok(rules) => of_rules(rules, id),
        };
        let mut judged = judged(Practice::C7, name, verdict, Severity::High, evidence);
        if self.exported {
            judged.source = "the Console's policy export".into();
        }
        judged
    }
}

fn of_rules(rules: &[Rule<'_>], id: Option<&str>) -> (Verdict, String) {
    for (number, rule) in (1..).zip(rules) {
        let name = rule.name;
        match rule.who.is(id) {
            Is::Others => {}
            Is::Unknown(why) => {
                return (
                    Verdict::CannotBeSeen,
                    format!("rule {number} ('{name}') is for {why} cannot be seen"),
                );
            }
            Is::Theirs if rule.lets_through => {
                return (
                    Verdict::Broken,
                    format!(
                        "rule {number} ('{name}') lets some of its transfers through without an approval"
                    ),
                );
            }
            Is::Theirs => {}
        }
    }
    let evidence = "no rule for transfers lets it through without an approval";
    (Verdict::Held, evidence.to_owned())
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
