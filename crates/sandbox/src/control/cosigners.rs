//! Co-signers from outside: the key they sign with, what waits for people, what their callback
//! handlers were asked and said.

use axum::Json;
use axum::extract::State;
use protocol::error::ApiError;
use protocol::ids::WorkspaceId;
use serde_json::{Value, json};
use uuid::Uuid;

use super::asked::{Asked, At};
use super::policy::{person, yes};
use super::{Desk, Refusal, Who};
use crate::cosigner::{self, Call, KeyRequest, Status};
use crate::deed::Deed;
use crate::request::administers;

/// `GET .../cosigners`: what a machine's `print-public-key` shows, and what waits.
pub(super) async fn show(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<Json<Value>, Refusal> {
    let hall = desk.hall(workspace)?;
    let cosigners = hall.cosigners().await?;
    let shown: Vec<_> = cosigners.iter().map(cosigner::Cosigner::shown).collect();
    let requests = hall.all_kept::<KeyRequest>().await?;
    let calls = hall.all_kept::<Call>().await?;
    let key = desk.house.cosigner_key.public().spki_pem();
    let told = json!({"publicKey": key, "cosigners": shown, "requests": requests, "calls": calls});
    Ok(Json(told))
}

/// `POST .../cosigners/requests/{id}/{approve|reject}`: a person decides.
pub(super) async fn decide(
    State(desk): State<Desk>,
    At((workspace, id, decision)): At<(WorkspaceId, Uuid, String)>,
    Asked(who): Asked<Who>,
) -> Result<Json<Value>, Refusal> {
    let hall = desk.hall(workspace)?;
    let (yes, person) = (yes(&decision)?, person(&hall, who.user)?);
    let work = move |deed: &mut Deed<'_, '_>| {
        let found = deed.kept::<KeyRequest>(&id.to_string())?;
        let mut request = found.ok_or_else(|| ApiError::uncoded(404, "no such request"))?;
        if !request.status.waits() {
            return Err(ApiError::uncoded(409, "the request waits for nobody").into());
        }
        if yes {
            request
                .request
                .approve(&person, request.command.needs(), deed.at)?;
            cosigner::settle(deed, request)
        } else {
            administers(&person)?;
            request.status = Status::Rejected;
            Ok(deed.keep(&request)?)
        }
    };
    hall.deed(work).await?;
    Ok(Json(json!({ "success": true })))
}
