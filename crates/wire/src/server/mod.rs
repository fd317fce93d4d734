//! Serving Fireblocks' API: the order of checks, the limits, the answers.
//!
//! A request passes, in this order: headers, key known and address listed (the workspace's
//! [`Workspace::door`]), client certificate (where the guest must show one), token form, user, target, times, signature, nonce, rate, operation known,
//! role may, body (read only now, limited, hashed, strict JSON), and only then the workspace answers.
//! What fails early costs little, and says the same whether a key is unknown, foreign, suspended
//! or revoked.

mod body;
mod gatekeeper;
mod listen;
mod nonces;
mod onlooker;
mod places;
mod proxies;
mod tls;

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;

use protocol::certificate::SpkiPin;
use protocol::error::ApiError;
use protocol::exchange::{Params, Query, Reply};
use protocol::ids::{RequestId, UserId};
use protocol::keys::{KeyFingerprint, PublicKey};
use protocol::operations::{Access, Operation};
use protocol::time::Millis;
use protocol::token::Nonce;
use serde_json::Value;
use uuid::Uuid;

pub(crate) use body::read as read_body;
pub use body::strict_json;
pub use gatekeeper::{Server, http_date};
pub use listen::{Entrance, Running, serve};
pub use onlooker::{Onlooker, Told};
pub use places::Limits;
pub(crate) use places::Proven;
pub use proxies::Proxies;
pub use tls::{Tls, TlsError};

/// Largest body read, in bytes.
pub const MAX_BODY_LEN: usize = 1024 * 1024;
/// Longest time a body may take, in seconds.
pub const MAX_BODY_SECONDS: u64 = 10;
/// Deepest JSON read.
pub const MAX_JSON_DEPTH: usize = 64;

/// What stands behind the server: a sandbox's workspaces, or a gate.
pub trait Workspace: Send + Sync + 'static {
    /// Who comes in, as the workspace knows it.
    type Guest: Send + Sync + 'static;

    /// Whether the key is known and may come from this address. `None` covers unknown, foreign
    /// address, suspended, revoked, and too many failures: all are answered alike.
    fn door(&self, user: UserId, from: IpAddr) -> Option<Admitted<Self::Guest>>;

    /// Whether the guest may come over a connection that showed this client certificate, or none: asked
    /// of each request, before its token is looked at. Whom it keeps out is told what the door tells.
    fn certified(&self, _guest: &Self::Guest, _certificate: Option<SpkiPin>) -> bool {
        true
    }

    /// A check after the door has failed: counts against the pair's failure budget.
    fn failed(&self, user: UserId, from: IpAddr);

    /// A call did not pass: what it was, and what it is told. Kept short: refusals may come in floods.
    fn refused(&self, _refusal: &Refusal<'_>) {}

    /// Whether anybody is served now; otherwise everybody is told this, before anything is looked at.
    fn ready(&self) -> Result<(), ApiError> {
        Ok(())
    }

    /// Counts a call of the guest's; an error: it has called too often.
    fn in_rate(&self, _guest: &Self::Guest) -> Result<(), ApiError> {
        Ok(())
    }

    /// Whether the guest's role may call the operation.
    fn may(&self, guest: &Self::Guest, operation: &'static Operation) -> Result<(), ApiError>;

    /// The answer.
    fn answer(&self, guest: Arc<Self::Guest>, call: Call) -> impl Future<Output = Reply> + Send;

    /// What comes back for a call. Only a workspace that plays broken lines does not always answer.
    fn outcome(&self, guest: Arc<Self::Guest>, call: Call) -> impl Future<Output = Outcome> + Send {
        async { Outcome::Answered(self.answer(guest, call).await) }
    }

    /// An error in the form that this workspace's callers read.
    fn told(&self, error: ApiError) -> Reply {
        error.into()
    }

    /// Names a request, in its answer and in logs.
    fn request_id(&self) -> RequestId {
        RequestId(Uuid::new_v4())
    }

    /// The time that `Date` shows, where it is not the world's; also to whom the door was shut.
    fn date(&self, _guest: Option<&Self::Guest>) -> Option<Millis> {
        None
    }
}

/// A guest that the door let through, and the key its tokens must be signed with.
#[derive(Debug)]
pub struct Admitted<G> {
    /// The key.
    pub key: PublicKey,
    /// The one before, while it is replaced.
    pub before: Option<PublicKey>,
    /// The guest.
    pub guest: Arc<G>,
}

/// A call that did not pass the checks.
#[derive(Clone, Copy, Debug)]
pub struct Refusal<'a> {
    /// Names the request in answers and logs.
    pub request_id: RequestId,
    /// When it came, by the world's clock.
    pub at: Millis,
    /// From where.
    pub from: IpAddr,
    /// Whose client certificate the connection showed, and proved to be its own.
    pub certificate: Option<SpkiPin>,
    /// The key that it named, if it named one.
    pub user: Option<UserId>,
    /// Whether its token was that key's.
    pub proven: bool,
    /// The request target as it was on the wire.
    pub target: &'a str,
    /// What it is told.
    pub error: &'a ApiError,
}

/// What comes back for a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An answer.
    Answered(Reply),
    /// Nothing: the connection is cut.
    Cut,
}

/// A call that has passed every check of the server's. Its body is overwritten when it is over: there may
/// be a private key in it that should not have come.
#[derive(Debug)]
pub struct Call {
    /// Names the request in answers and logs.
    pub request_id: RequestId,
    /// Whose token it was.
    pub user: UserId,
    /// With which of the user's keys it was signed.
    pub signed_with: KeyFingerprint,
    /// From where.
    pub from: IpAddr,
    /// Whose client certificate the connection showed, and proved to be its own.
    pub certificate: Option<SpkiPin>,
    /// When it was taken in, by the world's clock.
    pub received_at: Millis,
    /// What is asked for.
    pub route: Route,
    /// The request target as it was on the wire.
    pub target: String,
    /// The query's pairs.
    pub query: Query,
    /// The body, if there is one.
    pub body: Option<Value>,
    /// The header `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// The token's nonce, for the transaction of the effect.
    pub nonce: Nonce,
    /// Until when that nonce must be remembered, in seconds since the epoch.
    pub nonce_until: i64,
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(body) = &mut self.body {
            protocol::objects::wipe(body);
        }
    }
}

impl Call {
    /// Whether it may change something.
    pub fn changes(&self) -> bool {
        match &self.route {
            Route::Operation { operation, .. } => operation.access == Access::Write,
            Route::Own { method, .. } => method != "GET",
        }
    }
}

/// What is asked for.
#[derive(Debug)]
pub enum Route {
    /// An operation of Fireblocks' API.
    Operation {
        /// Which.
        operation: &'static Operation,
        /// The parameters of its path.
        params: Params,
    },
    /// Something below [`OWN_PREFIX`], which Fireblocks has no operation for.
    Own {
        /// The HTTP method.
        method: String,
        /// The path below the prefix, undecoded.
        path: String,
    },
}

/// Where stands what Fireblocks has no operation for, with the same tokens.
pub const OWN_PREFIX: &str = "/vestibule/v1";
