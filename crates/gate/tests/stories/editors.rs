//! Editors upstream that connections have of their own.

use protocol::ids::UserId;
use protocol::role::Role;
use serde_json::{Value, json};

use crate::caller::{Answer, Caller};
use crate::provider::{Provider, editor, transfer, viewer};
use crate::strays::is_caught;
use crate::world::{World, until};

/// The CSR of an Editor that the connection is to have of its own.
async fn csr(world: &World, name: &str) -> String {
    let path = format!("/connections/{name}/editor");
    let made = world.desk("POST", &path, &json!({})).await.fine();
    assert_eq!(made["todo"].as_array().expect("steps").len(), 4, "{made}");
    made["csr"].as_str().expect("a CSR").to_owned()
}

async fn propose_as(world: &World, name: &str, editor: Value) -> Answer {
    let wanted = json!({"editor": editor, "reason": "a policy rule of its own"});
    let path = format!("/connections/{name}/change");
    world.desk("POST", &path, &wanted).await
}

/// Gives a connection an Editor of its own, as the client does.
async fn own_editor(world: &World, name: &str) -> UserId {
    let csr = csr(world, name).await;
    let user = world
        .add_api_user(&format!("editor of {name}"), Role::Editor, &csr)
        .await;
    let changed = propose_as(world, name, json!(user)).await.fine();
    assert_eq!(changed["direction"], "widens");
    assert_eq!(changed["editor"], user.to_string(), "{changed}");
    user
}

/// Proposes, approves, and waits until it is completed: who made it upstream.
async fn goes_up_as(world: &World, provider: &Provider) -> Value {
    let id = provider.propose(&transfer(1, 2, "1")).await;
    world.decide(&id, true).await.fine();
    until("it is completed", || async {
        provider.status(&id).await == "COMPLETED"
    })
    .await;
    let seen = provider.sees(&id).await;
    assert_eq!(
        seen["createdBy"],
        provider.caller.user.to_string(),
        "its own API key, whoever proposes upstream"
    );
    let up = world.upstream_of(&id).await;
    assert_eq!(up.len(), 1);
    up[0]["createdBy"].clone()
}

#[tokio::test]
async fn a_connection_proposes_as_an_editor_of_its_own() {
    let mut world = World::new().await;
    let own = world.enrol("own", editor(&[1, 2])).await;
    let other = world.enrol("other", editor(&[1, 2])).await;
    let shared = json!(world.editor.expect("an Editor"));
    assert_eq!(goes_up_as(&world, &own).await, shared);
    let user = own_editor(&world, "own").await;
    assert_eq!(goes_up_as(&world, &own).await, json!(user));
    assert_eq!(goes_up_as(&world, &other).await, shared);
    let status = world.look("/status").await;
    assert!(status["stopped"].is_null(), "{status}");
    let checks = status["checks"].as_array().expect("checks");
    let seen = |what: &str| {
        let found = checks.iter().find(|check| check["what"] == what);
        found.expect(what).clone()
    };
    let no_more = seen("a connection's own Editor can propose and no more");
    assert_eq!(no_more["ok"], true, "{no_more}");
    assert!(
        no_more["saw"].as_str().expect("words").starts_with("own: "),
        "{no_more}"
    );

    // As it was, and over a restart.
    world.restart_gate().await;
    assert_eq!(goes_up_as(&world, &own).await, json!(user));
    propose_as(&world, "own", Value::Null).await.fine();
    assert_eq!(goes_up_as(&world, &own).await, shared);
}

