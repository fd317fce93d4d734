//! What a key may do, judged by reading and never by trying a write (practice P1).
//!
//! Straight at Fireblocks nothing tells a key its role. But each read is open to some roles and
//! closed to others (the operations table says which), so every answer narrows down what the key
//! can be: what was allowed leaves the roles that may, what was forbidden leaves the others, and
//! what is unclear (a beta operation that is not there, an outage) leaves all.

mod ask;

use protocol::operations;
use protocol::role::{ProviderRole, Role};
use serde::Serialize;

pub use ask::{RoleSeen, by_reading};

/// The reads that tell roles apart, as operation ids. Each has no parameters and costs one call.
///
/// `getInternalWallets` is open to every role a third party may have been given by mistake, and to
/// Viewer; `getSupportedAssets` tells an Editor from a Viewer; `getUsers` and `getWebhooks` are for
/// administrators; `getApprovals` for who may approve or sign (no other read tells those from an Editor).
pub const PROBES: [&str; 5] = [
    "getInternalWallets",
    "getSupportedAssets",
    "getUsers",
    "getWebhooks",
    "getApprovals",
];

/// The code of "insufficient permissions".
const INSUFFICIENT_ROLE: i64 = -8;

/// What a read came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Answered {
    /// 2xx.
    Allowed,
    /// 403, or 401 with the code for a role that may not (-8).
    Forbidden,
    /// Anything else: it says nothing.
    Unclear,
}

impl Answered {
    /// What an HTTP status and Fireblocks' code say. Any other 401 is about the token or the
    /// address, and says nothing about the role.
    pub const fn of(status: u16, code: Option<i64>) -> Self {
        match (status, code) {
            (200..=299, _) => Self::Allowed,
            (403, _) | (401, Some(INSUFFICIENT_ROLE)) => Self::Forbidden,
            _ => Self::Unclear,
        }
    }
}

/// One thing that was seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Observation {
    /// A gate says which role its connection has; it knows no other than these two.
    Gate {
        /// The connection's role.
        role: ProviderRole,
    },
    /// A read, and what it came to.
    Read {
        /// Its operation id.
        operation: &'static str,
        /// What it came to.
        answered: Answered,
    },
}

/// What is known of a key's role, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "judgement", rename_all = "snake_case")]
pub enum Judgement {
    /// It can be nothing but this.
    Proven {
        /// The role.
        role: ProviderRole,
    },
    /// It can be none of Viewer and Editor: it can do more than it should.
    TooMuch {
        /// What it can still be.
        among: Vec<Role>,
    },
    /// It is the one or the other, as far as reading can tell.
    CannotBeSeen {
        /// What it can still be.
        among: Vec<Role>,
    },
}

impl Judgement {
    /// Whether work with the key may go on; `accept_unseen` is the explicit word for what cannot be seen.
    pub const fn may_go_on(&self, accept_unseen: bool) -> bool {
        match self {
            Self::Proven { .. } => true,
            Self::TooMuch { .. } => false,
            Self::CannotBeSeen { .. } => accept_unseen,
        }
    }

    /// Whether the key can do more than this for certain: none of what it can still be is as little.
    pub fn is_more_than(&self, most: ProviderRole) -> bool {
        let within = |role: &Role| match role {
            Role::Viewer => true,
            Role::Editor => most == ProviderRole::Editor,
            _ => false,
        };
        match self {
            Self::Proven { role } => !within(&role.role()),
            Self::TooMuch { .. } => true,
            Self::CannotBeSeen { among } => !among.is_empty() && !among.iter().any(within),
        }
    }

    /// What the key can still be, in words.
    pub fn words(&self) -> String {
        match self {
            Self::Proven { role } => role.to_string(),
            Self::TooMuch { among } | Self::CannotBeSeen { among } if !among.is_empty() => {
                let names: Vec<_> = among.iter().map(ToString::to_string).collect();
                names.join(" or ")
            }
            _ => "of no role that fits what it may do".to_owned(),
        }
    }
}

/// A key that can do more than it was made for, by upstream's own answers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the API key can do more than {most}: it is {is}; nothing is done with it. Give the gate a key of the role {most}"
)]
pub struct MoreThanAsked {
    /// What it was made for.
    pub most: ProviderRole,
    /// What it is.
    pub is: String,
}

