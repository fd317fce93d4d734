//! What attackers try: tables of named attempts over real sockets, each with what it must get. After
//! each the gate is asked whether anything has changed.
//!
//! | table | what is tried |
//! |---|---|
//! | [`tokens`], [`jose`] | forged, confused, doubled and twisted tokens, and what their headers bring along |
//! | [`replay`] | a token that was right, again or elsewhere |
//! | [`paths`] | targets that two readers take differently |
//! | [`framing`] | requests whose end two readers see in different places |
//! | [`headers`] | headers that claim to be somebody else |
//! | [`bodies`] | bodies that two readers take differently, or that cost much |
//! | [`proposals`] | fields and amounts that no provider may set |
//! | [`targets`] | addresses that a gate would call from inside the client's network |
//! | [`others`] | what belongs to others: ids, cursors, lists, administration |
//! | [`ids`] | ids in sequence: accounts, transactions, proposals, reports, whitelists |
//! | [`slow`] | heads and bodies that trickle in, answers that nobody reads |
//! | [`events`] | events of a stranger's workspace, rightly signed |
//! | [`words`] | line ends, escapes, HTML, formulas in whatever a provider controls |
//!
//! Time is not measured here: what is outside a scope and what is not there cost the same rows and steps,
//! which `ledger::reads::judge::outside` counts.

mod attempt;
mod bodies;
mod events;
mod framing;
mod headers;
mod ids;
mod jose;
mod others;
mod paths;
mod proposals;
mod replay;
mod scene;
mod slow;
mod targets;
mod tokens;
mod words;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use protocol::ids::UserId;
use protocol::keys::{KeySize, PrivateKey};
use serde_json::{Value, json};
use uuid::Uuid;

use attempt::{Attacker, Attempt};
use scene::{Prey, Scene};

/// A table of attempts.
struct Table {
    name: &'static str,
    /// A right one, which opens what the others try: made before all of them, and after.
    right: fn(&Attacker) -> Attempt,
    attempts: fn(&Attacker, &Prey) -> Vec<Attempt>,
}

const TABLES: [Table; 9] = [
    Table {
        name: "tokens",
        right: tokens::right,
        attempts: tokens::attempts,
    },
    Table {
        name: "replay",
        right: replay::right,
        attempts: replay::attempts,
    },
    Table {
        name: "paths",
        right: paths::right,
        attempts: paths::attempts,
    },
    Table {
        name: "framing",
        right: framing::right,
        attempts: framing::attempts,
    },
    Table {
        name: "headers",
        right: headers::right,
        attempts: headers::attempts,
    },
    Table {
        name: "bodies",
        right: bodies::right,
        attempts: bodies::attempts,
    },
    Table {
        name: "proposals",
        right: proposals::right,
        attempts: proposals::attempts,
    },
    Table {
        name: "others",
        right: others::right,
        attempts: others::attempts,
    },
    Table {
        name: "words",
        right: words::right,
        attempts: words::attempts,
    },
];
/// So many are there at least.
const AT_LEAST: usize = 550;
/// A token is good for 55 seconds: a table that takes longer than this is signed anew.
const SIGNED_FOR: Duration = Duration::from_secs(25);

#[test]
fn each_attempt_has_a_name_of_its_own_and_there_are_enough() {
    let nobody = Attacker {
        user: UserId(Uuid::from_u128(1)),
        key: PrivateKey::generate(KeySize::Rsa2048).expect("a key"),
    };
    let mut names = BTreeSet::new();
    for table in TABLES {
        for attempt in (table.attempts)(&nobody, &Prey::default()) {
            let name = format!("{}: {}", table.name, attempt.name);
            assert!(names.insert(name.clone()), "{name}, twice");
        }
    }
    assert!(names.len() >= AT_LEAST, "{} attempts", names.len());
}

async fn all_of(name: &str) -> Scene {
    let mut scene = Scene::new().await;
    let by = scene.attacker();
    let table = TABLES.into_iter().find(|table| table.name == name);
    let table = table.expect("a table");
    let (mut made, mut all) = (0, 1);
    while made < all {
        let signed = Instant::now();
        let (first, last) = ((table.right)(&by), (table.right)(&by));
        let attempts = (table.attempts)(&by, &scene.prey);
        all = attempts.len();
        scene.withstands(&first).await;
        for attempt in &attempts[made..] {
            if signed.elapsed() > SIGNED_FOR {
                break;
            }
            scene.withstands(attempt).await;
            made += 1;
        }
        // Signed before them all, and still right: none of them was refused for its age.
        scene.withstands(&last).await;
    }
    scene
}

#[tokio::test]
async fn invariant_2_no_twisted_token_opens_the_door() {
    all_of("tokens").await;
}

#[tokio::test]
async fn invariant_2_no_token_works_again_or_elsewhere() {
    all_of("replay").await;
}

#[tokio::test]
async fn invariant_2_no_twisted_target_reaches_anything() {
    all_of("paths").await;
}

#[tokio::test]
async fn invariant_2_no_request_hides_in_another() {
    all_of("framing").await;
}

#[tokio::test]
async fn invariant_2_no_header_makes_somebody_else_of_the_caller() {
    all_of("headers").await;
}

#[tokio::test]
async fn invariant_2_no_twisted_body_is_taken() {
    all_of("bodies").await;
}

#[tokio::test]
async fn invariant_1_no_field_slips_into_a_proposal() {
    all_of("proposals").await;
}

#[tokio::test]
async fn invariant_7_nothing_of_others_is_told() {
    all_of("others").await;
}

/// Each was told to the log, where it is one text of one entry.
#[tokio::test]
async fn invariant_8_no_words_of_a_provider_act_where_they_are_read() {
    fn texts<'a>(value: &'a Value, all: &mut Vec<&'a str>) {
        match value {
            Value::String(text) => all.push(text),
            Value::Array(items) => items.iter().for_each(|item| texts(item, all)),
            Value::Object(fields) => fields.iter().for_each(|(name, value)| {
                all.push(name);
                texts(value, all);
            }),
            _ => {}
        }
    }
    let log = all_of("words").await.log().await;
    let refused = log.iter().filter(|entry| entry["kind"] == "refused");
    assert!(refused.count() > 0, "refusals are told: {log:?}");
    for (at, entry) in log.iter().enumerate() {
        assert_eq!(entry["index"], json!(at));
        let mut all = Vec::new();
        texts(entry, &mut all);
        for text in all {
            assert!(!text.contains(char::is_control), "{text:?} in {entry}");
        }
    }
}
