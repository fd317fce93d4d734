//! One workspace: its books, its policy, and the one way to change it.

use std::path::PathBuf;
use std::sync::Arc;

use ledger::{Books, Scope, positions};
use parking_lot::Mutex;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{UserId, WorkspaceId};
use protocol::keys::{PrivateKey, PublicKey};
use protocol::model::user::{User, UserStatus};
use protocol::time::Millis;
use protocol::token::TokenError;
use serde::Serialize;
use serde_json::Value;
use store::StoreError;
use store::once::{self, Attempt, Given, Standing};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use wire::hooks_out::{Caller, TargetPolicy};
use wire::server::{Call, Route};

use crate::audit::{self, By};
use crate::chain;
use crate::chance::{CallIds, Chance};
use crate::clock::WorkspaceClock;
use crate::deed::Deed;
use crate::doors::{Doors, Guest};
use crate::downloads::Downloads;
use crate::faults::Faults;
use crate::ground::Files;
use crate::happenings::Happenings;
use crate::hooks::WebhookKeys;
use crate::operations::workspace;
use crate::people::{self, Person};
use crate::rates::{Limits, Rates};
use crate::rows;
use crate::rows::clocks;
use crate::world::Network;
use crate::world::keys::Keyring;
use ledger::Fault;

/// What all workspaces of a sandbox share.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) doors: Doors,
    pub(crate) downloads: Downloads,
    /// Names calls.
    pub(crate) calls: CallIds,
    /// What signs webhooks.
    pub(crate) hooks: WebhookKeys,
    /// What stands before `/v1`.
    pub(crate) origin: String,
    pub(crate) targets: TargetPolicy,
    /// Asks callback handlers.
    pub(crate) caller: Caller,
    /// What co-signers sign their questions with.
    pub(crate) cosigner_key: PrivateKey,
    /// Whether people and chain wait to be told.
    pub(crate) manual: bool,
    /// What workspaces grow from.
    pub(crate) files: Files,
    /// What all that looks random comes from.
    pub(crate) seed: u64,
    pub(crate) happenings: Happenings,
    /// Where the users' keys lie, for people to read.
    pub(crate) keys: Option<PathBuf>,
    /// What a new workspace's limits are.
    pub(crate) limits: Option<Limits>,
    /// Whether refused calls are told why.
    pub(crate) explain: bool,
    /// Whether fields that the contract has not are refused.
    pub(crate) strict: bool,
    /// Where the clock of a new workspace stands, unless it is told otherwise; nothing: it runs.
    pub(crate) frozen_at: Option<Millis>,
}

/// One workspace.
#[derive(Debug)]
pub(crate) struct Hall {
    pub(crate) house: Arc<House>,
    /// The number of the call that made it; 0: it was there from the start.
    pub(crate) number: i64,
    pub(crate) clock: Arc<WorkspaceClock>,
    pub(crate) books: Books,
    pub(crate) name: String,
    pub(crate) network: Network,
    /// The policy that it was made with.
    pub(crate) first_policy: Vec<Value>,
    /// Wakes whoever moves transactions on.
    pub(crate) chain: Arc<Notify>,
    /// Wakes its dispatcher.
    pub(crate) deliveries: Arc<Notify>,
    /// Ends with the workspace: nothing is written to it any more.
    pub(crate) over: CancellationToken,
    pub(crate) faults: Faults,
    pub(crate) rates: Rates,
    /// Wakes whoever asks callback handlers.
    pub(crate) callbacks: Notify,
    /// Idempotency keys of requests under way, each with its operation.
    pub(crate) under_way: Mutex<std::collections::HashSet<(UserId, String)>>,
    /// Whoever sees to it that nothing more happens by itself.
    pub(crate) settling: tokio::sync::Mutex<()>,
    /// Who opens the doors anew.
    pub(crate) at_the_doors: tokio::sync::Mutex<()>,
}

impl Hall {
    pub(crate) fn id(&self) -> WorkspaceId {
        self.books.workspace()
    }

