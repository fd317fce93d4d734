//! What `status` says of a client, and what it keeps while nobody answers.

use std::sync::atomic::Ordering;

use connector::clients::Verdict;
use connector::operations::first_sync::{FirstSyncOf, first_sync};
use connector::operations::status::{Attention, ClientStatus, StatusOf, status};
use protocol::role::Role;
use wire::clock::{SystemClock, WallClock};

use crate::world::*;

async fn told(world: &World) -> ClientStatus {
    let of = StatusOf::default();
    let told = status(&world.connector, &of).await.expect("a status");
    told.into_iter().next().expect("one client")
}

async fn filled(world: &World) {
    world.add().await.expect("added");
    let of = FirstSyncOf {
        client: name(),
        progress: None,
    };
    first_sync(&world.connector, &of).await.expect("synced");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_role_is_named_and_kept_while_upstream_is_down() {
    for world in [World::at_gate().await, World::straight().await] {
        filled(&world).await;
        let up = told(&world).await;
        assert_eq!(up.attention, []);
        assert!(
            up.told_role().starts_with("role VIEWER (proven): ")
                && !up.told_role().contains("last asked"),
            "{}",
            up.told_role()
        );
        world.upstream.down.store(true, Ordering::SeqCst);
        let down = told(&world).await;
        assert_eq!(down.attention, [Attention::CannotBeAsked]);
        assert!(
            down.told_role()
                .starts_with("role VIEWER (proven): last asked 20"),
            "{}",
            down.told_role()
        );
        let known = down.known_role.as_ref().expect("known");
        assert_eq!(known.verdict, Verdict::Proven);
        assert!(
            down.told_books().starts_with("books as last compared 20"),
            "{}",
            down.told_books()
        );
    }
}

/// Practice P1: a key that was given too much later on is seen, and said loudly.
#[tokio::test(flavor = "multi_thread")]
async fn p1_a_key_that_can_do_too_much_is_said() {
    let world = World::straight().await;
    filled(&world).await;
    *world.upstream.role.lock().expect("a lock") = Role::Signer;
    let seen = told(&world).await;
    assert_eq!(seen.attention, [Attention::TooMuch]);
    assert!(
        seen.told_role().starts_with("TOO MUCH: ") && seen.told_role().contains("SIGNER"),
        "{}",
        seen.told_role()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn books_that_differ_want_attention_and_cells_are_words() {
    let world = World::at_gate().await;
    filled(&world).await;
    let (client, _) = world.connector.client(&name()).await.expect("a client");
    let books = world.connector.books(&client).await.expect("books");
    let later = SystemClock.now().plus(3_600_000);
    let alien = vec![wallet(1, "BTC", "1", later)];
    books.apply(later, alien).await.expect("applied");
    let seen = told(&world).await;
    assert_eq!(seen.attention, [Attention::Differs]);
    let cells = &seen.comparison.as_ref().expect("compared").cells;
    assert_eq!(
        cells[0].to_string(),
        "the balance of BTC in vault account 1: 1 row of ours, no row of theirs"
    );
}

/// A key that is refused is asked of less and less often, whatever events come.
#[tokio::test(flavor = "multi_thread")]
async fn p1_a_refused_key_is_not_asked_of_at_every_event() {
    let world = World::straight().await;
    world.add().await.expect("added");
    *world.upstream.role.lock().expect("a lock") = Role::Signer;
    let asked = || {
        let calls = world.upstream.calls.lock().expect("a lock");
        calls
            .iter()
            .filter(|call| call.contains("/internal_wallets"))
            .count()
    };
    let before = asked();
    let (running, shutdown, url) = world.run(true).await;
    until("the first try", || async { asked() > before }).await;
    for total in 0..10 {
        let event = world.balance(1, &total.to_string()).await;
        assert_eq!(world.upstream.send(&url, &event).await, 200);
    }
    assert!(asked() - before <= 2, "{} tries", asked() - before);
    shutdown.cancel();
    running.done.await.expect("ended");
}
