//! `/_sandbox`: what people and the chain do in the real world, for tests and demos. Its own
//! listener, its own token.

mod asked;
pub mod calls;
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
use axum::{Json, Router};
use protocol::error::ApiError;
use protocol::ids::{UserId, WorkspaceId};
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq;

use crate::hall::{Hall, House};
use crate::halls::Halls;
use calls::Calls;
use ledger::Fault;

/// Where it stands.
pub(crate) const PREFIX: &str = "/_sandbox";

#[derive(Clone)]
struct Desk {
    halls: Arc<Halls>,
    house: Arc<House>,
    token: Arc<str>,
}

/// What is asked of people.
const WHO: &str = r#"{"type":"object","additionalProperties":false,"properties":{"user":{"type":"string","format":"uuid"}}}"#;

/// Every call.
fn calls() -> Calls {
    document::calls()
        .and(workspaces::calls())
        .and(clock::calls())
        .and(events::calls())
        .and(faults::calls())
        .and(rates::calls())
        .and(chain::calls())
        .and(people::calls())
        .and(cosigners::calls())
        .and(made::calls())
        .and(network::calls())
        .and(nfts::calls())
        .and(outside::calls())
        .and(hooks::calls())
        .and(exports::calls())
}

/// The routes.
pub(crate) fn router(halls: Arc<Halls>, token: &str) -> Router {
    let desk = Desk {
        house: Arc::clone(&halls.house),
        halls,
        token: token.into(),
    };
    let routes = calls()
        .router()
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
#[serde(deny_unknown_fields)]
struct Who {
    /// Which person; whoever is asked, if missing.
    user: Option<UserId>,
}
