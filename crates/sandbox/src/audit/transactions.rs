//! What the audit log tells of a transaction that has changed. Pure.

use protocol::ids::UserId;
use protocol::model::transaction::{PeerKind, Transaction, TransactionStatus};

use super::{By, Event};

/// What has happened to a transaction since it was as `before`; nothing before: it is new.
pub(crate) fn events_of(before: Option<&Transaction>, now: &Transaction) -> Vec<(Event, By)> {
    use TransactionStatus as S;
    let mut events = Vec::new();
    let (submitted, completed) = direction(now);
    let Some(before) = before else {
        return vec![(submitted, by(&now.created_by))];
    };
    for user in newly_approved(before, now) {
        events.push((Event::TransactionApproved, by(&user)));
    }
    if before.signed_by.is_empty() && !now.signed_by.is_empty() {
        let signer = now.signed_by.first().map(String::as_str);
        events.push((Event::TransactionSigned, by(signer.unwrap_or_default())));
    }
    if before.status == now.status {
        return events;
    }
    let rejected = now.rejected_by.as_str();
    match now.status {
        S::PendingAuthorization => events.push((Event::TransactionAuthorization, By::Fireblocks)),
        S::Blocked => events.push((Event::TransactionBlocked, By::Fireblocks)),
        S::Completed => events.push((completed, By::Fireblocks)),
        S::Rejected => events.push((Event::TransactionRejected, by(rejected))),
        S::Cancelled if rejected.is_empty() => {
            events.push((Event::TransactionCanceled, by(&now.created_by)));
        }
        S::Cancelled if before.status == S::PendingAuthorization => {
            events.push((Event::TransactionDeclined, by(rejected)));
        }
        S::Cancelled => events.push((Event::TransactionRejected, by(rejected))),
        _ => {}
    }
    events
}

fn by(user: &str) -> By {
    user.parse::<UserId>().map_or(By::Fireblocks, By::User)
}

/// What its beginning and its end are called.
fn direction(transaction: &Transaction) -> (Event, Event) {
    let inside = |kind| kind == PeerKind::VaultAccount;
    match (
        inside(transaction.source.kind),
        inside(transaction.destination.kind),
    ) {
        (true, true) => (Event::InternalSubmitted, Event::InternalCompleted),
        (false, true) => (Event::IncomingSubmitted, Event::IncomingCompleted),
        _ => (Event::OutgoingSubmitted, Event::OutgoingCompleted),
    }
}

/// Who has approved since.
fn newly_approved(before: &Transaction, now: &Transaction) -> Vec<String> {
    let yes = |transaction: &Transaction| -> Vec<String> {
        let groups = transaction.authorization_info.iter();
        let users = groups
            .flat_map(|info| &info.groups)
            .flat_map(|group| &group.users);
        let yes = users.filter(|(_, said)| *said == "APPROVED");
        yes.map(|(user, _)| user.clone()).collect()
    };
    let known = yes(before);
    let mut fresh = yes(now);
    fresh.retain(|user| !known.contains(user));
    fresh
}
