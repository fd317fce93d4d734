//! The client's people: who they are, which key is theirs, and what their role lets them do. Pure.
//!
//! Each signs with a key of its own. There is no password, and to come from this machine counts for
//! nothing.

use std::collections::HashMap;
use std::sync::Arc;

use protocol::ids::UserId;
use protocol::keys::PublicKey;
use serde::{Deserialize, Serialize};

/// What one of the client's people may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum OperatorRole {
    /// Everything; alone decides who the operators are.
    Owner,
    /// Decides who comes in, to see what.
    Admin,
    /// The day's work: decides on proposals, writes reports, closes a door at once.
    Operator,
    /// Looks, and changes nothing.
    Auditor,
}

impl OperatorRole {
    /// Every role, the one that may most first.
    pub const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Operator, Self::Auditor];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "OWNER",
            Self::Admin => "ADMIN",
            Self::Operator => "OPERATOR",
            Self::Auditor => "AUDITOR",
        }
    }

    /// The role of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

impl std::fmt::Display for OperatorRole {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One of the client's people.
#[derive(Clone, Debug)]
pub struct Operator {
    /// What its tokens are made out to.
    pub id: UserId,
    /// The name that the log tells; nobody else ever has it.
    pub name: String,
    /// What it may do.
    pub role: OperatorRole,
    /// Its key.
    pub key: PublicKey,
}

/// Why the operators cannot be changed so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooFew {
    /// Nobody could ever change the operators again.
    #[error("the last owner stays: make somebody else an owner first")]
    LastOwner,
    /// The quorum could not be reached any more.
    #[error(
        "{owners} owners would be left, and {needed} must sign: make more owners, or lower the quorum first"
    )]
    Quorum {
        /// How many there would be.
        owners: usize,
        /// How many must sign.
        needed: u32,
    },
}

/// Whether so many owners can decide where so many must sign.
pub fn enough(owners: usize, needed: u32) -> Result<(), TooFew> {
    match owners {
        0 => Err(TooFew::LastOwner),
        _ if owners < usize::try_from(needed).unwrap_or(usize::MAX) => {
            Err(TooFew::Quorum { owners, needed })
        }
        _ => Ok(()),
    }
}

/// Every operator, as the desk's door asks for them.
#[derive(Debug, Default)]
pub(crate) struct Roster(HashMap<UserId, Arc<Operator>>);

impl Roster {
    pub(crate) fn of(operators: impl IntoIterator<Item = Operator>) -> Self {
        let entry = |operator: Operator| (operator.id, Arc::new(operator));
        Self(operators.into_iter().map(entry).collect())
    }

    pub(crate) fn get(&self, id: UserId) -> Option<&Arc<Operator>> {
        self.0.get(&id)
    }

    /// All of them, by name.
    pub(crate) fn all(&self) -> Vec<Arc<Operator>> {
        let mut all: Vec<_> = self.0.values().cloned().collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariant_2_the_last_owner_stays_and_a_quorum_can_be_reached() {
        assert_eq!(enough(0, 1), Err(TooFew::LastOwner));
        assert_eq!(enough(1, 1), Ok(()));
        assert_eq!(
            enough(1, 2),
            Err(TooFew::Quorum {
                owners: 1,
                needed: 2
            })
        );
        assert_eq!(enough(2, 2), Ok(()));
    }

    #[test]
    fn a_role_has_one_word() {
        for role in OperatorRole::ALL {
            assert_eq!(OperatorRole::of(role.as_str()), Some(role));
            let json = serde_json::to_value(role).expect("a word");
            assert_eq!(json, role.as_str());
        }
        for word in ["owner", "", "SIGNER"] {
            assert_eq!(OperatorRole::of(word), None);
        }
    }
}
