//! Deliveries whose connection has another scope by now. A body shows what the scope showed when the event came,
//! and is never sent in another one: the event is seen anew, as a read would show it now. What the scope of now does
//! not show is withdrawn: at its position the receiver is told so, and of this scope it misses nothing. What is kept
//! of it stays as it was: where a scope shows it again before it has arrived, it is sent.

use ledger::{Scope, ScopeId, Seen, reads};
use protocol::model::event::{Envelope, EventType};
use protocol::model::transaction::Transaction;
use serde_json::json;
use store::{Query, StoreError};

use super::seen::{self, Data, raw};
use super::{Told, in_itself};
use crate::rows;
use crate::rows::deliveries::{MadeIn, Parcel};

/// What is told at the position of an event that the scope does not show any more.
pub(crate) const WITHDRAWN: &str = "vestibule.event.withdrawn";

/// A parcel as the scope of this name shows it, if it was made in another one, or nobody knows in which.
pub(super) fn of_now(
    query: &mut impl Query,
    parcel: &Parcel,
    scope: &Scope,
    id: ScopeId,
) -> Result<Option<Parcel>, StoreError> {
    if parcel.made_in == MadeIn::None || parcel.made_in == MadeIn::Scope(id.to_string()) {
        return Ok(None);
    }
    let envelope: Envelope = serde_json::from_slice(&parcel.body)
        .map_err(|_| rows::corrupt("gate_deliveries", "body", parcel.id.0))?;
    let of_transaction = envelope
        .resource_id
        .as_deref()
        .filter(|_| tells_of_a_transaction(&envelope.event_type));
    let transaction = match of_transaction.and_then(|id| id.parse().ok()) {
        Some(id) => reads::seen(query, scope, id)?,
        None => None,
    };
    let envelope = anew(envelope, transaction, scope, id)?;
    let body = rows::doc(&envelope)?;
    let mut parcel = Parcel {
        event_type: envelope.event_type.as_str().to_owned(),
        made_in: MadeIn::Scope(id.to_string()),
        ..parcel.clone()
    };
    if parcel.body != body {
        parcel.body = body.into();
        parcel.jws = None;
        parcel.legacy = None;
    }
    Ok(Some(parcel))
}

/// An event as the scope shows it, with its transaction as the books have it now, if it is about one that the scope
/// shows. Pure.
fn anew(
    envelope: Envelope,
    transaction: Option<Seen<Transaction>>,
    scope: &Scope,
    id: ScopeId,
) -> Result<Envelope, StoreError> {
    let shown: Option<Data> = match transaction {
        Some(seen) => Some((raw(seen.get())?, envelope.resource_id.clone())),
        None => beside_transactions(&envelope, scope)?,
    };
    Ok(match shown {
        Some((data, resource_id)) => Envelope {
            data,
            resource_id,
            ..envelope
        },
        None => Envelope {
            event_type: EventType::Other(WITHDRAWN.into()),
            resource_id: None,
            data: raw(&json!({ "scope": id.to_string() }))?,
            ..envelope
        },
    })
}

/// The same of what tells of no transaction: it shows the same in every scope that shows it at all.
fn beside_transactions(envelope: &Envelope, scope: &Scope) -> Result<Option<Data>, StoreError> {
    if envelope.event_type == EventType::VaultAccountCreated {
        let account = envelope.resource_id.as_deref();
        let account = account.and_then(|id| id.parse().ok());
        return Ok(account
            .is_some_and(|id| scope.covers_account(id))
            .then(|| (envelope.data.clone(), envelope.resource_id.clone())));
    }
    let Ok(Some(about)) = in_itself(envelope) else {
        return Ok(None);
    };
    let told = Told {
        id: envelope.id,
        event_type: envelope.event_type.clone(),
        created_at: envelope.created_at,
        about,
    };
    seen::data(&told, scope)
}

const fn tells_of_a_transaction(event_type: &EventType) -> bool {
    matches!(
        event_type,
        EventType::TransactionCreated
            | EventType::TransactionStatusUpdated
            | EventType::TransactionApprovalStatusUpdated
            | EventType::TransactionNetworkRecordsProcessingCompleted
    )
}
