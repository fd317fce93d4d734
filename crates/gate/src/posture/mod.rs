//! The practices, per connection: held, broken, or cannot be seen, with the evidence. Pure.

pub mod look;
pub mod workspace;

use ledger::AssetFilter;
use protocol::role::ProviderRole;
use serde::Serialize;

use crate::connections::{Connection, Place, State, check_addresses};

/// What is known of a connection when it is looked at.
#[derive(Clone, Debug)]
pub struct Known<'a> {
    /// The connection.
    pub connection: &'a Connection,
    /// Why keys of the gate's own are not used for it: they can do more than they should.
    pub refused_keys: Vec<String>,
    /// Its key's size in bits.
    pub key_bits: usize,
    /// Whether its key is burned.
    pub burned: bool,
    /// Whether another connection or the gate itself has the same key.
    pub shared: bool,
    /// How many reports were made for it.
    pub reports: usize,
    /// Deliveries completed, on their way, failed.
    pub deliveries: [u64; 3],
    /// How old each part of the books is, in words.
    pub ages: &'a [String],
    /// Whether one of them is too old to be told.
    pub too_old: bool,
}

/// One practice of one connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// C1 to C7.
    pub practice: &'static str,
    /// What it asks for.
    pub asks: &'static str,
    /// How it stands.
    pub verdict: Verdict,
    /// Why.
    pub evidence: String,
}

/// How a practice stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is kept.
    Held,
    /// It is not.
    Broken,
    /// Nobody here can tell.
    CannotBeSeen,
}

/// Looks at a connection.
pub fn findings(known: &Known<'_>) -> Vec<Finding> {
    vec![
        c1(known),
        c2(known),
        c3(known),
        c4(known),
        c5(known),
        c6(known),
        c7(known),
    ]
}

fn finding(practice: &'static str, asks: &'static str, held: bool, evidence: String) -> Finding {
    Finding {
        practice,
        asks,
        verdict: if held { Verdict::Held } else { Verdict::Broken },
        evidence,
    }
}

fn c1(known: &Known<'_>) -> Finding {
    let asks = "Viewer or Editor only";
    if !known.refused_keys.is_empty() {
        let why = known.refused_keys.join("; ");
        return finding("C1", asks, false, format!("the gate's own: {why}"));
    }
    let role = known.connection.role;
    let evidence = format!("role {role}; a provider's role has no third value");
    finding("C1", asks, true, evidence)
}

fn c2(known: &Known<'_>) -> Finding {
    let fingerprint = &known.connection.fingerprint;
    let evidence = if known.burned {
        format!("the private half of key {fingerprint} was seen: it is burned")
    } else {
        format!(
            "enrolled by CSR, RSA {} bits, key {fingerprint}; its private half was never seen here",
            known.key_bits
        )
    };
    finding(
        "C2",
        "the key is the provider's own, only its CSR travels",
        !known.burned,
        evidence,
    )
}

fn c3(known: &Known<'_>) -> Finding {
    let evidence = if known.shared {
        "its key is used elsewhere, too"
    } else {
        "its key belongs to this connection alone"
    };
    finding("C3", "a key of its own", !known.shared, evidence.to_owned())
}

fn c4(known: &Known<'_>) -> Finding {
    let connection = known.connection;
    let list: Vec<_> = connection
        .addresses
        .iter()
        .map(ToString::to_string)
        .collect();
    let checked = check_addresses(
        &connection.addresses,
        connection.addresses_reason.as_deref(),
    );
    let held = !list.is_empty() && checked.is_ok();
    let evidence = match checked {
        Err(bad) => bad.to_string(),
        Ok(()) if list.is_empty() => "it has no allow-list".to_owned(),
        Ok(()) => format!("only from {}", list.join(", ")),
    };
    finding("C4", "an IP allow-list on the key", held, evidence)
}

fn c5(known: &Known<'_>) -> Finding {
    let asks = "the first sync comes from reports";
    match known.reports {
        0 if known.connection.state == State::Requested => Finding {
            practice: "C5",
            asks,
            verdict: Verdict::CannotBeSeen,
            evidence: "not active yet".to_owned(),
        },
        0 => finding("C5", asks, false, "no report was made for it".to_owned()),
        count => finding("C5", asks, true, format!("{count} reports made for it")),
    }
}

fn c6(known: &Known<'_>) -> Finding {
    let [done, under_way, failed] = known.deliveries;
    let webhook = match &known.connection.webhook {
        None => "it has no webhook: it can only poll".to_owned(),
        Some(target) => format!(
            "{}: {done} delivered, {under_way} on their way, {failed} failed",
            target.url
        ),
    };
    let evidence = format!(
        "{webhook}; the books, which events and walks keep: {}",
        known.ages.join(", ")
    );
    finding(
        "C6",
        "webhooks instead of polling",
        known.connection.webhook.is_some() && failed == 0 && !known.too_old,
        evidence,
    )
}

fn c7(known: &Known<'_>) -> Finding {
    let asks = "no signing right; the client approves before anything is signed";
    let place = known.connection.place;
    match (known.connection.role, place) {
        (ProviderRole::Viewer, _) => finding("C7", asks, true, "it cannot propose at all".to_owned()),
        (ProviderRole::Editor, Place::Gate) => {
            finding("C7", asks, true, "each proposal waits here for an operator, then for the workspace's policy and signer".to_owned())
        }
        (ProviderRole::Editor, Place::Fireblocks) => Finding {
            practice: "C7",
            asks,
            verdict: Verdict::CannotBeSeen,
            evidence: "proposals go up at once and wait for the workspace's own approvers: its policy cannot be read with a Viewer's key".to_owned(),
        },
    }
}

/// What is in scope, in a few words.
pub fn scope_words(connection: &Connection) -> String {
    let assets = match &connection.part.assets {
        AssetFilter::All => "every asset".to_owned(),
        AssetFilter::Only(assets) => assets
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(","),
    };
    format!(
        "{} accounts, {assets}, {} whitelisted",
        connection.part.accounts.len(),
        connection.part.whitelists.len()
    )
}

#[cfg(test)]
mod tests;
