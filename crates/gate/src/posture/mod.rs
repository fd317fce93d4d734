//! The practices, per connection: held, broken, or cannot be seen, with the evidence. Pure.

mod finding;
pub mod look;
pub mod workspace;

use ledger::AssetFilter;
use protocol::role::ProviderRole;
use protocol::time::Millis;

use crate::connections::{Connection, DAY, Mode, Place, Standing, State, check_addresses};
use Practice::{C1, C2, C3, C3Used, C4, C5, C6, C6Few, C7};
use Severity::{High, Low, Medium};
use Verdict::{Broken, CannotBeSeen, Held};
pub use finding::{Finding, Practice, Severity, Verdict};

/// Whoever has not come for so long may not need its key any more.
pub const UNUSED: i64 = 30 * DAY;

/// What is known of a connection when it is looked at.
#[derive(Clone, Debug)]
pub struct Known<'a> {
    /// The connection.
    pub connection: &'a Connection,
    /// When it is looked at.
    pub now: Millis,
    /// Why keys of the gate's own are not used for it: they can do more than they should.
    pub refused_keys: Vec<String>,
    /// Its key's size in bits.
    pub key_bits: usize,
    /// Since when its key is the connection's.
    pub key_since: Option<Millis>,
    /// When it called last with that key.
    pub key_used: Option<Millis>,
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

/// What each practice asks for, where the gate sees it, and what mends it.
const fn about(practice: Practice) -> [&'static str; 3] {
    match practice {
        C1 => [
            "Viewer or Editor only",
            "the connection's terms, and what the gate's own keys may read upstream",
            "in the Console, make the gate a key of the role Viewer or Editor; then `vestibule gate upstream`",
        ],
        C2 => [
            "the key is the provider's own, only its CSR travels",
            "the CSR that was handed over, and the keys that are burned here",
            "ask the provider for the CSR of a new key; then `vestibule gate connection key NAME rotate --csr FILE --emergency`",
        ],
        C3 => [
            "a key of its own",
            "the keys of every connection of this gate",
            "ask the provider for the CSR of a new key; then `vestibule gate connection key NAME rotate --csr FILE`",
        ],
        C3Used => [
            "a key that is used",
            "the gate's record of when the key was used last",
            "ask the provider whether it still needs it; if not, `vestibule gate connection leave NAME --reason TEXT`",
        ],
        C4 => [
            "an IP allow-list on the key",
            "the connection's terms",
            "`vestibule gate connection change NAME --address ADDR --reason TEXT`, with each address that it calls from",
        ],
        C5 => [
            "the first sync comes from reports",
            "the reports that the gate has made",
            "`vestibule gate report create --connection NAME --kind balances`; also addresses and transactions",
        ],
        C6 | C6Few => [
            "webhooks instead of polling",
            "the deliveries of its webhook, and the age of the gate's books",
            "have the provider name a webhook URL and look why deliveries fail; `vestibule gate doctor` tells why books are old",
        ],
        C7 => [
            "no signing right; the client approves before anything is signed",
            "the connection's terms",
            "`vestibule gate connection change NAME --place gate --reason TEXT`; and `vestibule posture` with a key that may read the policy",
        ],
    }
}

/// Of whoever goes straight to Fireblocks.
const WATCHED: [&str; 2] = [
    "what was handed over at the gate",
    "look with a key of an Admin's or a Non-Signing Admin's: `vestibule posture --environment ENV --api-key ID --secret-key FILE --third-party NAME`",
];

/// Looks at a connection.
pub fn findings(known: &Known<'_>) -> Vec<Finding> {
    vec![
        c1(known),
        c2(known),
        c3(known),
        c3_used(known),
        c4(known),
        c5(known),
        c6(known),
        c7(known),
    ]
}

fn finding(
    known: &Known<'_>,
    practice: Practice,
    verdict: Verdict,
    severity: Severity,
    evidence: String,
) -> Finding {
    let (what, name) = ((practice, about(practice)), &known.connection.name);
    Finding::new(what, name, verdict, severity, evidence)
}

/// What the gate has not seen of whoever does not come by here; nothing of whoever does.
fn past(
    known: &Known<'_>,
    practice: Practice,
    severity: Severity,
    unseen: &str,
) -> Option<Finding> {
    (known.connection.mode == Mode::Watched).then(|| {
        let [source, todo] = WATCHED;
        let evidence = format!("it goes straight to Fireblocks: {unseen}");
        Finding {
            source: source.into(),
            todo: todo.into(),
            ..finding(known, practice, CannotBeSeen, severity, evidence)
        }
    })
}

const fn held_if(held: bool) -> Verdict {
    if held { Held } else { Broken }
}

