//! What befalls a chain, and transactions on it.

use axum::Json;
use axum::extract::State;
use ledger::Fault;
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::ids::{AssetId, TxId, VaultAccountId, WorkspaceId};
use serde::Deserialize;
use serde_json::{Value, json};

use super::asked::{Asked, At};
use super::calls::Calls;
use super::{Desk, Refusal, WHO, Who};
use crate::chain;
use crate::climate::Climate;
use crate::deed::Deed;
use crate::operations;
use crate::screening::{Screening, Service};
use crate::world::assets;

/// Dearest a chain can become, in percent of what is usual.
const MAX_PERCENT: u32 = 100_000;

const INCOMING: &str = r#"{"type":"object","required":["vaultAccountId","assetId","amount"],"additionalProperties":false,"properties":{
"vaultAccountId":{"type":"string"},"assetId":{"type":"string"},"amount":{"type":"string"},"sourceAddress":{"type":"string"}}}"#;
const FAIL: &str = r#"{"type":"object","required":["subStatus"],"additionalProperties":false,"properties":{"subStatus":{"type":"string"}}}"#;
const FEES: &str = r#"{"type":"object","required":["percent"],"additionalProperties":false,"properties":{"percent":{"type":"integer","minimum":1,"maximum":100000}}}"#;

const SCREENING: &str = r#"{"type":"object","additionalProperties":false,"properties":{
"aml":{"enum":["OFF","PASS","REJECT","WAIT"]},"enrichment":{"enum":["OFF","PASS","WAIT"]}}}"#;

pub(super) fn calls() -> Calls {
    Calls::default()
        .post(
            "/workspaces/{workspace}/incoming",
            "receive",
            "Something arrives at a vault account from outside",
            incoming,
        )
        .taking(INCOMING)
        .post(
            "/workspaces/{workspace}/mine",
            "mine",
            "A block is mined: everything that waits for one moves on",
            mine,
        )
        .post(
            "/workspaces/{workspace}/transactions/{id}/approve",
            "approve",
            "Somebody who is asked approves a transaction",
            |desk, at, who| act(desk, at, who, chain::approve),
        )
        .taking(WHO)
        .post(
            "/workspaces/{workspace}/transactions/{id}/sign",
            "sign",
            "The signer signs a transaction",
            |desk, at, who| act(desk, at, who, chain::sign),
        )
        .taking(WHO)
        .post(
            "/workspaces/{workspace}/transactions/{id}/reject",
            "reject",
            "Somebody who is asked says no to a transaction",
            |desk, at, who| act(desk, at, who, chain::reject),
        )
        .taking(WHO)
        .post(
            "/workspaces/{workspace}/transactions/{id}/process",
            "process",
            "An exchange or a bank takes up what it is to send",
            |desk, at, who| act(desk, at, who, chain::process),
        )
        .post(
            "/workspaces/{workspace}/transactions/{id}/hold",
            "hold",
            "An exchange or a bank looks first at what it is to send",
            |desk, at, who| act(desk, at, who, chain::hold),
        )
        .post(
            "/workspaces/{workspace}/transactions/{id}/pass",
            "pass",
            "The screening or enrichment that a transaction waits for lets it through",
            |desk, at, who| act(desk, at, who, chain::pass),
        )
        .get(
            "/workspaces/{workspace}/screening",
            "getScreening",
            "What the services do that transactions wait for",
            screening,
        )
        .put(
            "/workspaces/{workspace}/screening",
            "setScreening",
            "Set what they do: nothing, let through, refuse, or wait to be told",
            screen,
        )
        .taking(SCREENING)
        .post(
            "/workspaces/{workspace}/transactions/{id}/fail",
            "failTransaction",
            "A transaction fails, with a sub-status",
            fail,
        )
        .taking(FAIL)
        .post(
            "/workspaces/{workspace}/transactions/{id}/reorganise",
            "reorganise",
            "The chain goes on without the block that a transaction was in",
            reorganise,
        )
        .put(
            "/workspaces/{workspace}/fees/{chain}",
            "setFees",
            "What a chain's fees are, in percent of what is usual",
            fees,
        )
        .taking(FEES)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Incoming {
    vault_account_id: VaultAccountId,
    asset_id: AssetId,
    amount: Amount,
    source_address: Option<String>,
}

async fn incoming(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
    Asked(wanted): Asked<Incoming>,
) -> Result<Json<Value>, Refusal> {
    let hall = desk.hall(workspace)?;
    let arrived = operations::incoming(
        &hall,
        wanted.vault_account_id,
        wanted.asset_id,
        wanted.amount,
        wanted.source_address,
    );
    Ok(Json(json!({ "id": arrived.await?.id })))
}

async fn mine(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<Json<Value>, Refusal> {
    let moved = desk.hall(workspace)?.deed(chain::mine).await?;
    Ok(Json(json!({ "moved": moved })))
}

type Act = fn(&mut Deed<'_, '_>, TxId, Option<String>) -> Result<(), Fault>;

async fn act(
    State(desk): State<Desk>,
    At((workspace, id)): At<(WorkspaceId, TxId)>,
    Asked(who): Asked<Who>,
    act: Act,
) -> Result<Json<Value>, Refusal> {
    let user = who.user.map(|user| user.to_string());
    let hall = desk.hall(workspace)?;
    hall.deed(move |deed| act(deed, id, user.clone())).await?;
    Ok(Json(json!({ "success": true })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Failure {
    sub_status: String,
}

/// `POST .../transactions/{id}/fail`.
async fn fail(
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
async fn reorganise(
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
struct Fees {
    /// Of what is usual.
    percent: u32,
}

/// `PUT .../fees/{chain}`, the chain named by its own asset.
async fn fees(
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
async fn screening(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<Json<Screening>, Refusal> {
    let kept = desk.hall(workspace)?.kept::<Screening>("").await?;
    Ok(Json(kept.unwrap_or_default()))
}

/// `PUT .../screening`: what is not named is off.
async fn screen(
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
