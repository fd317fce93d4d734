//! The events that a webhook may ask for: also those that nothing in a sandbox brings about.

use protocol::error::ApiError;
use protocol::model::event::EventType;

/// What the contract names beside [`EventType::ALL`].
const CONTRACT: [&str; 36] = [
    "embedded_wallet.status.updated",
    "embedded_wallet.created",
    "embedded_wallet.asset.balance_updated",
    "embedded_wallet.asset.added",
    "embedded_wallet.account.created",
    "embedded_wallet.device.added",
    "onchain_data.updated",
    "connection.added",
    "connection.removed",
    "connection.request.waiting_peer_approval",
    "connection.request.rejected_by_peer",
    "exchange_account.connected",
    "fiat_account.connected",
    "connected_account.connected",
    "ticket.created",
    "ticket.submitted",
    "ticket.expired",
    "ticket.canceled",
    "ticket.fulfilled",
    "ticket.counterparty.added",
    "ticket.counterparty_external_id.set",
    "ticket.note.added",
    "ticket.expires_at.set",
    "ticket.expires_in.set",
    "ticket.term.added",
    "ticket.term.updated",
    "ticket.term.deleted",
    "ticket.term.funded",
    "ticket.term.manually_funded",
    "ticket.term.funding_canceled",
    "ticket.term.funding_failed",
    "ticket.term.funding_completed",
    "ticket.term.transaction_status_changed",
    "settlement.created",
    "order.updated",
    "automation_execution.update",
];

/// What the newest clients name beside that (Python 35.1.0). Older ones stumble over an answer
/// that holds them, so `["*"]` leaves them out.
const NEWER: [&str; 7] = [
    "connected_account.credentials_replaced",
    "exchange_account.credentials_replaced",
    "transaction.alert.stuck",
    "vault_account.asset.bulk_add_job_ended",
    "vault_account.asset.bulk_add_job_started",
    "vault_account.bulk_create_job_ended",
    "vault_account.bulk_create_job_started",
];

/// `["*"]` is every event; otherwise each must be one that is known.
pub(super) fn wanted(mut events: Vec<EventType>) -> Result<Vec<EventType>, ApiError> {
    if events.is_empty() {
        return Err(ApiError::invalid("events", "at least one"));
    }
    if events.iter().any(|event| event.as_str() == "*") {
        let others = CONTRACT.iter().map(|name| EventType::Other((*name).into()));
        return Ok(EventType::ALL.iter().cloned().chain(others).collect());
    }
    known(&events)?;
    events.sort();
    events.dedup();
    Ok(events)
}

/// Whether it is one that a webhook can ask for.
pub(crate) fn is_known(event: &EventType) -> bool {
    let EventType::Other(name) = event else {
        return true;
    };
    CONTRACT.contains(&name.as_ref()) || NEWER.contains(&name.as_ref())
}

/// Each must be one that is known.
pub(super) fn known(events: &[EventType]) -> Result<(), ApiError> {
    match events.iter().find(|event| !is_known(event)) {
        None => Ok(()),
        Some(strange) => Err(ApiError::invalid(
            "events",
            format_args!("'{strange}' is not an event"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Vec<EventType> {
        names
            .iter()
            .map(|name| name.parse().expect("a name"))
            .collect()
    }

    #[test]
    fn a_star_is_every_event_once_and_a_stranger_none() {
        let mut all = wanted(named(&["*"])).expect("all");
        let count = all.len();
        all.sort();
        all.dedup();
        assert_eq!((count, all.len()), (50, 50));
        assert_eq!(
            wanted(named(&["settlement.created", "transaction.alert.stuck"])).map(|e| e.len()),
            Ok(2)
        );
        assert_eq!(
            wanted(named(&["vault_account.created", "vault_account.created"])).map(|e| e.len()),
            Ok(1)
        );
        for bad in [&[][..], &["no.such"], &["transaction.created", ""]] {
            assert!(wanted(named(bad)).is_err(), "{bad:?}");
        }
    }
}
