//! What a connection may use is granted, counted, told and kept.

use serde_json::{Value, json};

use crate::desk::{Desk, comes_in};
use crate::provider::{editor, transfer, viewer};
use crate::world::World;

const LIST: &str = "/v1/transactions?limit=2";

fn left(me: &Value, budget: &str) -> u64 {
    me["budgets"][budget]["left"].as_u64().expect("a number")
}

fn granted(budgets: Value) -> Value {
    json!({"scope": {"budgets": budgets, "forward": true}})
}

#[tokio::test]
async fn a_greedy_provider_uses_up_its_own_budgets_and_nobody_elses() {
    let mut world = World::new().await;
    let small = granted(json!({
        "rows_per_day": 20, "forwards_per_day": 1, "proposals_per_day": 3, "proposals_open": 1,
    }));
    let greedy = world.granting("greedy", editor(&[1, 2]), &small).await;
    let modest = world.enrol("modest", viewer(&[1, 2], None)).await;
    let coins = "/v1/vault/accounts/1/BTC/unspent_inputs";
    let before = greedy.caller.get("/vestibule/v1/me").await.fine();
    assert_eq!(greedy.caller.get(coins).await.status, 200);
    assert_eq!(greedy.caller.get(coins).await.status, 429);
    let me = greedy.caller.get("/vestibule/v1/me").await.fine();
    assert_eq!(left(&me, "forwards_per_day"), 0);
    // What is asked upstream has rows, too: they count as the books' own.
    let rows = left(&me, "rows_per_day");
    assert!(rows < left(&before, "rows_per_day"), "{me}");
    for _ in 5..rows {
        assert_eq!(greedy.caller.get(&LIST.replace('2', "1")).await.status, 200);
    }
    // Two and two, and not two more; the one that is left can be asked for.
    let asked = [2, 2, 2, 1, 1].map(|limit| format!("/v1/transactions?limit={limit}"));
    let mut verdicts = Vec::new();
    for target in &asked {
        verdicts.push(greedy.caller.get(target).await.status);
    }
    assert_eq!(verdicts, [200, 200, 429, 200, 429]);
    let refused = greedy.caller.get(LIST).await;
    let told = refused.json();
    let text = told["message"].as_str().expect("Fireblocks' shape");
    assert!(
        text.contains("0 of 20 are left of the budget rows_per_day"),
        "{text}"
    );
    for (name, value) in [
        ("retry-after", "5"),
        ("x-ratelimit-limit", "20"),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-windowsize", "86400"),
    ] {
        assert_eq!(refused.header(name), Some(value), "{name}");
    }
    let me = greedy.caller.get("/vestibule/v1/me").await.fine();
    assert_eq!(left(&me, "rows_per_day"), 0);
    // Proposals: one open at once, three a day.
    let wanted = transfer(1, 2, "0.001");
    let propose = || greedy.caller.post("/v1/transactions", &wanted);
    let id = propose().await.fine()["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    assert_eq!(propose().await.status, 429);
    world.decide(&id, false).await.fine();
    propose().await.fine();
    let me = greedy.caller.get("/vestibule/v1/me").await.fine();
    assert_eq!(
        (left(&me, "proposals_open"), left(&me, "proposals_per_day")),
        (0, 1)
    );
    assert_eq!(modest.caller.get(LIST).await.status, 200);
}

#[tokio::test]
async fn invariant_2_a_budget_is_raised_by_the_quorum_and_lowered_at_once_by_one() {
    let desk = Desk::new().await;
    let other = desk.add_operator("other", "OWNER").await;
    let acme = desk.enrol("acme").await;
    desk.quorum(2).await;
    let change = |budgets: Value| {
        let wanted = json!({"scope": {"budgets": budgets}, "reason": "as agreed"});
        desk.act(&desk.owner, "acme", "change", wanted)
    };
    let lower = change(json!({"requests_per_day": 3})).await.fine();
    assert_eq!(lower["direction"], "narrows");
    // It has come in once already.
    let came = [
        comes_in(&acme).await,
        comes_in(&acme).await,
        comes_in(&acme).await,
    ];
    assert_eq!(came, [200, 200, 429], "the next request after the answer");
    // More of one and less of another is more.
    let more = change(json!({"requests_per_day": 5, "rows_per_day": 1}))
        .await
        .fine();
    assert_eq!(more["direction"], "widens");
    assert_eq!(comes_in(&acme).await, 429, "as it was until it is signed");
    let id = more["change"]["id"].as_str().expect("an id");
    desk.decide(&other, id, true).await.fine();
    assert_eq!(
        desk.look("/connections/acme").await["budgets"]["requests_per_day"],
        5
    );
    let came = [
        comes_in(&acme).await,
        comes_in(&acme).await,
        comes_in(&acme).await,
    ];
    assert_eq!(came, [200, 200, 429], "what was used is used");
}

#[tokio::test]
async fn what_was_used_today_is_used_after_a_restart() {
    let mut desk = Desk::new().await;
    let acme = desk.enrol("acme").await;
    let few = json!({"scope": {"budgets": {"requests_per_day": 2}}, "reason": "few"});
    desk.act(&desk.owner, "acme", "change", few).await.fine();
    // It has come in once already.
    let came = [comes_in(&acme).await, comes_in(&acme).await];
    assert_eq!(came, [200, 429]);
    desk.gate.stop().await;
    desk.gate.start().await;
    assert_eq!(comes_in(&acme).await, 429);
}
