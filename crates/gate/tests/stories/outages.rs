//! The workspace cannot be reached: reads go on with their age, proposals wait.

use std::num::NonZeroU32;

use serde_json::json;

use crate::caller::Answer;
use crate::provider::{editor, transfer};
use crate::world::{World, until};

#[tokio::test]
async fn upstream_down_reads_go_on_and_proposals_wait_to_be_sent_once() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let looked = looked_at(&world).await;
    // One that goes up while all is well: the gate knows its Editor.
    let zeroth = trader.propose(&transfer(1, 2, "1")).await;
    world.decide(&zeroth, true).await.fine();
    until("it is completed", || async {
        trader.status(&zeroth).await == "COMPLETED"
    })
    .await;
    world.quiet().await;
    world.sandbox.stop().await;

    let (first, second) = (
        trader.propose(&transfer(1, 2, "1")).await,
        trader.propose(&transfer(2, 1, "2")).await,
    );
    for id in [&first, &second] {
        world.decide(id, true).await.fine();
    }
    // Reads: the same, with the age that they have.
    let age = as_of(trader.caller.get("/v1/vault/accounts_paged").await);
    assert!(age > 0);
    for target in [
        "/v1/vault/accounts/1",
        "/v1/transactions",
        "/v1/vault/assets",
    ] {
        assert_eq!(as_of(trader.caller.get(target).await), age, "{target}");
    }
    until("the gate has tried and failed", || async {
        world.state(&first).await == "SENDING"
    })
    .await;
    assert_eq!(
        trader.status(&first).await,
        "PENDING_AUTHORIZATION",
        "its proposer sees it waiting"
    );
    // The gate may end and begin meanwhile; what its books are as of does not go back.
    world.restart_gate().await;
    let again = as_of(trader.caller.get("/v1/vault/accounts_paged").await);
    assert!(
        looked <= again && again <= age,
        "{looked} <= {again} <= {age}"
    );
    assert_eq!(trader.status(&second).await, "PENDING_AUTHORIZATION");
    let third = trader.propose(&transfer(1, 2, "3")).await;
    world.decide(&third, true).await.fine();

    world.sandbox.start().await;
    until("all are completed", || async {
        let mut done = true;
        for id in [&first, &second, &third] {
            done &= trader.status(id).await == "COMPLETED";
        }
        done
    })
    .await;
    for id in [&first, &second, &third] {
        assert_eq!(world.upstream_of(id).await.len(), 1, "once");
        assert_eq!(world.state(id).await, "SENT");
    }
    until("the age goes on", || async {
        as_of(trader.caller.get("/v1/vault/accounts_paged").await) > age
    })
    .await;
    let balance = trader.caller.get("/v1/vault/accounts/1/ETH").await.fine();
    let theirs = world.admin.get("/v1/vault/accounts/1/ETH").await.fine();
    assert_eq!(
        balance["total"], theirs["total"],
        "and the books are equal again"
    );
}

/// The age that a read is told with.
fn as_of(answer: Answer) -> i64 {
    assert_eq!(answer.status, 200);
    let age = answer.header("vestibule-as-of").expect("an age");
    age.parse().expect("a time")
}

const READS: [&str; 4] = [
    "/v1/vault/accounts/1",
    "/v1/vault/accounts/1/ETH/addresses_paginated",
    "/v1/transactions",
    "/v1/assets",
];

/// Every answer is later than anybody waits for it: what was sent has arrived all the same.
#[tokio::test]
async fn upstream_slow_reads_go_on_and_nothing_is_sent_twice() {
    let set = |config: &mut gate::Config| config.upstream.timeout_seconds = NonZeroU32::MIN;
    let mut world = World::with(set).await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let zeroth = trader.propose(&transfer(1, 2, "1")).await;
    world.decide(&zeroth, true).await.fine();
    until("it is completed", || async {
        trader.status(&zeroth).await == "COMPLETED"
    })
    .await;
    world.quiet().await;

    world.line.is_slow(true);
    let sent = world.line.sent();
    world.desk("POST", "/refresh", &json!({})).await;
    let ids = [
        trader.propose(&transfer(1, 2, "1")).await,
        trader.propose(&transfer(2, 1, "2")).await,
    ];
    for id in &ids {
        world.decide(id, true).await.fine();
    }
    until("one has arrived", || async { world.line.sent() > sent }).await;
    // Events come all the same, and are told; so do reads, with their age.
    let paid = world.sandbox.pay_in(1, "ETH", "0.75").await;
    until("the provider hears of what came in", || async {
        let told = trader.hooks.about(&paid);
        told.iter().any(|data| data["status"] == "COMPLETED")
    })
    .await;
    assert_eq!(trader.status(&paid).await, "COMPLETED");
    for target in READS {
        assert!(as_of(trader.caller.get(target).await) > 0, "{target}");
    }
    let asked = world.line.asked().len();
    until("the gate has given up waiting and asked again", || async {
        world.line.asked().len() > asked
    })
    .await;

    world.line.is_slow(false);
    until("all are completed", || async {
        let mut done = true;
        for id in &ids {
            done &= trader.status(id).await == "COMPLETED" && world.state(id).await == "SENT";
        }
        done
    })
    .await;
    for id in &ids {
        assert_eq!(world.upstream_of(id).await.len(), 1, "once");
    }
    assert_eq!(world.line.sent(), sent + ids.len(), "none was sent again");
}

