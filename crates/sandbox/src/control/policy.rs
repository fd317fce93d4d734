//! A person decides on the policy that waits for its approval.

use axum::Json;
use axum::extract::State;
use ledger::Scope;
use protocol::error::ApiError;
use protocol::ids::{UserId, WorkspaceId};
use protocol::model::user::User;
use serde_json::{Value, json};

use super::asked::{Asked, At};
use super::{Desk, Refusal, Who};
use crate::deed::Deed;
use crate::hall::Hall;
use crate::request::{Needs, administers};

/// The person named; the owner, if nobody is.
pub(super) fn person(hall: &Hall, named: Option<UserId>) -> Result<User, ApiError> {
    let users = hall.books.users(&Scope::whole(hall.id()));
    let found = users.into_iter().find(|user| match named {
        Some(id) => user.id == id,
        None => user.role == protocol::role::Role::Owner,
    });
    found.ok_or_else(|| ApiError::uncoded(404, "no such user"))
}

/// Whether yes is said.
pub(super) fn yes(decision: &str) -> Result<bool, ApiError> {
    match decision {
        "approve" => Ok(true),
        "reject" => Ok(false),
        _ => Err(ApiError::uncoded(404, "approve or reject")),
    }
}

/// `POST .../policy/{approve|reject}`.
pub(super) async fn decide(
    State(desk): State<Desk>,
    At((workspace, decision)): At<(WorkspaceId, String)>,
    Asked(who): Asked<Who>,
) -> Result<Json<Value>, Refusal> {
    let hall = desk.hall(workspace)?;
    let (yes, person) = (yes(&decision)?, person(&hall, who.user)?);
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut policy = deed.policy()?;
        let nothing = || ApiError::uncoded(409, "no policy waits for its approval");
        let pending = policy.pending.as_mut().ok_or_else(nothing)?;
        let active = if yes {
            pending
                .request
                .approve(&person, Needs::OwnerAndQuorum, deed.at)?
        } else {
            administers(&person)?;
            false
        };
        if active {
            policy.agree(|| deed.chance.uuid().to_string());
        } else if !yes {
            policy.disagree();
        }
        deed.keep(&policy)?;
        Ok(active)
    };
    let active = hall.deed(work).await?;
    Ok(Json(json!({ "active": active })))
}
