//! Webhooks by hand: what goes wrong with their notifications, which generation they are of, when
//! one is suspended, and which key signs.

use axum::Json;
use axum::extract::State;
use protocol::error::ApiError;
use protocol::ids::{WebhookId, WorkspaceId};
use protocol::model::webhook::WebhookStatus;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use store::{StoreError, Writing};

use super::asked::{Asked, At};
use super::calls::Calls;
use super::{Desk, Refusal};
use crate::deed::Deed;
use crate::hooks::{Breaker, Endpoint, Generation, Kind, Planned, Turn};
use crate::rows;
use crate::rows::house::{self, Fact};
use ledger::Fault;

/// Most faults planned for one webhook.
const MAX_PLANNED: usize = 100;

const COUNT: &str = r#"{"type":"object","additionalProperties":false,"properties":{"count":{"type":"integer","minimum":0}}}"#;
const FAULT: &str = r#"{"type":"object","required":["kind"],"additionalProperties":false,"properties":{
"kind":{"enum":["DROP","DELAY","DOUBLE","REORDER","WRONG_SIGNATURE","OLD_KEY","OTHER_WORKSPACE"]},
"millis":{"type":"integer","minimum":1},"workspaceId":{"type":"string","format":"uuid"},"count":{"type":"integer","minimum":1}}}"#;
const GENERATION: &str = r#"{"type":"object","required":["generation"],"additionalProperties":false,"properties":{"generation":{"enum":["V1","V2"]}}}"#;
const SUSPENSION: &str = r#"{"type":"object","required":["minAttempts","errorRate"],"additionalProperties":false,"properties":{
"minAttempts":{"type":"integer","minimum":0},"errorRate":{"type":["integer","null"],"minimum":0,"maximum":100}}}"#;

pub(super) fn calls() -> Calls {
    Calls::default()
        .post(
            "/workspaces/{workspace}/webhooks/{id}/drop_next",
            "dropNext",
            "The next notifications of a webhook get lost",
            drop_next,
        )
        .taking(COUNT)
        .get(
            "/workspaces/{workspace}/webhooks/{id}/faults",
            "listWebhookFaults",
            "What goes wrong with a webhook's next notifications",
            faults,
        )
        .post(
            "/workspaces/{workspace}/webhooks/{id}/faults",
            "planWebhookFault",
            "Something goes wrong with a webhook's next notifications",
            plan,
        )
        .taking(FAULT)
        .delete(
            "/workspaces/{workspace}/webhooks/{id}/faults",
            "clearWebhookFaults",
            "Nothing more goes wrong; what is held goes",
            clear,
        )
        .put(
            "/workspaces/{workspace}/webhooks/{id}/generation",
            "setWebhookGeneration",
            "Which generation of the envelope a webhook is sent",
            generation,
        )
        .taking(GENERATION)
        .post(
            "/workspaces/{workspace}/webhooks/{id}/suspend",
            "suspendWebhook",
            "A webhook is suspended, as if it had failed too often",
            suspend,
        )
        .get(
            "/workspaces/{workspace}/webhook_suspension",
            "getWebhookSuspension",
            "When a webhook is suspended",
            breaker,
        )
        .put(
            "/workspaces/{workspace}/webhook_suspension",
            "setWebhookSuspension",
            "Set when a webhook is suspended",
            set_breaker,
        )
        .taking(SUSPENSION)
        .get(
            "/webhook_keys",
            "getWebhookKeys",
            "Which key signs webhooks, and which the JWKS lists",
            keys,
        )
        .post(
            "/webhook_keys/rotate",
            "rotateWebhookKeys",
            "The other key signs from now on; both are listed",
            rotate,
        )
        .post(
            "/webhook_keys/retire",
            "retireWebhookKey",
            "The key that does not sign is listed no longer",
            retire,
        )
}

/// Changes a webhook; what it is then.
async fn changed(
    desk: &Desk,
    (workspace, id): (WorkspaceId, WebhookId),
    change: impl Fn(&mut Deed<'_, '_>, &mut Endpoint) -> Result<(), Fault> + Send + 'static,
) -> Result<Endpoint, Refusal> {
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut endpoint = deed.endpoint(id)?;
        change(deed, &mut endpoint)?;
        deed.keep(&endpoint)?;
        Ok(endpoint)
    };
    Ok(desk.hall(workspace)?.deed(work).await?)
}

