//! Taking webhooks in: limited, verified, pinned, stored, and only then answered with 200.
//!
//! | what came | answer |
//! |---|---|
//! | stored now, or stored before | 200 |
//! | no valid signature | 401 |
//! | rightly signed, but of another workspace or webhook | 403 (final: it is not sent again) |
//! | a path that nobody mounted | 404 |
//! | it could not be stored | 503 (it is sent again) |
//!
//! What verifies but cannot be understood is stored, too, as [`Content::Aside`].

mod keys;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Router};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::StatusCode;
use parking_lot::RwLock;
use protocol::ids::{WebhookId, WorkspaceId};
use protocol::model::event::Envelope;
use serde::Deserialize;

pub use keys::KeySource;

use crate::server;

/// Whose events a path takes. Keys are per environment: only this says whose an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Its webhook, once it is known.
    pub webhook: Option<WebhookId>,
}

/// An event of the pinned workspace, rightly signed.
#[derive(Clone, Debug)]
pub struct VerifiedEvent {
    /// What was posted, byte for byte.
    pub body: Bytes,
    /// What it says.
    pub content: Content,
}

/// What an event says.
#[derive(Clone, Debug)]
pub enum Content {
    /// An event of the pinned workspace.
    Understood(Envelope),
    /// It is rightly signed, but not understood: kept, shown, and no part of any books.
    Aside(String),
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It is durably stored.
    New,
    /// It was stored before.
    Duplicate,
}

/// It could not be stored; it will be sent again.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the event could not be stored: {0}")]
pub struct NotStored(pub String);

/// Where events are stored before they are acknowledged.
pub trait Inbox: Send + Sync + 'static {
    /// Stores an event durably, unless its id is stored already.
    fn store(&self, event: VerifiedEvent) -> BoxFuture<'_, Result<Stored, NotStored>>;
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        #[derive(Debug, Default)]
        struct Counters { $($name: AtomicU64,)* }

        /// What came to a path since it was mounted.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counts { $($(#[$doc])* pub $name: u64,)* }

        impl Counters {
            fn read(&self) -> Counts {
                Counts { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }
    };
}

counters! {
    /// Stored.
    stored,
    /// Stored before.
    duplicate,
    /// Stored, but not understood (counted in `stored` or `duplicate`, too).
    aside,
    /// Without a valid signature.
    unverified,
    /// Rightly signed, of another workspace or webhook.
    foreign,
    /// Could not be stored, or not be read whole.
    lost,
}

struct Mount {
    pin: Pin,
    keys: KeySource,
    inbox: Arc<dyn Inbox>,
    counters: Counters,
}

/// One receiver, a path per client. Cheap to clone; paths come and go while it runs.
#[derive(Clone, Default)]
pub struct Receiver(Arc<RwLock<HashMap<String, Arc<Mount>>>>);

impl std::fmt::Debug for Receiver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.read().keys()).finish()
    }
}

impl Receiver {
    /// Where the paths stand: `/webhooks/NAME`.
    pub const PREFIX: &'static str = "/webhooks";

    /// Takes events at `/webhooks/NAME` from now on, in place of what was there.
    pub fn mount(&self, name: impl Into<String>, pin: Pin, keys: KeySource, inbox: Arc<dyn Inbox>) {
        let counters = Counters::default();
        self.0.write().insert(
            name.into(),
            Arc::new(Mount {
                pin,
                keys,
                inbox,
                counters,
            }),
        );
    }

    /// Takes none there any more.
    pub fn unmount(&self, name: &str) {
        self.0.write().remove(name);
    }

    /// What came to a path.
    pub fn counts(&self, name: &str) -> Option<Counts> {
        self.0.read().get(name).map(|mount| mount.counters.read())
    }

    /// The routes.
    pub fn router(&self) -> Router {
        Router::new()
            .route(&format!("{}/{{name}}", Self::PREFIX), post(receive))
            .with_state(self.clone())
    }
}

async fn receive(
    State(receiver): State<Receiver>,
    Path(name): Path<String>,
    request: Request,
) -> Response {
    let Some(mount) = receiver.0.read().get(&name).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (status, counter) = mount.take(request).await;
    counter.fetch_add(1, Ordering::Relaxed);
    if status != StatusCode::OK {
        tracing::warn!(path = name, %status, "webhook refused");
        return status.into_response();
    }
    // Rightly signed.
    (status, Extension(server::Proven)).into_response()
}

impl Mount {
    async fn take(&self, request: Request) -> (StatusCode, &AtomicU64) {
        let counters = &self.counters;
        let (head, body) = request.into_parts();
        let body = match server::read_body(body).await {
            Ok(body) => body,
            Err(error) => {
                let status =
                    StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
                return (status, &counters.lost);
            }
        };
        if let Err(error) = self.keys.verify(&head.headers, &body).await {
            tracing::warn!(%error, "a webhook that cannot be verified");
            return (StatusCode::UNAUTHORIZED, &counters.unverified);
        }
        let Ok(content) = self.pin.read(&body) else {
            return (StatusCode::FORBIDDEN, &counters.foreign);
        };
        if matches!(content, Content::Aside(_)) {
            counters.aside.fetch_add(1, Ordering::Relaxed);
        }
        match self.inbox.store(VerifiedEvent { body, content }).await {
            Ok(Stored::New) => (StatusCode::OK, &counters.stored),
            Ok(Stored::Duplicate) => (StatusCode::OK, &counters.duplicate),
            Err(error) => {
                tracing::error!(%error, "a webhook is not stored");
                (StatusCode::SERVICE_UNAVAILABLE, &counters.lost)
            }
        }
    }
}

/// The event is another workspace's, or another webhook's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Foreign;

/// What says whose an event is, even where the rest is not understood.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Origin {
    workspace_id: Option<String>,
    webhook_id: Option<String>,
}

impl Pin {
    fn read(&self, body: &[u8]) -> Result<Content, Foreign> {
        let strict = server::strict_json(body).map_err(|error| error.to_string());
        let origin = match strict.map(|body| protocol::objects::read::<Origin>(&body)) {
            Ok(Ok(origin)) => origin,
            Ok(Err(error)) => return Ok(Content::Aside(error.to_string())),
            Err(error) => return Ok(Content::Aside(error)),
        };
        let Some(workspace) = origin.workspace_id else {
            return Ok(Content::Aside("it names no workspace".to_owned()));
        };
        if workspace.parse() != Ok(self.workspace) {
            return Err(Foreign);
        }
        match (self.webhook, origin.webhook_id) {
            (Some(pinned), Some(webhook)) if webhook.parse() != Ok(pinned) => return Err(Foreign),
            (Some(_), None) => return Ok(Content::Aside("it names no webhook".to_owned())),
            _ => {}
        }
        Ok(match serde_json::from_slice(body) {
            Ok(envelope) => Content::Understood(envelope),
            Err(error) => Content::Aside(error.to_string()),
        })
    }
}

#[cfg(test)]
mod tests;