    /// The keys of its vault.
    pub(crate) fn keys(&self) -> Keyring {
        Keyring::of(self.house.seed, self.network)
    }

    /// Changes the workspace. Where people and chain wait to be told, all that follows by itself
    /// has happened when this returns: the same calls lead to the same books.
    pub(crate) async fn deed<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl Fn(&mut Deed<'_, '_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let done = self.change(work).await?;
        self.settle().await;
        Ok(done)
    }

    /// Where people and chain wait to be told: until nothing more happens by itself.
    pub(crate) async fn settle(self: &Arc<Self>) {
        if self.house.manual {
            chain::settle(self).await;
        }
    }

    /// Changes the workspace; what follows from it is left to follow.
    pub(crate) async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl Fn(&mut Deed<'_, '_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let hall = Arc::clone(self);
        let now = self.clock.now();
        let done = self
            .books
            .transact(now, move |writing, batch| {
                if hall.over.is_cancelled() {
                    return Err(Fault::from(ApiError::uncoded(404, "The workspace is gone")));
                }
                let at = hall.clock.stamp();
                clocks::reached(writing, hall.id(), at)?;
                let number = positions::bump(writing, hall.id(), "changes")?;
                let mut deed = Deed {
                    chance: Chance::of(hall.house.seed, hall.id(), number),
                    applied: 0,
                    told: 0,
                    hall: &hall,
                    writing,
                    batch,
                    at,
                    changed: Vec::new(),
                };
                let done = work(&mut deed)?;
                Ok((done, deed.changed))
            })
            .await;
        let (done, changed) = done?;
        self.house.happenings.changed(changed);
        self.wake();
        Ok(done)
    }

    /// Something was changed, or time has passed.
    pub(crate) fn wake(&self) {
        self.deliveries.notify_one();
        self.chain.notify_one();
        self.callbacks.notify_one();
    }

    /// Does what a call asks for, once: its nonce is taken, and the answer kept under its
    /// idempotency key, in the same transaction.
    pub(crate) async fn effect(
        self: &Arc<Self>,
        call: &Call,
        work: impl Fn(&mut Deed<'_, '_>) -> Result<Reply, Fault> + Send + 'static,
    ) -> Result<Reply, ApiError> {
        let attempt = self.attempt(call)?;
        let told = audit::event_of(call);
        let operation = match &call.route {
            Route::Operation { operation, .. } => operation.id.as_str(),
            _ => "",
        };
        let user = call.user;
        let _turn = attempt
            .key
            .as_ref()
            .map(|key| Turn::take(self, (call.user, key.clone())))
            .transpose()?;
        let own = attempt.clone();
        let done = self.deed(move |deed| {
            match once::begin(deed.writing, &attempt)? {
                Standing::First => {}
                Standing::Replayed => return Err(ApiError::from(TokenError::NotAccepted).into()),
                Standing::Answered(given) if given.status >= 500 => {
                    return Err(ApiError::idempotency_key_burned().into());
                }
                Standing::Answered(given) => return Ok(again(given)),
            }
            workspace::check_standing(deed, operation)?;
            let reply = work(deed)?;
            deed.audit_some(told, By::User(user))?;
            once::end(deed.writing, &attempt, &given(&reply))?;
            Ok(reply)
        });
        let done = done.await.map_err(ApiError::from);
        if done.as_ref().is_err_and(|error| error.status() >= 500) {
            self.burn(own).await;
        }
        done
    }

    /// A call with its nonce and its idempotency key, if its operation takes one.
    fn attempt(&self, call: &Call) -> Result<Attempt, ApiError> {
        let key = match (&call.route, &call.idempotency_key) {
            (Route::Operation { operation, .. }, Some(key)) if operation.idempotent => {
                if key.chars().count() > once::MAX_KEY {
                    return Err(ApiError::idempotency_key_too_long());
                }
                // An answer is that of its operation: no other is answered with it.
                Some(format!("{} {key}", operation.id))
            }
            _ => None,
        };
        Ok(Attempt {
            workspace: self.id().to_string(),
            caller: call.user.to_string(),
            nonce: call.nonce.as_str().to_owned(),
            nonce_until: call.nonce_until,
            key,
            now_seconds: call.received_at.seconds(),
            now: self.clock.now().0,
        })
    }

