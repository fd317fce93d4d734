//! Webhooks: in from the pinned workspace alone, out to whoever may know.

use protocol::model::event::EventType;
use protocol::signature::JWS_HEADER;
use sandbox::people;
use sandbox::world::Network;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::provider::{Wanted, viewer};
use crate::world::{World, admin_of, until};

#[tokio::test]
async fn invariant_7_events_are_relayed_in_scope_signed_by_the_gate() {
    let mut world = World::new().await;
    let one = world.enrol("one", viewer(&[1], None)).await;
    let legacy = Wanted {
        legacy_signature: true,
        ..viewer(&[1, 2], Some(&["BTC"]))
    };
    let bitcoin = world.enrol("bitcoin", legacy).await;
    let two = world.enrol("two", viewer(&[2], None)).await;
    let ether = world.sandbox.pay_in(1, "ETH", "2.5").await;
    let coin = world.sandbox.pay_in(2, "BTC", "0.25").await;
    let ended = |heard: Vec<Value>| heard.iter().any(|data| data["status"] == "COMPLETED");
    until("each has heard what it may", || async {
        ended(one.hooks.about(&ether))
            && ended(bitcoin.hooks.about(&coin))
            && ended(two.hooks.about(&coin))
    })
    .await;
    for (provider, unheard) in [(&one, &coin), (&bitcoin, &ether), (&two, &ether)] {
        assert!(
            provider.hooks.about(unheard).is_empty(),
            "{}",
            provider.name
        );
    }
    // Balances of the wallet are told, too.
    until("the balance is told", || async {
        let kind = EventType::VaultAccountAssetBalanceUpdated;
        let heard = one.hooks.heard();
        heard.iter().any(|heard| {
            heard.event["eventType"] == json!(kind) && heard.event["data"]["assetId"] == "ETH"
        })
    })
    .await;
    for provider in [&one, &bitcoin, &two] {
        until("it has heard all that its position counts", || async {
            let me = provider.caller.get("/vestibule/v1/me").await.fine();
            me["position"] == json!(provider.hooks.heard().len())
        })
        .await;
        let heard = provider.hooks.heard();
        let positions: Vec<_> = heard.iter().map(|heard| heard.position).collect();
        assert_eq!(
            positions,
            (1..=i64::try_from(heard.len()).expect("few")).collect::<Vec<_>>(),
            "gap-free, in order"
        );
        for one in &heard {
            assert!(
                one.is_signed(&provider.handback),
                "{}: {one:?}",
                provider.name
            );
            assert!(
                !one.is_signed(&two_of(&provider.name, &[&two, &bitcoin])),
                "not another's"
            );
        }
    }
    // What was handed back is what the gate serves.
    let served = world.gate.origin.clone() + wire::jwks::PATH;
    let served: Value = reqwest::get(served)
        .await
        .expect("keys")
        .json()
        .await
        .expect("JSON");
    assert_eq!(served, one.handback["webhooks"]["jwks"]);
}

/// The hand-back of somebody else.
fn two_of(name: &str, others: &[&crate::provider::Provider]) -> Value {
    let other = others
        .iter()
        .find(|other| other.name != name)
        .expect("another");
    other.handback.clone()
}

/// Posts an event to the gate, signed with the key of every sandbox.
async fn post(world: &World, event: &Value, signed: bool) -> u16 {
    let body = event.to_string();
    let [key, _] = people::webhook_keys().expect("keys");
    let signature = key.sign_jws(if signed { body.as_bytes() } else { b"another" });
    let sent = reqwest::Client::new()
        .post(format!("{}/webhooks/upstream", world.gate.origin))
        .header(JWS_HEADER, signature.expect("signed"))
        .header("content-type", "application/json")
        .body(body)
        .send();
    sent.await.expect("an answer").status().as_u16()
}

fn balance(workspace: &Value, webhook: &str, total: &str) -> Value {
    json!({"id": Uuid::new_v4(), "resourceId": null, "webhookId": webhook, "workspaceId": workspace,
        "eventType": "vault_account.asset.balance_updated", "createdAt": 4_000_000_000_000_i64,
        "data": {"vaultAccountId": "1", "assetId": "ETH", "total": total, "available": total, "pending": "0", "frozen": "0"}})
}

