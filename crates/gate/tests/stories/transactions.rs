//! Transactions: the provider initiates, the client approves, and it is sent once.

use std::collections::BTreeSet;

use protocol::model::transaction::TransactionStatus;
use serde_json::{Value, json};

use crate::provider::{Wanted, editor, transfer, viewer};
use crate::world::{World, until};

fn rank(status: &Value) -> TransactionStatus {
    serde_json::from_value(status.clone()).expect("a status")
}

/// Each status as far as the one before, or further.
fn never_back(statuses: &[Value]) {
    let ranks: Vec<_> = statuses.iter().map(rank).collect();
    assert!(ranks.is_sorted(), "{statuses:?}");
}

#[tokio::test]
async fn invariant_1_a_proposal_goes_up_once_after_a_signed_approval() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let other = world.enrol("other", viewer(&[2], None)).await;
    let mut body = transfer(1, 2, "1.25");
    body["externalTxId"] = json!("theirs-1");
    body["note"] = json!("rebalance");
    let id = trader.propose(&body).await;

    // It waits: seen by its proposer alone, and nothing has gone up.
    let waiting = trader.sees(&id).await;
    assert_eq!(
        (&waiting["status"], &waiting["externalTxId"]),
        (&json!("PENDING_AUTHORIZATION"), &json!("theirs-1"))
    );
    assert_eq!(waiting["createdBy"], trader.caller.user.to_string());
    let by_own_id = trader
        .caller
        .get("/v1/transactions/external_tx_id/theirs-1")
        .await
        .fine();
    assert_eq!(by_own_id["id"], id);
    let nobody = "00000000-0000-4000-8000-000000000000";
    let unknown = other
        .caller
        .get(&format!("/v1/transactions/{nobody}"))
        .await
        .lasting();
    let waits = other
        .caller
        .get(&format!("/v1/transactions/{id}"))
        .await
        .lasting();
    assert_eq!(
        waits, unknown,
        "another provider cannot tell it from nothing"
    );
    assert_eq!(
        (world.line.sent(), world.upstream_of(&id).await.len()),
        (0, 0)
    );
    for (provider, times) in [(&trader, 1), (&other, 0)] {
        let listed = provider.caller.transactions().await;
        let found = listed.iter().filter(|one| one["id"] == *id).count();
        assert_eq!(found, times, "{}'s list", provider.name);
    }

    // Nobody but the owner decides, and only over what she saw.
    let seen = world.look(&format!("/proposals/{id}")).await;
    let path = format!("/proposals/{id}/approve");
    for (digest, signature) in [
        (seen["digest"].clone(), json!("")),
        (seen["digest"].clone(), json!("AAAA")),
        (json!("00"), json!("AAAA")),
    ] {
        let refused = world
            .desk(
                "POST",
                &path,
                &json!({"digest": digest, "signature": signature}),
            )
            .await;
        assert_eq!(refused.status, 400);
    }
    assert_eq!(world.state(&id).await, "WAITING");
    world.decide(&id, true).await.fine();
    assert_eq!(world.decide(&id, true).await.status, 409, "decided once");

    let mut polled = vec![waiting["status"].clone()];
    until("it is completed", || async {
        trader.status(&id).await == "COMPLETED"
    })
    .await;
    polled.push(trader.sees(&id).await["status"].clone());
    never_back(&polled);

    // Upstream: one, by the gate's Editor, under an id of the gate's, signed by the client.
    let up = world.upstream_of(&id).await;
    assert_eq!((up.len(), world.line.sent()), (1, 1));
    assert_eq!(
        up[0]["createdBy"],
        world.editor.expect("an editor").to_string()
    );
    assert_ne!(up[0]["id"], id);
    assert!(!up[0]["signedBy"].as_array().expect("signers").is_empty());
    assert_eq!(up[0]["note"], "rebalance");

    // Here: for ever under the proposal's id, with the provider's own words.
    let done = trader.sees(&id).await;
    assert_eq!(
        (&done["id"], &done["externalTxId"], &done["note"]),
        (&json!(id), &json!("theirs-1"), &json!("rebalance"))
    );
    assert_eq!(done["createdAt"], waiting["createdAt"]);
    assert_eq!(done["createdBy"], waiting["createdBy"], "not the Editor");
    assert_eq!(done["txHash"], up[0]["txHash"]);
    let upstream_id = up[0]["id"].as_str().expect("an id");
    assert_eq!(
        trader
            .caller
            .get(&format!("/v1/transactions/{upstream_id}"))
            .await
            .status,
        404
    );
    let listed = trader.caller.transactions().await;
    assert_eq!(listed.iter().filter(|one| one["id"] == *id).count(), 1);
    assert!(listed.iter().all(|one| one["id"] != *upstream_id));

    // The other provider has the destination in scope: it sees the transfer, not the words.
    let theirs = other.sees(&id).await;
    assert_eq!(
        (&theirs["status"], &theirs["source"]["type"]),
        (&json!("COMPLETED"), &json!("UNKNOWN"))
    );
    assert_eq!(
        (&theirs["note"], &theirs["externalTxId"]),
        (&json!(""), &Value::Null)
    );
    assert_eq!(theirs["createdBy"], "", "users are not its business");

    // And by webhook: the same id, never going back, to the end.
    until("both have heard the end", || async {
        let ended = |heard: Vec<Value>| heard.iter().any(|data| data["status"] == "COMPLETED");
        ended(trader.hooks.about(&id)) && ended(other.hooks.about(&id))
    })
    .await;
    for provider in [&trader, &other] {
        let heard = provider.hooks.about(&id);
        never_back(
            &heard
                .iter()
                .map(|data| data["status"].clone())
                .collect::<Vec<_>>(),
        );
        assert_eq!(
            rank(&heard[0]["status"]),
            TransactionStatus::PendingAuthorization
        );
        assert!(provider.hooks.about(upstream_id).is_empty());
        let own = provider.name == trader.name;
        let by = own.then(|| trader.caller.user.to_string());
        let by = by.unwrap_or_default();
        assert!(heard.iter().all(|data| data["createdBy"] == by), "{by}");
    }
}

