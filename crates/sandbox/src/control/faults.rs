//! Faults on calls of a workspace: planned, looked at, forgotten. They end with the process.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use protocol::error::ApiError;
use protocol::ids::WorkspaceId;
use protocol::operations;
use serde_json::{Value, json};

use super::asked::{Asked, At};
use super::calls::Calls;
use super::{Desk, Refusal};
use crate::faults::{MAX_LATENCY, MOST, Planned, Standing, Trouble};

const FAULT: &str = r#"{"type":"object","required":["fault"],"additionalProperties":false,"properties":{
"operation":{"type":"string"},"method":{"type":"string"},"path":{"type":"string"},"user":{"type":"string","format":"uuid"},
"external_tx_id":{"type":"string"},"after":{"type":"integer","minimum":0},"times":{"type":"integer","minimum":1},
"fault":{"oneOf":[{"enum":["internal_error","cut_connection","lost_answer","wrong_content_type"]},
 {"type":"object","required":["latency"],"properties":{"latency":{"type":"object","required":["millis"],"properties":{"millis":{"type":"integer","minimum":0,"maximum":600000}}}}},
 {"type":"object","required":["too_many_requests"],"properties":{"too_many_requests":{"type":"object","required":["retry_after"],"properties":{"retry_after":{"type":"integer","minimum":0}}}}}]}}}"#;

pub(super) fn calls() -> Calls {
    Calls::default()
        .get(
            "/workspaces/{workspace}/faults",
            "listFaults",
            "The faults that are planned",
            list,
        )
        .post(
            "/workspaces/{workspace}/faults",
            "planFault",
            "Plan a fault on calls of the API",
            plan,
        )
        .taking(FAULT)
        .answering(201)
        .delete(
            "/workspaces/{workspace}/faults",
            "clearFaults",
            "Forget every fault",
            clear,
        )
        .answering(204)
        .delete(
            "/workspaces/{workspace}/faults/{id}",
            "forgetFault",
            "Forget a fault",
            forget,
        )
        .answering(204)
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
