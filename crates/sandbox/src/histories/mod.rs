//! Random histories of a workspace: whatever happens, every place holds what the test's own ledger
//! says; also where the sandbox is gone of a sudden, and opened again. `PROPTEST_CASES` sets how many
//! there are, and makes them others each time.

mod acts;
mod ledger;
mod life;
mod places;
mod play;
mod steps;
mod visitor;

use std::collections::BTreeMap;
use std::sync::Mutex;

use proptest::collection::vec;
use proptest::prelude::any;
use proptest::test_runner::{Config as Cases, RngSeed, TestCaseError, TestRunner};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use life::{Life, config};
use play::Player;
use steps::{Step, step};
pub(crate) use visitor::Visitor;

use crate::ground::Ground;
use crate::making::{Source, Wanted};
use crate::start::{Running, start};
use crate::world::Network;

/// Most steps of a history.
const STEPS: usize = 40;
/// Histories where nobody says how many; and how many of them with sudden ends.
const HISTORIES: u32 = 250;
const SUDDEN: u32 = 25;
/// What must come to pass in so many histories.
const ENDS: [&str; 16] = [
    "BLOCKED BLOCKED_BY_POLICY",
    "BROADCASTING ",
    "CANCELLED 3RD_PARTY_REJECTED",
    "CANCELLED CANCELLED_BY_USER",
    "CANCELLED REJECTED_BY_USER",
    "COMPLETED ",
    "COMPLETED CONFIRMED",
    "CONFIRMING PENDING_BLOCKCHAIN_CONFIRMATIONS",
    "FAILED DROPPED_BY_BLOCKCHAIN",
    "FAILED MAX_FEE_EXCEEDED",
    "FAILED SMART_CONTRACT_EXECUTION_FAILED",
    "FAILED TIMEOUT",
    "PENDING_AML_SCREENING ",
    "QUEUED ",
    "REJECTED FROZEN_MANUALLY",
    "REJECTED REJECTED_AML_SCREENING",
];

/// How many histories of some kind are played: so many and always the same, or as many others as
/// are asked for.
fn cases(usual: u32) -> Cases {
    let told = std::env::var("PROPTEST_CASES").ok();
    let told: Option<u32> = told.and_then(|text| text.parse().ok());
    Cases {
        cases: told.map_or(usual, |cases| cases * usual / HISTORIES),
        rng_seed: told.map_or(RngSeed::Fixed(4), |_| RngSeed::Random),
        max_shrink_iters: 2_000,
        failure_persistence: None,
        ..Cases::default()
    }
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all();
    builder.build().expect("a runtime")
}

/// What panics in a history fails it, so that it can be made smaller.
fn judged(history: impl FnOnce()) -> Result<(), TestCaseError> {
    let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(history));
    played.map_err(|why| {
        let text = why.downcast_ref::<String>().cloned();
        let text = text.or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        TestCaseError::fail(text.unwrap_or_default())
    })
}

#[test]
fn whatever_happens_every_place_holds_what_the_ledger_says() {
    let runtime = runtime();
    let shutdown = CancellationToken::new();
    let running = runtime.block_on(start(config(None), shutdown.clone()));
    let running = running.expect("a sandbox");
    let cases = cases(HISTORIES);
    let whole = cases.cases >= HISTORIES;
    let mut runner = TestRunner::new(cases);
    let seen = Mutex::new(BTreeMap::<String, usize>::new());
    let played = runner.run(&vec(step(), 1..STEPS), |steps| {
        judged(|| {
            let player = runtime.block_on(in_a_new_workspace(&running, &steps));
            for end in player.seen {
                *seen.lock().expect("a tally").entry(end).or_default() += 1;
            }
        })
    });
    if let Err(why) = played {
        panic!("{why}");
    }
    let seen = seen.into_inner().expect("a tally");
    println!("{seen:#?}");
    for end in ENDS.iter().filter(|_| whole) {
        assert!(
            seen.contains_key(*end),
            "{end} never came to pass: {seen:#?}"
        );
    }
    shutdown.cancel();
    runtime.block_on(running.done());
}

async fn in_a_new_workspace(running: &Running, steps: &[Step]) -> Player {
    let halls = running.halls();
    let made = halls.make(Wanted {
        name: None,
        source: Source::Ground(Ground::Fund(Network::Mainnet)),
        at: None,
        frozen: true,
    });
    let hall = made.await.expect("a workspace");
    let mut player = Player::new(&hall).await;
    for step in steps {
        player.play(step).await;
    }
    player.coins().await;
    halls.remove(&hall).await.expect("it goes");
    player
}

/// After which steps the sandbox is gone, and how far the last one has come then.
type Ends = Vec<(u8, u8)>;

#[test]
fn what_has_happened_is_there_after_a_sudden_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = folder.path().join("made.db");
    Life::begin(&made).end();
    let ends = vec((0..u8::try_from(STEPS).expect("few"), any::<u8>()), 1..4);
    let mut runner = TestRunner::new(cases(SUDDEN));
    let played = runner.run(&(vec(step(), 1..STEPS), ends), |(steps, ends)| {
        judged(|| {
            let own = folder.path().join("own.db");
            std::fs::copy(&made, &own).expect("a copy");
            with_sudden_ends(Life::begin(&own), &steps, &ends);
            for left in std::fs::read_dir(folder.path()).expect("a folder") {
                let left = left.expect("a file").path();
                if left != made {
                    std::fs::remove_file(left).expect("it goes");
                }
            }
        })
    });
    if let Err(why) = played {
        panic!("{why}");
    }
}

fn with_sudden_ends(mut life: Life, steps: &[Step], ends: &Ends) {
    let mut player = life.player();
    for (number, step) in steps.iter().enumerate() {
        match ends.iter().find(|(at, _)| usize::from(*at) == number) {
            None => life.runtime.block_on(player.play(step)),
            Some((_, polls)) => {
                let made = life.cut_off(&mut player, step, *polls);
                life = life.again(&mut player);
                life.runtime.block_on(player.look(made));
            }
        }
    }
    life.runtime.block_on(player.coins());
    drop(player);
    life.end();
}
