//! The audit log: what happened in a workspace, who did it, and when, written in the transaction of
//! what happened. Calls are told of by `Hall::effect`, transactions by `Deed::transaction`, and the
//! quorum tells of itself.

mod calls;
mod events;
mod transactions;

use protocol::ids::UserId;
use protocol::model::user::User;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use store::StoreError;
use uuid::Uuid;

use crate::deed::Deed;
use crate::shelf::Kept;
use ledger::Fault;

pub(crate) use calls::event_of;
pub(crate) use events::Event;
pub(crate) use transactions::events_of;

/// Most entries of one change.
const MOST: i64 = 1_000_000;

/// Who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    User(UserId),
    /// Nobody of the workspace: the chain, the policy.
    Fireblocks,
}

impl From<Option<UserId>> for By {
    fn from(user: Option<UserId>) -> Self {
        user.map_or(Self::Fireblocks, Self::User)
    }
}

/// What an entry's place in the log is made of: its moment, and its number among those of the same
/// change. No two entries share one, and later entries have higher ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Place(i64);

impl Place {
    /// Before every entry of this moment.
    pub(crate) const fn at(moment: Millis) -> Self {
        Self(moment.0.saturating_mul(MOST))
    }

    /// The place right before.
    pub(crate) const fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }

    pub(crate) const fn number(self) -> i64 {
        self.0
    }

    /// As a key: in the order of places, also as text.
    pub(crate) fn key(self) -> String {
        format!("{:020}", self.0)
    }

    pub(crate) fn read(key: &str) -> Option<Self> {
        let digits = key.len() == 20 && key.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| key.parse().ok().map(Self)).flatten()
    }
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    pub(crate) id: Uuid,
    pub(crate) place: Place,
    pub(crate) at: Millis,
    /// The user's name, as it was then.
    pub(crate) user: String,
    pub(crate) user_id: Option<UserId>,
    pub(crate) event: Event,
}

impl Kept for Entry {
    const KIND: &'static str = "audit";

    fn key(&self) -> String {
        self.place.key()
    }
}

impl Deed<'_, '_> {
    /// Writes into the audit log.
    pub(crate) fn audit(&mut self, event: Event, by: By) -> Result<(), StoreError> {
        let (user, user_id) = match by {
            By::User(id) => (
                self.hall
                    .books
                    .user(id)
                    .map_or_else(|| id.to_string(), |user| name(&user)),
                Some(id),
            ),
            By::Fireblocks => ("Fireblocks".to_owned(), None),
        };
        let place = Place(Place::at(self.at).0 + self.told);
        self.told += 1;
        let workspace = self.hall.id();
        let entry = Entry {
            id: Uuid::new_v5(&workspace.0, place.key().as_bytes()),
            place,
            at: self.at,
            user,
            user_id,
            event,
        };
        self.append(&entry, place.0)
    }

    /// Writes into the audit log what it tells of.
    pub(crate) fn audit_some(&mut self, event: Option<Event>, by: By) -> Result<(), Fault> {
        match event {
            Some(event) => Ok(self.audit(event, by)?),
            None => Ok(()),
        }
    }
}

/// What a user is called.
fn name(user: &User) -> String {
    let person = || {
        let names = [user.first_name.as_deref(), user.last_name.as_deref()];
        names.into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    user.name.clone().unwrap_or_else(person)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_in_order_also_as_text() {
        let places = [0, 9_999_999, 10_000_000, 1_790_000_000_000].map(|at| Place::at(Millis(at)));
        for pair in places.windows(2) {
            assert!(pair[0] < pair[1] && pair[0].key() < pair[1].key());
        }
        for place in places {
            assert_eq!(Place::read(&place.key()), Some(place));
        }
        for bad in ["", "7", "+0000000000000000001", "99999999999999999999", "x"] {
            assert_eq!(Place::read(bad), None, "{bad}");
        }
    }
}
