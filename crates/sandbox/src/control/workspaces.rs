//! Workspaces: made, looked at, kept as they are, gone back, taken away.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use protocol::ids::WorkspaceId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::{Asked, At};
use super::calls::Calls;
use super::clock::Moment;
use super::{Desk, Refusal};
use crate::ground::Ground;
use crate::hall::Hall;
use crate::making::{Source, Wanted};
use crate::policy::Written;
use crate::world::Network;

const MAKE: &str = r##"{"type":"object","additionalProperties":false,"properties":{
"name":{"type":"string","minLength":1,"maxLength":100},
"from":{"type":"object","minProperties":1,"maxProperties":1,"additionalProperties":false,"properties":{
 "fund":{"enum":["mainnet","testnet"]},"exchange":{"enum":["mainnet","testnet"]},
 "treasury":{"enum":["mainnet","testnet"]},"empty":{"enum":["mainnet","testnet"]},
 "file":{"type":"string"},
 "snapshot":{"type":"object","required":["workspace","name"],"properties":{"workspace":{"type":"string","format":"uuid"},"name":{"type":"string"}}}}},
"clock":{"type":"object","additionalProperties":false,"properties":{"at":{"$ref":"#/components/schemas/Moment"},"frozen":{"type":"boolean"}}}}}"##;
const NAME: &str = r#"{"type":"object","required":["name"],"additionalProperties":false,"properties":{"name":{"type":"string","minLength":1,"maxLength":100}}}"#;

pub(super) fn calls() -> Calls {
    Calls::default()
        .get(
            "/workspaces",
            "listWorkspaces",
            "The workspaces there are",
            list,
        )
        .post(
            "/workspaces",
            "makeWorkspace",
            "Make a workspace, with its users and keys",
            make,
        )
        .taking(MAKE)
        .answering(201)
        .get(
            "/workspaces/{workspace}",
            "getWorkspace",
            "A workspace, with its users and keys",
            one,
        )
        .delete(
            "/workspaces/{workspace}",
            "removeWorkspace",
            "Take a workspace away, with its snapshots",
            remove,
        )
        .answering(204)
        .post(
            "/workspaces/{workspace}/reset",
            "resetWorkspace",
            "Make a workspace again what it was when it was made",
            reset,
        )
        .get(
            "/workspaces/{workspace}/snapshots",
            "listSnapshots",
            "The snapshots of a workspace",
            snapshots,
        )
        .post(
            "/workspaces/{workspace}/snapshots",
            "takeSnapshot",
            "Keep a workspace as it is, under a name",
            snapshot,
        )
        .taking(NAME)
        .answering(201)
        .post(
            "/workspaces/{workspace}/snapshots/{name}/restore",
            "restoreSnapshot",
            "Go back to a snapshot, clock and all",
            restore,
        )
        .delete(
            "/workspaces/{workspace}/snapshots/{name}",
            "dropSnapshot",
            "Forget a snapshot",
            drop_snapshot,
        )
        .answering(204)
}

/// What a workspace is, in short.
async fn told(hall: &Arc<Hall>) -> Result<Value, Refusal> {
    let active = hall.policy().await?.active;
    let rules: Vec<_> = active.rules.iter().map(Written::shown).collect();
    Ok(json!({
        "id": hall.id(),
        "name": hall.name,
        "network": hall.network.name(),
        "now": hall.clock.now(),
        "frozen": hall.clock.is_frozen(),
        "manual": hall.house.manual,
        "seed": hall.house.seed,
        "policy": rules,
    }))
}

/// The same, with its API users and their keys: the keys of every sandbox are the same public set.
async fn told_whole(hall: &Arc<Hall>) -> Result<Value, Refusal> {
    let users: Vec<_> = hall
        .residents()
        .into_iter()
        .map(|one| {
            let key = one.key.and_then(|person| person.key_pem);
            json!({
                "name": one.name,
                "role": one.user.role,
                "id": one.user.id,
                "api_key": key.map(|_| one.user.id),
                "secret_key": key,
            })
        })
        .collect();
    let mut told = told(hall).await?;
    told["users"] = users.into();
    Ok(told)
}

async fn list(State(desk): State<Desk>) -> Result<Json<Value>, Refusal> {
    let mut list = Vec::new();
    for hall in desk.halls.all() {
        list.push(told(&hall).await?);
    }
    Ok(Json(json!({ "data": list })))
}

async fn one(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<Json<Value>, Refusal> {
    Ok(Json(told_whole(&desk.hall(workspace)?).await?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asking {
    name: Option<String>,
    #[serde(default)]
    from: From,
    clock: Option<Clock>,
}

/// What a workspace is made from.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum From {
    Fund(Network),
    Exchange(Network),
    Treasury(Network),
    Empty(Network),
    /// A file that the sandbox was given.
    File(String),
    Snapshot {
        workspace: WorkspaceId,
        name: String,
    },
}

impl Default for From {
    fn default() -> Self {
        Self::Fund(Network::Mainnet)
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Clock {
    at: Option<Moment>,
    #[serde(default)]
    frozen: bool,
}

async fn make(
    State(desk): State<Desk>,
    Asked(asking): Asked<Asking>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let clock = asking.clock.unwrap_or_default();
    let wanted = Wanted {
        name: asking.name,
        source: match asking.from {
            From::Fund(network) => Source::Ground(Ground::Fund(network)),
            From::Exchange(network) => Source::Ground(Ground::Exchange(network)),
            From::Treasury(network) => Source::Ground(Ground::Treasury(network)),
            From::Empty(network) => Source::Ground(Ground::Empty(network)),
            From::File(name) => Source::Ground(Ground::File(name)),
            From::Snapshot { workspace, name } => Source::Snapshot {
                of: workspace,
                name,
            },
        },
        at: clock.at.map(|Moment(at)| at),
        frozen: clock.frozen,
    };
    let hall = desk.halls.make(wanted).await?;
    Ok((StatusCode::CREATED, Json(told_whole(&hall).await?)))
}

async fn remove(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<StatusCode, Refusal> {
    let hall = desk.hall(workspace)?;
    desk.halls.remove(&hall).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn reset(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<Json<Value>, Refusal> {
    let hall = desk.hall(workspace)?;
    desk.halls.reset(&hall).await?;
    Ok(Json(told(&hall).await?))
}

async fn snapshots(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<Json<Value>, Refusal> {
    let rows = desk.hall(workspace)?.snapshots().await?;
    let list: Vec<_> = rows
        .iter()
        .map(|row| json!({ "name": row.name, "made_at": row.made_at }))
        .collect();
    Ok(Json(json!({ "data": list })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
}

async fn snapshot(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
    Asked(wanted): Asked<Named>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let hall: Arc<Hall> = desk.hall(workspace)?;
    hall.take_snapshot(&wanted.name).await?;
    Ok((StatusCode::CREATED, Json(json!({ "name": wanted.name }))))
}

async fn restore(
    State(desk): State<Desk>,
    At((workspace, name)): At<(WorkspaceId, String)>,
) -> Result<Json<Value>, Refusal> {
    let hall = desk.hall(workspace)?;
    hall.restore(&name).await?;
    Ok(Json(told(&hall).await?))
}

async fn drop_snapshot(
    State(desk): State<Desk>,
    At((workspace, name)): At<(WorkspaceId, String)>,
) -> Result<StatusCode, Refusal> {
    desk.hall(workspace)?.drop_snapshot(&name).await?;
    Ok(StatusCode::NO_CONTENT)
}
