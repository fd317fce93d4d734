//! One change of a workspace, in one database transaction, at one moment.

use std::collections::BTreeMap;

use ledger::change::WalletFacts;
use ledger::{Batch, Change, Fault, Version, positions};
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::ids::{AssetId, NotificationId, VaultAccountId, WorkspaceId};
use protocol::model::event::{BalanceUpdated, Envelope, EventType};
use protocol::model::transaction::{PeerKind, Transaction};
use protocol::model::vault::VaultAsset;
use protocol::model::webhook::{Notification, NotificationStatus};
use protocol::model::whitelist::WhitelistKind;
use protocol::time::Millis;
use serde::Serialize;
use store::{StoreError, Writing};

use crate::audit;
use crate::chance::Chance;
use crate::flight::{Credit, Move, Pot};
use crate::hall::Hall;
use crate::happenings::Changed;
use crate::hooks::{Endpoint, Treatment};
use crate::rows::{self, Posting};

/// One change of a workspace, in one database transaction, at one moment.
pub(crate) struct Deed<'d, 'w> {
    pub(crate) hall: &'d Hall,
    pub(crate) writing: &'d mut Writing<'w>,
    pub(crate) batch: &'d mut Batch,
    pub(crate) at: Millis,
    pub(crate) chance: Chance,
    /// What is told to whoever listens, once it is committed.
    pub(crate) changed: Vec<Changed>,
    /// How many changes of the books it has made.
    pub(crate) applied: i64,
    /// How many entries of the audit log it has written.
    pub(crate) told: i64,
}

impl Deed<'_, '_> {
    /// Something becomes true at this moment.
    pub(crate) fn apply(&mut self, change: Change) -> Result<(), StoreError> {
        let version = match &change {
            Change::Transaction(transaction, _) => Version::of_transaction(transaction),
            // Of two changes of one thing in one deed, the later stays.
            _ => Version {
                time: self.at,
                rank: self.applied,
            },
        };
        self.applied += 1;
        self.batch.apply(self.writing, version, &change).map(drop)
    }

