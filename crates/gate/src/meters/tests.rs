use proptest::prelude::*;
use protocol::exchange::Reply;
use protocol::role::ProviderRole;

use super::*;
use crate::connections::BudgetGrant;
use crate::testing::{NOW, World, accounts, connection};

const ROWS: BudgetName = BudgetName::RowsPerDay;

fn budgets(of: impl IntoIterator<Item = (BudgetName, u32)>) -> Budgets {
    BudgetGrant::from_iter(of).into()
}

fn midnight() -> Millis {
    Day::of(NOW).ends()
}

proptest! {
    /// Against a model that keeps every day by itself.
    #[test]
    fn a_day_holds_what_it_may_and_the_next_begins_anew(
        most in 0..40_u32,
        steps in proptest::collection::vec((0..3_i64, 0..12_u32, any::<bool>()), 0..60),
    ) {
        let meter = Meter::new(budgets([(ROWS, most)]));
        let (mut now, mut used) = (NOW, 0);
        for (hours, amount, back) in steps {
            let later = now.plus(hours * 6 * Millis::HOUR);
            if Day::of(later) > Day::of(now) {
                used = 0;
            }
            now = later;
            let fits = used + amount <= most;
            let taken = meter.take(ROWS, amount as usize, now);
            prop_assert_eq!(taken.is_ok(), fits);
            if let Err(error) = taken {
                let told = error.limit().expect("a limit");
                prop_assert_eq!((told.limit, told.remaining), (most, left(used.into(), most)));
                prop_assert!((1..=LONGEST_WAIT).contains(&told.retry_after));
            } else if back {
                meter.give_back(ROWS, amount, now);
            } else {
                used += amount;
            }
            prop_assert_eq!(meter.left(ROWS, now), Some(left(used.into(), most)));
            prop_assert_eq!(meter.any(ROWS, now).is_ok(), used < most);
        }
    }
}

/// Threads that take at once, over a midnight, get exactly what two days hold.
#[test]
fn as_much_as_there_is_and_not_one_more_however_many_take_at_once() {
    let most = 10_007;
    let meter = Meter::new(budgets([(ROWS, most)]));
    for now in [NOW, midnight()] {
        let taken: usize = std::thread::scope(|scope| {
            let one = || {
                (0..4_000)
                    .filter(|_| meter.take(ROWS, 3, now).is_ok())
                    .count()
            };
            let all: Vec<_> = (0..4).map(|_| scope.spawn(one)).collect();
            all.into_iter()
                .map(|one| one.join().expect("counted"))
                .sum()
        });
        assert_eq!(taken, 3_335, "{} of {most}", 3 * taken);
        assert_eq!(meter.left(ROWS, now), Some(2));
    }
}

#[test]
fn a_day_ends_at_midnight_utc_and_one_that_is_over_does_not_come_back() {
    let meter = Meter::new(budgets([(ROWS, 1)]));
    let last = midnight().plus(-1);
    assert_eq!(meter.take(ROWS, 1, last), Ok(()));
    assert!(meter.take(ROWS, 1, last).is_err());
    assert_eq!(meter.take(ROWS, 1, midnight()), Ok(()));
    assert!(
        meter.take(ROWS, 1, last).is_err(),
        "a call that began before midnight"
    );
    meter.give_back(ROWS, 1, last);
    assert_eq!(
        meter.left(ROWS, midnight()),
        Some(0),
        "yesterday's is not today's"
    );
}

