//! What the peers of a workspace do, and what its quorum says to connections.

use axum::Json;
use axum::extract::State;
use protocol::error::ApiError;
use protocol::ids::WorkspaceId;
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::{Asked, At};
use super::calls::Calls;
use super::people::decide_all;
use super::{Desk, Refusal};
use crate::holdings::network::Act;
use crate::operations;
use crate::quorum::{Ask, Word};

const PEER: &str = r#"{"type":"object","required":["name"],"additionalProperties":false,"properties":{"name":{"type":"string"},"isDiscoverable":{"type":"boolean"}}}"#;

pub(super) fn calls() -> Calls {
    let acts = "Somebody decides on a connection: approve or reject, peer_approve, peer_reject or peer_remove";
    Calls::default()
        .post(
            "/workspaces/{workspace}/network_peers",
            "addNetworkPeer",
            "A peer comes into the network",
            add_peer,
        )
        .taking(PEER)
        .post(
            "/workspaces/{workspace}/network_connections/{id}/{act}",
            "actOnConnection",
            acts,
            act,
        )
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewPeer {
    name: String,
    #[serde(default)]
    is_discoverable: bool,
}

/// A peer comes into the network.
async fn add_peer(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
    Asked(new): Asked<NewPeer>,
) -> Result<Json<Value>, Refusal> {
    let hall = desk.hall(workspace)?;
    let id = operations::add_network_peer(&hall, new.name, new.is_discoverable).await?;
    Ok(Json(json!({ "id": id })))
}

async fn act(
    State(desk): State<Desk>,
    At((workspace, id, act)): At<(WorkspaceId, String, String)>,
) -> Result<Json<Value>, Refusal> {
    let act = match act.as_str() {
        "approve" => Act::Approve,
        "reject" => Act::Reject,
        "peer_approve" => Act::PeerApprove,
        "peer_reject" => Act::PeerReject,
        "peer_remove" => Act::PeerRemove,
        _ => {
            let acts = "approve, reject, peer_approve, peer_reject or peer_remove";
            return Err(ApiError::uncoded(404, acts).into());
        }
    };
    let hall = desk.hall(workspace)?;
    let word = match act {
        Act::Approve => Some(Word::Yes),
        Act::Reject => Some(Word::No),
        _ => None,
    };
    if let Some(word) = word {
        let wanted = id.clone();
        let about = move |ask: &Ask| matches!(ask, Ask::NetworkConnection { connection } if *connection == wanted);
        if decide_all(&hall, about, word, None).await? > 0 {
            return Ok(Json(json!({ "success": true })));
        }
    }
    // The peer's part; or one of an older release, which asked nobody.
    operations::act_on_connection(&hall, id, act).await?;
    Ok(Json(json!({ "success": true })))
}
