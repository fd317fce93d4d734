//! One workspace: its books, its policy, and the one way to change it.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger::change::WalletFacts;
use ledger::{Batch, Books, Change, Scope, Version, positions};
use parking_lot::Mutex;
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{AssetId, NotificationId, UserId, VaultAccountId, WorkspaceId};
use protocol::keys::PublicKey;
use protocol::model::event::{BalanceUpdated, Envelope, EventType};
use protocol::model::policy::PolicyRule;
use protocol::model::transaction::Transaction;
use protocol::model::user::UserStatus;
use protocol::model::vault::VaultAsset;
use protocol::model::webhook::{Notification, NotificationStatus, Webhook, WebhookStatus};
use protocol::time::Millis;
use protocol::token::TokenError;
use serde::Serialize;
use store::once::{self, Attempt, Given, Standing};
use store::{StoreError, Writing};
use tokio::sync::Notify;
use uuid::Uuid;
use wire::hooks_out::TargetPolicy;
use wire::server::{Call, Route};

use crate::clock::WorkspaceClock;
use crate::doors::{Doors, Guest};
use crate::downloads::Downloads;
use crate::flight::{Move, Pot};
use crate::rows;
use crate::world::Network;
use ledger::Fault;

/// What all workspaces of a sandbox share.
#[derive(Debug)]
pub(crate) struct House {
    pub(crate) clock: Arc<WorkspaceClock>,
    pub(crate) doors: Doors,
    pub(crate) downloads: Downloads,
    /// Wakes the dispatcher.
    pub(crate) deliveries: Arc<Notify>,
    /// What stands before `/v1`.
    pub(crate) origin: String,
    pub(crate) targets: TargetPolicy,
    /// Whether people and chain wait to be told.
    pub(crate) manual: bool,
}

/// One workspace.
#[derive(Debug)]
pub(crate) struct Hall {
    pub(crate) house: Arc<House>,
    pub(crate) books: Books,
    pub(crate) name: String,
    pub(crate) network: Network,
    pub(crate) policy: Vec<PolicyRule>,
    /// Wakes whoever moves transactions on.
    pub(crate) chain: Arc<Notify>,
    /// Idempotency keys of requests under way.
    pub(crate) under_way: Mutex<std::collections::HashSet<(UserId, String)>>,
}

/// One change of a workspace, in one database transaction, at one moment.
pub(crate) struct Deed<'d, 'w> {
    pub(crate) hall: &'d Hall,
    pub(crate) writing: &'d mut Writing<'w>,
    pub(crate) batch: &'d mut Batch,
    pub(crate) at: Millis,
}

impl Hall {
    pub(crate) fn id(&self) -> WorkspaceId {
        self.books.workspace()
    }

