//! Sent at most once, wherever the process ends or an answer is lost.

use protocol::ids::TxId;
use serde_json::{Value, json};
use store::{StoreError, Writing, params};

use crate::caller::Caller;
use crate::provider::{editor, transfer};
use crate::rows;
use crate::strays::{stopped, thief};
use crate::world::{World, until};

/// Leaves a proposal as a kill in the middle of sending does.
async fn killed_on_its_way(world: &mut World, id: &str) {
    let mut doc = world.look(&format!("/proposals/{id}")).await;
    doc.as_object_mut()
        .expect("an object")
        .shift_remove("digest");
    doc["state"] = json!("SENDING");
    doc["decision"] = json!({"operator": "owner", "at": doc["created_at"], "signature": "c2ln"});
    world.gate.stop().await;
    let store = gate::start::open_store(&world.gate.folder, &world.gate.config)
        .await
        .expect("a store");
    let (id, doc): (TxId, _) = (id.parse().expect("an id"), doc.to_string());
    let work = move |writing: &mut Writing<'_>| {
        let params = params![id.0.as_bytes().as_slice(), doc.as_str()];
        assert_eq!(writing.execute(rows::ON_ITS_WAY, &params)?, 1);
        Ok::<_, StoreError>(())
    };
    store.write(work).await.expect("written");
}

#[tokio::test]
async fn invariant_5_killed_before_it_left_it_is_sent_once() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let id = trader.propose(&transfer(1, 2, "1")).await;
    killed_on_its_way(&mut world, &id).await;
    assert_eq!(world.line.sent(), 0);
    world.gate.start().await;
    until("it is completed", || async {
        trader.status(&id).await == "COMPLETED"
    })
    .await;
    assert_eq!(
        (world.line.sent(), world.upstream_of(&id).await.len()),
        (1, 1)
    );
    let asked = world.line.asked();
    let looked = asked
        .iter()
        .position(|line| line.starts_with("GET /v1/transactions/external_tx_id/vestibule-"));
    let sent = asked
        .iter()
        .position(|line| line == "POST /v1/transactions");
    assert!(looked < sent && looked.is_some(), "it is looked up first");
}

#[tokio::test]
async fn invariant_5_killed_after_it_arrived_it_is_found_and_not_sent_again() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let id = trader.propose(&transfer(1, 2, "1")).await;
    killed_on_its_way(&mut world, &id).await;
    // What the gate had said before it was killed.
    let key = world.gate.folder.key(gate::KeyName::Editor).expect("a key");
    let editor = Caller::new(&world.admin.origin, world.editor.expect("an editor"), key);
    let mut body = transfer(1, 2, "1");
    body["externalTxId"] = json!(format!("vestibule-{id}"));
    let made = editor.post("/v1/transactions", &body).await.fine();
    world.gate.start().await;
    until("it is settled", || async {
        world.state(&id).await == "SENT"
    })
    .await;
    until("it is completed", || async {
        trader.status(&id).await == "COMPLETED"
    })
    .await;
    assert_eq!(world.line.sent(), 0, "nothing is sent again");
    let up = world.upstream_of(&id).await;
    assert_eq!((up.len(), &up[0]["id"]), (1, &made["id"]));
    assert_eq!(
        world.look(&format!("/proposals/{id}")).await["upstream_id"],
        made["id"]
    );
}

/// Its id upstream is another transaction's: that one is no approval's, and the proposal never goes up.
#[tokio::test]
async fn invariant_1_what_has_a_proposals_id_and_is_not_what_was_approved_is_a_stray() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    world.sandbox.waits_to_be_told(true).await;
    let id = trader.propose(&transfer(1, 2, "1")).await;
    killed_on_its_way(&mut world, &id).await;
    let mut body = transfer(1, 3, "100");
    body["externalTxId"] = json!(format!("vestibule-{id}"));
    let made = thief(&world).post("/v1/transactions", &body).await.fine();
    world.gate.start().await;
    let status = stopped(&world).await;
    assert_eq!(
        (&status["stopped"]["upstream"], &status["stopped"]["why"]),
        (&made["id"], &json!("DIFFERS"))
    );
    until("it has failed", || async {
        world.state(&id).await == "FAILED"
    })
    .await;
    until("the other is cancelled", || async {
        world.upstream_of(&id).await[0]["status"] == "CANCELLED"
    })
    .await;
    let seen = world.look(&format!("/proposals/{id}")).await;
    assert!(seen["upstream_id"].is_null(), "{seen}");
    assert_eq!(world.line.sent(), 0);
}