#[tokio::test]
async fn a_rejected_proposal_never_goes_up() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let id = trader.propose(&transfer(1, 2, "1")).await;
    let without = world.decide_for(&id, false, " ").await;
    assert_eq!(without.status, 400, "a reason is missing");
    assert_eq!(world.state(&id).await, "WAITING");
    world.decide(&id, false).await.fine();
    let seen = trader.sees(&id).await;
    assert_eq!(
        (&seen["status"], &seen["subStatus"]),
        (&json!("CANCELLED"), &json!("REJECTED_BY_USER"))
    );
    assert_eq!(world.decide(&id, true).await.status, 409, "no is no");
    assert_eq!(world.state(&id).await, "REJECTED");
    world.restart_gate().await;
    world.quiet().await;
    assert_eq!(world.state(&id).await, "REJECTED");
    assert_eq!(
        (world.line.sent(), world.upstream_of(&id).await.len()),
        (0, 0)
    );
    let kinds: BTreeSet<_> = world
        .look("/log")
        .await
        .as_array()
        .expect("entries")
        .iter()
        .map(|one| one["kind"].to_string())
        .collect();
    assert!(kinds.contains("\"proposal_made\"") && kinds.contains("\"proposal_rejected\""));
    assert!(!kinds.contains("\"proposal_sent\""));
}

/// Approved where the workspace's own people are: it goes up at once and waits there for them.
#[tokio::test]
async fn a_proposal_with_its_place_upstream_goes_up_at_once() {
    let mut world = World::new().await;
    let wanted = Wanted {
        place: "fireblocks",
        ..editor(&[1, 2])
    };
    let trader = world.enrol("trader", wanted).await;
    let id = trader.propose(&transfer(1, 2, "0.5")).await;
    until("it is completed", || async {
        trader.status(&id).await == "COMPLETED"
    })
    .await;
    let up = world.upstream_of(&id).await;
    assert_eq!((up.len(), world.line.sent()), (1, 1));
    let approvals = up[0]["authorizationInfo"]["groups"][0]["users"]
        .as_object()
        .expect("approvers");
    assert!(
        approvals.values().any(|said| said == "APPROVED"),
        "the workspace's own approver"
    );
    assert_eq!(
        world.decide(&id, false).await.status,
        409,
        "not decided here"
    );
    assert!(
        trader.sees(&id).await["authorizationInfo"].is_null(),
        "users are not the provider's business"
    );
}

/// Whether it is kept and logged who approved a proposal upstream.
async fn evidence(world: &World, id: &str) -> bool {
    let proposal = world.look(&format!("/proposals/{id}")).await;
    let log = world.look("/log").await;
    let logged = log.as_array().expect("entries").iter().filter(|one| {
        let entry = &one["entry"];
        one["kind"] == "proposal_approved"
            && entry["proposal"] == *id
            && entry["place"] == "fireblocks"
    });
    let logged = logged.count();
    assert!(logged <= 1, "logged once");
    proposal["approved_upstream"]["groups"].is_array() && logged == 1
}

/// The events of an approval are lost: a look finds what they would have told.
#[tokio::test]
async fn invariant_1_evidence_whose_events_were_lost_is_found_by_a_look() {
    let mut world = World::new().await;
    let wanted = Wanted {
        place: "fireblocks",
        ..editor(&[1, 2])
    };
    let trader = world.enrol("trader", wanted).await;
    let drop_next = format!("/webhooks/{}/drop_next", world.webhook);
    world.sandbox.act(&drop_next, &json!({"count": 100})).await;
    let id = trader.propose(&transfer(1, 2, "0.5")).await;
    until("it is completed upstream", || async {
        let up = world.upstream_of(&id).await;
        up.first().is_some_and(|one| one["status"] == "COMPLETED")
    })
    .await;
    world.desk("POST", "/refresh", &json!({})).await;
    until("the provider sees it", || async {
        trader.status(&id).await == "COMPLETED"
    })
    .await;
    until("and hears of it", || async {
        let heard = trader.hooks.about(&id);
        heard.iter().any(|data| data["status"] == "COMPLETED")
    })
    .await;
    until("the evidence is kept", || async {
        evidence(&world, &id).await
    })
    .await;
}

