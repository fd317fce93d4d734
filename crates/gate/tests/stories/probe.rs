//! The probe of the workspace's policy: an owner alone sends it, it must wait for whom she expects, and
//! it is cancelled; where the policy is wrong it may complete, and is told.

use protocol::role::Role;
use sandbox::people;
use sandbox::world::Network;
use serde_json::{Value, json};

use crate::caller::Answer;
use crate::strays::let_everything_through;
use crate::world::{World, until};

fn person(name: &str) -> String {
    let person = people::named(name).expect("a person");
    person.id(Network::Mainnet).to_string()
}

/// A gate that can propose; upstream's people wait to be told.
async fn ready() -> World {
    let mut world = World::new().await;
    let csr = gate_editor_csr(&world).await;
    let editor = world.add_api_user("gate editor", Role::Editor, &csr).await;
    let set = json!({"editor": editor});
    world.desk("PUT", "/upstream", &set).await.fine();
    world.editor = Some(editor);
    world.sandbox.waits_to_be_told(true).await;
    world
}

async fn gate_editor_csr(world: &World) -> String {
    use protocol::csr::CertificateSigningRequest;
    let key = world
        .gate
        .folder
        .make_key(gate::KeyName::Editor)
        .expect("a key");
    let csr = CertificateSigningRequest::new(&key, "gate", None).expect("a CSR");
    csr.to_pem()
}

async fn prepare(world: &World, expects: &[String]) -> Answer {
    let wanted = json!({"asset": "ETH", "amount": "0.0001", "from": "1", "to": "2",
        "expects": expects, "reason": "the yearly test"});
    world.desk("POST", "/probes", &wanted).await
}

/// Sends one, and waits for its end: the probe as the gate tells it.
async fn run(world: &World, expects: &[String]) -> (String, Value) {
    let made = prepare(world, expects).await.fine();
    let id = made["id"].as_str().expect("an id").to_owned();
    assert_eq!(made["state"], "WAITING");
    assert!(
        world.upstream_of(&id).await.is_empty(),
        "nothing before the word"
    );
    world.decide(&id, true).await.fine();
    until("the probe is over", || async {
        world.look(&format!("/proposals/{id}")).await["probe"]["ended"].is_string()
    })
    .await;
    let seen = world.look(&format!("/proposals/{id}")).await;
    (id, seen["probe"].clone())
}

#[tokio::test]
async fn a_probe_waits_for_the_expected_approver_and_is_cancelled() {
    let world = ready().await;
    let (id, probe) = run(&world, &[person("treasurer")]).await;
    assert_eq!(probe["judged"]["held"], true, "{probe}");
    assert_eq!(probe["ended"], "CANCELLED");
    let up = world.upstream_of(&id).await;
    assert_eq!(up.len(), 1);
    assert_eq!(up[0]["status"], "CANCELLED");
    let told: Vec<_> = world
        .look("/log?limit=50")
        .await
        .as_array()
        .expect("entries")
        .iter()
        .filter(|one| one["entry"]["proposal"] == id.as_str())
        .map(|one| one["kind"].as_str().expect("a kind").to_owned())
        .rev()
        .collect();
    assert_eq!(
        told,
        [
            "probe_made",
            "proposal_approved",
            "proposal_sent",
            "probe_judged",
            "probe_ended"
        ]
    );

    // Whom nobody asks is not there: the policy is not what the owner takes it for.
    let (_, probe) = run(&world, &[person("approver")]).await;
    assert_eq!(probe["judged"]["held"], false, "{probe}");
    let saw = probe["judged"]["saw"].as_str().expect("words");
    assert!(
        saw.contains(&person("treasurer")) && saw.contains(&person("approver")),
        "{saw}"
    );
    assert_eq!(probe["ended"], "CANCELLED");
}

#[tokio::test]
async fn a_policy_that_lets_a_probe_through_is_broken() {
    let mut world = ready().await;
    // What was let through is caught before it is signed.
    let_everything_through(&mut world).await;
    let (id, probe) = run(&world, &[person("treasurer")]).await;
    assert_eq!(probe["judged"]["held"], false, "{probe}");
    let saw = probe["judged"]["saw"].as_str().expect("words");
    assert!(saw.contains("let it through"), "{saw}");
    assert_eq!(world.upstream_of(&id).await[0]["status"], probe["ended"]);
}

#[tokio::test]
async fn a_probe_is_an_owners_alone_and_names_what_it_does() {
    let world = ready().await;
    let own = world.editor.expect("an editor").to_string();
    let treasurer = person("treasurer");
    assert_eq!(prepare(&world, &[]).await.status, 400, "nobody is expected");
    assert_eq!(prepare(&world, &[own]).await.status, 400, "itself");
    for (field, value) in [
        ("to", "1"),
        ("to", "99999"),
        ("amount", "0"),
        ("amount", "-1"),
        ("asset", "NONE"),
        ("reason", " "),
    ] {
        let mut wanted = json!({"asset": "ETH", "amount": "0.0001", "from": "1", "to": "2",
            "expects": [treasurer], "reason": "the yearly test"});
        wanted[field] = json!(value);
        let refused = world.desk("POST", "/probes", &wanted).await;
        assert!(
            (400..500).contains(&refused.status),
            "{field} {value}: {}",
            refused.status
        );
    }
    let made = prepare(&world, std::slice::from_ref(&treasurer))
        .await
        .fine();
    assert_eq!(
        prepare(&world, &[treasurer]).await.status,
        409,
        "one at a time"
    );
    let id = made["id"].as_str().expect("an id");
    world.decide(id, false).await.fine();
    assert!(world.upstream_of(id).await.is_empty());
    assert_eq!(world.line.sent(), 0);
}
