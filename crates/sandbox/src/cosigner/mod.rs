//! Co-signers: machines that sign and approve for API users, and the callback handlers that they
//! ask before. Every workspace has one; API users are paired with it unless they were paired
//! elsewhere, or unpaired.

mod asking;
mod drive;
mod payload;
mod requests;

use std::sync::Arc;

use protocol::error::ApiError;
use protocol::model::user::{User, UserStatus, UserType};
use protocol::role::Role;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{Query, StoreError};
use uuid::Uuid;

use crate::hall::Hall;
use crate::shelf::{self, Kept};

pub(crate) use asking::{Call, approver, signer};
pub(crate) use drive::drive;
pub(crate) use requests::{Command, KeyRequest, settle};

/// A co-signer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cosigner {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) made_at: Millis,
}

impl Kept for Cosigner {
    const KIND: &'static str = "cosigner";

    fn key(&self) -> String {
        self.id.clone()
    }
}

impl Cosigner {
    /// The one that every workspace has.
    fn communal(hall: &Hall) -> Self {
        Self {
            id: Uuid::new_v5(&hall.id().0, b"vestibule:cosigner").to_string(),
            name: "Sandbox co-signer".to_owned(),
            made_at: Millis(0),
        }
    }

    /// As the API shows it.
    pub(crate) fn shown(&self) -> Value {
        json!({"archived": false, "id": self.id, "name": self.name, "type": "SANDBOX"})
    }

    pub(crate) fn all(query: &mut impl Query, hall: &Hall) -> Result<Vec<Self>, StoreError> {
        let mut all = shelf::all::<Self>(query, hall)?;
        let communal = Self::communal(hall);
        if all.iter().all(|one| one.id != communal.id) {
            all.push(communal);
        }
        Ok(all)
    }
}

/// What an API user's co-signer asks before it signs or approves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Handler {
    pub(crate) url: String,
    /// What its answers are verified with, PEM.
    pub(crate) public_key: String,
}

/// Which co-signer signs for an API user, and whom it asks before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pairing {
    pub(crate) api_key: String,
    /// Nothing: it was unpaired.
    pub(crate) cosigner: Option<String>,
    /// Nobody: it signs whatever is asked.
    pub(crate) handler: Option<Handler>,
    pub(crate) paired_at: Millis,
    /// When it was last heard of.
    pub(crate) last_seen: Option<Millis>,
}

impl Kept for Pairing {
    const KIND: &'static str = "cosigner_pairing";

    fn key(&self) -> String {
        self.api_key.clone()
    }
}

/// Whether a user of this role has something to sign or approve with.
pub(crate) const fn pairs(role: Role) -> bool {
    matches!(
        role,
        Role::Admin | Role::NonSigningAdmin | Role::Signer | Role::Approver
    )
}

/// Whether co-signers act for a user.
pub(crate) fn is_machine(user: &User) -> bool {
    user.user_type == UserType::Api && pairs(user.role)
}

impl Pairing {
    /// That of an API user whom nobody has paired.
    fn communal(hall: &Hall, user: &User) -> Self {
        Self {
            api_key: user.id.to_string(),
            cosigner: Some(Cosigner::communal(hall).id),
            handler: None,
            paired_at: Millis(0),
            last_seen: None,
        }
    }

    /// That of an API user; nothing of people, and of API users that nothing is signed with.
    pub(crate) fn of(
        query: &mut impl Query,
        hall: &Hall,
        user: &User,
    ) -> Result<Option<Self>, StoreError> {
        if !is_machine(user) || user.status != UserStatus::Ready {
            return Ok(None);
        }
        let kept = shelf::one::<Self>(query, hall, &user.id.to_string())?;
        Ok(Some(kept.unwrap_or_else(|| Self::communal(hall, user))))
    }

    /// As the API shows it.
    pub(crate) fn shown(&self) -> Value {
        let mut shown = json!({ "id": self.api_key });
        if let Some(at) = self.last_seen {
            shown["lastSeen"] = crate::operations::date_time(at).into();
        }
        if let Some(handler) = &self.handler {
            shown["callbackHandler"] = json!(handler);
        }
        shown
    }
}

/// A user of the workspace by its id.
pub(crate) fn user(hall: &Hall, id: &str) -> Option<User> {
    let users = hall.books.users(&ledger::Scope::whole(hall.id()));
    users.into_iter().find(|user| user.id.to_string() == id)
}

impl Hall {
    /// The co-signers.
    pub(crate) async fn cosigners(self: &Arc<Self>) -> Result<Vec<Cosigner>, ApiError> {
        let hall = Arc::clone(self);
        let read = move |reading: &mut store::Reading<'_>| Cosigner::all(reading, &hall);
        Ok(self
            .books
            .store()
            .read(read)
            .await
            .map_err(ledger::Fault::from)?)
    }

    /// The API users that are paired with a co-signer.
    pub(crate) async fn paired_with(
        self: &Arc<Self>,
        cosigner: &str,
    ) -> Result<Vec<Pairing>, ApiError> {
        let (hall, cosigner) = (Arc::clone(self), cosigner.to_owned());
        let read = move |reading: &mut store::Reading<'_>| {
            let mut found = Vec::new();
            for user in hall.books.users(&ledger::Scope::whole(hall.id())) {
                let pairing = Pairing::of(reading, &hall, &user)?;
                found.extend(pairing.filter(|one| one.cosigner.as_ref() == Some(&cosigner)));
            }
            Ok::<_, StoreError>(found)
        };
        Ok(self
            .books
            .store()
            .read(read)
            .await
            .map_err(ledger::Fault::from)?)
    }
}
