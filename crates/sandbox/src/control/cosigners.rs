//! Co-signers from outside: the key they sign with, what is asked about them, what their callback
//! handlers were asked and said.

use axum::Json;
use axum::extract::State;
use protocol::ids::WorkspaceId;
use serde_json::{Value, json};

use super::asked::At;
use super::calls::Calls;
use super::{Desk, Refusal};
use crate::cosigner::{Call, Cosigner, KeyRequest};

pub(super) fn calls() -> Calls {
    let does =
        "The co-signers' public key, what is asked about them, what their handlers were asked";
    Calls::default().get(
        "/workspaces/{workspace}/cosigners",
        "getCosigners",
        does,
        show,
    )
}

/// `GET .../cosigners`: the key is what a machine's `print-public-key` shows.
async fn show(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<Json<Value>, Refusal> {
    let hall = desk.hall(workspace)?;
    let cosigners = hall.cosigners().await?;
    let shown: Vec<_> = cosigners.iter().map(Cosigner::shown).collect();
    let requests = hall.all_kept::<KeyRequest>().await?;
    let calls = hall.all_kept::<Call>().await?;
    let key = desk.house.cosigner_key.public().spki_pem();
    let told = json!({"publicKey": key, "cosigners": shown, "requests": requests, "calls": calls});
    Ok(Json(told))
}
