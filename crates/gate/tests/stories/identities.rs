//! What upstream knows the gate as: said once by one operator, replaced by the quorum, and never forgotten.

use protocol::role::Role;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::desk::Desk;
use crate::provider::editor;
use crate::strays::{is_caught, thief};
use crate::world::World;

/// What the log tells of the gate's ids, the oldest first.
async fn set(desk: &Desk) -> Vec<Value> {
    let log = desk.look("/log?limit=100").await;
    let entries = log.as_array().expect("entries").iter().rev();
    let set = entries.filter(|one| one["kind"] == "upstream_set");
    set.map(|one| one["entry"].clone()).collect()
}

#[tokio::test]
async fn invariant_2_another_takes_an_ids_place_by_the_quorum_and_with_a_reason() {
    let desk = Desk::new().await;
    let other = desk.add_operator("other", "OWNER").await;
    let ann = desk.add_operator("ann", "ADMIN").await;
    desk.quorum(2).await;
    let ask = |body: Value| {
        let (desk, ann) = (&desk, &ann);
        async move { desk.ask(ann, "PUT", "/upstream", &body).await }
    };
    let id = |number: u128| Uuid::from_u128(number).to_string();
    for (number, what) in [(1, "viewer"), (2, "editor"), (3, "webhook")] {
        let first = ask(json!({(what): id(number)})).await.fine();
        assert!(first["change"].is_null(), "{first}");
        let again = ask(json!({(what): id(number)})).await.fine();
        assert!(again["change"].is_null(), "the same is nothing new");
        for silent in [
            json!({(what): id(number + 10)}),
            json!({(what): id(number + 10), "reason": " "}),
        ] {
            assert_eq!(ask(silent).await.status, 400, "a reason is missing");
        }
        let before = set(&desk).await.len();

        let wanted = json!({(what): id(number + 10), "reason": "the key was out"});
        let asked = ask(wanted).await.fine()["change"].clone();
        assert_eq!(asked["state"], "WAITING", "{asked}");
        let words = asked["what"].as_str().expect("words");
        assert!(words.contains(&id(number)) && words.contains(&id(number + 10)));
        let change = asked["id"].as_str().expect("an id");
        assert_eq!(desk.decide(&ann, change, true).await.status, 409, "twice");
        assert_eq!(set(&desk).await.len(), before, "one word is not enough");
        let late = json!({(what): id(number + 20), "reason": "another idea"});
        let late = ask(late).await.fine()["change"]["id"].clone();
        let made = desk.decide(&other, change, true).await.fine();
        assert_eq!(made["state"], "MADE");
        let late = late.as_str().expect("an id");
        assert_eq!(
            desk.decide(&other, late, true).await.status,
            409,
            "it was over another"
        );
        desk.decide(&other, late, false).await.fine();
    }
    let told = set(&desk).await;
    let of = |what: &str| -> Vec<Value> {
        let of = told.iter().map(|one| one[what].clone());
        of.filter(|one| !one.is_null()).collect()
    };
    assert_eq!(of("viewer"), [json!(id(1)), json!(id(11))]);
    assert_eq!(of("editor"), [json!(id(2)), json!(id(12))]);
    assert_eq!(of("webhook"), [json!(id(3)), json!(id(13))]);
    let reasons = vec![json!("the key was out"); 3];
    assert_eq!(of("reason"), reasons, "{told:?}");
    let replaced = told.iter().skip(1).step_by(2);
    assert!(replaced.into_iter().all(|one| one["reason"].is_string()));
}

/// Whoever has the key of an Editor that was replaced is a thief still.
#[tokio::test]
async fn invariant_1_an_editor_that_was_replaced_is_watched() {
    let mut world = World::new().await;
    world.enrol("trader", editor(&[1, 2])).await;
    world.sandbox.waits_to_be_told(true).await;
    let thief = thief(&world);
    let csr = world.gate.folder.csr_path(gate::KeyName::Editor);
    let csr = std::fs::read_to_string(csr).expect("a CSR");
    let new = world.add_api_user("the next", Role::Editor, &csr).await;
    let wanted = json!({"editor": new, "reason": "each year a new one"});
    let done = world.desk("PUT", "/upstream", &wanted).await.fine();
    assert_eq!(done["change"]["state"], "MADE", "one is the quorum");
    is_caught(&world, &thief).await;
}