#[tokio::test]
async fn c1_an_editor_of_ones_own_does_no_more_than_propose_and_is_nobody_elses() {
    let mut world = World::new().await;
    world.enrol("own", editor(&[1, 2])).await;
    world.enrol("other", editor(&[1, 2])).await;
    world.enrol("reader", viewer(&[1], None)).await;
    let refused = |answer: Answer, why: &str| {
        assert_eq!(answer.status, 409, "{why}: {:?}", answer.json());
        let said = answer.json()["message"].to_string();
        assert!(said.contains(why), "{said}");
    };
    let early = propose_as(&world, "own", json!(UserId(uuid::Uuid::from_u128(7)))).await;
    refused(early, "there is no key");
    let path = "/connections/reader/editor";
    let reads = world.desk("POST", path, &json!({})).await;
    refused(reads, "proposes nothing");

    let text = csr(&world, "own").await;
    assert_eq!(csr(&world, "own").await, text, "made once");
    for role in [Role::Signer, Role::NonSigningAdmin, Role::Admin] {
        let user = world
            .add_api_user(&format!("too much: {role}"), role, &text)
            .await;
        refused(
            propose_as(&world, "own", json!(user)).await,
            "can do more than",
        );
    }
    let stranger = propose_as(&world, "own", json!(world.admin.user)).await;
    refused(stranger, "cannot be called with this key");
    csr(&world, "other").await;
    let user = world.add_api_user("its own", Role::Editor, &text).await;
    propose_as(&world, "own", json!(user)).await.fine();
    // Another's, and the gate's, are opened by other keys.
    let shared = world.editor.expect("an Editor");
    for taken in [user, shared] {
        refused(
            propose_as(&world, "other", json!(taken)).await,
            "cannot be called with this key",
        );
    }
    let wanted = json!({"editor": user, "reason": "one for all"});
    refused(
        world.desk("PUT", "/upstream", &wanted).await,
        "own's own Editor",
    );
    // Nobody comes in with its key, either.
    let key = world
        .gate
        .folder
        .key(gate::KeyName::EditorOf("own"))
        .expect("a key");
    assert_eq!(key.public().bits(), 4096);
    let handed = protocol::csr::CertificateSigningRequest::new(&key, "thief", None);
    let handover = protocol::handover::HandOver {
        provider: "Thief Ltd".to_owned(),
        role: protocol::role::ProviderRole::Viewer,
        csr: handed.expect("a CSR").to_pem(),
        addresses: vec!["127.0.0.1/32".parse().expect("a net")],
        webhook_url: None,
        legacy_signature: false,
        scope: viewer(&[1], None).scope,
    };
    let ask = json!({"name": "thief", "handover": handover.to_json()});
    let answer = world.desk("POST", "/connections", &ask).await;
    assert_eq!(answer.status, 409, "{:?}", answer.json());
}

/// What is sent as one connection's Editor is never sent as another's, whatever is missing.
#[tokio::test]
async fn invariant_1_without_its_own_editor_a_connection_waits() {
    let mut world = World::new().await;
    let own = world.enrol("own", editor(&[1, 2])).await;
    let other = world.enrol("other", editor(&[1, 2])).await;
    let user = own_editor(&world, "own").await;
    world.gate.stop().await;
    let path = world.gate.folder.key_path(gate::KeyName::EditorOf("own"));
    let aside = path.with_extension("aside");
    std::fs::rename(&path, &aside).expect("moved");
    world.gate.start().await;
    let id = own.propose(&transfer(1, 2, "1")).await;
    world.decide(&id, true).await.fine();
    // Those that come after it go up: so it was looked at.
    goes_up_as(&world, &other).await;
    assert_eq!(world.state(&id).await, "APPROVED");
    assert!(world.upstream_of(&id).await.is_empty());
    let status = world.look("/status").await;
    let mut checks = status["checks"].as_array().expect("checks").iter();
    let lacking =
        checks.find(|check| check["what"] == "an Editor upstream for connections that propose");
    assert_eq!(
        lacking.expect("a check")["saw"],
        "no: the key of own's own Editor is not at this gate"
    );
    std::fs::rename(&aside, &path).expect("moved back");
    until("it is completed", || async {
        own.status(&id).await == "COMPLETED"
    })
    .await;
    assert_eq!(
        world.upstream_of(&id).await[0]["createdBy"],
        user.to_string()
    );
}

