//! The workspace itself, and whether it is frozen.

use ledger::Fault;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::model::workspace::Workspace;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Visit, area};
use crate::deed::Deed;
use crate::shelf::Kept;

area! { visit;
    "getWorkspace" => Ok(show(visit)),
    "getWorkspaceStatus" => status(visit).await,
    "freezeWorkspace" => freeze(visit).await,
}

/// What a frozen workspace still does.
const IN_FROST: [&str; 1] = ["freezeWorkspace"];

/// Whether the workspace is frozen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Standing {
    #[default]
    Active,
    Frozen,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Status {
    status: Standing,
}

impl Kept for Status {
    const KIND: &'static str = "workspace_status";

    fn key(&self) -> String {
        String::new()
    }
}

/// Whether the workspace is frozen, at this moment of the deed.
pub(crate) fn standing(deed: &mut Deed<'_, '_>) -> Result<Standing, Fault> {
    Ok(deed.kept::<Status>("")?.unwrap_or_default().status)
}

/// The workspace is frozen, or is not any more.
pub(crate) fn stand(deed: &mut Deed<'_, '_>, status: Standing) -> Result<(), Fault> {
    Ok(deed.keep(&Status { status })?)
}

fn frozen() -> ApiError {
    ApiError::uncoded(403, "The workspace is frozen")
}

/// Refuses what a frozen workspace does not do.
pub(crate) fn check_standing(deed: &mut Deed<'_, '_>, operation: &str) -> Result<(), Fault> {
    if standing(deed)? == Standing::Frozen && !IN_FROST.contains(&operation) {
        return Err(frozen().into());
    }
    Ok(())
}

/// `GET /workspace`.
fn show(visit: &Visit<'_>) -> Reply {
    let hall = visit.hall;
    Reply::json(
        200,
        &Workspace {
            id: hall.id(),
            name: hall.name.clone(),
        },
    )
}

/// `GET /management/workspace_status`.
async fn status(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let kept = visit.hall.kept::<Status>("").await?.unwrap_or_default();
    Ok(Reply::json(200, &json!({ "status": kept.status })))
}

/// `POST /workspace/freeze`: nothing is changed any more, and nothing is sent. What comes in from
/// outside still arrives.
async fn freeze(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let work = |deed: &mut Deed<'_, '_>| {
        stand(deed, Standing::Frozen)?;
        Ok(Reply::empty(204))
    };
    visit.hall.effect(visit.call, work).await
}