    /// A transaction is like this now; subscribers hear of it.
    pub(crate) fn transaction(
        &mut self,
        event: EventType,
        transaction: &Transaction,
    ) -> Result<(), StoreError> {
        let known = self.batch.transaction(self.writing, transaction.id)?;
        let before = known.as_ref().map(|(before, _)| before);
        for (event, by) in audit::events_of(before, transaction) {
            self.audit(event, by)?;
        }
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

    /// Something has arrived outside the vault accounts. (No event tells of it.)
    pub(crate) fn credit(&mut self, credit: &Credit) -> Result<(), Fault> {
        if credit.kind != PeerKind::InternalWallet {
            return match self.outside(credit.kind, &credit.id)? {
                Some(place) => self
                    .put_outside(place, &credit.asset, &credit.amount)
                    .map(drop),
                None => Ok(()), // It was taken away meanwhile.
            };
        }
        let kind = WhitelistKind::Internal;
        let known = match credit.id.parse() {
            Ok(id) => self.batch.whitelisted(self.writing, kind, id)?,
            Err(_) => None,
        };
        let Some(mut wallet) = known else {
            return Ok(()); // It was taken off the list meanwhile.
        };
        for asset in &mut wallet.assets {
            if asset.id == credit.asset {
                let before = asset.balance.clone().unwrap_or_default();
                asset.balance = Some(before.checked_add(&credit.amount).ok_or_else(overflow)?);
            }
        }
        Ok(self.apply(Change::Whitelist(kind, wallet))?)
    }

    /// Something that had arrived outside the vault accounts has not; `false`: it is no longer there.
    pub(crate) fn debit(&mut self, credit: &Credit) -> Result<bool, Fault> {
        if credit.kind != PeerKind::InternalWallet {
            let Some(place) = self.outside(credit.kind, &credit.id)? else {
                return Ok(true); // It was taken away meanwhile.
            };
            if place.available(&credit.asset) < credit.amount {
                return Ok(false);
            }
            self.take_outside(place, &credit.asset, &credit.amount)?;
            return Ok(true);
        }
        let known = match credit.id.parse() {
            Ok(id) => self
                .batch
                .whitelisted(self.writing, WhitelistKind::Internal, id)?,
            Err(_) => None,
        };
        let Some(mut wallet) = known else {
            return Ok(true);
        };
        let mut assets = wallet.assets.iter_mut();
        let Some(asset) = assets.find(|asset| asset.id == credit.asset) else {
            return Ok(true);
        };
        let held = asset.balance.clone().unwrap_or_default();
        let left = held.checked_sub(&credit.amount);
        let Some(left) = left.filter(|left| !left.is_negative()) else {
            return Ok(false);
        };
        asset.balance = Some(left);
        self.apply(Change::Whitelist(WhitelistKind::Internal, wallet))?;
        Ok(true)
    }

    /// Tells every webhook that asked for events of this type.
    pub(crate) fn announce(
        &mut self,
        event_type: EventType,
        resource_id: Option<String>,
        data: &impl Serialize,
    ) -> Result<(), StoreError> {
        self.changed.push(Changed {
            at: self.at,
            workspace: self.hall.id(),
            event_type: event_type.clone(),
            resource_id: resource_id.clone(),
        });
        debug_assert!(
            crate::operations::is_event(&event_type),
            "nobody can ask for {event_type}"
        );
        for mut endpoint in self.hall.endpoints(self.writing)? {
            let asked = endpoint.webhook.events.contains(&event_type);
            if !asked || !endpoint.hears() || !endpoint.generation.has(&event_type) {
                continue;
            }
            let treatment = if endpoint.faults.is_empty() {
                Treatment::default()
            } else {
                let treatment = Treatment::next(&mut endpoint.faults);
                self.keep(&endpoint)?;
                treatment
            };
            let data = serde_json::value::to_raw_value(data)
                .map_err(|error| StoreError::Engine(error.to_string()))?;
            let envelope = Envelope {
                id: NotificationId(self.chance.uuid()),
                resource_id: resource_id.clone(),
                webhook_id: Some(endpoint.webhook.id),
                workspace_id: match treatment.other_workspace {
                    None => self.hall.id(),
                    Some(named) => named.unwrap_or_else(|| WorkspaceId(self.chance.uuid())),
                },
                event_type: event_type.clone(),
                created_at: self.at,
                data,
            };
            self.post(&endpoint, &envelope, treatment)?;
        }
        Ok(())
    }

    /// An event is on its way to a webhook, or waits, or is lost.
    fn post(
        &mut self,
        endpoint: &Endpoint,
        envelope: &Envelope,
        treatment: Treatment,
    ) -> Result<(), StoreError> {
        let (workspace, webhook) = (self.hall.id(), endpoint.webhook.id);
        let status = match (treatment.lost, endpoint.sends()) {
            (true, _) => NotificationStatus::Failed,
            (false, true) => NotificationStatus::InProgress,
            (false, false) => NotificationStatus::OnHold,
        };
        let notification = Notification {
            id: envelope.id,
            created_at: self.at,
            updated_at: self.at,
            status,
            event_type: envelope.event_type.clone(),
            resource_id: envelope.resource_id.clone(),
            data: None,
        };
        let posting = Posting {
            due_at: (!treatment.held).then(|| self.at.plus(treatment.delay)),
            forged: treatment.forged,
            copies: treatment.copies,
        };
        let seq = positions::bump(self.writing, workspace, "notifications")?;
        let body = endpoint.generation.body(envelope)?;
        let body = body.as_bytes();
        rows::add_notification(
            self.writing,
            workspace,
            webhook,
            seq,
            &notification,
            posting,
            body,
        )?;
        if treatment.released {
            rows::release(self.writing, workspace, webhook, self.at)?;
        }
        Ok(())
    }
}

fn overflow() -> Fault {
    ApiError::bad_transaction("the balance would have too many digits").into()
}

fn shift(balance: &mut VaultAsset, one: &Move) -> Result<(), Fault> {
    let pot = |balance: &VaultAsset, pot: Pot| match pot {
        Pot::Outside => Amount::zero(),
        Pot::Available => balance.available.clone(),
        Pot::Pending => balance.pending.clone(),
        Pot::Locked => balance.locked_amount.clone(),
        Pot::Frozen => balance.frozen.clone(),
        Pot::Staked => balance.staked.clone(),
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
        Pot::Frozen => balance.frozen = amount,
        Pot::Staked => balance.staked = amount,
    }
}