fn c1(known: &Known<'_>) -> Finding {
    let role = known.connection.role;
    let unseen =
        format!("role {role} was agreed; which one its API user has, the gate has not seen");
    past(known, C1, High, &unseen).unwrap_or_else(|| {
        if !known.refused_keys.is_empty() {
            let why = known.refused_keys.join("; ");
            return finding(known, C1, Broken, High, format!("the gate's own: {why}"));
        }
        let evidence = format!("role {role}; a provider's role has no third value");
        finding(known, C1, Held, High, evidence)
    })
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
    finding(known, C2, held_if(!known.burned), High, evidence)
}

fn c3(known: &Known<'_>) -> Finding {
    let evidence = if known.shared {
        "its key is used elsewhere, too"
    } else {
        "its key belongs to this connection alone"
    };
    finding(known, C3, held_if(!known.shared), High, evidence.to_owned())
}

fn c3_used(known: &Known<'_>) -> Finding {
    past(
        known,
        C3Used,
        Low,
        "when its key was used, the gate has not seen",
    )
    .unwrap_or_else(|| {
        let (verdict, evidence) = used(known);
        finding(known, C3Used, verdict, Low, evidence)
    })
}

/// Whether the key is used. One that is new, or not let in, need not be.
fn used(known: &Known<'_>) -> (Verdict, String) {
    let days = |since: Millis| (known.now.0 - since.0).max(0) / DAY;
    let standing = known.connection.standing(known.now);
    match (known.key_used, known.key_since) {
        _ if standing != Standing::Active => {
            let evidence = format!("the connection is {}: it cannot be used", standing.as_str());
            (CannotBeSeen, evidence)
        }
        (Some(used), _) => (
            held_if(known.now < used.plus(UNUSED)),
            format!("used last {} days ago", days(used)),
        ),
        (None, Some(since)) if known.now >= since.plus(UNUSED) => {
            (Broken, format!("never used in {} days", days(since)))
        }
        (None, _) => {
            let evidence = "not used yet, and younger than 30 days";
            (CannotBeSeen, evidence.to_owned())
        }
    }
}

fn c4(known: &Known<'_>) -> Finding {
    let connection = known.connection;
    let list: Vec<_> = connection
        .addresses
        .iter()
        .map(ToString::to_string)
        .collect();
    let list = list.join(", ");
    let unseen = format!("{list} was agreed; which list its API user has, the gate has not seen");
    past(known, C4, High, &unseen).unwrap_or_else(|| {
        let reason = connection.addresses_reason.as_deref();
        let (verdict, severity, evidence) = match check_addresses(&connection.addresses, reason) {
            Err(bad) => (Broken, Medium, bad.to_string()),
            Ok(()) if list.is_empty() => (Broken, High, "it has no allow-list".to_owned()),
            Ok(()) => (Held, High, format!("only from {list}")),
        };
        finding(known, C4, verdict, severity, evidence)
    })
}

fn c5(known: &Known<'_>) -> Finding {
    let unseen = "what it began with, the gate has not seen";
    past(known, C5, Low, unseen).unwrap_or_else(|| {
        let (verdict, evidence) = match known.reports {
            0 if known.connection.state == State::Requested => {
                (CannotBeSeen, "not active yet".to_owned())
            }
            0 => (Broken, "no report was made for it".to_owned()),
            count => (Held, format!("{count} reports made for it")),
        };
        finding(known, C5, verdict, Low, evidence)
    })
}

fn c6(known: &Known<'_>) -> Finding {
    let unseen = "whether it polls, the gate has not seen";
    past(known, C6, Medium, unseen).unwrap_or_else(|| {
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
        let held = known.connection.webhook.is_some() && failed == 0 && !known.too_old;
        finding(known, C6, held_if(held), Medium, evidence)
    })
}

fn c7(known: &Known<'_>) -> Finding {
    let unseen = "neither what its API user may do nor the workspace's policy has the gate seen";
    past(known, C7, High, unseen).unwrap_or_else(|| {
        let (verdict, evidence) = match (known.connection.role, known.connection.place) {
            (ProviderRole::Viewer, _) => (Held, "it cannot propose at all"),
            (ProviderRole::Editor, Place::Gate) => (
                Held,
                "each proposal waits here for an operator, then for the workspace's policy and signer",
            ),
            (ProviderRole::Editor, Place::Fireblocks) => (
                CannotBeSeen,
                "proposals go up at once and wait for the workspace's own approvers: its policy cannot be read with a Viewer's key",
            ),
        };
        finding(known, C7, verdict, High, evidence.to_owned())
    })
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