fn planned(endpoint: &mut Endpoint, fault: Planned) -> Result<(), Fault> {
    if endpoint.faults.len() >= MAX_PLANNED {
        let why = format!("at most {MAX_PLANNED} faults of a webhook are planned");
        return Err(ApiError::uncoded(400, why).into());
    }
    endpoint.faults.push(fault);
    Ok(())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DropNext {
    #[serde(default = "one")]
    count: u32,
}

const fn one() -> u32 {
    1
}

/// The next notifications get lost: exactly so many.
async fn drop_next(
    State(desk): State<Desk>,
    At(webhook): At<(WorkspaceId, WebhookId)>,
    Asked(DropNext { count }): Asked<DropNext>,
) -> Result<Json<Value>, Refusal> {
    let change = move |_: &mut Deed<'_, '_>, endpoint: &mut Endpoint| {
        endpoint.faults.retain(|fault| fault.kind != Kind::Drop);
        let fault = Planned {
            kind: Kind::Drop,
            count,
        };
        if count > 0 {
            planned(endpoint, fault)?;
        }
        Ok(())
    };
    changed(&desk, webhook, change).await?;
    Ok(Json(json!({ "dropping": count })))
}

/// What goes wrong next.
async fn faults(
    State(desk): State<Desk>,
    At((workspace, id)): At<(WorkspaceId, WebhookId)>,
) -> Result<Json<Value>, Refusal> {
    let kept = desk.hall(workspace)?.kept(&id.to_string()).await?;
    let endpoint: Endpoint = kept.ok_or_else(crate::hooks::unknown)?;
    Ok(Json(json!({ "data": endpoint.faults })))
}

/// Something goes wrong with the next notifications. Faults of several kinds go together; of one
/// kind, one after the other.
async fn plan(
    State(desk): State<Desk>,
    At(webhook): At<(WorkspaceId, WebhookId)>,
    Asked(fault): Asked<Planned>,
) -> Result<Json<Value>, Refusal> {
    if fault.kind == Kind::Reorder && fault.count < 2 {
        let why = "one alone has no order: REORDER's count is 2 at least";
        return Err(ApiError::uncoded(400, why).into());
    }
    let change = move |_: &mut Deed<'_, '_>, endpoint: &mut Endpoint| planned(endpoint, fault);
    let endpoint = changed(&desk, webhook, change).await?;
    Ok(Json(json!({ "data": endpoint.faults })))
}

/// Nothing more goes wrong; what is held goes.
async fn clear(
    State(desk): State<Desk>,
    At(webhook): At<(WorkspaceId, WebhookId)>,
) -> Result<Json<Value>, Refusal> {
    let change = |deed: &mut Deed<'_, '_>, endpoint: &mut Endpoint| {
        endpoint.faults.clear();
        let (workspace, webhook) = (deed.hall.id(), endpoint.webhook.id);
        Ok(rows::release(deed.writing, workspace, webhook, deed.at)?)
    };
    changed(&desk, webhook, change).await?;
    Ok(Json(json!({ "data": [] })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    generation: Generation,
}

/// What is sent from now on is of this generation.
async fn generation(
    State(desk): State<Desk>,
    At(webhook): At<(WorkspaceId, WebhookId)>,
    Asked(Wanted { generation }): Asked<Wanted>,
) -> Result<Json<Value>, Refusal> {
    let change = move |_: &mut Deed<'_, '_>, endpoint: &mut Endpoint| {
        endpoint.generation = generation;
        Ok(())
    };
    changed(&desk, webhook, change).await?;
    Ok(Json(json!({ "generation": generation })))
}

/// A webhook is suspended, as if it had failed too often.
async fn suspend(
    State(desk): State<Desk>,
    At(webhook): At<(WorkspaceId, WebhookId)>,
) -> Result<Json<Value>, Refusal> {
    let change = |deed: &mut Deed<'_, '_>, endpoint: &mut Endpoint| {
        endpoint.webhook.updated_at = deed.at;
        deed.set_status(endpoint, WebhookStatus::Suspended)
    };
    let endpoint = changed(&desk, webhook, change).await?;
    Ok(Json(json!({ "status": endpoint.webhook.status })))
}

/// When a webhook is suspended.
async fn breaker(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
) -> Result<Json<Breaker>, Refusal> {
    let kept = desk.hall(workspace)?.kept::<Breaker>("").await?;
    Ok(Json(kept.unwrap_or_default()))
}

async fn set_breaker(
    State(desk): State<Desk>,
    At(workspace): At<WorkspaceId>,
    Asked(wanted): Asked<Breaker>,
) -> Result<Json<Breaker>, Refusal> {
    if wanted.error_rate.is_some_and(|rate| rate > 100) {
        return Err(ApiError::invalid("errorRate", "0 to 100, or null").into());
    }
    let work = move |deed: &mut Deed<'_, '_>| Ok(deed.keep(&wanted)?);
    desk.hall(workspace)?.deed(work).await?;
    Ok(Json(wanted))
}

fn listed(desk: &Desk) -> Json<Value> {
    let jwks = desk.house.hooks.jwks();
    let kids: Vec<_> = jwks.keys.iter().map(|key| &key.kid).collect();
    Json(json!({ "signing": kids.first(), "listed": kids }))
}

/// Which key signs, and which the JWKS lists.
async fn keys(State(desk): State<Desk>) -> Json<Value> {
    listed(&desk)
}

/// The other key signs from now on; both are listed.
async fn rotate(State(desk): State<Desk>) -> Result<Json<Value>, Refusal> {
    turned(&desk, |turn, _| Ok(turn.rotated())).await
}

/// The key that does not sign is listed no longer; whatever it signed is signed anew.
async fn retire(State(desk): State<Desk>) -> Result<Json<Value>, Refusal> {
    let work = |turn: Turn, writing: &mut Writing<'_>| {
        rows::forget_signatures(writing)?;
        Ok(turn.retired())
    };
    turned(&desk, work).await
}

async fn turned(
    desk: &Desk,
    work: impl Fn(Turn, &mut Writing<'_>) -> Result<Turn, StoreError> + Send + 'static,
) -> Result<Json<Value>, Refusal> {
    let house = Arc::clone(&desk.house);
    let write = move |writing: &mut Writing<'_>| {
        let turn = work(house.hooks.turn(), writing)?;
        house::keep(writing, Fact::WebhookKeys, turn.number())?;
        Ok::<_, StoreError>(turn)
    };
    let turn = desk.halls.store.write(write).await.map_err(Fault::from)?;
    desk.house.hooks.set(turn);
    for hall in desk.halls.all() {
        hall.deliveries.notify_one();
    }
    Ok(listed(desk))
}
