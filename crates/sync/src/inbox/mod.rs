//! Events: stored before they are acknowledged, applied to the books once each, in the order in
//! which they came.
//!
//! An event is new, applied, or aside (it is not understood; it is shown, and never lost). Its
//! changes, what else is written with it ([`Inbox::drain`]'s closure) and its mark commit together:
//! after a crash it is either new or done.

mod drain;
mod rows;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::digest::{SHA256, digest};
use futures_util::future::BoxFuture;
use ledger::{Applied, Change, Version};
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use store::{Store, StoreError};
use tokio::sync::Notify;
use wire::clock::WallClock;
use wire::hooks_in::{Content, NotStored, Stored, VerifiedEvent};

pub use drain::{DrainError, Drained};
pub use rows::ROOM;

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// As of when it is true.
    pub version: Version,
    /// What became true.
    pub change: Change,
    /// Whether the books took it, or knew as much already.
    pub applied: Applied,
}

/// How far an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    New,
    Applied,
    Aside,
}

impl State {
    const fn number(self) -> i64 {
        match self {
            Self::New => 0,
            Self::Applied => 1,
            Self::Aside => 2,
        }
    }
}

/// An event that is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// Its id, or the hash of its body where it has none.
    pub id: String,
    /// When it came.
    pub received_at: Millis,
    /// What is not understood.
    pub reason: String,
    /// What was posted.
    pub body: Vec<u8>,
}

/// How many events are where.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Stored, not yet applied.
    pub new: u64,
    /// Applied.
    pub applied: u64,
    /// Not understood.
    pub aside: u64,
}

/// The events of one name (a client, or a gate's own upstream) in one workspace. Cheap to clone.
#[derive(Clone)]
pub struct Inbox(Arc<Inner>);

struct Inner {
    store: Store,
    workspace: WorkspaceId,
    name: String,
    clock: Arc<dyn WallClock>,
    arrived: Notify,
    held: AtomicBool,
    /// One drain at a time; others would only collide.
    turn: tokio::sync::Mutex<()>,
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Inbox({} of {})", self.0.name, self.0.workspace)
    }
}

impl Inbox {
    /// The inbox of that name. The store has [`ROOM`].
    pub fn new(
        store: &Store,
        workspace: WorkspaceId,
        name: impl Into<String>,
        clock: Arc<dyn WallClock>,
    ) -> Self {
        Self(Arc::new(Inner {
            store: store.clone(),
            workspace,
            name: name.into(),
            clock,
            arrived: Notify::new(),
            held: AtomicBool::new(false),
            turn: tokio::sync::Mutex::new(()),
        }))
    }

    /// Events are stored, but none is applied until [`Self::release`]: a first import comes before.
    pub fn hold(&self) {
        self.0.held.store(true, Ordering::SeqCst);
    }

    /// Events are applied from now on.
    pub fn release(&self) {
        self.0.held.store(false, Ordering::SeqCst);
        self.0.arrived.notify_one();
    }

    /// Whether events wait for [`Self::release`].
    pub fn is_held(&self) -> bool {
        self.0.held.load(Ordering::SeqCst)
    }

    /// Waits until an event has come, or was there already, since this was last waited for.
    pub async fn arrived(&self) {
        self.0.arrived.notified().await;
    }

    /// Ends a wait, as an event would.
    pub fn wake(&self) {
        self.0.arrived.notify_one();
    }

    /// How many events are where.
    pub async fn counts(&self) -> Result<Counts, StoreError> {
        let of = self.of();
        self.0
            .store
            .read(move |reading| rows::counts(reading, &of))
            .await
    }

    /// Up to `most` events that are not understood, the latest first.
    pub async fn asides(&self, most: u32) -> Result<Vec<Aside>, StoreError> {
        let of = self.of();
        self.0
            .store
            .read(move |reading| rows::asides(reading, &of, most))
            .await
    }

    /// What is aside is new again: for a version that understands more.
    pub async fn try_asides_again(&self) -> Result<u64, StoreError> {
        let of = self.of();
        let work = move |writing: &mut store::Writing<'_>| rows::asides_are_new(writing, &of);
        let again = self.0.store.write(work).await?;
        self.wake();
        Ok(again)
    }

    /// Forgets applied events that came before then. Until then, each is known when it comes again.
    pub async fn forget_before(&self, then: Millis) -> Result<u64, StoreError> {
        let of = self.of();
        let work = move |writing: &mut store::Writing<'_>| rows::forget(writing, &of, then);
        self.0.store.write(work).await
    }

    fn of(&self) -> rows::Of {
        rows::Of {
            workspace: self.0.workspace.to_string(),
            name: self.0.name.clone(),
        }
    }

    async fn keep(&self, event: VerifiedEvent) -> Result<Stored, StoreError> {
        let (of, received_at) = (self.of(), self.0.clock.now());
        let (id, state, reason) = match event.content {
            Content::Understood(envelope) => (envelope.id.to_string(), State::New, None),
            Content::Aside(why) => (named(&event.body), State::Aside, Some(why)),
        };
        let body = event.body.to_vec();
        let work = move |writing: &mut store::Writing<'_>| {
            rows::insert(
                writing,
                &of,
                &id,
                received_at,
                &body,
                state,
                reason.as_deref(),
            )
        };
        let stored = if self.0.store.write(work).await? {
            Stored::New
        } else {
            Stored::Duplicate
        };
        if stored == Stored::New {
            self.wake();
        }
        Ok(stored)
    }
}

/// What tells an event without a readable id from others.
fn named(body: &[u8]) -> String {
    format!("sha256:{}", hex::encode(digest(&SHA256, body)))
}

impl wire::hooks_in::Inbox for Inbox {
    fn store(&self, event: VerifiedEvent) -> BoxFuture<'_, Result<Stored, NotStored>> {
        Box::pin(async move {
            self.keep(event)
                .await
                .map_err(|error| NotStored(error.to_string()))
        })
    }
}
