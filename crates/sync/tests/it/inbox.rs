use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ledger::{Applied, Batch, positions};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use protocol::model::event::Envelope;
use serde_json::json;
use store::{StoreError, Writing, on_both};
use sync::inbox::Counts;
use sync::{Area, AsItIs, Outcome};
use wire::hooks_in::Stored;

use crate::world::*;

const ROOMS: &[store::Room] = &[ledger::ROOM, sync::ROOM];

fn nothing(
    _: &mut Writing<'_>,
    _: &mut Batch,
    _: &Envelope,
    _: &[Outcome],
) -> Result<(), StoreError> {
    Ok(())
}

/// Counts the event as a gate does: a position in the transaction of its changes.
fn counted(
    writing: &mut Writing<'_>,
    _: &mut Batch,
    _: &Envelope,
    _: &[Outcome],
) -> Result<(), StoreError> {
    positions::bump(writing, WORKSPACE, "c").map(drop)
}

async fn position(store: &store::Store) -> i64 {
    store
        .read(|reading| positions::current(reading, WORKSPACE, "c"))
        .await
        .expect("a position")
}

fn history() -> Vec<String> {
    let mut events = Vec::new();
    for account in 1..4 {
        let id = u128::from(account) * 10;
        events.push(created(id, 100, account));
        events.push(added(id + 1, 200, account));
        for (step, total) in ["1", "2.5", "0.75"].into_iter().enumerate() {
            let step = i64::try_from(step).expect("small");
            events.push(balance(
                id + 2 + u128::try_from(step).expect("small"),
                300 + step,
                account,
                total,
            ));
        }
    }
    for id in 1..4 {
        for (step, status) in ["SUBMITTED", "CONFIRMING", "COMPLETED"]
            .into_iter()
            .enumerate()
        {
            events.push(moved(
                id,
                status,
                400,
                400 + i64::try_from(step).expect("small"),
            ));
        }
    }
    events
}