#[tokio::test]
async fn invariant_5_an_answer_that_is_lost_is_looked_up() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let id = trader.propose(&transfer(1, 2, "1")).await;
    world.line.lose_an_answer();
    world.decide(&id, true).await.fine();
    until("it is completed", || async {
        trader.status(&id).await == "COMPLETED"
    })
    .await;
    until("and settled", || async { world.state(&id).await == "SENT" }).await;
    assert!(world.line.has_lost_it());
    assert_eq!(
        (world.line.sent(), world.upstream_of(&id).await.len()),
        (1, 1)
    );
    let kinds = world.look("/log").await;
    let sent: Vec<&Value> = kinds
        .as_array()
        .expect("entries")
        .iter()
        .filter(|one| one["kind"] == "proposal_sent")
        .collect();
    assert_eq!(sent.len(), 1);
}

/// A machine on the way answers in upstream's place: nothing is known, so nothing is over.
#[tokio::test]
async fn invariant_5_a_page_from_the_way_ends_no_proposal() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let mut ids = Vec::new();
    for status in [200, 403, 404, 429, 502] {
        let id = trader.propose(&transfer(1, 2, "0.1")).await;
        world.intercepted(&id, status).await;
        ids.push(id);
    }
    for id in &ids {
        until("it is completed all the same", || async {
            trader.status(id).await == "COMPLETED"
        })
        .await;
        assert_eq!(world.upstream_of(id).await.len(), 1);
    }
    assert_eq!(world.line.sent(), ids.len());
}

/// Upstream says no: the provider is told so, and it is not tried again.
#[tokio::test]
async fn what_upstream_refuses_has_failed() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let id = trader.propose(&transfer(1, 2, "999999999999")).await;
    world.decide(&id, true).await.fine();
    until("it is over", || async {
        let status = trader.status(&id).await;
        status == "FAILED" || status == "BLOCKED"
    })
    .await;
    world.quiet().await;
    assert_eq!(world.line.sent(), 1);
}

async fn kinds(world: &World, of: &str) -> Vec<String> {
    let log = world.look("/log").await;
    let entries = log.as_array().expect("entries").iter().rev();
    entries
        .filter(|one| one["entry"]["proposal"] == of)
        .map(|one| one["kind"].as_str().expect("a kind").to_owned())
        .collect()
}

/// A no after the approval counts until it is upstream; whether it came in time is looked up.
#[tokio::test]
async fn invariant_5_what_is_taken_back_on_its_way_is_looked_up_and_not_sent() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let id = trader.propose(&transfer(1, 2, "1")).await;
    world.intercepted(&id, 404).await;
    let told = world.decide(&id, false).await.fine();
    assert_eq!(told["taken_back"]["why"], "not this week");
    until("it is rejected", || async {
        world.state(&id).await == "REJECTED"
    })
    .await;
    assert_eq!(trader.status(&id).await, "CANCELLED");
    world.quiet().await;
    assert_eq!(
        (world.line.sent(), world.upstream_of(&id).await.len()),
        (0, 0)
    );
    assert_eq!(world.decide(&id, true).await.status, 409, "it stays so");
    let told = kinds(&world, &id).await;
    let expected = [
        "proposal_made",
        "proposal_approved",
        "proposal_taken_back",
        "proposal_rejected",
    ];
    assert_eq!(told, expected);
}

#[tokio::test]
async fn invariant_5_what_is_taken_back_too_late_is_found_upstream() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let id = trader.propose(&transfer(1, 2, "1")).await;
    world.line.lose_an_answer();
    world.decide(&id, true).await.fine();
    until("its answer is lost", || async { world.line.has_lost_it() }).await;
    world.decide(&id, false).await.fine();
    until("it is found", || async { world.state(&id).await == "SENT" }).await;
    until("it is completed", || async {
        trader.status(&id).await == "COMPLETED"
    })
    .await;
    assert_eq!(
        (world.line.sent(), world.upstream_of(&id).await.len()),
        (1, 1)
    );
    assert_eq!(world.decide(&id, false).await.status, 409);
}
