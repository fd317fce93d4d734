//! What a workspace and its users are called in a copy of it: API keys are nobody else's, so each
//! copy has users of its own.

use protocol::ids::{UserId, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::{Query, StoreError};
use uuid::Uuid;

use crate::people;

/// Names, each with what it becomes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Names(Vec<(String, String)>);

impl Names {
    /// What becomes of a workspace's in another one that is made from it.
    pub(crate) fn of_copy(
        query: &mut impl Query,
        from: WorkspaceId,
        to: WorkspaceId,
    ) -> Result<Self, StoreError> {
        let mut names = vec![(from.to_string(), to.to_string())];
        for user in ledger::users(query, from)? {
            let called = user.name.as_deref().or(user.first_name.as_deref());
            let described = called.filter(|name| people::id_in(from, name) == user.id);
            let new = described.map_or_else(
                || UserId(Uuid::new_v5(&to.0, user.id.0.as_bytes())),
                |name| people::id_in(to, name),
            );
            names.push((user.id.to_string(), new.to_string()));
        }
        Ok(Self(names))
    }

    /// The way back.
    pub(crate) fn back(&self) -> Self {
        let turned = |(old, new): &(String, String)| (new.clone(), old.clone());
        Self(self.0.iter().map(turned).collect())
    }

    /// Each pair.
    pub(crate) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// A text, with every name in it changed.
    pub(crate) fn change(&self, text: &str) -> String {
        self.0
            .iter()
            .fold(text.to_owned(), |text, (old, new)| text.replace(old, new))
    }
}
