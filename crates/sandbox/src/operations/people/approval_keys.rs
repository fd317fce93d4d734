//! Approval keys of API users: what they sign approvals with. The quorum decides on each new key,
//! and on the loss of a user's last one.

use ledger::Fault;
use protocol::approval_key::ApprovalPublicKey;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::UserId;
use protocol::model::user::UserType;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::deed::Deed;
use crate::operations::paging::{First, page, sized};
use crate::operations::{Visit, area};
use crate::quorum::{Ask, State};
use crate::shelf::Kept;

area! { visit;
    "getApprovalKeys" => list(visit).await,
    "createApprovalKey" => create(visit).await,
    "deleteApprovalKey" => delete(visit).await,
}

/// Most keys of one user.
const MAX_KEYS: usize = 2;
/// Longest name.
const MAX_NAME: usize = 255;
/// Rows of a page where the query does not say, and most of them.
const PAGE: usize = 10;
const MAX_PAGE: usize = 15;

/// A key as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ApprovalKey {
    pub(crate) id: String,
    name: String,
    pub(crate) user: UserId,
    created_at: Millis,
    pub(crate) last_used_at: Option<Millis>,
    pub(crate) public: ApprovalPublicKey,
    pub(crate) status: KeyStatus,
}

/// Whether a key can sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum KeyStatus {
    #[serde(rename = "APPROVAL_API_KEY_STATUS_PENDING_REGISTRATION")]
    PendingRegistration,
    #[serde(rename = "APPROVAL_API_KEY_STATUS_ENABLED")]
    Enabled,
    /// It can still, until the quorum has decided.
    #[serde(rename = "APPROVAL_API_KEY_STATUS_PENDING_DELETION")]
    PendingDeletion,
}

impl Kept for ApprovalKey {
    const KIND: &'static str = "approval_key";

    fn key(&self) -> String {
        self.id.clone()
    }
}

impl ApprovalKey {
    /// As the API shows it.
    fn shown(&self) -> serde_json::Value {
        let seconds = |at: Millis| at.seconds().to_string();
        json!({
            "id": self.id,
            "name": self.name,
            "createdAt": seconds(self.created_at),
            "lastUsedAt": seconds(self.last_used_at.unwrap_or(Millis(0))),
            "approvalApiPublicKey": self.public,
            "userId": self.user,
            "status": self.status,
        })
    }
}

fn no_user() -> ApiError {
    ApiError::uncoded(404, "API user not found")
}

fn no_key() -> ApiError {
    ApiError::uncoded(404, "Approval key not found")
}

/// The API user that the path names.
fn user(visit: &Visit<'_>) -> Result<UserId, ApiError> {
    let id: UserId = visit.param("userId", no_user)?;
    let known = visit.hall.books.user(id);
    let known = known.filter(|user| user.user_type == UserType::Api);
    known.map(|user| user.id).ok_or_else(no_user)
}

/// `GET /management/api_users/{userId}/approval_keys`.
async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let user = user(visit)?;
    let query = &visit.call.query;
    sized(query, MAX_PAGE)?;
    let mut keys = visit.hall.all_kept::<ApprovalKey>().await?;
    keys.retain(|key| key.user == user);
    let place = |key: &ApprovalKey| (key.created_at.0, key.id.clone(), String::new());
    let page = page(query, keys, PAGE, First::Oldest, place)?;
    Ok(Reply::json(200, &page.map(|key| key.shown())))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewKey {
    name: String,
    approval_api_public_key: ApprovalPublicKey,
}

