//! Proposing and following.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use connector::Error;
use connector::operations::first_sync::{FirstSyncOf, first_sync};
use connector::operations::trade::{Follow, SeenBy, Step, Trade, follow, trade};
use protocol::ids::VaultAccountId;
use protocol::model::transaction::{PeerKind, TransactionStatus};
use protocol::role::Role;
use serde_json::Value;

use crate::world::*;

fn transfer() -> Trade {
    Trade {
        client: name(),
        asset: "ETH".parse().expect("an asset"),
        amount: "0.5".parse().expect("an amount"),
        source: VaultAccountId::new(1),
        destination: PeerKind::VaultAccount,
        destination_id: "2".to_owned(),
        note: Some("invoice 7".to_owned()),
        external_tx_id: Some("acme/7 ü".to_owned()),
        fee_level: None,
        follow: Duration::from_secs(20),
        progress: None,
    }
}

async fn editor() -> World {
    let world = World::at_gate().await;
    *world.upstream.role.lock().expect("a lock") = Role::Editor;
    world.add().await.expect("added");
    let of = FirstSyncOf {
        client: name(),
        progress: None,
    };
    first_sync(&world.connector, &of).await.expect("synced");
    world
}

/// Practice P7: proposed, approved by somebody else, followed by webhooks to its end.
#[tokio::test(flavor = "multi_thread")]
async fn p7_a_transfer_is_proposed_and_followed_by_webhooks() {
    let world = Arc::new(editor().await);
    let (running, shutdown, url) = world.run(true).await;
    let seen = Arc::new(Mutex::new(Vec::<Step>::new()));
    let mut ask = transfer();
    let steps = Arc::clone(&seen);
    ask.progress = Some(Arc::new(move |step| {
        steps.lock().expect("a lock").push(step.clone())
    }));
    let client_side = {
        let (world, seen) = (Arc::clone(&world), Arc::clone(&seen));
        tokio::spawn(async move {
            let reached = |status: TransactionStatus| {
                let seen = Arc::clone(&seen);
                move || {
                    let seen = Arc::clone(&seen);
                    async move {
                        seen.lock()
                            .expect("a lock")
                            .iter()
                            .any(|step| step.status == status)
                    }
                }
            };
            until(
                "the proposal",
                reached(TransactionStatus::PendingAuthorization),
            )
            .await;
            let listed = sync::held::transactions(
                &world.upstream.books,
                &world.upstream.scope,
                protocol::time::Millis(0),
            )
            .await;
            let listed = listed.expect("transactions");
            let own = listed
                .iter()
                .find(|own| own.status == TransactionStatus::PendingAuthorization)
                .expect("ours");
            let mut doc = serde_json::to_value(own).expect("json");
            for status in ["BROADCASTING", "COMPLETED"] {
                let event = world.moves(doc.clone(), status).await;
                let envelope: Value = serde_json::from_str(&event).expect("json");
                doc = envelope["data"].clone();
                assert_eq!(world.upstream.send(&url, &event).await, 200);
                until("the step", reached(status.parse().expect("a status"))).await;
            }
        })
    };
    let traded = trade(&world.connector, &ask).await.expect("traded");
    client_side.await.expect("the client's side");
    assert_eq!(
        (traded.status, traded.external_tx_id.as_str()),
        (TransactionStatus::Completed, "acme/7 ü")
    );
    let seen = seen.lock().expect("a lock").clone();
    assert_eq!((seen[0].seen, &traded.steps), (SeenBy::Answer, &seen));
    assert!(
        seen.iter().any(|step| step.seen == SeenBy::Webhook),
        "{seen:?}"
    );
    assert_eq!(world.upstream.created.load(Ordering::SeqCst), 1);
    shutdown.cancel();
    running.done.await.expect("ended");
}

/// Whoever stopped waiting is told how to go on, and can.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_was_not_final_in_time_is_followed_by_its_id() {
    let world = editor().await;
    let ask = Trade {
        follow: Duration::from_millis(1),
        ..transfer()
    };
    let error = trade(&world.connector, &ask).await.expect_err("waits");
    let Error::NotFinal { id, .. } = &error else {
        panic!("{error}")
    };
    assert!(
        error
            .to_string()
            .ends_with(&format!("vestibule connector trade fund --follow {id}")),
        "{error}"
    );
    let mut of = Follow {
        client: name(),
        id: *id,
        wait: Duration::ZERO,
        progress: None,
    };
    let seen = follow(&world.connector, &of).await.expect("looked at");
    assert_eq!(
        (seen.status, seen.external_tx_id.as_str()),
        (TransactionStatus::PendingAuthorization, "acme/7 ü")
    );
    let scope = &world.upstream.scope;
    let own = sync::held::transaction(&world.upstream.books, scope, *id).await;
    let doc = serde_json::to_value(own.expect("a read").expect("ours")).expect("json");
    world.moves(doc, "COMPLETED").await;
    of.wait = Duration::from_secs(20);
    let followed = follow(&world.connector, &of).await.expect("followed");
    assert_eq!(followed.status, TransactionStatus::Completed);
    assert_eq!(world.upstream.created.load(Ordering::SeqCst), 1);
    of.id = "6ba7b810-9dad-41d1-80b4-00c04fd430c8"
        .parse()
        .expect("an id");
    let error = follow(&world.connector, &of).await.expect_err("nobody's");
    assert!(matches!(error, Error::NoTransaction { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_does_not_make_two() {
    let world = editor().await;
    world.upstream.loses_answers.store(true, Ordering::SeqCst);
    let ask = Trade {
        follow: Duration::ZERO,
        ..transfer()
    };
    let traded = trade(&world.connector, &ask).await.expect("found");
    assert_eq!(traded.status, TransactionStatus::PendingAuthorization);
    let calls = world.upstream.calls.lock().expect("a lock").clone();
    let posts = calls.iter().filter(|call| *call == "/v1/transactions");
    assert_eq!(posts.count(), 1, "looked up, and not sent again: {calls:?}");
    // Asked again under the same id, it is the same one.
    let again = trade(&world.connector, &ask).await.expect("found");
    assert_eq!(again.id, traded.id);
    assert_eq!(world.upstream.created.load(Ordering::SeqCst), 1);
    let other = Trade {
        amount: "0.6".parse().expect("an amount"),
        ..ask
    };
    let error = trade(&world.connector, &other)
        .await
        .expect_err("another transfer under that id");
    assert!(matches!(error, Error::Invalid(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_propose_asks_nothing() {
    let world = World::at_gate().await;
    world.add().await.expect("added");
    let error = trade(&world.connector, &transfer())
        .await
        .expect_err("a Viewer");
    assert!(matches!(error, Error::MayNotPropose { .. }), "{error}");
    assert_eq!(world.upstream.created.load(Ordering::SeqCst), 0);
    for (bad, why) in [
        (
            Trade {
                amount: "0".parse().expect("an amount"),
                ..transfer()
            },
            "amount",
        ),
        (
            Trade {
                destination: PeerKind::OneTimeAddress,
                ..transfer()
            },
            "ONE_TIME_ADDRESS",
        ),
    ] {
        let world = editor().await;
        let error = trade(&world.connector, &bad)
            .await
            .expect_err(why)
            .to_string();
        assert!(error.contains(why), "{error}");
        assert_eq!(world.upstream.created.load(Ordering::SeqCst), 0);
    }
}
