//! How a workspace's quorum is set.

use serde::{Deserialize, Serialize};

use crate::shelf::Kept;

/// How many members must say yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a number of members, or \"ALL\"")]
pub(crate) enum Threshold {
    Number(usize),
    All(All),
}

/// The word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum All {
    All,
}

impl Threshold {
    /// How many that is of so many members.
    pub(crate) const fn of(self, members: usize) -> usize {
        match self {
            Self::Number(number) => number,
            Self::All(All::All) => members,
        }
    }
}

/// Who decides that a person is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum DeleteUsers {
    /// The Owner alone, in the Console.
    #[default]
    OwnerOnly,
    AdminQuorum,
}

/// The settings of a workspace, until somebody changes them the default ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct QuorumSettings {
    pub(crate) threshold: Threshold,
    pub(crate) delete_users: DeleteUsers,
}

impl Default for QuorumSettings {
    fn default() -> Self {
        Self {
            threshold: Threshold::Number(2),
            delete_users: DeleteUsers::default(),
        }
    }
}

impl Kept for QuorumSettings {
    const KIND: &'static str = "quorum_settings";

    fn key(&self) -> String {
        String::new()
    }
}