    /// Changes the workspace.
    pub(crate) async fn deed<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl Fn(&mut Deed<'_, '_>) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let hall = Arc::clone(self);
        let now = self.house.clock.now();
        let done = self
            .books
            .transact(now, move |writing, batch| {
                let at = hall.house.clock.stamp();
                work(&mut Deed {
                    hall: &hall,
                    writing,
                    batch,
                    at,
                })
            })
            .await?;
        self.house.deliveries.notify_one();
        self.chain.notify_one();
        Ok(done)
    }

    /// Does what a call asks for, once: its nonce is taken, and the answer kept under its
    /// idempotency key, in the same transaction.
    pub(crate) async fn effect(
        self: &Arc<Self>,
        call: &Call,
        work: impl Fn(&mut Deed<'_, '_>) -> Result<Reply, Fault> + Send + 'static,
    ) -> Result<Reply, ApiError> {
        let idempotent =
            matches!(&call.route, Route::Operation { operation, .. } if operation.idempotent);
        let key = call.idempotency_key.clone().filter(|_| idempotent);
        if key
            .as_ref()
            .is_some_and(|key| key.chars().count() > once::MAX_KEY)
        {
            return Err(ApiError::idempotency_key_too_long());
        }
        let _turn = key
            .as_ref()
            .map(|key| Turn::take(self, (call.user, key.clone())))
            .transpose()?;
        let attempt = Attempt {
            workspace: self.id().to_string(),
            caller: call.user.to_string(),
            nonce: call.nonce.clone(),
            nonce_until: call.nonce_until,
            key,
            now_seconds: call.received_at.seconds(),
            now: self.house.clock.now().0,
        };
        let done = self.deed(move |deed| {
            match once::begin(deed.writing, &attempt)? {
                Standing::First => {}
                Standing::Replayed => return Err(ApiError::from(TokenError::NotAccepted).into()),
                Standing::Answered(given) => return Ok(again(given)),
            }
            let reply = work(deed)?;
            once::end(deed.writing, &attempt, reply.status.into(), &reply.body)?;
            Ok(reply)
        });
        done.await.map_err(ApiError::from)
    }

    /// Lets in who is written down, and nobody else of this workspace's.
    pub(crate) async fn open_doors(&self) -> Result<(), ApiError> {
        let id = self.id();
        let read = self.books.store().read(move |reading| rows::keys(reading));
        let rows = read.await.map_err(Fault::from)?;
        let users = self.books.users(&Scope::whole(id));
        for row in rows.into_iter().filter(|row| row.workspace == id) {
            let Some(user) = users.iter().find(|user| user.id == row.user) else {
                continue;
            };
            let key = PublicKey::from_der(&row.spki).map_err(|_| ApiError::internal())?;
            self.house.doors.put(Guest {
                user: row.user,
                workspace: id,
                role: user.role,
                key,
                addresses: row
                    .addresses
                    .split(',')
                    .filter_map(|text| text.parse().ok())
                    .collect(),
                ready: user.enabled && user.status == UserStatus::Ready,
            });
        }
        Ok(())
    }

    /// The webhooks, and how many of the next notifications of each get lost.
    pub(crate) fn webhooks(
        &self,
        query: &mut impl store::Query,
    ) -> Result<Vec<(Webhook, i64)>, StoreError> {
        rows::webhooks(query, self.id())?
            .into_iter()
            .map(|(doc, drop_next)| {
                let webhook = serde_json::from_str(&doc).map_err(|_| StoreError::Corrupt {
                    table: "webhooks",
                    column: "doc",
                    id: String::new(),
                })?;
                Ok((webhook, drop_next))
            })
            .collect()
    }
}