async fn ether(world: &World, provider: &crate::provider::Provider) -> String {
    assert!(!world.webhook.is_empty());
    let wallet = provider.caller.get("/v1/vault/accounts/1/ETH").await.fine();
    wallet["total"].as_str().expect("an amount").to_owned()
}

/// The other workspace of the same environment signs with the same keys.
#[tokio::test]
async fn invariant_9_an_event_of_another_workspace_is_refused_and_changes_nothing() {
    let mut world = World::new().await;
    let one = world.enrol("one", viewer(&[1], None)).await;
    let before = (
        ether(&world, &one).await,
        one.caller.get("/vestibule/v1/digest").await.fine()["digest"].clone(),
    );
    let testnet = json!(people::workspace_id(Network::Testnet));
    let foreign = |status: &Value| {
        let checks = status["checks"].as_array().expect("checks");
        let check = checks
            .iter()
            .find(|check| check["what"] == "no event of another workspace came in");
        check.expect("the check").clone()
    };
    assert_eq!(foreign(&world.look("/status").await)["ok"], true);
    // For real: the testnet's admin points a webhook here, and something happens there.
    let admin = admin_of(&world.sandbox, Network::Testnet);
    let hook = world.add_webhook(&admin).await;
    admin
        .post("/v1/vault/accounts", &json!({"name": "Somebody else's"}))
        .await
        .fine();
    until("the gate has refused it", || async {
        foreign(&world.look("/status").await)["ok"] == false
    })
    .await;
    until("and the sender knows", || async {
        let sent = admin
            .get(&format!("/v1/webhooks/{hook}/notifications"))
            .await
            .fine();
        sent["data"]
            .as_array()
            .is_some_and(|all| all.iter().any(|one| one["status"] == "FAILED"))
    })
    .await;
    // By hand: about an account that is here as well.
    assert_eq!(
        post(&world, &balance(&testnet, &hook, "1000000"), true).await,
        403
    );
    let here = json!(people::workspace_id(Network::Mainnet));
    assert_eq!(
        post(&world, &balance(&here, &hook, "1000000"), true).await,
        403,
        "another webhook"
    );
    assert_eq!(
        post(&world, &balance(&here, &world.webhook, "1000000"), false).await,
        401,
        "another body"
    );
    let after = (
        ether(&world, &one).await,
        one.caller.get("/vestibule/v1/digest").await.fine()["digest"].clone(),
    );
    assert_eq!(after, before);
    assert!(one.hooks.heard().is_empty());
    // The one that is rightly everything does change something: the refusals above were not by chance.
    assert_eq!(
        post(&world, &balance(&here, &world.webhook, "77"), true).await,
        200
    );
    until("it is applied", || async {
        ether(&world, &one).await == "77"
    })
    .await;
}

#[tokio::test]
async fn invariant_4_an_event_counts_once_however_often_and_in_whatever_order_it_comes() {
    let mut world = World::new().await;
    let one = world.enrol("one", viewer(&[1], None)).await;
    let here = json!(people::workspace_id(Network::Mainnet));
    let mut later = balance(&here, &world.webhook, "78");
    later["createdAt"] = json!(4_000_000_000_001_i64);
    let earlier = balance(&here, &world.webhook, "77");
    for event in [&later, &earlier, &later, &earlier, &later] {
        assert_eq!(post(&world, event, true).await, 200);
    }
    until("both are relayed", || async {
        one.hooks.heard().len() == 2
    })
    .await;
    assert_eq!(ether(&world, &one).await, "78", "the later one stays");
    world.restart_gate().await;
    for event in [&earlier, &later] {
        assert_eq!(
            post(&world, event, true).await,
            200,
            "known also after a restart"
        );
    }
    assert_eq!(ether(&world, &one).await, "78");
    assert_eq!(
        one.caller.get("/vestibule/v1/me").await.fine()["position"],
        2
    );
}
