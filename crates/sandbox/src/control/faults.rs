//! Faults on calls of a workspace: planned, looked at, forgotten. They end with the process.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{delete, get};
use axum::{Json, Router};
use protocol::error::ApiError;
use protocol::ids::WorkspaceId;
use protocol::operations;
use serde_json::{Value, json};

use super::asked::{Asked, At};
use super::{Desk, Refusal};
use crate::faults::{MAX_LATENCY, MOST, Planned, Standing, Trouble};

pub(super) fn routes() -> Router<Desk> {
    Router::new()
        .route(
            "/workspaces/{workspace}/faults",
            get(list).post(plan).delete(clear),
        )
        .route("/workspaces/{workspace}/faults/{id}", delete(forget))
}

async fn list(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<Json<Value>, Refusal> {
    let all = desk.hall(workspace)?.faults.all();
    Ok(Json(json!({ "data": all })))
}

async fn plan(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
    Asked(planned): Asked<Planned>,
) -> Result<(StatusCode, Json<Standing>), Refusal> {
    let hall = desk.hall(workspace)?;
    let bad = |text: String| Err(Refusal(ApiError::uncoded(400, text)));
    if let Some(id) = &planned.operation
        && operations::by_id(id).is_none()
    {
        return bad(format!("{id} is no operation of the contract"));
    }
    if planned.times == Some(0) {
        return bad("times must be 1 or more".to_owned());
    }
    if matches!(planned.fault, Trouble::Latency { millis } if millis > MAX_LATENCY) {
        return bad(format!("millis must be at most {MAX_LATENCY}"));
    }
    let standing = hall.faults.plan(planned);
    let full = || ApiError::uncoded(409, format!("at most {MOST} faults can be planned"));
    Ok((StatusCode::CREATED, Json(standing.ok_or_else(full)?)))
}

async fn clear(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<StatusCode, Refusal> {
    desk.hall(workspace)?.faults.clear();
    Ok(StatusCode::NO_CONTENT)
}

async fn forget(
    State(desk): State<Desk>,
    At((workspace, id)): At<(WorkspaceId, u64)>,
) -> Result<StatusCode, Refusal> {
    if desk.hall(workspace)?.faults.forget(id) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Refusal(ApiError::uncoded(404, "no such fault")))
    }
}
