//! Events to providers: what happened upstream, as far as each connection's scope shows it. A
//! position and a delivery are written in the transaction that applies the event. What is not sent yet when
//! the scope changes is seen anew.

mod addressee;
mod anew;
mod outbox;
mod seen;

use std::sync::Arc;

use ledger::{Applied, Change, positions};
use protocol::ids::{NotificationId, WorkspaceId};
use protocol::model::event::{AssetAdded, BalanceUpdated, Envelope, EventType, WalletAssetChanged};
use protocol::time::Millis;
use serde_json::json;
use store::{StoreError, Writing};
use sync::inbox::Outcome;
use uuid::Uuid;

pub(crate) use addressee::{Addressee, CLIENT};
pub(crate) use outbox::RelayOutbox;

use crate::connections::{Directory, Provider};
use crate::rows;
use crate::rows::deliveries::Fresh;

/// An event on its way to providers, before anybody's scope.
pub(crate) struct Told<'a> {
    /// Names it: its relays' ids are made from it.
    pub(crate) id: NotificationId,
    pub(crate) event_type: EventType,
    pub(crate) created_at: Millis,
    /// What it is about, as the books have it.
    pub(crate) about: About<'a>,
}

/// What an event is about.
pub(crate) enum About<'a> {
    /// A change that the books have taken in or knew.
    Change(&'a Change),
    /// A wallet was added.
    Added(AssetAdded),
    /// A balance changed.
    Balance(Box<BalanceUpdated>),
    /// A whitelist's entry has one address more, or less.
    Whitelist(WalletAssetChanged),
}

/// Relays an event to everybody who may see it.
pub(crate) fn relay(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    directory: &Directory,
    told: &Told<'_>,
    now: Millis,
) -> Result<(), StoreError> {
    for provider in directory.active(now) {
        one(writing, workspace, provider, told, now)?;
    }
    Ok(())
}

fn one(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    provider: &Arc<Provider>,
    told: &Told<'_>,
    now: Millis,
) -> Result<(), StoreError> {
    let Some((data, resource_id)) = seen::data(told, &provider.scope)? else {
        return Ok(());
    };
    let connection = &provider.connection;
    let position = positions::bump(writing, workspace, &connection.subscriber())?;
    let Some(target) = &connection.webhook else {
        return Ok(());
    };
    let id = NotificationId(Uuid::new_v5(&told.id.0, connection.name.as_bytes()));
    let envelope = Envelope {
        id,
        resource_id,
        webhook_id: Some(target.id),
        workspace_id: workspace,
        event_type: told.event_type.clone(),
        created_at: told.created_at,
        data,
    };
    let body = rows::doc(&envelope)?;
    rows::deliveries::add(
        writing,
        workspace,
        &connection.name,
        &Fresh {
            position,
            id,
            event_type: told.event_type.as_str(),
            at: now,
            body: body.as_bytes(),
            made_in: Some(provider.scope_id),
        },
    )
}

/// An event of the gate's own, to one addressee: counted, signed and retried like any other.
pub(crate) fn own_event(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    to: &Addressee,
    event_type: &str,
    data: &serde_json::Value,
    now: Millis,
) -> Result<(), StoreError> {
    let position = positions::bump(writing, workspace, &to.subscriber)?;
    let id = NotificationId(Uuid::new_v4());
    let data = serde_json::value::to_raw_value(data);
    let envelope = Envelope {
        id,
        resource_id: None,
        webhook_id: Some(to.target.id),
        workspace_id: workspace,
        event_type: EventType::Other(event_type.into()),
        created_at: now,
        data: data.map_err(|error| StoreError::Engine(error.to_string()))?,
    };
    let body = rows::doc(&envelope)?;
    let fresh = Fresh {
        position,
        id,
        event_type,
        at: now,
        body: body.as_bytes(),
        made_in: None,
    };
    rows::deliveries::add(writing, workspace, &to.name, &fresh)
}

/// What an event is about that says so whole in its own data. Of any other the books say it.
fn in_itself(envelope: &Envelope) -> serde_json::Result<Option<About<'static>>> {
    let data = envelope.data.get();
    Ok(Some(match &envelope.event_type {
        EventType::VaultAccountAssetAdded => About::Added(serde_json::from_str(data)?),
        EventType::VaultAccountAssetBalanceUpdated => {
            About::Balance(Box::new(serde_json::from_str(data)?))
        }
        EventType::ExternalWalletAssetAdded
        | EventType::ExternalWalletAssetRemoved
        | EventType::InternalWalletAssetAdded
        | EventType::InternalWalletAssetRemoved
        | EventType::ContractWalletAssetAdded
        | EventType::ContractWalletAssetRemoved => About::Whitelist(serde_json::from_str(data)?),
        _ => return Ok(None),
    }))
}

/// What an event from upstream tells providers.
pub(crate) fn of_event<'a>(envelope: &'a Envelope, outcomes: &'a [Outcome]) -> Option<Told<'a>> {
    let about = match in_itself(envelope).ok()? {
        Some(about) => about,
        None => About::Change(&outcomes.first()?.change),
    };
    Some(Told {
        id: envelope.id,
        event_type: envelope.event_type.clone(),
        created_at: envelope.created_at,
        about,
    })
}

/// What a walk found out without an event: told as if there had been one.
pub(crate) fn of_walk(outcome: &Outcome) -> Option<Told<'_>> {
    if outcome.applied != Applied::Changed {
        return None;
    }
    let created_at = outcome.version.time;
    let (event_type, about) = match &outcome.change {
        change @ Change::Transaction(..) => {
            (EventType::TransactionStatusUpdated, About::Change(change))
        }
        change @ Change::Account(_) => (EventType::VaultAccountCreated, About::Change(change)),
        Change::Wallet(account, facts) => {
            let told = BalanceUpdated::of(*account, &facts.balance);
            (
                EventType::VaultAccountAssetBalanceUpdated,
                About::Balance(Box::new(told)),
            )
        }
        _ => return None,
    };
    Some(Told {
        id: NotificationId(Uuid::new_v4()),
        event_type,
        created_at,
        about,
    })
}

/// `data` of `vault_account.created`.
pub(super) fn account_created(facts: &ledger::AccountFacts) -> serde_json::Value {
    json!({"id": facts.id, "name": facts.name, "hiddenOnUI": facts.hidden_on_ui, "assets": []})
}

#[cfg(test)]
mod tests;
