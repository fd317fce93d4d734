//! The machine's clock is set back.

use gate::{Config, StartError};
use protocol::time::Millis;
use tokio_util::sync::CancellationToken;
use wire::clock::{ManualClock, SystemClock, WallClock};

use crate::desk::{Desk, comes_in};

/// Makes a gate by a clock that is this far ahead, and starts it.
async fn made(ahead: i64, set: impl Fn(&mut Config)) -> Result<gate::Running, StartError> {
    let home = tempfile::tempdir().expect("a folder");
    let (folder, mut config) = (gate::Folder::new(home.path().join("gate")), Desk::config());
    set(&mut config);
    let clock = ManualClock::at(SystemClock.now().plus(ahead));
    let made = gate::init::init(&folder, &config, "", "owner", &clock).await;
    made.expect("a gate");
    let shutdown = CancellationToken::new();
    shutdown.cancel();
    gate::start(folder, config, shutdown).await
}

#[tokio::test]
async fn invariant_2_a_gate_does_not_start_with_a_clock_that_was_set_back() {
    let refused = made(Millis::DAY, |_| {}).await.expect_err("a day back");
    assert!(matches!(refused, StartError::Clock(86_000..)), "{refused}");
    assert!(refused.to_string().contains("clock_was_ahead"), "{refused}");
    for (ahead, known) in [(20 * Millis::SECOND, false), (Millis::DAY, true)] {
        let started = made(ahead, |config| config.development.clock_was_ahead = known).await;
        started.expect("a gate").done().await.expect("told to end");
    }
}

#[tokio::test]
async fn a_gate_that_starts_again_lets_the_same_in() {
    let mut desk = Desk::new().await;
    let acme = desk.enrol("acme").await;
    desk.gate.stop().await;
    desk.gate.start().await;
    assert_eq!(comes_in(&acme).await, 200);
}