#[tokio::test]
async fn invariant_7_two_providers_with_the_same_own_id_cannot_tell() {
    let mut world = World::new().await;
    let one = world.enrol("one", editor(&[1, 2])).await;
    let two = world.enrol("two", editor(&[1, 2])).await;
    let mut body = transfer(1, 2, "0.1");
    body["externalTxId"] = json!("invoice-7");
    let first = one.propose(&body).await;
    let second = two.propose(&body).await;
    assert_ne!(first, second);
    // The same again of one of them is a duplicate, in Fireblocks' own words.
    for provider in [&one, &two] {
        let again = provider.caller.post("/v1/transactions", &body).await;
        assert_eq!(again.verdict(), (400, Some(1438)));
        let other_amount = json!({"amount": "9", "externalTxId": "invoice-7", "assetId": "ETH",
            "source": body["source"], "destination": body["destination"]});
        let again = provider
            .caller
            .post("/v1/transactions", &other_amount)
            .await;
        assert_eq!(again.verdict(), (400, Some(1438)));
    }
    for id in [&first, &second] {
        world.decide(id, true).await.fine();
    }
    until("both are completed", || async {
        one.status(&first).await == "COMPLETED" && two.status(&second).await == "COMPLETED"
    })
    .await;
    assert_eq!(world.line.sent(), 2);
    for (provider, own, others) in [(&one, &first, &second), (&two, &second, &first)] {
        let found = provider
            .caller
            .get("/v1/transactions/external_tx_id/invoice-7")
            .await
            .fine();
        assert_eq!(found["id"], **own);
        let theirs = provider.sees(others).await;
        assert_eq!(theirs["status"], "COMPLETED", "in scope, so it is seen");
        assert!(
            theirs["externalTxId"].is_null(),
            "but not by whom: {theirs}"
        );
    }
}

/// One key, one effect: the same answer again, and one proposal.
#[tokio::test]
async fn an_idempotency_key_makes_one_proposal() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let other = world.enrol("other", editor(&[1, 2])).await;
    let body = transfer(1, 2, "0.1");
    let key = [("idempotency-key", "k-1")];
    let send = |provider: &crate::provider::Provider| {
        let caller = provider.caller.clone();
        let body = body.clone();
        async move {
            caller
                .send("POST", "/v1/transactions", Some(&body), &key)
                .await
        }
    };
    let (first, again, theirs) = (send(&trader).await, send(&trader).await, send(&other).await);
    assert_eq!(first.json()["id"], again.json()["id"]);
    assert_ne!(
        first.json()["id"],
        theirs.json()["id"],
        "a key is its provider's own"
    );
    world.restart_gate().await;
    assert_eq!(
        send(&trader).await.json()["id"],
        first.json()["id"],
        "also after a restart"
    );
    assert_eq!(
        world
            .look("/proposals")
            .await
            .as_array()
            .expect("a list")
            .len(),
        2
    );
    let long = [("idempotency-key", "k".repeat(41))];
    let long: Vec<_> = long
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let refused = trader
        .caller
        .send("POST", "/v1/transactions", Some(&body), &long)
        .await;
    assert_eq!(refused.verdict(), (400, Some(9003)));
}

/// Why somebody said no is the client's own; what the provider reads is fixed, or was meant for it.
#[tokio::test]
async fn invariant_7_a_provider_reads_no_words_of_the_clients() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let reads = async |id: &str| {
        let seen = trader.sees(id).await;
        let listed = trader.caller.get("/v1/transactions").await.json();
        for text in [seen.to_string(), listed.to_string()] {
            assert!(
                !text.contains("hedge") && !text.contains("page is not"),
                "{text}"
            );
        }
        let words = seen["errorDescription"].as_str().expect("words");
        words.to_owned()
    };
    let why = "the hedge fund is leaving us";
    let plain = trader.propose(&transfer(1, 2, "1")).await;
    world.decide_for(&plain, false, why).await.fine();
    assert_eq!(reads(&plain).await, "the client rejected it");

    let told = trader.propose(&transfer(1, 2, "2")).await;
    let words = json!({"reason": why, "tell": "ask again on Monday"});
    let shown = world.rejected(&told, &words).await.fine();
    assert_eq!(shown["why"], why);
    assert_eq!(shown["told"], "ask again on Monday");
    assert_eq!(reads(&told).await, "ask again on Monday");
    let long = json!({"reason": why, "tell": "x".repeat(501)});
    assert_eq!(world.rejected(&told, &long).await.status, 400);

    let refused = trader.propose(&transfer(1, 2, "3")).await;
    world.intercepted(&refused, 400).await;
    until("it has failed", || async {
        world.state(&refused).await == "FAILED"
    })
    .await;
    assert_eq!(reads(&refused).await, "upstream refused it");
    let shown = world.look(&format!("/proposals/{refused}")).await;
    let kept = shown["why"].as_str().expect("why");
    assert!(kept.starts_with("upstream refused it: "), "{kept}");
    let log = world.look("/log").await.to_string();
    assert!(log.contains(why) && log.contains("ask again on Monday"));
}
