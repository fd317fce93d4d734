//! The rate limits of a workspace: shown, set, taken off. They end with the process.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use protocol::ids::WorkspaceId;
use serde::{Deserialize, Serialize};

use super::asked::{Asked, At};
use super::{Desk, Refusal};
use crate::rates::{Limits, Profile};

pub(super) fn routes() -> Router<Desk> {
    let one = get(show).put(set).delete(off);
    Router::new().route("/workspaces/{workspace}/rate_limits", one)
}

/// Limits, by the name of their profile or one by one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Wanted {
    Profile(Named),
    Limits(Limits),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    profile: Profile,
}

/// Nothing: there are none.
#[derive(Serialize)]
struct Shown {
    rate_limits: Option<Limits>,
}

async fn show(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<Json<Shown>, Refusal> {
    let rate_limits = desk.hall(workspace)?.rates.limits();
    Ok(Json(Shown { rate_limits }))
}

async fn set(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
    Asked(wanted): Asked<Wanted>,
) -> Result<Json<Shown>, Refusal> {
    let hall = desk.hall(workspace)?;
    let limits = match wanted {
        Wanted::Profile(named) => named.profile.limits(),
        Wanted::Limits(limits) => limits.checked()?,
    };
    hall.rates.set(Some(limits));
    let rate_limits = hall.rates.limits();
    Ok(Json(Shown { rate_limits }))
}

async fn off(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<Json<Shown>, Refusal> {
    desk.hall(workspace)?.rates.set(None);
    Ok(Json(Shown { rate_limits: None }))
}