/// Judges what was seen.
pub fn judge(observations: &[Observation]) -> Judgement {
    // A person's role, never an API key's.
    let mut among: Vec<Role> = Role::ALL
        .into_iter()
        .filter(|role| *role != Role::Owner)
        .collect();
    for observation in observations {
        match observation {
            Observation::Gate { role } => among.retain(|other| *other == role.role()),
            Observation::Read {
                operation,
                answered,
            } => {
                // An operation without stated roles tells nobody apart.
                let Some(operation) =
                    operations::by_id(operation).filter(|found| found.roles_stated)
                else {
                    continue;
                };
                match answered {
                    Answered::Allowed => among.retain(|role| operation.roles.contains(*role)),
                    Answered::Forbidden => among.retain(|role| !operation.roles.contains(*role)),
                    Answered::Unclear => {}
                }
            }
        }
    }
    let provider = |role: &Role| match role {
        Role::Viewer => Some(ProviderRole::Viewer),
        Role::Editor => Some(ProviderRole::Editor),
        _ => None,
    };
    match among.as_slice() {
        [only] if provider(only).is_some() => match provider(only) {
            Some(role) => Judgement::Proven { role },
            None => Judgement::TooMuch { among },
        },
        // Answers that contradict each other prove nothing.
        [] => Judgement::CannotBeSeen { among },
        _ if among.iter().any(|role| provider(role).is_some()) => Judgement::CannotBeSeen { among },
        _ => Judgement::TooMuch { among },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a key of that role sees, by the table.
    fn seen_by(role: Role) -> Vec<Observation> {
        PROBES
            .into_iter()
            .map(|id| {
                let operation = operations::by_id(id).unwrap_or_else(|| panic!("{id}"));
                let answered = if operation.roles.contains(role) {
                    Answered::Allowed
                } else {
                    Answered::Forbidden
                };
                Observation::Read {
                    operation: id,
                    answered,
                }
            })
            .collect()
    }

    #[test]
    fn every_probe_is_a_read_without_parameters() {
        for id in PROBES {
            let operation = operations::by_id(id).unwrap_or_else(|| panic!("{id}"));
            assert_eq!(operation.access, operations::Access::Read);
            assert!(
                operation.parameters.is_empty() && operation.roles_stated,
                "{id}"
            );
        }
    }

    /// Practice P1: Viewer or Editor, proven; anything that can do more is refused.
    #[test]
    fn p1_viewer_and_editor_are_proven_and_more_is_too_much() {
        assert_eq!(
            judge(&seen_by(Role::Viewer)),
            Judgement::Proven {
                role: ProviderRole::Viewer
            }
        );
        assert_eq!(
            judge(&seen_by(Role::Editor)),
            Judgement::Proven {
                role: ProviderRole::Editor
            }
        );
        for role in [
            Role::Admin,
            Role::NonSigningAdmin,
            Role::Signer,
            Role::Approver,
        ] {
            let judgement = judge(&seen_by(role));
            assert!(
                matches!(&judgement, Judgement::TooMuch { among } if among.contains(&role)),
                "{role}: {judgement:?}"
            );
            assert!(!judgement.may_go_on(true), "{role}");
        }
    }

    /// A gate reads as a Viewer and proposes as an Editor: each with no more than that.
    #[test]
    fn what_can_do_more_than_it_was_made_for_is_told() {
        use ProviderRole::{Editor, Viewer};
        let cases = [
            (Role::Viewer, false, false),
            (Role::Editor, true, false),
            (Role::Signer, true, true),
            (Role::Approver, true, true),
            (Role::NonSigningAdmin, true, true),
            (Role::Admin, true, true),
        ];
        for (role, for_viewer, for_editor) in cases {
            let judgement = judge(&seen_by(role));
            assert_eq!(judgement.is_more_than(Viewer), for_viewer, "{role}");
            assert_eq!(judgement.is_more_than(Editor), for_editor, "{role}");
        }
        // Where nothing tells a Signer from an Editor, it is more than a Viewer all the same.
        let among = vec![Role::Signer, Role::Approver, Role::Editor];
        let unseen = Judgement::CannotBeSeen { among };
        assert!(unseen.is_more_than(Viewer) && !unseen.is_more_than(Editor));
        let nothing = Judgement::CannotBeSeen { among: Vec::new() };
        assert!(
            !nothing.is_more_than(Viewer),
            "a contradiction proves nothing"
        );
    }

    /// Where `GET /approvals` does not exist, nothing tells a Signer from an Editor.
    #[test]
    fn p1_what_cannot_be_seen_needs_an_explicit_word() {
        let mut seen = seen_by(Role::Editor);
        seen.retain(|seen| {
            !matches!(
                seen,
                Observation::Read {
                    operation: "getApprovals",
                    ..
                }
            )
        });
        seen.push(Observation::Read {
            operation: "getApprovals",
            answered: Answered::of(404, None),
        });
        let judgement = judge(&seen);
        assert_eq!(
            judgement,
            Judgement::CannotBeSeen {
                among: vec![Role::Signer, Role::Approver, Role::Editor]
            }
        );
        assert!(!judgement.may_go_on(false) && judgement.may_go_on(true));
        assert!(
            !judge(&[]).may_go_on(false),
            "nothing seen is nothing proven"
        );
    }

    #[test]
    fn only_what_is_about_the_role_is_an_answer() {
        for (status, code, answered) in [
            (200, None, Answered::Allowed),
            (403, None, Answered::Forbidden),
            (401, Some(-8), Answered::Forbidden),
            (401, Some(-7), Answered::Unclear),
            (401, None, Answered::Unclear),
            (404, None, Answered::Unclear),
            (500, Some(-8), Answered::Unclear),
        ] {
            assert_eq!(Answered::of(status, code), answered, "{status} {code:?}");
        }
    }

    #[test]
    fn a_gate_s_word_is_enough() {
        let role = ProviderRole::Viewer;
        assert_eq!(
            judge(&[Observation::Gate { role }]),
            Judgement::Proven { role }
        );
    }
}
