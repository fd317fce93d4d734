//! The policy of a workspace: what becomes of a transaction. The judging itself is pure.
//!
//! Rules come in two shapes, which clients write ([`legacy`], [`v2`]); both are read into one
//! ([`rule`]), and the first that matches decides. [`kept`] is where a workspace's policy is, and
//! [`ask`] judges with it.

mod ask;
mod asked;
pub(crate) mod check;
pub(crate) mod kept;
mod legacy;
#[cfg(test)]
mod properties;
mod roster;
mod rule;
#[cfg(test)]
mod tests;
mod usual;
mod v2;
mod written;

use protocol::model::policy::AmountCurrency;

use asked::Asked;
use roster::Roster;
use rule::{Approval, Rule, Signers, Window};

pub(crate) use ask::{Quota, Wanted, quota};
pub(crate) use kept::{in_force, not_in_force};
pub(crate) use rule::{Action, Logic};
pub(crate) use usual::usual;
pub(crate) use v2::Participant;
pub(crate) use written::Written;

/// What the policy says of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// A rule, or the end of the list, blocks it.
    Blocked {
        /// The number of the rule, from 1; nothing at the end of the list.
        rule: Option<usize>,
    },
    /// It goes on, after these have approved (nobody: at once), to be signed.
    Goes {
        approvers: Option<Approvers>,
        /// Who signs, one of them; nothing: the initiator.
        signers: Option<Vec<String>>,
    },
}

/// Who is asked to approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Approvers {
    pub(crate) logic: Logic,
    /// Whether the initiator's own approval counts.
    pub(crate) initiator_counts: bool,
    pub(crate) groups: Vec<ApproverGroup>,
}

/// Some users, and how many of them approve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ApproverGroup {
    pub(crate) users: Vec<String>,
    pub(crate) threshold: u32,
}

impl Verdict {
    /// What clients see of it.
    pub(crate) fn why_blocked(rule: Option<usize>) -> String {
        match rule {
            Some(number) => format!("Blocked by policy rule {number}"),
            None => "Blocked by the policy: no rule matches".to_owned(),
        }
    }

    /// What is said of a transaction of which this and the other are said, of one destination each.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (blocked @ Self::Blocked { .. }, _) | (_, blocked @ Self::Blocked { .. }) => blocked,
            (
                Self::Goes { approvers, signers },
                Self::Goes {
                    approvers: more,
                    signers: others,
                },
            ) => Self::Goes {
                approvers: match (approvers, more) {
                    (Some(one), Some(other)) if one == other => Some(one),
                    (Some(one), Some(other)) => Some(one.and(other)),
                    (one, other) => one.or(other),
                },
                signers: signers.or(others),
            },
        }
    }
}

impl Approvers {
    /// Every group of both.
    fn and(mut self, other: Self) -> Self {
        self.logic = Logic::And;
        self.initiator_counts &= other.initiator_counts;
        self.groups.extend(other.groups);
        self
    }
}

/// What the first rule that matches says of what is asked for. `before` finds the transactions of
/// a window that were asked for earlier: all that the rule may be of, or more.
fn judge<E>(
    rules: &[Option<Rule>],
    roster: &Roster,
    asked: &Asked,
    mut before: impl FnMut(&Rule, &Window, &Asked) -> Result<Vec<Asked>, E>,
) -> Result<Verdict, E> {
    for (at, rule) in rules.iter().enumerate() {
        let Some(rule) = rule.as_ref().filter(|rule| rule.fits(asked, roster)) else {
            continue;
        };
        let amount = |currency: AmountCurrency| asked.amount_in(currency);
        if let Some(range) = &rule.amount
            && !range.takes(amount(range.currency).as_ref())
        {
            continue;
        }
        if let Some(window) = &rule.window {
            let earlier = before(rule, window, asked)?;
            let own = amount(window.range.currency).unwrap_or_default();
            // More than can be added up is more than any limit.
            let total = window
                .total(rule, roster, asked, &earlier)
                .and_then(|(total, _)| total.checked_add(&own));
            if let Some(total) = total
                && !window.range.takes(Some(&total))
            {
                continue;
            }
        }
        return Ok(decide(at + 1, &rule.action, roster));
    }
    Ok(Verdict::Blocked { rule: None })
}

fn decide(number: usize, action: &Action, roster: &Roster) -> Verdict {
    let (approval, signers) = match action {
        Action::Block => return Verdict::Blocked { rule: Some(number) },
        Action::Go(approval, signers) => (approval, signers),
    };
    let asked = |approval: &Approval| Approvers {
        logic: approval.logic,
        initiator_counts: approval.initiator_counts,
        groups: approval
            .groups
            .iter()
            .map(|group| ApproverGroup {
                users: roster.approvers(&group.people).into_iter().collect(),
                threshold: group.threshold,
            })
            .collect(),
    };
    Verdict::Goes {
        approvers: approval.as_ref().map(asked),
        signers: match signers {
            Signers::Initiator => None,
            Signers::Named(people) => Some(roster.signers(people)),
        },
    }
}