/// `POST /management/api_users/{userId}/approval_keys`: for the caller itself.
async fn create(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let user = user(visit)?;
    if user != visit.guest.user {
        return Err(ApiError::uncoded(
            403,
            "A key is registered by its own user",
        ));
    }
    let new: NewKey = visit.body()?;
    if new.name.trim().is_empty() || new.name.chars().count() > MAX_NAME {
        return Err(ApiError::invalid("name", "1 to 255 characters"));
    }
    let public = new.approval_api_public_key;
    let of_algorithm = "a PEM public key of its algorithm";
    let der = public.der().and_then(|der| public.check().map(|()| der));
    let der = der.map_err(|_| ApiError::invalid("publicKeyPem", of_algorithm))?;
    let name = new.name;
    let work = move |deed: &mut Deed<'_, '_>| {
        let keys = deed.all_kept::<ApprovalKey>()?;
        if keys
            .iter()
            .any(|key| key.public.der().is_ok_and(|other| other == der))
        {
            return Err(ApiError::uncoded(409, "The key is registered already").into());
        }
        if keys.iter().filter(|key| key.user == user).count() >= MAX_KEYS {
            let why = format!("A user has at most {MAX_KEYS} approval keys");
            return Err(ApiError::uncoded(409, why).into());
        }
        let key = ApprovalKey {
            id: deed.chance.uuid().to_string(),
            name: name.clone(),
            user,
            created_at: deed.at,
            last_used_at: None,
            public: public.clone(),
            status: KeyStatus::PendingRegistration,
        };
        deed.keep(&key)?;
        let ask = Ask::ApprovalKeyRegistration {
            user,
            key: key.id.clone(),
        };
        let waits = asked(deed, ask, user)?;
        Ok(Reply::json(
            200,
            &json!({"keyId": key.id, "ccrIdPendingRegistration": waits}),
        ))
    };
    visit.hall.effect(visit.call, work).await
}

/// Asks the quorum: the request's id where it waits, else nothing.
fn asked(deed: &mut Deed<'_, '_>, ask: Ask, by: UserId) -> Result<String, Fault> {
    let request = deed.ask(ask, Some(by))?;
    Ok(if request.state == State::Pending {
        request.id.to_string()
    } else {
        String::new()
    })
}

/// `DELETE /management/api_users/{userId}/approval_keys/{keyId}`.
async fn delete(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let (user, by) = (user(visit)?, visit.guest.user);
    let id = visit.params.get("keyId").to_owned();
    let work = move |deed: &mut Deed<'_, '_>| {
        let found = deed.kept::<ApprovalKey>(&id)?;
        let found = found.filter(|key| key.user == user);
        let mut key = found.ok_or_else(no_key)?;
        if key.status != KeyStatus::Enabled {
            return Err(ApiError::uncoded(409, "A request about the key is pending").into());
        }
        let others = deed.all_kept::<ApprovalKey>()?;
        let another = |other: &ApprovalKey| {
            other.user == user && other.id != id && other.status == KeyStatus::Enabled
        };
        let waits = if user == by && others.iter().any(another) {
            deed.discard::<ApprovalKey>(&id)?;
            String::new()
        } else {
            key.status = KeyStatus::PendingDeletion;
            deed.keep(&key)?;
            let ask = Ask::ApprovalKeyDeletion {
                user,
                key: id.clone(),
            };
            asked(deed, ask, by)?
        };
        Ok(Reply::json(200, &json!({ "ccrIdPendingDeletion": waits })))
    };
    visit.hall.effect(visit.call, work).await
}

/// A key can sign.
pub(crate) fn enable(deed: &mut Deed<'_, '_>, id: &str) -> Result<(), Fault> {
    let mut key = deed.kept::<ApprovalKey>(id)?.ok_or_else(no_key)?;
    key.status = KeyStatus::Enabled;
    Ok(deed.keep(&key)?)
}

/// A key is no more.
pub(crate) fn remove(deed: &mut Deed<'_, '_>, id: &str) -> Result<(), Fault> {
    deed.discard::<ApprovalKey>(id)?;
    Ok(())
}

/// A user has no keys any more.
pub(crate) fn remove_all(deed: &mut Deed<'_, '_>, user: UserId) -> Result<(), Fault> {
    for key in deed.all_kept::<ApprovalKey>()? {
        if key.user == user {
            remove(deed, &key.id)?;
        }
    }
    Ok(())
}
