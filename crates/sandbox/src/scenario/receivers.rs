//! Receivers of webhooks that a scenario has for as long as it is played: they verify every
//! signature, as Fireblocks' documentation tells people to, and keep what holds.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use parking_lot::Mutex;
use protocol::signature::{JWS_HEADER, Jwks, SignatureError, verify_jws};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;
use tokio_util::sync::{CancellationToken, DropGuard};
use wire::client::download;

/// Most events that a receiver keeps; later ones are answered with 503.
const MAX_EVENTS: usize = 10_000;

/// All receivers of a scenario. They end with this.
pub(super) struct Receivers {
    origin: String,
    kept: Arc<Kept>,
    _end: DropGuard,
}

struct Kept {
    all: Mutex<BTreeMap<String, Receiver>>,
    keys: tokio::sync::Mutex<Jwks>,
    jwks_url: String,
    changed: Arc<Notify>,
}

#[derive(Clone)]
struct Receiver {
    answers: StatusCode,
    /// What came with a signature that holds, and was answered with 2xx.
    events: Vec<Value>,
    refused: Vec<String>,
}

impl Receivers {
    /// Receivers of these names, at a free port of this machine.
    pub(super) async fn open(names: &[String], jwks_url: &str) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let receiver = Receiver {
            answers: StatusCode::OK,
            events: Vec::new(),
            refused: Vec::new(),
        };
        let all = names.iter().map(|name| (name.clone(), receiver.clone()));
        let kept = Arc::new(Kept {
            all: Mutex::new(all.collect()),
            keys: tokio::sync::Mutex::new(Jwks { keys: Vec::new() }),
            jwks_url: jwks_url.to_owned(),
            changed: Arc::default(),
        });
        let router = Router::new()
            .route("/{name}", post(hear))
            .with_state(Arc::clone(&kept));
        let end = CancellationToken::new();
        let ended = end.clone().cancelled_owned();
        tokio::spawn(async move {
            let served = axum::serve(listener, router).with_graceful_shutdown(ended);
            if let Err(error) = served.await {
                tracing::error!(%error, "the receivers ended");
            }
        });
        Ok(Self {
            origin,
            kept,
            _end: end.drop_guard(),
        })
    }

    /// Where one takes its webhooks.
    pub(super) fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.origin)
    }

    /// It answers with this from now on. What it does not answer with 2xx it does not keep.
    pub(super) fn answer(&self, name: &str, status: u16) {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
        if let Some(receiver) = self.kept.all.lock().get_mut(name) {
            receiver.answers = status;
        }
    }

    /// What came to it: each event with the key that signed it.
    pub(super) fn events(&self, name: &str) -> Vec<Value> {
        let all = self.kept.all.lock();
        let receiver = all.get(name);
        receiver
            .map(|receiver| receiver.events.clone())
            .unwrap_or_default()
    }

    /// Why it refused what it refused.
    pub(super) fn refused(&self, name: &str) -> Vec<String> {
        let all = self.kept.all.lock();
        let receiver = all.get(name);
        receiver
            .map(|receiver| receiver.refused.clone())
            .unwrap_or_default()
    }

    /// Returns when something has come.
    pub(super) fn changed(&self) -> OwnedNotified {
        Arc::clone(&self.kept.changed).notified_owned()
    }
}

async fn hear(
    State(kept): State<Arc<Kept>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if !kept.all.lock().contains_key(&name) {
        return StatusCode::NOT_FOUND;
    }
    let verified = kept.verified(&headers, &body).await;
    let mut all = kept.all.lock();
    let Some(receiver) = all.get_mut(&name) else {
        return StatusCode::NOT_FOUND;
    };
    let status = match verified {
        Err(why) => {
            receiver.refused.push(why);
            StatusCode::UNAUTHORIZED
        }
        Ok(_) if !receiver.answers.is_success() => receiver.answers,
        Ok(_) if receiver.events.len() >= MAX_EVENTS => StatusCode::SERVICE_UNAVAILABLE,
        Ok(event) => {
            receiver.events.push(event);
            receiver.answers
        }
    };
    kept.changed.notify_waiters();
    status
}

impl Kept {
    /// The event, if its signature holds: its own members, and the signing key's name.
    async fn verified(&self, headers: &HeaderMap, body: &[u8]) -> Result<Value, String> {
        let header = headers
            .get(JWS_HEADER)
            .and_then(|value| value.to_str().ok());
        let header = header.ok_or("without a signature")?;
        let mut keys = self.keys.lock().await;
        let verdict = match verify_jws(header, body, &keys) {
            Err(SignatureError::UnknownKid(_)) => {
                let listed = download(&self.jwks_url)
                    .await
                    .map_err(|error| error.to_string())?;
                *keys = Jwks::parse(&listed).map_err(|error| error.to_string())?;
                verify_jws(header, body, &keys)
            }
            verdict => verdict,
        };
        verdict.map_err(|error| error.to_string())?;
        let event: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
        Ok(json!({ "event": event, "kid": kid(header) }))
    }
}

/// The name of the key that a signature says to be by.
fn kid(header: &str) -> Option<String> {
    let protected = header.split('.').next()?;
    let protected = BASE64_URL_SAFE_NO_PAD.decode(protected).ok()?;
    let protected: Value = serde_json::from_slice(&protected).ok()?;
    Some(protected["kid"].as_str()?.to_owned())
}
