//! A provider's receiver: takes what comes, verifies it with what the client handed back.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use protocol::signature::{JWS_HEADER, Jwks, LEGACY_HEADER, verify_jws, verify_legacy};
use serde_json::Value;

type Came = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

/// A receiver.
pub struct Hooks {
    pub url: String,
    came: Came,
    away: Arc<Away>,
}

/// Whether it takes nothing, and how much it did not take.
#[derive(Default)]
struct Away {
    is: AtomicBool,
    missed: AtomicUsize,
}

/// One event, as it was told.
#[derive(Clone, Debug)]
pub struct Heard {
    pub position: i64,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub event: Value,
}

impl Hooks {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let came = Came::default();
        let away = Arc::<Away>::default();
        let (keep, gone) = (Arc::clone(&came), Arc::clone(&away));
        let take = move |headers: HeaderMap, body: Bytes| async move {
            if gone.is.load(Ordering::SeqCst) {
                gone.missed.fetch_add(1, Ordering::SeqCst);
                return StatusCode::INTERNAL_SERVER_ERROR;
            }
            keep.lock().expect("a lock").push((headers, body));
            StatusCode::OK
        };
        let router = Router::new().route("/hook", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, came, away }
    }

    /// From now on nothing is taken, or everything again.
    pub fn is_away(&self, away: bool) {
        self.away.is.store(away, Ordering::SeqCst);
    }

    /// How often something was not taken.
    pub fn missed(&self) -> usize {
        self.away.missed.load(Ordering::SeqCst)
    }

    /// Everything that came, in order.
    pub fn heard(&self) -> Vec<Heard> {
        let came = self.came.lock().expect("a lock");
        let heard = came.iter().map(|(headers, body)| {
            let position = headers.get("vestibule-position").expect("a position");
            Heard {
                position: position.to_str().expect("ASCII").parse().expect("a number"),
                headers: headers.clone(),
                body: body.clone(),
                event: serde_json::from_slice(body).expect("JSON"),
            }
        });
        heard.collect()
    }

    /// The events about a transaction.
    pub fn about(&self, id: &str) -> Vec<Value> {
        let all = self.heard().into_iter();
        all.filter(|heard| heard.event["data"]["id"] == id)
            .map(|heard| heard.event["data"].clone())
            .collect()
    }
}

impl Heard {
    /// Whether the handed back keys signed it, in each way that was asked for.
    pub fn is_signed(&self, handback: &Value) -> bool {
        let webhooks = &handback["webhooks"];
        let jwks = Jwks::parse(webhooks["jwks"].to_string().as_bytes()).expect("keys");
        let header = |name: &str| {
            self.headers
                .get(name)
                .map(|value| value.to_str().expect("ASCII"))
        };
        let jws = header(JWS_HEADER).is_some_and(|jws| verify_jws(jws, &self.body, &jwks).is_ok());
        let legacy = match webhooks["legacy_key_pem"].as_str() {
            None => header(LEGACY_HEADER).is_none(),
            Some(pem) => {
                let key = protocol::keys::PublicKey::from_pem(pem).expect("a key");
                header(LEGACY_HEADER)
                    .is_some_and(|sent| verify_legacy(sent, &self.body, &key).is_ok())
            }
        };
        let theirs = self.event["webhookId"] == webhooks["webhook_id"]
            && self.event["workspaceId"] == handback["workspace_id"];
        jws && legacy && theirs
    }
}
