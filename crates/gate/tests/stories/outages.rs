//! The workspace cannot be reached: reads go on with their age, proposals wait.

use serde_json::json;

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
    let as_of = |answer: crate::caller::Answer| -> i64 {
        assert_eq!(answer.status, 200);
        answer
            .header("vestibule-as-of")
            .expect("an age")
            .parse()
            .expect("a time")
    };
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

/// As of when the books are after a look of now.
async fn looked_at(world: &World) -> i64 {
    let as_of = |status: serde_json::Value| status["as_of"].as_i64().expect("a time");
    let before = as_of(world.look("/status").await);
    world.desk("POST", "/refresh", &json!({})).await;
    until("it has looked", || async {
        as_of(world.look("/status").await) > before
    })
    .await;
    as_of(world.look("/status").await)
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
    let verified = gate::log::audit(&world.gate.folder, &world.gate.config, None).await;
    let verified = verified.expect("the log holds");
    assert!(
        verified.entries >= 4 && verified.checkpoints >= 1,
        "{verified:?}"
    );
    assert_eq!((verified.erased, verified.uncovered), (0, 0));
}