/// Too many requests, a proxy's page in place of JSON, an upstream that is ill.
#[tokio::test]
async fn upstream_answering_pages_of_others_reads_go_on_and_nothing_is_lost() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let zeroth = trader.propose(&transfer(1, 2, "1")).await;
    world.decide(&zeroth, true).await.fine();
    until("it is completed", || async {
        trader.status(&zeroth).await == "COMPLETED"
    })
    .await;
    let mut ids = Vec::new();
    for status in [429, 200, 403, 503] {
        world.quiet().await;
        world.line.refuse_reads(status);
        let (refused, looked) = (
            world.line.refused(),
            as_of(trader.caller.get("/v1/assets").await),
        );
        world.desk("POST", "/refresh", &json!({})).await;
        until("reads upstream are refused", || async {
            world.line.refused() > refused
        })
        .await;
        for target in READS {
            assert!(
                as_of(trader.caller.get(target).await) > 0,
                "{status}: {target}"
            );
        }
        let assets = trader.caller.get("/v1/assets").await;
        assert_eq!(
            as_of(assets),
            looked,
            "{status}: no page makes the books younger"
        );
        let id = trader.propose(&transfer(1, 2, "0.5")).await;
        world.decide(&id, true).await.fine();
        let paid = world.sandbox.pay_in(1, "ETH", "0.25").await;
        until("what came in is told", || async {
            trader.status(&paid).await == "COMPLETED"
        })
        .await;
        ids.push(id);
        world.line.let_reads_pass();
    }
    until("all are completed", || async {
        let mut done = true;
        for id in &ids {
            done &= trader.status(id).await == "COMPLETED";
        }
        done
    })
    .await;
    for id in &ids {
        assert_eq!(world.upstream_of(id).await.len(), 1, "once");
    }
    let theirs = world.admin.get("/v1/vault/accounts/1/ETH").await.fine();
    until("the books are equal", || async {
        trader.caller.get("/v1/vault/accounts/1/ETH").await.json()["total"] == theirs["total"]
    })
    .await;
}

/// As of when the books are after a look of now.
async fn looked_at(world: &World) -> i64 {
    let of = |status: serde_json::Value| status["as_of"].as_i64().expect("a time");
    let before = of(world.look("/status").await);
    world.desk("POST", "/refresh", &json!({})).await;
    until("it has looked", || async {
        of(world.look("/status").await) > before
    })
    .await;
    of(world.look("/status").await)
}

/// What happened while the gate was away is found by a look, or told again.
#[tokio::test]
async fn what_happens_while_the_gate_is_away_is_not_lost() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    world.gate.stop().await;
    let paid = world.sandbox.pay_in(1, "ETH", "0.75").await;
    let upstream = &world.admin;
    until("it is on the chain", || async {
        upstream
            .get(&format!("/v1/transactions/{paid}"))
            .await
            .json()["status"]
            == "COMPLETED"
    })
    .await;
    world.gate.start().await;
    until("the provider sees it", || async {
        trader.status(&paid).await == "COMPLETED"
    })
    .await;
    until("and hears of it", || async {
        trader
            .hooks
            .about(&paid)
            .iter()
            .any(|data| data["status"] == "COMPLETED")
    })
    .await;
    let theirs = world.admin.get("/v1/vault/accounts/1/ETH").await.fine();
    until("the balance is right", || async {
        trader.caller.get("/v1/vault/accounts/1/ETH").await.json()["total"] == theirs["total"]
    })
    .await;
    world.gate.stop().await;
    let verified = gate::log::audit(
        &world.gate.folder,
        &world.gate.config,
        None,
        gate::log::Demand::default(),
    )
    .await;
    let verified = verified.expect("the log holds");
    assert!(
        verified.entries >= 4 && verified.checkpoints >= 1,
        "{verified:?}"
    );
    assert_eq!((verified.erased, verified.uncovered), (0, 0));
}
