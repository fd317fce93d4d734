//! Suspended or revoked: closed at once, and nothing of it goes up any more.

use serde_json::json;

use crate::caller::Caller;
use crate::provider::{editor, transfer, viewer};
use crate::world::{World, until};

const READ: &str = "/v1/vault/accounts_paged";

#[tokio::test]
async fn invariant_2_suspended_and_revoked_are_closed_at_once() {
    let mut world = World::new().await;
    let reader = world.enrol("reader", viewer(&[1], None)).await;
    let caller = &reader.caller;
    caller.get(READ).await.fine();
    let stranger = protocol::ids::UserId(uuid::Uuid::from_u128(5));
    let stranger = Caller::new(&caller.origin, stranger, caller.key.clone());
    let unknown = stranger.get(READ).await.lasting();
    assert_eq!(unknown.verdict(), (401, Some(-7)));
    let act = |word: &str| format!("/connections/reader/{word}");

    // A token made while it was active is of no use a moment later.
    let early = caller.token(READ, b"", 0);
    world
        .desk("POST", &act("suspend"), &json!({"reason": "review"}))
        .await
        .fine();
    assert_eq!(
        caller
            .carry("GET", READ, String::new(), &early, &[])
            .await
            .lasting(),
        unknown
    );
    for target in [
        READ,
        "/vestibule/v1/me",
        "/vestibule/v1/digest",
        "/v1/nowhere",
    ] {
        assert_eq!(caller.get(target).await.lasting(), unknown, "{target}");
    }
    world
        .desk("POST", &act("resume"), &json!({"reason": "explained"}))
        .await
        .fine();
    caller.get(READ).await.fine();

    world
        .desk(
            "POST",
            &act("revoke"),
            &json!({"reason": "the contract ended"}),
        )
        .await
        .fine();
    assert_eq!(caller.get(READ).await.lasting(), unknown);
    for word in ["resume", "approve", "suspend", "revoke"] {
        assert_eq!(
            world
                .desk("POST", &act(word), &json!({"reason": "again"}))
                .await
                .status,
            409,
            "{word}"
        );
    }
    world.restart_gate().await;
    let caller = Caller::new(&world.gate.origin, caller.user, caller.key.clone());
    assert_eq!(
        caller.get(READ).await.lasting(),
        unknown,
        "also after a restart"
    );
}

#[tokio::test]
async fn whoever_is_suspended_hears_nothing_and_sends_nothing() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let other = world.enrol("other", viewer(&[1], None)).await;
    let id = trader.propose(&transfer(1, 2, "1")).await;
    world
        .desk(
            "POST",
            "/connections/trader/suspend",
            &json!({"reason": "odd calls"}),
        )
        .await
        .fine();
    // Approved all the same: it is looked at once more before it goes up.
    world.decide(&id, true).await.fine();
    until("it has failed", || async {
        world.state(&id).await == "FAILED"
    })
    .await;
    let paid = world.sandbox.pay_in(1, "ETH", "0.5").await;
    until("the other hears of it", || async {
        !other.hooks.about(&paid).is_empty()
    })
    .await;
    assert!(trader.hooks.about(&paid).is_empty());
    assert_eq!(
        (world.line.sent(), world.upstream_of(&id).await.len()),
        (0, 0)
    );
    world
        .desk(
            "POST",
            "/connections/trader/resume",
            &json!({"reason": "explained"}),
        )
        .await
        .fine();
    assert_eq!(
        trader.status(&id).await,
        "FAILED",
        "it does not come to life again"
    );
}

/// On its way, and nobody knows whether it arrived: it did not, and its connection is revoked by now.
#[tokio::test]
async fn invariant_1_what_is_on_its_way_does_not_go_up_after_a_revocation() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let id = trader.propose(&transfer(1, 2, "1")).await;
    world.intercepted(&id, 404).await;
    let reason = json!({"reason": "the contract ended"});
    world
        .desk("POST", "/connections/trader/revoke", &reason)
        .await
        .fine();
    until("it has failed", || async {
        world.state(&id).await == "FAILED"
    })
    .await;
    world.quiet().await;
    assert_eq!(
        (world.line.sent(), world.upstream_of(&id).await.len()),
        (0, 0)
    );
    let why = world.look(&format!("/proposals/{id}")).await["why"].clone();
    assert_eq!(why, "the connection is REVOKED");
}

/// A token from before the gate's start is refused: nonces of then are forgotten.
#[tokio::test]
async fn a_token_from_before_a_restart_opens_neither_door() {
    let mut world = World::new().await;
    let reader = world.enrol("reader", viewer(&[1], None)).await;
    let early = reader.caller.token(READ, b"", 2);
    let at_desk = "/vestibule/v1/connections/reader/suspend";
    let early_owner = world.owner.token(at_desk, b"{}", 2);
    world.restart_gate().await;
    let refused = reader
        .caller
        .carry("GET", READ, String::new(), &early, &[])
        .await;
    assert_eq!(refused.verdict(), (401, Some(-7)));
    let refused = world
        .owner
        .carry("POST", at_desk, "{}".to_owned(), &early_owner, &[])
        .await;
    assert_eq!(refused.verdict(), (401, Some(-7)));
    reader.caller.get(READ).await.fine();
}