/// The one that all shared is gone at the workspace: those that have their own go on.
#[tokio::test]
async fn a_dead_editor_stops_nobody_who_has_another() {
    let mut world = World::new().await;
    let own = world.enrol("own", editor(&[1, 2])).await;
    let other = world.enrol("other", editor(&[1, 2])).await;
    own_editor(&world, "own").await;
    let nobody = UserId(uuid::Uuid::from_u128(7));
    let wanted = json!({"editor": nobody, "reason": "nobody needs it"});
    world.desk("PUT", "/upstream", &wanted).await.fine();
    let waits = other.propose(&transfer(1, 2, "1")).await;
    world.decide(&waits, true).await.fine();
    goes_up_as(&world, &own).await;
    assert_eq!(world.state(&waits).await, "APPROVED");
    // What may not go up any more fails, whoever would have sent it.
    let why = json!({"reason": "over"});
    world
        .desk("POST", "/connections/other/revoke", &why)
        .await
        .fine();
    until("it has failed", || async {
        world.state(&waits).await == "FAILED"
    })
    .await;
}

/// Whoever has its key is a thief, as with the gate's own.
#[tokio::test]
async fn invariant_1_an_editor_of_a_connections_own_is_watched() {
    let mut world = World::new().await;
    world.enrol("own", editor(&[1, 2])).await;
    let user = own_editor(&world, "own").await;
    world.sandbox.waits_to_be_told(true).await;
    let key = world.gate.folder.key(gate::KeyName::EditorOf("own"));
    let thief = Caller::new(&world.sandbox.is().origin, user, key.expect("a key"));
    is_caught(&world, &thief).await;
}

/// The probe of the policy goes up as whom it is to judge.
#[tokio::test]
async fn a_probe_goes_up_as_a_connections_own_editor() {
    let mut world = World::new().await;
    world.enrol("own", editor(&[1, 2])).await;
    let treasurer = sandbox::people::named("treasurer").expect("a person");
    let treasurer = treasurer.id(sandbox::world::Network::Mainnet).to_string();
    let wanted = |expects: &str, connection: &str| {
        json!({"asset": "ETH", "amount": "0.0001", "from": "1", "to": "2", "expects": [expects],
            "connection": connection, "reason": "its rule"})
    };
    let early = world
        .desk("POST", "/probes", &wanted(&treasurer, "own"))
        .await;
    assert_eq!(early.status, 409, "it has no Editor of its own");
    let user = own_editor(&world, "own").await;
    world.sandbox.waits_to_be_told(true).await;
    let itself = wanted(&user.to_string(), "own");
    assert_eq!(world.desk("POST", "/probes", &itself).await.status, 400);
    let made = world
        .desk("POST", "/probes", &wanted(&treasurer, "own"))
        .await
        .fine();
    let id = made["id"].as_str().expect("an id");
    world.decide(id, true).await.fine();
    until("the probe is over", || async {
        world.look(&format!("/proposals/{id}")).await["probe"]["ended"].is_string()
    })
    .await;
    let up = world.upstream_of(id).await;
    assert_eq!(up[0]["createdBy"], user.to_string());
    let probe = world.look(&format!("/proposals/{id}")).await["probe"].clone();
    assert_eq!(probe["judged"]["held"], true, "{probe}");

    // As another than the owner has signed for it is not sent.
    let made = world
        .desk("POST", "/probes", &wanted(&treasurer, "own"))
        .await
        .fine();
    let id = made["id"].as_str().expect("an id");
    propose_as(&world, "own", Value::Null).await.fine();
    world.decide(id, true).await.fine();
    until("it has failed", || async {
        world.state(id).await == "FAILED"
    })
    .await;
    assert!(world.upstream_of(id).await.is_empty());
}
