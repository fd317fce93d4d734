//! First syncs, events, lost events, comparisons.

use std::sync::atomic::Ordering;

use connector::compare::With;
use connector::operations::first_sync::{FirstSyncOf, first_sync};
use connector::operations::reconcile::reconcile;
use connector::operations::status::{StatusOf, status};
use ledger::digest::FORMULA;
use ledger::reports::Kind;
use wire::clock::{SystemClock, WallClock};

use crate::world::*;

fn of() -> FirstSyncOf {
    FirstSyncOf {
        client: name(),
        progress: None,
    }
}

/// Practice P5: at a gate the books begin with its reports; no list of wallets, addresses or
/// transactions is read.
#[tokio::test(flavor = "multi_thread")]
async fn p5_at_a_gate_the_books_begin_with_reports_and_are_proven_equal() {
    let world = World::at_gate().await;
    for kind in [Kind::Balances, Kind::Addresses, Kind::Transactions] {
        world.upstream.write_report(kind).await;
    }
    world.add().await.expect("added");
    let synced = first_sync(&world.connector, &of()).await.expect("synced");
    assert_eq!(synced.reports.len(), 3);
    assert!(synced.comparison.equal, "{}", synced.comparison.sentence);
    assert!(matches!(
        &synced.comparison.with,
        With::GateDigest { position: 3, .. }
    ));
    // Two balances, two addresses, two legs of one transaction and one of another.
    assert_eq!(synced.comparison.ours.count, 7);
    let calls = world.upstream.calls.lock().expect("a lock").clone();
    for never in ["/v1/transactions", "asset_wallets", "addresses_paginated"] {
        assert!(
            !calls.iter().any(|call| call.contains(never)),
            "{never}: {calls:?}"
        );
    }
    let told = status(&world.connector, &StatusOf::default())
        .await
        .expect("a status");
    assert_eq!(told.len(), 1);
    assert!(told[0].trouble.is_empty(), "{:?}", told[0].trouble);
    let sentence = &told[0].comparison.as_ref().expect("compared").sentence;
    assert!(
        sentence.contains("proven equal: our 7 rows were compared with the digest")
            && sentence.contains(&world.upstream.base_url),
        "{sentence}"
    );
    assert_eq!(told[0].position, Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn without_reports_a_gate_s_lists_are_read() {
    let world = World::at_gate().await;
    world.add().await.expect("added");
    let synced = first_sync(&world.connector, &of()).await.expect("synced");
    assert!(
        synced.reports.is_empty() && synced.comparison.equal,
        "{}",
        synced.comparison.sentence
    );
    assert_eq!(synced.comparison.ours.count, 7);
}

/// Events that come before the first import wait for it, and are applied then.
#[tokio::test(flavor = "multi_thread")]
async fn events_before_the_first_import_wait_for_it() {
    let world = World::at_gate().await;
    world.add().await.expect("added");
    let (running, shutdown, url) = world.run(false).await;
    for kind in [Kind::Balances, Kind::Addresses, Kind::Transactions] {
        world.upstream.write_report(kind).await;
    }
    let event = world.balance(1, "9").await;
    assert_eq!(world.upstream.send(&url, &event).await, 200);
    assert_eq!(
        world.upstream.send(&url, &event).await,
        200,
        "again is no harm"
    );
    let offline = StatusOf {
        client: Some(name()),
        offline: true,
    };
    let told = status(&world.connector, &offline).await.expect("a status");
    assert_eq!((told[0].events.waiting, told[0].events.applied), (1, 0));
    assert_eq!(world.total(1).await, None);
    let synced = first_sync(&world.connector, &of()).await.expect("synced");
    assert!(synced.comparison.equal, "{}", synced.comparison.sentence);
    assert_eq!(world.total(1).await.as_deref(), Some("9"));
    shutdown.cancel();
    running.done.await.expect("ended");
}

/// Practice P6: webhooks keep the books; what is lost is found and said.
#[tokio::test(flavor = "multi_thread")]
async fn p6_a_lost_webhook_is_found_at_a_gate() {
    let world = World::at_gate().await;
    world.add().await.expect("added");
    let (running, shutdown, url) = world.run(true).await;
    until("the first sync", || async {
        world.total(1).await.as_deref() == Some("5")
    })
    .await;
    let event = world.balance(1, "6").await;
    assert_eq!(world.upstream.send(&url, &event).await, 200);
    until("the event", || async {
        world.total(1).await.as_deref() == Some("6")
    })
    .await;
    // Lost: a balance, and a transaction that is more than a year old.
    world.balance(2, "77").await;
    world
        .moves(transaction(1, 1, 2, "COMPLETED"), "FAILED")
        .await;
    // A walk's version is a moment before `Date`, in whole seconds.
    world.upstream.ahead.store(5_000, Ordering::SeqCst);
    let compared = reconcile(&world.connector, &name())
        .await
        .expect("reconciled");
    assert!(compared.equal, "{}", compared.sentence);
    // One balance, and both legs of the transaction.
    assert_eq!(compared.repaired, 3, "{}", compared.sentence);
    assert!(
        compared.sentence.contains("after 3 cells had differed"),
        "{}",
        compared.sentence
    );
    assert_eq!(world.total(2).await.as_deref(), Some("77"));
    shutdown.cancel();
    running.done.await.expect("ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn p6_a_lost_webhook_is_found_straight_at_a_workspace() {
    let world = World::straight().await;
    world.add().await.expect("added");
    let synced = first_sync(&world.connector, &of()).await.expect("synced");
    assert!(synced.comparison.equal, "{}", synced.comparison.sentence);
    // Three balances and addresses, six legs.
    assert_eq!(synced.comparison.ours.count, 12);
    let (running, shutdown, url) = world.run(true).await;
    let mut open = transaction(4, 1, 2, "PENDING_AUTHORIZATION");
    let event = world.moves(open.clone(), "PENDING_AUTHORIZATION").await;
    assert_eq!(world.upstream.send(&url, &event).await, 200);
    let event = world.balance(1, "6").await;
    assert_eq!(world.upstream.send(&url, &event).await, 200);
    until("the event", || async {
        world.total(1).await.as_deref() == Some("6")
    })
    .await;
    // Lost: a balance, and the end of a transaction that was begun long ago.
    world.balance(3, "77").await;
    open["lastUpdated"] = SystemClock.now().0.into();
    world.moves(open, "COMPLETED").await;
    world.upstream.ahead.store(5_000, Ordering::SeqCst);
    let compared = reconcile(&world.connector, &name())
        .await
        .expect("reconciled");
    assert!(
        compared.equal && compared.repaired == 3,
        "{}",
        compared.sentence
    );
    assert!(matches!(&compared.with, With::UpstreamLists { areas, .. } if areas.len() == 4));
    assert_eq!(world.total(3).await.as_deref(), Some("77"));
    shutdown.cancel();
    running.done.await.expect("ended");
}

/// Upstream dates its answers in whole seconds: what was lost in the second of an event is found all the same.
#[tokio::test(flavor = "multi_thread")]
async fn p6_what_was_lost_in_the_second_of_an_event_is_found_straight_at_a_workspace() {
    let world = World::straight().await;
    world.add().await.expect("added");
    first_sync(&world.connector, &of()).await.expect("synced");
    let (running, shutdown, url) = world.run(true).await;
    let event = world.balance(1, "6").await;
    assert_eq!(world.upstream.send(&url, &event).await, 200);
    until("the event", || async {
        world.total(1).await.as_deref() == Some("6")
    })
    .await;
    world.balance(1, "77").await;
    let compared = reconcile(&world.connector, &name())
        .await
        .expect("reconciled");
    assert!(
        compared.equal && compared.repaired == 1 && compared.in_doubt == 0,
        "{}",
        compared.sentence
    );
    assert_eq!(world.total(1).await.as_deref(), Some("77"));
    shutdown.cancel();
    running.done.await.expect("ended");
}

/// A difference that cannot be repaired is told cell by cell, and nothing is called proven.
#[tokio::test(flavor = "multi_thread")]
async fn what_differs_is_told_by_cell() {
    let world = World::at_gate().await;
    world.add().await.expect("added");
    first_sync(&world.connector, &of()).await.expect("synced");
    // Something that no upstream knows, and that is later than all it says.
    let (client, _) = world.connector.client(&name()).await.expect("a client");
    let books = world.connector.books(&client).await.expect("books");
    let later = SystemClock.now().plus(3_600_000);
    books
        .apply(later, vec![wallet(1, "BTC", "1", later)])
        .await
        .expect("applied");
    let compared = reconcile(&world.connector, &name())
        .await
        .expect("reconciled");
    assert!(
        !compared.equal && !compared.sentence.contains("proven"),
        "{}",
        compared.sentence
    );
    assert_eq!(compared.differing, 1);
    assert_eq!(compared.cells[0].cell.asset.as_str(), "BTC");
}

/// A gate of another release counts otherwise: that is told as it is, and no row is called different.
#[tokio::test(flavor = "multi_thread")]
async fn digests_of_another_formula_are_compared_with_nothing() {
    let world = World::at_gate().await;
    world.add().await.expect("added");
    first_sync(&world.connector, &of()).await.expect("synced");
    // What says none is of before there were several.
    for (says, theirs) in [(FORMULA + 1, FORMULA + 1), (0, 1)] {
        world.upstream.formula.store(says, Ordering::SeqCst);
        let compared = reconcile(&world.connector, &name()).await;
        let why = compared.expect_err("nothing is compared").to_string();
        assert_eq!(
            why,
            format!(
                "the gate counts digests by formula {theirs}, this connector by {FORMULA}: update the older one"
            )
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_of_this_client_is_refused_at_its_path() {
    let world = World::at_gate().await;
    world.add().await.expect("added");
    let (running, shutdown, url) = world.run(false).await;
    let event = world.balance(1, "6").await;
    let workspace = crate::upstream::WORKSPACE.to_string();
    let foreign = event.replace(&workspace, &uuid::Uuid::from_u128(99).to_string());
    assert_eq!(world.upstream.send(&url, &foreign).await, 403);
    assert_eq!(
        world
            .upstream
            .send(&url.replace("fund", "other"), &event)
            .await,
        404
    );
    let unsigned = reqwest::Client::new()
        .post(&url)
        .body(event)
        .send()
        .await
        .expect("an answer");
    assert_eq!(unsigned.status().as_u16(), 401);
    let api = reqwest::get(url.replace("webhooks/fund", "v1/transactions"))
        .await
        .expect("an answer");
    assert_eq!(api.status().as_u16(), 401, "no API here");
    shutdown.cancel();
    running.done.await.expect("ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_added_while_it_runs_is_taken_in() {
    let world = World::at_gate().await;
    let (running, shutdown, url) = world.run(true).await;
    assert!(running.ready.clients.is_empty());
    world.add().await.expect("added");
    until("the first sync", || async {
        world.total(1).await.as_deref() == Some("5")
    })
    .await;
    let event = world.balance(1, "6").await;
    assert_eq!(world.upstream.send(&url, &event).await, 200);
    until("the event", || async {
        world.total(1).await.as_deref() == Some("6")
    })
    .await;
    shutdown.cancel();
    running.done.await.expect("ended");
}
