//! Approval requests (`/approvals`): what waits for the quorum and may be decided on by programs,
//! who approve by signing exactly what is asked for.

use protocol::error::ApiError;
use protocol::exchange::{Query, Reply};
use protocol::ids::UserId;
use protocol::role::Role;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::deed::Deed;
use crate::operations::paging::{First, page, sized};
use crate::operations::people::approval_keys::{ApprovalKey, KeyStatus};
use crate::operations::{Visit, area};
use crate::quorum::{Members, Request, State, Word};

area! { visit;
    "getApprovals" => list(visit).await,
    "getApprovalById" => one(visit).await,
    "approveApproval" => approve(visit).await,
    "rejectApproval" => reject(visit).await,
}

/// Rows of a page where the query does not say, and most of them.
const PAGE: usize = 20;
const MAX_PAGE: usize = 30;

fn not_found() -> ApiError {
    ApiError::uncoded(404, "Approval request not found")
}

fn flag(query: &Query, name: &'static str) -> Result<bool, ApiError> {
    let read = query.read::<bool, _>(name, |_| ApiError::invalid(name, "true or false"));
    Ok(read?.unwrap_or(false))
}

/// How much is told of a quorum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    None,
    Summary,
    Full,
}

impl Mode {
    fn read(query: &Query) -> Result<Self, ApiError> {
        match query.one("quorumStatusMode") {
            None | Some("NONE") => Ok(Self::None),
            Some("SUMMARY") => Ok(Self::Summary),
            Some("FULL") => Ok(Self::Full),
            Some(_) => Err(ApiError::invalid(
                "quorumStatusMode",
                "NONE, SUMMARY or FULL",
            )),
        }
    }
}

/// Whose answers are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    One(UserId),
    Everybody,
}

