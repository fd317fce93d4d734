//! `/_sandbox`: what people and the chain do in the real world, for tests and demos. Its own
//! listener, its own token.

mod asked;
mod chain;
mod clock;
mod cosigners;
mod document;
mod events;
mod exports;
mod faults;
mod hooks;
mod made;
mod network;
mod nfts;
mod outside;
mod people;
mod rates;
mod token;
mod workspaces;

pub use token::ControlToken;

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::ids::{AssetId, TxId, UserId, VaultAccountId, WorkspaceId};
use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use crate::deed::Deed;
use crate::hall::{Hall, House};
use crate::halls::Halls;
use crate::operations;
use asked::{Asked, At};
use ledger::Fault;

/// Where it stands.
pub(crate) const PREFIX: &str = "/_sandbox";

#[derive(Clone)]
struct Desk {
    halls: Arc<Halls>,
    house: Arc<House>,
    token: Arc<str>,
}

/// The routes.
pub(crate) fn router(halls: Arc<Halls>, token: &str) -> Router {
    let desk = Desk {
        house: Arc::clone(&halls.house),
        halls,
        token: token.into(),
    };
    let routes = Router::new()
        .merge(workspaces::routes())
        .merge(clock::routes())
        .merge(document::routes())
        .merge(events::routes())
        .merge(faults::routes())
        .merge(rates::routes())
        .route("/workspaces/{workspace}/incoming", post(incoming))
        .route("/workspaces/{workspace}/mine", post(mine))
        .route("/workspaces/{workspace}/transactions/{id}/{act}", post(act))
        .route(
            "/workspaces/{workspace}/transactions/{id}/fail",
            post(chain::fail),
        )
        .route(
            "/workspaces/{workspace}/transactions/{id}/reorganise",
            post(chain::reorganise),
        )
        .route("/workspaces/{workspace}/fees/{chain}", put(chain::fees))
        .route(
            "/workspaces/{workspace}/screening",
            get(chain::screening).put(chain::screen),
        )
        .route(
            "/workspaces/{workspace}/exports/{kind}",
            get(exports::export),
        )
        .merge(people::router())
        .route("/workspaces/{workspace}/cosigners", get(cosigners::show))
        .merge(made::routes())
        .merge(network::routes())
        .merge(nfts::routes())
        .merge(outside::routes())
        .merge(hooks::routes())
        .fallback(nothing)
        .method_not_allowed_fallback(not_so)
        .layer(middleware::from_fn_with_state(desk.clone(), guard))
        .with_state(desk);
    Router::new().nest(PREFIX, routes).fallback(nothing)
}

async fn nothing() -> Response {
    told(StatusCode::NOT_FOUND, "there is nothing here")
}

async fn not_so() -> Response {
    told(
        StatusCode::METHOD_NOT_ALLOWED,
        "that cannot be done by this method",
    )
}

/// Only who holds the token.
async fn guard(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let sent = request
        .headers()
        .get("authorization")
        .and_then(|value| value.to_str().ok());
    let sent = sent
        .and_then(|text| text.strip_prefix("Bearer "))
        .unwrap_or_default();
    if bool::from(sent.as_bytes().ct_eq(desk.token.as_bytes())) {
        // Done to its end, also when the caller hangs up.
        let done = tokio::spawn(next.run(request)).await;
        done.unwrap_or_else(|_| told(StatusCode::INTERNAL_SERVER_ERROR, "internal error"))
    } else {
        told(
            StatusCode::UNAUTHORIZED,
            "the control token is missing or wrong",
        )
    }
}

fn told(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}

/// An error, as the control listener shows it.
struct Refusal(ApiError);

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self(fault.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        told(status, self.0.message())
    }
}

impl Desk {
    fn hall(&self, id: WorkspaceId) -> Result<Arc<Hall>, Refusal> {
        let found = self.halls.get(id);
        found.ok_or_else(|| Refusal(ApiError::uncoded(404, "no such workspace")))
    }
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
    let moved = desk.hall(workspace)?.deed(crate::chain::mine).await?;
    Ok(Json(json!({ "moved": moved })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Who {
    /// Which person; whoever is asked, if missing.
    user: Option<UserId>,
}

async fn act(
    State(desk): State<Desk>,
    At((workspace, id, act)): At<(WorkspaceId, TxId, String)>,
    Asked(who): Asked<Who>,
) -> Result<Json<Value>, Refusal> {
    let user = who.user.map(|user| user.to_string());
    let how: fn(&mut Deed<'_, '_>, TxId, Option<String>) -> Result<(), Fault> = match act.as_str() {
        "approve" => crate::chain::approve,
        "sign" => crate::chain::sign,
        "reject" => crate::chain::reject,
        "process" => crate::chain::process,
        "hold" => crate::chain::hold,
        "pass" => crate::chain::pass,
        _ => {
            return Err(Refusal(ApiError::uncoded(
                404,
                "approve, sign, reject, process, hold or pass",
            )));
        }
    };
    desk.hall(workspace)?
        .deed(move |deed| how(deed, id, user.clone()))
        .await?;
    Ok(Json(json!({ "success": true })))
}
