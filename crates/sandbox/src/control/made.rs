//! What a seed has made of which the API has no list.

use axum::Json;
use axum::extract::State;
use protocol::ids::WorkspaceId;
use serde_json::{Value, json};

use super::asked::At;
use super::calls::Calls;
use super::{Desk, Refusal};
use crate::shelf::Kept;
use crate::world::{Execution, Flow, Payout};

pub(super) fn calls() -> Calls {
    let does = "The ids of payouts, flows and their executions";
    Calls::default().get(
        "/workspaces/{workspace}/payments",
        "listPayments",
        does,
        payments,
    )
}

fn keys<T: Kept>(all: &[T]) -> Vec<String> {
    all.iter().map(Kept::key).collect()
}

/// The ids of payouts, flows and their executions.
async fn payments(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<Json<Value>, Refusal> {
    let hall = desk.hall(workspace)?;
    Ok(Json(json!({
        "payouts": keys(&hall.all_kept::<Payout>().await?),
        "flowConfigurations": keys(&hall.all_kept::<Flow>().await?),
        "flowExecutions": keys(&hall.all_kept::<Execution>().await?),
    })))
}