fn again(given: Given) -> Reply {
    Reply {
        status: u16::try_from(given.status).unwrap_or(200),
        headers: Vec::new(),
        body: given.body.into(),
    }
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

impl Deed<'_, '_> {
    /// Something becomes true at this moment.
    pub(crate) fn apply(&mut self, change: Change) -> Result<(), StoreError> {
        let version = match &change {
            Change::Transaction(transaction, _) => Version::of_transaction(transaction),
            _ => Version::at(self.at),
        };
        self.batch.apply(self.writing, version, &change).map(drop)
    }

    /// A transaction is like this now; subscribers hear of it.
    pub(crate) fn transaction(
        &mut self,
        event: EventType,
        transaction: &Transaction,
    ) -> Result<(), StoreError> {
        self.apply(Change::Transaction(
            Box::new(transaction.clone()),
            ledger::change::Origin::default(),
        ))?;
        self.announce(event, Some(transaction.id.to_string()), transaction)
    }

    /// Moves amounts within wallets and in and out of them; subscribers hear of each wallet once.
    pub(crate) fn moves(&mut self, moves: &[Move]) -> Result<(), Fault> {
        let mut wallets: BTreeMap<(VaultAccountId, AssetId), WalletFacts> = BTreeMap::new();
        for one in moves {
            let key = (one.account, one.asset.clone());
            let wallet = match wallets.entry(key) {
                std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
                std::collections::btree_map::Entry::Vacant(entry) => {
                    let known = self.batch.wallet(self.writing, one.account, &one.asset)?;
                    entry.insert(known.unwrap_or_else(|| WalletFacts {
                        balance: VaultAsset::empty(one.asset.clone()),
                        created_at: self.at,
                    }))
                }
            };
            shift(&mut wallet.balance, one)?;
        }
        for ((account, _), wallet) in wallets {
            self.wallet(account, wallet)?;
        }
        Ok(())
    }

    /// A wallet holds this now; subscribers hear of it.
    fn wallet(&mut self, account: VaultAccountId, wallet: WalletFacts) -> Result<(), StoreError> {
        let told = BalanceUpdated::of(account, &wallet.balance);
        self.apply(Change::Wallet(account, wallet))?;
        self.announce(EventType::VaultAccountAssetBalanceUpdated, None, &told)
    }

    /// Tells every webhook that asked for events of this type.
    pub(crate) fn announce(
        &mut self,
        event_type: EventType,
        resource_id: Option<String>,
        data: &impl Serialize,
    ) -> Result<(), StoreError> {
        let webhooks = self.hall.webhooks(self.writing)?;
        let wanted = |webhook: &Webhook| {
            webhook.status != WebhookStatus::Disabled && webhook.events.contains(&event_type)
        };
        for (webhook, drop_next) in webhooks.into_iter().filter(|(webhook, _)| wanted(webhook)) {
            let data = serde_json::value::to_raw_value(data)
                .map_err(|error| StoreError::Engine(error.to_string()))?;
            let envelope = Envelope {
                id: NotificationId(Uuid::new_v4()),
                resource_id: resource_id.clone(),
                webhook_id: Some(webhook.id),
                workspace_id: self.hall.id(),
                event_type: event_type.clone(),
                created_at: self.at,
                data,
            };
            let status = if drop_next > 0 {
                rows::drop_next(self.writing, self.hall.id(), webhook.id, drop_next - 1)?;
                NotificationStatus::Failed
            } else if webhook.status == WebhookStatus::Suspended {
                NotificationStatus::OnHold
            } else {
                NotificationStatus::InProgress
            };
            let notification = Notification {
                id: envelope.id,
                created_at: self.at,
                updated_at: self.at,
                status,
                event_type: event_type.clone(),
                resource_id: resource_id.clone(),
                data: None,
            };
            let seq = positions::bump(self.writing, self.hall.id(), "notifications")?;
            let body = doc(&envelope)?;
            rows::add_notification(
                self.writing,
                self.hall.id(),
                webhook.id,
                seq,
                &notification,
                body.as_bytes(),
            )?;
        }
        Ok(())
    }
}

fn shift(balance: &mut VaultAsset, one: &Move) -> Result<(), Fault> {
    let overflow = || {
        Fault::from(ApiError::bad_transaction(
            "the balance would have too many digits",
        ))
    };
    let pot = |balance: &VaultAsset, pot: Pot| match pot {
        Pot::Outside => Amount::zero(),
        Pot::Available => balance.available.clone(),
        Pot::Pending => balance.pending.clone(),
        Pot::Locked => balance.locked_amount.clone(),
    };
    let less = pot(balance, one.from)
        .checked_sub(&one.amount)
        .ok_or_else(overflow)?;
    set(balance, one.from, less);
    let more = pot(balance, one.to)
        .checked_add(&one.amount)
        .ok_or_else(overflow)?;
    set(balance, one.to, more);
    let total = [
        &balance.pending,
        &balance.locked_amount,
        &balance.frozen,
        &balance.staked,
    ]
    .into_iter()
    .try_fold(balance.available.clone(), |sum, part| sum.checked_add(part))
    .ok_or_else(overflow)?;
    balance.balance = Some(total.clone());
    balance.total = total;
    Ok(())
}

fn set(balance: &mut VaultAsset, pot: Pot, amount: Amount) {
    match pot {
        Pot::Outside => {}
        Pot::Available => balance.available = amount,
        Pot::Pending => balance.pending = amount,
        Pot::Locked => balance.locked_amount = amount,
    }
}
