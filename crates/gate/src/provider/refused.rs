//! Why a call was refused, in words for the log: more than the caller is told.

use wire::server::Refusal;

use crate::gate::Gate;
use crate::refusals::{Kind, Who};

/// Counts a refusal of a provider's call.
pub(super) fn note(gate: &Gate, refusal: &Refusal<'_>) {
    let who = match refusal.user {
        Some(user) if refusal.proven => Who::Key(user),
        _ => Who::Address(refusal.from),
    };
    let kind = Kind {
        status: refusal.error.status(),
        why: why(gate, refusal),
    };
    gate.refusals.note(who, kind, refusal);
}

fn why(gate: &Gate, refusal: &Refusal<'_>) -> &'static str {
    match (refusal.user, refusal.error.status()) {
        (None, 404) => "there is nothing there",
        (None, _) => "it names no key",
        (Some(user), _) if !refusal.proven => {
            let directory = gate.directory.load();
            match directory.keyed(user) {
                None => "its key is unknown",
                Some(_) if gate.is_quarantined() => "the gate is in quarantine",
                Some(provider) if !provider.connection.comes_in(refusal.at) => {
                    "its connection is not active"
                }
                Some(_) if directory.open(user, refusal.from, refusal.at).is_none() => {
                    "its address is not on the connection's list"
                }
                Some(provider) if !provider.connection.is_certified(refusal.certificate) => {
                    "it did not show the client certificate of its connection"
                }
                Some(_) => "its token was not accepted",
            }
        }
        (_, 401) => "its token was not accepted, or the connection has changed meanwhile",
        (_, 403) => "its role may not, or this gate does not offer it",
        (_, 404) => "there is no such operation, or nothing that it may see",
        (_, 429) => "it called too often, or a budget of its connection is used up",
        _ => "what it asks for cannot be done as it stands",
    }
}
