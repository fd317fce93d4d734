//! Whether a transaction upstream that has a proposal's id is the one that was approved. Pure.

use protocol::model::transaction::{Peer, Transaction};
use protocol::model::transaction_request::PeerRequest;

use crate::proposals::Proposal;

/// The only operation that is proposed.
const TRANSFER: &str = "TRANSFER";

/// What of it is not as the proposal says, the first of several; what it does not show is not either.
pub(super) fn difference(proposal: &Proposal, seen: &Transaction) -> Option<&'static str> {
    let asked = &proposal.transfer;
    let shown = &seen.amount_info;
    // What is moved may be less by the fee.
    let amount = shown.requested_amount.as_ref().or(shown.amount.as_ref());
    let goes = |to: &Peer| is(to, asked.destination.as_ref());
    let parts = || seen.destinations.iter().map(|part| &part.destination);
    let all = [
        ("operation", seen.operation == TRANSFER),
        ("asset", seen.asset_id == proposal.asset),
        (
            "amount",
            amount.is_some() && amount == asked.amount.as_ref(),
        ),
        ("source", is(&seen.source, asked.source.as_ref())),
        ("destination", goes(&seen.destination) && parts().all(goes)),
    ];
    let other = all.into_iter().find(|(_, same)| !same);
    other.map(|(what, _)| what)
}

fn is(seen: &Peer, asked: Option<&PeerRequest>) -> bool {
    asked.is_some_and(|asked| {
        let same = |id: &String| {
            asked
                .id
                .as_ref()
                .is_some_and(|one| one.eq_ignore_ascii_case(id))
        };
        seen.kind == asked.kind && seen.id.as_ref().is_some_and(same)
    })
}

#[cfg(test)]
mod tests {
    use protocol::model::transaction::{PeerKind, TransactionStatus};
    use protocol::time::Millis;
    use serde_json::{Value, json};

    use super::*;
    use crate::connections::Place;
    use crate::proposals::State;
    use crate::proposals::tests::{proposal, seen};

    #[test]
    fn what_is_not_as_it_was_asked_for_differs() {
        let proposal = proposal(Place::Gate, State::Sent);
        let same = seen(TransactionStatus::Submitted, Millis(1_000), &[]);
        assert_eq!(difference(&proposal, &same), None);
        let doc = serde_json::to_value(&same).expect("JSON");
        let with = |path: &str, value: Value| -> Option<&'static str> {
            let mut doc = doc.clone();
            *doc.pointer_mut(path).expect(path) = value;
            let seen = serde_json::from_value(doc).expect("a transaction");
            difference(&proposal, &seen)
        };
        let part = json!([{"amount": "1.5", "destination": {"type": "VAULT_ACCOUNT", "id": "3"}}]);
        for (path, value, what) in [
            ("/operation", json!("CONTRACT_CALL"), "operation"),
            ("/assetId", json!("BTC"), "asset"),
            ("/amountInfo/requestedAmount", json!("1.51"), "amount"),
            ("/amountInfo", json!({}), "amount"),
            ("/source/id", json!("2"), "source"),
            ("/source/type", json!("EXCHANGE_ACCOUNT"), "source"),
            ("/source", json!({"type": "UNKNOWN"}), "source"),
            ("/destination/id", json!("3"), "destination"),
            (
                "/destination",
                json!({"type": "ONE_TIME_ADDRESS"}),
                "destination",
            ),
            ("/destinations", part, "destination"),
        ] {
            assert_eq!(with(path, value.clone()), Some(what), "{path} {value}");
        }
        for (path, value) in [
            ("/amountInfo/requestedAmount", json!("1.50")),
            ("/amountInfo", json!({"amount": "1.5"})),
            ("/amountInfo/amount", json!("1.49")),
            ("/note", json!("another")),
        ] {
            assert_eq!(with(path, value.clone()), None, "{path} {value}");
        }
        assert_eq!(PeerKind::VaultAccount, same.source.kind);
    }
}