impl Whose {
    /// As the query asks, where the guest may ask that.
    fn read(visit: &Visit<'_>, everybody: bool) -> Result<Self, ApiError> {
        let query = &visit.call.query;
        let other = query.read::<UserId, _>("userId", |_| {
            ApiError::invalid("userId", "the id of a user")
        })?;
        if everybody && other.is_some() {
            return Err(ApiError::invalid(
                "includeAllUsers",
                "not together with userId",
            ));
        }
        let sees_others = matches!(
            visit.guest.role,
            Role::Admin | Role::NonSigningAdmin | Role::SecurityAdmin | Role::SecurityAuditor
        );
        if (everybody || other.is_some()) && !sees_others {
            let why = "Only administrators may see other users' requests";
            return Err(ApiError::uncoded(403, why));
        }
        Ok(if everybody {
            Self::Everybody
        } else {
            Self::One(other.unwrap_or(visit.guest.user))
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum UserState {
    #[serde(rename = "USER_STATUS_NOT_APPLICABLE")]
    NotApplicable,
    #[serde(rename = "USER_NOT_ELIGIBLE_TO_APPROVE")]
    NotEligible,
    #[serde(rename = "USER_NOT_APPROVED")]
    NotApproved,
    #[serde(rename = "USER_APPROVED")]
    Approved,
}

fn state_of(request: &Request, whose: Whose, members: &Members) -> UserState {
    match whose {
        Whose::Everybody => UserState::NotApplicable,
        Whose::One(user) if request.approved_by.contains(&user) => UserState::Approved,
        Whose::One(user) if members.has(user) => UserState::NotApproved,
        Whose::One(_) => UserState::NotEligible,
    }
}

/// `GET /approvals`.
async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let query = &visit.call.query;
    let approved_too = flag(query, "includeUserApproved")?;
    let whose = Whose::read(visit, flag(query, "includeAllUsers")?)?;
    let mode = Mode::read(query)?;
    if mode == Mode::Full {
        return Err(ApiError::invalid("quorumStatusMode", "NONE or SUMMARY"));
    }
    sized(query, MAX_PAGE)?;
    let members = visit.hall.members();
    let mut requests = visit.hall.open_requests().await?;
    requests.retain(|request| {
        request.ask.is_in_approvals()
            && match state_of(request, whose, &members) {
                UserState::NotApplicable | UserState::NotApproved => true,
                UserState::Approved => approved_too,
                UserState::NotEligible => false,
            }
    });
    let place = |request: &Request| (request.id, String::new(), String::new());
    let page = page(query, requests, PAGE, First::Newest, place)?;
    let shown = page.map(|request| shown(&request, whose, mode, &members));
    Ok(Reply::json(200, &shown))
}

/// `GET /approvals/{requestId}`.
async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let whose = Whose::read(visit, false)?;
    let mode = Mode::read(&visit.call.query)?;
    let id: i64 = visit.param("requestId", not_found)?;
    let request = shown_here(visit.hall.request(id).await?)?;
    let shown = shown(&request, whose, mode, &visit.hall.members());
    Ok(Reply::json(200, &shown))
}

fn shown(request: &Request, whose: Whose, mode: Mode, members: &Members) -> Value {
    json!({
        "requestPayload": request.payload(),
        "requestSignature": "",
        "userStatus": state_of(request, whose, members),
        "quorumStatus": quorum(request, mode, members),
    })
}

/// What the request needs, and how far that is.
fn quorum(request: &Request, mode: Mode, members: &Members) -> Value {
    if mode == Mode::None {
        return Value::Null;
    }
    let said = |yes: bool| if yes { "APPROVED" } else { "PENDING" };
    let mut quorum = json!({
        "type": "SIMPLE",
        "threshold": request.threshold,
        "currentApprovalCount": request.approved_by.len(),
        "status": said(request.state == State::Approved),
    });
    if let Some(owner) = request.owner {
        quorum["isMandatoryOwnerApproved"] = request.approved_by.contains(&owner).into();
    }
    let state = match request.state {
        State::Expired => json!("TIMED_OUT"),
        state => json!(state),
    };
    let mut told = json!({ "requestStatus": state });
    if mode == Mode::Full {
        let silent = request.silent(members);
        let everybody: Vec<_> = request.approved_by.iter().copied().chain(silent).collect();
        let users = everybody.iter().enumerate().map(|(index, user)| {
            let mut told = json!({
                "index": index,
                "userId": user,
                "status": said(request.approved_by.contains(user)),
            });
            if request.owner == Some(*user) {
                told["isMandatoryOwner"] = true.into();
            }
            told
        });
        told["users"] = users.collect();
        quorum["members"] = (0..everybody.len()).collect();
    }
    told["quorum"] = quorum;
    told
}

/// A request, if it is one of those that are decided on here.
fn shown_here(request: Option<Request>) -> Result<Request, ApiError> {
    let request = request.filter(|request| request.ask.is_in_approvals());
    request.ok_or_else(not_found)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signed {
    signature: String,
    #[serde(default)]
    key_id: Option<String>,
}

/// `POST /approvals/{requestId}/approve`.
async fn approve(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id: i64 = visit.param("requestId", not_found)?;
    let signed: Signed = visit.body()?;
    let user = visit.guest.user;
    let work = move |deed: &mut Deed<'_, '_>| {
        let request = shown_here(deed.request(id)?)?;
        let mut keys = deed.all_kept::<ApprovalKey>()?;
        keys.retain(|key| {
            key.user == user
                && key.status != KeyStatus::PendingRegistration
                && signed.key_id.as_ref().is_none_or(|id| *id == key.id)
        });
        let payload = request.payload();
        let made_it =
            |key: &ApprovalKey| key.public.verifies(payload.as_bytes(), &signed.signature);
        let key = keys.into_iter().find(made_it);
        let mut key = key.ok_or_else(|| {
            let why = "none of the user's approval keys made it over this request's payload";
            ApiError::invalid("signature", why)
        })?;
        deed.decide(id, Word::Yes, Some(user))?;
        key.last_used_at = Some(deed.at);
        // Its own deletion may be what it has signed.
        if deed.kept::<ApprovalKey>(&key.id)?.is_some() {
            deed.keep(&key)?;
        }
        Ok(Reply::empty(204))
    };
    visit.hall.effect(visit.call, work).await
}

/// `POST /approvals/{requestId}/reject`: nothing is signed.
async fn reject(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id: i64 = visit.param("requestId", not_found)?;
    let user = visit.guest.user;
    let work = move |deed: &mut Deed<'_, '_>| {
        shown_here(deed.request(id)?)?;
        deed.decide(id, Word::No, Some(user))?;
        Ok(Reply::empty(204))
    };
    visit.hall.effect(visit.call, work).await
}
