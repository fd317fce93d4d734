//! Payments, read: payouts and flows. Banks and exchanges carry them out: simulating those is a
//! project of its own, so a seed makes what was paid.

use protocol::error::ApiError;
use protocol::exchange::Reply;

use crate::operations::{Visit, area};
use crate::shelf::Kept;
use crate::world::{Execution, Flow, Payout};

area! { visit, seeded;
    "getPayout" => one::<Payout>(visit, "payoutId").await,
    "getFlowConfiguration" => one::<Flow>(visit, "configId").await,
    "getFlowExecution" => one::<Execution>(visit, "workflowExecutionId").await,
}

/// The one of the id that the path names.
async fn one<T: Kept>(visit: &Visit<'_>, name: &str) -> Result<Reply, ApiError> {
    let found = visit.hall.kept::<T>(visit.params.get(name)).await?;
    let none = || ApiError::uncoded(404, "There is none of that id");
    Ok(Reply::json(200, &found.ok_or_else(none)?))
}