on_both! {
    rooms: ROOMS,
    async fn events_in_any_order_any_number_of_times_give_equal_books(store: TestStore) {
        let mut outcome = None;
        let mut runner = TestRunner::deterministic();
        for round in 0..5_u128 {
            let here = protocol::ids::WorkspaceId(uuid::Uuid::from_u128(100 + round));
            let books = ledger::Books::open(&store, here).await.expect("books");
            let inbox = sync::Inbox::new(&store, here, "c", clock());
            let mut events = [history(), history()].concat();
            if round > 0 {
                events = Just(events).prop_shuffle().new_tree(&mut runner).expect("a shuffle").current();
            }
            let mut stored = 0;
            for (at, event) in events.iter().enumerate() {
                stored += usize::from(post(&inbox, event).await == Stored::New);
                if at % 7 == 6 {
                    inbox.drain(&books, &AsItIs, nothing).await.expect("drained");
                }
            }
            inbox.drain(&books, &AsItIs, nothing).await.expect("drained");
            assert_eq!(stored, history().len(), "each id once");
            let counts = Counts { applied: u64::try_from(stored).expect("small"), ..Counts::default() };
            assert_eq!(inbox.counts().await.expect("counts"), counts);
            let digest = digest(&books).await;
            assert_eq!(*outcome.get_or_insert(digest), digest, "round {round}");
        }
        // A balance a wallet, two legs a transaction.
        assert_eq!(outcome.map(|digest| digest.count), Some(3 + 6));
    }

    rooms: ROOMS,
    async fn what_is_written_beside_an_event_counts_once_whatever_fails(store: TestStore) {
        let (books, inbox) = (books(&store).await, inbox(&store));
        for event in [created(1, 1, 1), added(2, 2, 1), balance(3, 3, 1, "5"), balance(4, 4, 1, "6")] {
            post(&inbox, &event).await;
        }
        let broken = Arc::new(AtomicBool::new(true));
        let beside = {
            let broken = Arc::clone(&broken);
            move |writing: &mut Writing<'_>, batch: &mut Batch, envelope: &Envelope, outcomes: &[Outcome]| {
                counted(writing, batch, envelope, outcomes)?;
                if envelope.created_at.0 == 3 && broken.load(Ordering::SeqCst) {
                    return Err(StoreError::Closed);
                }
                Ok(())
            }
        };
        assert!(inbox.drain(&books, &AsItIs, beside.clone()).await.is_err());
        // Those before are done, that one and those behind are new, and nothing of it is written.
        assert_eq!(inbox.counts().await.expect("counts"), Counts { new: 2, applied: 2, aside: 0 });
        assert_eq!((position(&store).await, total(&books, 1).await.as_deref()), (2, Some("0")));
        broken.store(false, Ordering::SeqCst);
        let drained = inbox.drain(&books, &AsItIs, beside).await.expect("drained");
        assert_eq!((drained.applied, drained.latest.map(|at| at.0)), (2, Some(4)));
        assert_eq!((position(&store).await, total(&books, 1).await.as_deref()), (4, Some("6")));
    }

    rooms: ROOMS,
    async fn two_who_drain_at_once_apply_each_event_once(store: TestStore) {
        // Two inboxes of one name are two processes over one store.
        let (one, other) = ((books(&store).await, inbox(&store)), (books(&store).await, inbox(&store)));
        for id in 0..250 {
            post(&one.1, &balance(id, 10 + i64::try_from(id).expect("small"), 1, &id.to_string())).await;
        }
        let (a, b) = tokio::join!(
            one.1.drain(&one.0, &AsItIs, counted),
            other.1.drain(&other.0, &AsItIs, counted),
        );
        assert_eq!(a.expect("drained").applied + b.expect("drained").applied, 250);
        assert_eq!((position(&store).await, total(&one.0, 1).await.as_deref()), (250, Some("249")));
    }

    rooms: ROOMS,
    async fn what_is_not_understood_is_kept_and_can_be_tried_again(store: TestStore) {
        let (books, inbox) = (books(&store).await, inbox(&store));
        assert_eq!(post(&inbox, "not JSON").await, Stored::New);
        assert_eq!(post(&inbox, "not JSON").await, Stored::Duplicate);
        post(&inbox, &event(1, "transaction.created", 1, &json!({"id": 7}))).await;
        post(&inbox, &event(2, "never.heard.of", 1, &json!({}))).await;
        post(&inbox, &balance(3, 3, 1, "5")).await;
        let drained = inbox.drain(&books, &AsItIs, counted).await.expect("drained");
        assert_eq!((drained.applied, drained.aside), (2, 1));
        assert_eq!((position(&store).await, total(&books, 1).await.as_deref()), (2, Some("5")));
        let asides = inbox.asides(10).await.expect("asides");
        assert_eq!(asides.len(), 2);
        assert!(asides[0].reason.contains("transaction.created"), "{:?}", asides[0]);
        assert_eq!((asides[1].body.as_slice(), asides[1].received_at), (&b"not JSON"[..], NOW));
        assert_eq!(inbox.try_asides_again().await.expect("again"), 2);
        assert_eq!(inbox.drain(&books, &AsItIs, nothing).await.expect("drained").aside, 2);
    }

    rooms: ROOMS,
    async fn events_wait_while_a_first_import_is_under_way(store: TestStore) {
        let (books, inbox) = (books(&store).await, inbox(&store));
        inbox.hold();
        post(&inbox, &balance(1, 3, 1, "5")).await;
        inbox.arrived().await;
        assert_eq!(inbox.drain(&books, &AsItIs, nothing).await.expect("drained").applied, 0);
        assert_eq!(inbox.counts().await.expect("counts").new, 1);
        inbox.release();
        inbox.arrived().await;
        let drained = inbox.drain(&books, &AsItIs, nothing).await.expect("drained");
        assert_eq!(drained.applied, 1);
        let account = protocol::ids::VaultAccountId::new(1);
        let asset: protocol::ids::AssetId = "ETH".parse().expect("an asset");
        assert_eq!(drained.walk, BTreeSet::from([Area::AssetWallets, Area::AddressesOf(account, asset)]));
    }

    rooms: ROOMS,
    async fn what_became_of_each_change_is_told(store: TestStore) {
        let (books, inbox) = (books(&store).await, inbox(&store));
        let told = Arc::new(std::sync::Mutex::new(Vec::new()));
        for event in [moved(1, "COMPLETED", 1, 9), moved(1, "SUBMITTED", 1, 2)] {
            post(&inbox, &event).await;
        }
        let seen = Arc::clone(&told);
        inbox.drain(&books, &AsItIs, move |_, _, _, outcomes| {
            let applied: Vec<_> = outcomes.iter().map(|outcome| outcome.applied.clone()).collect();
            seen.lock().expect("a lock").push(applied);
            Ok(())
        }).await.expect("drained");
        assert_eq!(*told.lock().expect("a lock"), [vec![Applied::Changed], vec![Applied::Kept]]);
    }

    rooms: ROOMS,
    async fn applied_events_are_forgotten_and_waiting_ones_are_not(store: TestStore) {
        let (books, inbox) = (books(&store).await, inbox(&store));
        post(&inbox, &balance(1, 3, 1, "5")).await;
        inbox.drain(&books, &AsItIs, nothing).await.expect("drained");
        post(&inbox, &balance(2, 4, 1, "6")).await;
        assert_eq!(inbox.forget_before(NOW).await.expect("forgotten"), 0);
        assert_eq!(inbox.forget_before(NOW.plus(1)).await.expect("forgotten"), 1);
        assert_eq!(inbox.counts().await.expect("counts"), Counts { new: 1, applied: 0, aside: 0 });
    }
}
