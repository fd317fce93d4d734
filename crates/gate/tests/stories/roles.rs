//! The gate's own keys: a Viewer that reads, an Editor that proposes, and nothing more.

use protocol::role::Role;
use serde_json::{Value, json};
use store::{StoreError, Writing, params};

use crate::provider::{editor, transfer};
use crate::rows;
use crate::world::{World, until};

fn check<'a>(status: &'a Value, what: &str) -> &'a Value {
    let checks = status["checks"].as_array().expect("checks");
    let found = checks.iter().find(|check| check["what"] == what);
    found.expect(what)
}

async fn csr(world: &World, name: gate::KeyName<'_>) -> String {
    std::fs::read_to_string(world.gate.folder.csr_path(name)).expect("a CSR")
}

#[tokio::test]
async fn c1_a_key_of_more_than_its_role_is_refused() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let before = world.look("/status").await;
    for (what, role) in [
        ("the gate's Viewer can do no more than read", "VIEWER"),
        ("the gate's Editor can do no more than propose", "EDITOR"),
    ] {
        let seen = check(&before, what);
        assert_eq!(seen["ok"], true, "{seen}");
        assert!(seen["saw"].as_str().expect("words").starts_with(role));
    }
    let cases = [
        ("viewer", gate::KeyName::Viewer, Role::Editor),
        ("viewer", gate::KeyName::Viewer, Role::Admin),
        ("editor", gate::KeyName::Editor, Role::Signer),
        ("editor", gate::KeyName::Editor, Role::NonSigningAdmin),
    ];
    let csr_of = |name| csr(&world, name);
    for (which, name, role) in cases {
        let text = csr_of(name).await;
        let user = format!("{which} {role}");
        let id = world.add_api_user(&user, role, &text).await;
        let set = world.desk("PUT", "/upstream", &json!({(which): id})).await;
        assert_eq!(set.status, 409, "{user}");
        let said = set.json()["message"].to_string();
        assert!(said.contains("can do more than"), "{said}");
    }
    // What was set before is in use still.
    let id = trader.propose(&transfer(1, 2, "1")).await;
    world.decide(&id, true).await.fine();
    until("it is completed", || async {
        trader.status(&id).await == "COMPLETED"
    })
    .await;
}

/// However it came there: at its start the gate asks, and does nothing with such a key.
#[tokio::test]
async fn c1_a_gate_does_nothing_with_keys_of_more_than_their_role() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let id = trader.propose(&transfer(1, 2, "1")).await;
    let (viewer, editor) = (
        csr(&world, gate::KeyName::Viewer).await,
        csr(&world, gate::KeyName::Editor).await,
    );
    let viewer = world.add_api_user("too much", Role::Admin, &viewer).await;
    let editor = world
        .add_api_user("too much, too", Role::Admin, &editor)
        .await;
    world.gate.stop().await;
    let store = gate::start::open_store(&world.gate.folder, &world.gate.config).await;
    let work = move |writing: &mut Writing<'_>| {
        for (name, id) in [("viewer", viewer), ("editor", editor)] {
            let id = id.to_string();
            writing.execute(rows::SET, &params![name, id.as_str()])?;
        }
        writing.execute(rows::NEVER_LOOKED, &params![]).map(drop)?;
        Ok::<_, StoreError>(())
    };
    store.expect("a store").write(work).await.expect("written");
    world.gate.start().await;
    world.decide(&id, true).await.fine();
    let status = world.look("/status").await;
    for (what, most) in [
        ("the gate's Viewer can do no more than read", "VIEWER"),
        ("the gate's Editor can do no more than propose", "EDITOR"),
    ] {
        let seen = check(&status, what);
        assert_eq!(seen["ok"], false, "{seen}");
        let expected = format!("can do more than {most}: it is ADMIN");
        assert!(seen["saw"].to_string().contains(&expected), "{seen}");
    }
    let posture = world.look("/posture").await;
    let c1 = &posture[0]["findings"][0];
    assert_eq!(
        (&c1["practice"], &c1["verdict"]),
        (&json!("C1"), &json!("broken"))
    );
    // Nor does it after another start, whatever it is asked to look at.
    world.restart_gate().await;
    world.desk("POST", "/refresh", &json!({})).await.fine();
    until("the keys are looked at", || async {
        let status = world.look("/status").await;
        check(&status, "the gate's Viewer can do no more than read")["ok"] == false
    })
    .await;
    assert_eq!(world.look("/status").await["filled"], false);
    assert_eq!(world.state(&id).await, "APPROVED");
    assert_eq!(world.line.sent(), 0);
}