    /// A call has failed within: its idempotency key is of no use any more.
    pub(crate) async fn failed_within(self: &Arc<Self>, call: &Call) {
        if let Ok(attempt) = self.attempt(call) {
            self.burn(attempt).await;
        }
    }

    async fn burn(self: &Arc<Self>, attempt: Attempt) {
        if attempt.key.is_none() {
            return;
        }
        let burned = Given {
            status: 500,
            headers: String::new(),
            body: Vec::new(),
        };
        let kept = self.change(move |deed| {
            if once::begin(deed.writing, &attempt)? == Standing::First {
                once::end(deed.writing, &attempt, &burned)?;
            }
            Ok(())
        });
        if kept.await.is_err() {
            tracing::error!("an idempotency key could not be burned");
        }
    }

    /// Whether a user may come in now: the quorum has let it in, and nobody has deleted it.
    pub(crate) fn lets_in(&self, user: UserId) -> bool {
        let known = self.books.user(user);
        known.is_some_and(|user| user.enabled && user.status == UserStatus::Ready)
    }

    /// Lets in who is written down, and nobody else of this workspace's.
    pub(crate) async fn open_doors(&self) -> Result<(), ApiError> {
        let id = self.id();
        // One after another: what was read earlier is not put later.
        let _turn = self.at_the_doors.lock().await;
        let read = self
            .books
            .store()
            .read(move |reading| rows::keys(reading, id));
        let rows = read.await.map_err(Fault::from)?;
        let users = self.books.users(&Scope::whole(id));
        let mut guests = Vec::new();
        for row in rows {
            let Some(user) = users.iter().find(|user| user.id == row.user) else {
                continue;
            };
            let key = PublicKey::from_der(&row.spki).map_err(|_| ApiError::internal())?;
            guests.push(Guest {
                user: row.user,
                workspace: id,
                role: user.role,
                key,
                addresses: row
                    .addresses
                    .split(',')
                    .filter_map(|text| text.parse().ok())
                    .collect(),
            });
        }
        self.house.doors.open_to(id, guests);
        Ok(())
    }
}

/// A user of a workspace, and the development key that it signs with.
#[derive(Debug)]
pub(crate) struct Resident {
    pub(crate) name: String,
    pub(crate) user: User,
    pub(crate) key: Option<&'static Person>,
}

impl Hall {
    /// Every user, as the books have them; who signs with no development key is a person, or brought
    /// a key of its own.
    pub(crate) fn residents(&self) -> Vec<Resident> {
        let users = self.books.users(&Scope::whole(self.id())).into_iter();
        let each = users.map(|user| {
            let guest = self.house.doors.get(user.id);
            let name = user.name.clone().or_else(|| user.first_name.clone());
            Resident {
                name: name.unwrap_or_default(),
                key: guest.and_then(|guest| people::of_key(guest.key.spki_der())),
                user,
            }
        });
        each.collect()
    }
}

fn given(reply: &Reply) -> Given {
    Given {
        status: reply.status.into(),
        headers: reply.header_lines(),
        body: reply.body.to_vec(),
    }
}

fn again(given: Given) -> Reply {
    Reply::kept(given.status, &given.headers, given.body)
}

/// A request under way with its idempotency key.
struct Turn {
    hall: Arc<Hall>,
    key: (UserId, String),
}

impl Turn {
    fn take(hall: &Arc<Hall>, key: (UserId, String)) -> Result<Self, ApiError> {
        if !hall.under_way.lock().insert(key.clone()) {
            return Err(ApiError::idempotency_in_progress());
        }
        Ok(Self {
            hall: Arc::clone(hall),
            key,
        })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.hall.under_way.lock().remove(&self.key);
    }
}

/// A document of the tables.
pub(crate) fn doc(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Engine(error.to_string()))
}
