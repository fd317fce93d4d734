//! What attackers try: tables of named attempts over real sockets, each with what it must get. After
//! each the gate is asked whether anything has changed.
//!
//! | table | what is tried |
//! |---|---|
//! | [`tokens`] | forged, confused, doubled and twisted tokens |
//! | [`replay`] | a token that was right, again or elsewhere |
//! | [`paths`] | targets that two readers take differently |
//! | [`framing`] | requests whose end two readers see in different places |
//! | [`headers`] | headers that claim to be somebody else |
//! | [`bodies`] | bodies that two readers take differently, or that cost much |
//! | [`proposals`] | fields and amounts that no provider may set |
//! | [`targets`] | addresses that a gate would call from inside the client's network |
//! | [`others`] | what belongs to others: ids, cursors, lists, administration |

mod attempt;
mod bodies;
mod framing;
mod headers;
mod others;
mod paths;
mod proposals;
mod replay;
mod scene;
mod targets;
mod tokens;

use std::collections::BTreeSet;

use protocol::ids::UserId;
use protocol::keys::{KeySize, PrivateKey};
use uuid::Uuid;

use attempt::{Attacker, Attempt};
use scene::{Prey, Scene};

/// A table of attempts.
type Table = fn(&Attacker, &Prey) -> Vec<Attempt>;

const TABLES: [(&str, Table); 8] = [
    ("tokens", tokens::attempts),
    ("replay", replay::attempts),
    ("paths", paths::attempts),
    ("framing", framing::attempts),
    ("headers", headers::attempts),
    ("bodies", bodies::attempts),
    ("proposals", proposals::attempts),
    ("others", others::attempts),
];
/// So many are there at least.
const AT_LEAST: usize = 400;

#[test]
fn each_attempt_has_a_name_of_its_own_and_there_are_enough() {
    let nobody = Attacker {
        user: UserId(Uuid::from_u128(1)),
        key: PrivateKey::generate(KeySize::Rsa2048).expect("a key"),
    };
    let mut names = BTreeSet::new();
    for (table, attempts) in TABLES {
        for attempt in attempts(&nobody, &Prey::default()) {
            let name = format!("{table}: {}", attempt.name);
            assert!(names.insert(name.clone()), "{name}, twice");
        }
    }
    assert!(names.len() >= AT_LEAST, "{} attempts", names.len());
}

async fn all_of(table: &str) {
    let mut scene = Scene::new().await;
    let (_, attempts) = TABLES.iter().find(|(name, _)| *name == table).expect("it");
    for attempt in attempts(&scene.attacker(), &scene.prey) {
        scene.withstands(&attempt).await;
    }
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
