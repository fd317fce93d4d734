//! What the log tells of calls: who, what, why, from where, under which request id; and what was read.

use gate::records::{Record, Wanted, find};
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::provider::{editor, transfer, viewer};
use crate::world::World;

async fn entries(world: &World, kind: &str) -> Vec<Value> {
    let log = world.look("/log").await;
    let all = log.as_array().expect("entries").iter();
    all.filter(|one| one["kind"] == kind)
        .map(|one| one["entry"].clone())
        .collect()
}

fn header(answer: &crate::caller::Answer, wanted: &str) -> String {
    let mut headers = answer.headers.iter();
    let found = headers.find(|(name, _)| name == wanted);
    found.map(|(_, value)| value.clone()).unwrap_or_default()
}

#[tokio::test]
async fn decisions_and_refusals_name_address_and_request() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let proposed = trader
        .caller
        .post("/v1/transactions", &transfer(1, 2, "1"))
        .await;
    let suspended = world
        .desk(
            "POST",
            "/connections/trader/suspend",
            &json!({"reason": "why"}),
        )
        .await;
    for (answer, kind) in [
        (&proposed, "proposal_made"),
        (&suspended, "connection_suspended"),
    ] {
        let told = entries(&world, kind).await;
        assert_eq!(told[0]["from"], "127.0.0.1", "{told:?}");
        assert_eq!(told[0]["request"], header(answer, "x-request-id"));
    }
    // Refused: for its state, for its key, for its token; the last by the desk.
    let shut = trader.caller.get("/v1/vault/accounts_paged").await;
    for _ in 0..20 {
        assert_eq!(
            trader.caller.get("/v1/vault/accounts_paged").await.status,
            401
        );
    }
    let stranger = Caller::new(
        &world.gate.origin,
        protocol::ids::UserId(uuid::Uuid::from_u128(3)),
        trader.caller.key.clone(),
    );
    assert_eq!(stranger.get("/v1/transactions").await.status, 401);
    let no_operator = Caller::new(
        &world.owner.origin,
        stranger.user,
        trader.caller.key.clone(),
    );
    assert_eq!(no_operator.get("/vestibule/v1/log").await.status, 401);
    world.restart_gate().await;
    let told = entries(&world, "refused").await;
    let of = |why: &str| {
        let found = told.iter().find(|one| one["why"] == *why);
        found.unwrap_or_else(|| panic!("{why}: {told:?}")).clone()
    };
    let closed = of("its connection is not active");
    assert_eq!(
        (&closed["count"], &closed["actor"]["address"]),
        (&json!(21), &json!("127.0.0.1"))
    );
    assert_eq!(closed["request"], header(&shut, "x-request-id"));
    assert_eq!(closed["api_key"], trader.caller.user.to_string());
    assert_eq!(of("its key is unknown")["count"], 1);
    assert_eq!(of("it is no operator's key")["target"], "/vestibule/v1/log");
}

/// "What did the thief see?"
#[tokio::test]
async fn accepted_reads_leave_records() {
    let mut world = World::new().await;
    let reader = world.enrol("reader", viewer(&[1, 2], None)).await;
    let page = reader.caller.get("/v1/vault/accounts_paged?limit=1").await;
    let missing = reader.caller.get("/v1/vault/accounts/7").await;
    assert_eq!((page.status, missing.status), (200, 404));
    let policy = reader.caller.get("/v1/tap/active_policy").await;
    assert!(policy.status >= 400, "not accepted: no record of a read");
    world.gate.stop().await;
    let mut records: Vec<Record<'static>> = Vec::new();
    let wanted = Wanted {
        connection: Some("reader".to_owned()),
        ..Wanted::default()
    };
    let found = find(&world.gate.folder.access(), &wanted, |record| {
        records.push(record.clone());
        Ok::<_, std::io::Error>(())
    });
    assert_eq!(found.expect("read").all.reads, 2, "{records:?}");
    assert_eq!(records[0].target, "/v1/vault/accounts_paged?limit=1");
    assert_eq!(
        (records[0].rows, records[0].bytes),
        (Some(1), page.body.len())
    );
    assert_eq!(
        records[0].request.to_string(),
        header(&page, "x-request-id")
    );
    assert_eq!((records[1].status, records[1].rows), (404, Some(0)));
    let (folder, config) = (&world.gate.folder, &world.gate.config);
    let audited = gate::log::audit(folder, config, None, gate::log::Demand::default())
        .await
        .expect("it holds");
    assert_eq!(audited.access_segments, 1);
    let segment = folder.access().join("00000001.jsonl");
    let whole = std::fs::read_to_string(&segment).expect("a segment");
    std::fs::write(&segment, whole.replace("/accounts/7", "/accounts/8")).expect("changed");
    let told = gate::log::audit(folder, config, None, gate::log::Demand::default())
        .await
        .expect_err("changed");
    assert!(told.to_string().contains("00000001.jsonl"), "{told}");
    std::fs::write(&segment, whole).expect("put back");
    world.gate.start().await;
}
