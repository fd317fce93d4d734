//! The workspace itself, and the approval requests of its people (none wait here).

use protocol::exchange::Reply;
use protocol::model::workspace::Workspace;
use serde_json::json;

use super::{Visit, area};

area! { visit;
    "getWorkspace" => Ok(show(visit)),
    "getApprovals" => Ok(approvals()),
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

/// `GET /approvals`: only who may approve may ask, and nothing waits.
fn approvals() -> Reply {
    Reply::json(200, &json!({ "data": [], "next": null }))
}
