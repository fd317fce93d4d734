//! NFTs that come to a workspace's accounts.

use axum::Json;
use axum::extract::State;
use protocol::ids::{VaultAccountId, WorkspaceId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::{Asked, At};
use super::calls::Calls;
use super::{Desk, Refusal};
use crate::operations;

const INCOMING: &str = r#"{"type":"object","required":["vaultAccountId"],"additionalProperties":false,"properties":{
"vaultAccountId":{"type":"string"},"collectionId":{"type":"string"},"seen":{"type":"boolean"}}}"#;

pub(super) fn calls() -> Calls {
    let does = "A new NFT comes to a vault account";
    Calls::default()
        .post(
            "/workspaces/{workspace}/incoming_nft",
            "receiveNft",
            does,
            incoming,
        )
        .taking(INCOMING)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Incoming {
    vault_account_id: VaultAccountId,
    collection_id: Option<String>,
    /// Whether the workspace sees it at once, not only when it looks.
    #[serde(default = "at_once")]
    seen: bool,
}

const fn at_once() -> bool {
    true
}

/// A new token comes.
async fn incoming(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
    Asked(new): Asked<Incoming>,
) -> Result<Json<Value>, Refusal> {
    let hall = desk.hall(workspace)?;
    let id = operations::incoming_nft(&hall, new.vault_account_id, new.collection_id, new.seen);
    Ok(Json(json!({ "id": id.await? })))
}
