//! What befalls a chain, and transactions on it.

use axum::Json;
use axum::extract::State;
use protocol::error::ApiError;
use protocol::ids::{TxId, WorkspaceId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::{Asked, At};
use super::{Desk, Refusal};
use crate::chain;
use crate::climate::Climate;
use crate::screening::{Screening, Service};
use crate::world::assets;

/// Dearest a chain can become, in percent of what is usual.
const MAX_PERCENT: u32 = 100_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Failure {
    sub_status: String,
}

/// `POST .../transactions/{id}/fail`.
pub(super) async fn fail(
    State(desk): State<Desk>,
    At((workspace, id)): At<(WorkspaceId, TxId)>,
    Asked(failure): Asked<Failure>,
) -> Result<Json<Value>, Refusal> {
    desk.hall(workspace)?
        .deed(move |deed| chain::break_down(deed, id, &failure.sub_status))
        .await?;
    Ok(Json(json!({ "success": true })))
}

/// `POST .../transactions/{id}/reorganise`.
pub(super) async fn reorganise(
    State(desk): State<Desk>,
    At((workspace, id)): At<(WorkspaceId, TxId)>,
) -> Result<Json<Value>, Refusal> {
    desk.hall(workspace)?
        .deed(move |deed| chain::reorganise(deed, id))
        .await?;
    Ok(Json(json!({ "success": true })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fees {
    /// Of what is usual.
    percent: u32,
}

/// `PUT .../fees/{chain}`, the chain named by its own asset.
pub(super) async fn fees(
    State(desk): State<Desk>,
    At((workspace, native)): At<(WorkspaceId, String)>,
    Asked(fees): Asked<Fees>,
) -> Result<Json<Value>, Refusal> {
    let asset = native.parse().ok().as_ref().and_then(assets::find);
    if asset.is_none_or(|asset| asset.native != asset.id) {
        return Err(Refusal(ApiError::uncoded(
            404,
            "a chain is named by its own asset",
        )));
    }
    let percent = fees.percent;
    if !(1..=MAX_PERCENT).contains(&percent) {
        let must = format!("percent must be from 1 to {MAX_PERCENT}");
        return Err(Refusal(ApiError::uncoded(400, must)));
    }
    desk.hall(workspace)?
        .deed(move |deed| {
            let chain = native.clone();
            Ok(deed.keep(&Climate { chain, percent })?)
        })
        .await?;
    Ok(Json(json!({ "success": true })))
}

/// `GET .../screening`.
pub(super) async fn screening(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<Json<Screening>, Refusal> {
    let kept = desk.hall(workspace)?.kept::<Screening>("").await?;
    Ok(Json(kept.unwrap_or_default()))
}

/// `PUT .../screening`: what is not named is off.
pub(super) async fn screen(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
    Asked(wanted): Asked<Screening>,
) -> Result<Json<Screening>, Refusal> {
    if wanted.enrichment == Service::Reject {
        let must = "enrichment is OFF, PASS or WAIT: it refuses nothing";
        return Err(Refusal(ApiError::uncoded(400, must)));
    }
    desk.hall(workspace)?
        .deed(move |deed| Ok(deed.keep(&wanted)?))
        .await?;
    Ok(Json(wanted))
}