#[test]
fn what_is_left_and_when_there_is_more_is_told() {
    let budgets = budgets([(ROWS, 7), (BudgetName::ProposalsOpen, 3)]);
    let told = |name, at| {
        let reply = Reply::from(over(&budgets, name, 2, at));
        let body = String::from_utf8(reply.body.to_vec()).expect("text");
        (reply.status, reply.headers, body)
    };
    let (status, headers, body) = told(ROWS, midnight().plus(-60_000));
    let expected = [
        ("retry-after", "5"),
        ("x-ratelimit-limit", "7"),
        ("x-ratelimit-remaining", "2"),
        ("x-ratelimit-windowsize", "86400"),
        ("x-ratelimit-reset", "61"),
    ];
    assert_eq!(
        (status, headers),
        (
            429,
            expected
                .map(|(name, value)| (name, value.to_owned()))
                .into()
        )
    );
    assert_eq!(
        body,
        r#"{"message":"Too many requests: 2 of 7 are left of the budget rows_per_day, again in 61 s"}"#
    );
    let (_, headers, body) = told(BudgetName::ProposalsOpen, NOW);
    assert_eq!(headers.len(), 3);
    assert!(
        body.contains("proposals_open, once one of them is decided"),
        "{body}"
    );
}

#[test]
fn who_may_not_call_at_all_does_not() {
    let meter = Meter::new(budgets([(BudgetName::RequestsPerSecond, 0)]));
    assert!(meter.call(NOW).is_err());
    let meter = Meter::new(budgets([(BudgetName::RequestsPerDay, 2)]));
    let calls = [NOW, NOW, NOW, midnight()].map(|at| meter.call(at).is_ok());
    assert_eq!(calls, [true, true, false, true]);
}

async fn rows_of(world: &World) -> usize {
    world.count("gate_used").await
}

/// Also of connections that were out of memory for a while, and under other budgets.
#[tokio::test]
async fn invariant_2_what_was_used_stays_used_whatever_happens_to_the_connection() {
    let world = World::new().await;
    let mut acme = connection("acme", ProviderRole::Viewer, accounts([1]));
    let meter = world.gate.meters.of(&acme);
    assert_eq!(meter.take(ROWS, 10, NOW), Ok(()));
    acme.budgets = acme.budgets.granting(&[(ROWS, 12)].into());
    let narrow = world.gate.meters.of(&acme);
    assert_eq!(narrow.left(ROWS, NOW), Some(2));
    // Who came in before the change counts in the same place.
    assert_eq!(meter.take(ROWS, 1, NOW), Ok(()));
    assert_eq!(narrow.left(ROWS, NOW), Some(1));
    assert!(Arc::ptr_eq(&narrow, &world.gate.meters.of(&acme)));
}

#[tokio::test]
async fn a_restart_knows_what_was_folded_and_nothing_is_written_where_nothing_was_used() {
    let world = World::new().await;
    let acme = connection("acme", ProviderRole::Viewer, accounts([1]));
    let idle = connection("idle", ProviderRole::Viewer, accounts([1]));
    let (meter, _) = (world.gate.meters.of(&acme), world.gate.meters.of(&idle));
    fold(&world.gate).await;
    assert_eq!(rows_of(&world).await, 0);
    assert_eq!(meter.take(ROWS, 10, NOW), Ok(()));
    assert_eq!(meter.call(NOW), Ok(()));
    fold(&world.gate).await;
    assert_eq!(rows_of(&world).await, 1);
    // Gone with the process, as after kill -9.
    assert_eq!(meter.take(ROWS, 5, NOW), Ok(()));
    let world = world.again().await;
    let meter = world.gate.meters.of(&acme);
    let full = BudgetName::usual;
    assert_eq!(meter.left(ROWS, NOW), Some(full(ROWS) - 10));
    let calls = BudgetName::RequestsPerDay;
    assert_eq!(meter.left(calls, NOW), Some(full(calls) - 1));
    assert_eq!(meter.left(ROWS, midnight()), Some(full(ROWS)));
    // Nothing has changed since: nothing is counted again.
    fold(&world.gate).await;
    assert_eq!(meter.left(ROWS, NOW), Some(full(ROWS) - 10));
    let begun = Meters::open(&world.gate.store, world.gate.workspace()).await;
    let left = begun.expect("read").of(&acme).left(ROWS, NOW);
    assert_eq!(left, Some(full(ROWS) - 10));
}
