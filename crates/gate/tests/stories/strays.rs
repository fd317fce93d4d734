//! Transactions upstream that are the gate's own and that nobody let go: an alarm, cancelled, and
//! nothing more is sent until the client's people resume it.

use gate::KeyName;
use protocol::csr::CertificateSigningRequest;
use protocol::keys::{KeySize, PrivateKey};
use protocol::role::Role;
use sandbox::people;
use sandbox::world::Network;
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::provider::{Provider, Wanted, editor, transfer};
use crate::world::{World, until};

/// A gate with somebody who proposes; upstream's people wait to be told.
async fn ready(wanted: Wanted) -> (World, Provider) {
    let mut world = World::new().await;
    let trader = world.enrol("trader", wanted).await;
    world.sandbox.waits_to_be_told(true).await;
    (world, trader)
}

/// Whoever has taken the Editor's key from the gate.
pub fn thief(world: &World) -> Caller {
    let key = world.gate.folder.key(KeyName::Editor).expect("a key");
    let origin = &world.sandbox.is().origin;
    Caller::new(origin, world.editor.expect("an Editor"), key)
}

pub async fn stopped(world: &World) -> Value {
    until("dispatch is stopped", || async {
        world.look("/status").await["stopped"].is_object()
    })
    .await;
    world.look("/status").await
}

/// What a thief sends past the gate stops dispatch.
pub async fn is_caught(world: &World, thief: &Caller) {
    let made = thief
        .post("/v1/transactions", &transfer(1, 2, "3"))
        .await
        .fine();
    let status = stopped(world).await;
    assert_eq!(
        (&status["stopped"]["upstream"], &status["stopped"]["why"]),
        (&made["id"], &json!("NO_PROPOSAL"))
    );
}

pub async fn resume(world: &World) -> Value {
    let why = json!({"reason": "looked at"});
    world.desk("POST", "/dispatch/resume", &why).await.fine()
}

/// The workspace's transaction of this id.
async fn upstream(world: &World, id: &str) -> Value {
    let all = world.admin.transactions().await;
    let found = all.into_iter().find(|one| one["id"] == *id);
    found.expect("it is there")
}

async fn kinds(world: &World) -> Vec<String> {
    let log = world.look("/log?limit=100").await;
    let entries = log.as_array().expect("entries").iter();
    let kind = |one: &Value| one["kind"].as_str().expect("a kind").to_owned();
    entries.map(kind).collect()
}

/// Everybody may send everything, and nobody is asked.
pub async fn let_everything_through(world: &mut World) {
    world.sandbox.waits_to_be_told(false).await;
    let signer = people::named("signing-officer").expect("a person");
    let rule = json!({"type": "TRANSFER", "transactionType": "TRANSFER", "action": "ALLOW", "asset": "*",
        "amountCurrency": "USD", "amountScope": "SINGLE_TX", "amount": "0", "periodSec": 0,
        "operators": {"wildcard": "*"}, "src": {"ids": [["*"]]}, "dst": {"ids": [["*"]]},
        "dstAddressType": "*", "designatedSigners": {"users": [signer.id(Network::Mainnet)]}});
    let told = world
        .admin
        .post("/v1/tap/publish", &json!({"rules": [rule]}))
        .await
        .fine();
    assert_eq!(told["status"], "AWAITING_QUORUM", "{told}");
    until("the policy holds", || async {
        let active = world.admin.get("/v1/tap/active_policy").await.fine();
        active["policy"]["rules"]
            .as_array()
            .is_some_and(|rules| rules.len() == 1)
    })
    .await;
    // The signer waits to be told.
    world.sandbox.waits_to_be_told(true).await;
}

#[tokio::test]
async fn invariant_1_what_the_editors_key_sends_past_the_gate_is_cancelled_and_stops_dispatch() {
    let (mut world, trader) = ready(editor(&[1, 2])).await;
    let made = thief(&world)
        .post("/v1/transactions", &transfer(1, 2, "3"))
        .await
        .fine();
    let id = made["id"].as_str().expect("an id").to_owned();
    let status = stopped(&world).await;
    assert_eq!(
        (&status["stopped"]["upstream"], &status["stopped"]["why"]),
        (&json!(id), &json!("NO_PROPOSAL"))
    );
    let broken = |status: &Value| {
        let checks = status["checks"].as_array().expect("checks").clone();
        checks.iter().any(|check| {
            check["ok"] == false && check["saw"].as_str().is_some_and(|saw| saw.contains(&id))
        })
    };
    assert!(broken(&status), "{status}");
    until("it is cancelled", || async {
        upstream(&world, &id).await["status"] == "CANCELLED"
    })
    .await;
    until("the gate knows its end", || async {
        kinds(&world).await.contains(&"stray_ended".to_owned())
    })
    .await;
    assert_eq!(
        world.look("/status").await["strays"][0]["status"],
        "CANCELLED"
    );

    // Nothing is sent, also after a restart.
    let sent = world.line.sent();
    let proposal = trader.propose(&transfer(1, 2, "1")).await;
    world.decide(&proposal, true).await.fine();
    world.restart_gate().await;
    assert!(broken(&stopped(&world).await));
    world.quiet().await;
    assert_eq!(world.state(&proposal).await, "APPROVED");
    assert_eq!(world.line.sent(), sent);

    let nothing = world.desk("POST", "/dispatch/resume", &json!({})).await;
    assert_eq!(nothing.status, 400, "a reason is missing");
    assert_eq!(resume(&world).await["state"], "MADE");
    until("it is sent", || async {
        world.state(&proposal).await == "SENT"
    })
    .await;
    assert_eq!(world.upstream_of(&proposal).await.len(), 1);
    assert!(world.look("/status").await["stopped"].is_null());
    let again = world
        .desk("POST", "/dispatch/resume", &json!({"reason": "again"}))
        .await;
    assert_eq!(again.status, 409, "it is not stopped");
    // What was looked at once raises no second alarm.
    world.desk("POST", "/refresh", &json!({})).await;
    world.quiet().await;
    let told = kinds(&world).await;
    let count = |kind: &str| told.iter().filter(|one| *one == kind).count();
    assert_eq!(
        (
            count("dispatch_stopped"),
            count("stray_ended"),
            count("dispatch_resumed")
        ),
        (1, 1, 1),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_proposal_that_nobody_approved_and_that_is_upstream_is_a_stray() {
    let (world, trader) = ready(editor(&[1, 2])).await;
    let waits = trader.propose(&transfer(1, 2, "1")).await;
    let mut body = transfer(1, 2, "1");
    body["externalTxId"] = json!(format!("vestibule-{waits}"));
    thief(&world).post("/v1/transactions", &body).await.fine();
    let status = stopped(&world).await;
    assert_eq!(status["stopped"]["why"], "NOT_SENT");
    assert_eq!(status["strays"][0]["proposal"], waits);
    until("it is cancelled", || async {
        world.upstream_of(&waits).await[0]["status"] == "CANCELLED"
    })
    .await;
    assert_eq!(world.state(&waits).await, "WAITING");
}

#[tokio::test]
async fn invariant_1_what_the_policy_lets_through_without_its_approvers_stops_dispatch() {
    let wanted = Wanted {
        place: "fireblocks",
        ..editor(&[1, 2])
    };
    let (mut world, trader) = ready(wanted).await;
    let_everything_through(&mut world).await;
    let id = trader.propose(&transfer(1, 2, "0.5")).await;
    let status = stopped(&world).await;
    assert_eq!(status["stopped"]["why"], "SKIPPED_AUTHORIZATION");
    assert_eq!(status["strays"][0]["proposal"], id);
    until("it is cancelled", || async {
        trader.status(&id).await == "CANCELLED"
    })
    .await;
    let next = trader.propose(&transfer(1, 2, "0.25")).await;
    world.quiet().await;
    assert!(world.upstream_of(&next).await.is_empty(), "nothing is sent");
    let told = kinds(&world).await;
    assert!(!told.contains(&"proposal_approved".to_owned()), "{told:?}");
}

/// The events that tell who approved may be lost, but what upstream shows clears it.
#[tokio::test]
async fn other_users_transactions_and_what_is_approved_upstream_stop_nothing() {
    let mut world = World::new().await;
    let wanted = Wanted {
        place: "fireblocks",
        ..editor(&[1, 2])
    };
    let trader = world.enrol("trader", wanted).await;
    let key = PrivateKey::generate(KeySize::Rsa2048).expect("a key");
    let csr = CertificateSigningRequest::new(&key, "other", None).expect("a CSR");
    let csr = csr.to_pem();
    let other = world.add_api_user("another", Role::Editor, &csr).await;
    let other = Caller::new(&world.sandbox.is().origin, other, key);
    let made = other
        .post("/v1/transactions", &transfer(1, 2, "3"))
        .await
        .fine();
    let theirs = made["id"].as_str().expect("an id");
    let mut named = transfer(1, 2, "1");
    named["externalTxId"] = json!("vestibule-of-another-kind");
    other.post("/v1/transactions", &named).await.fine();
    let id = trader.propose(&transfer(1, 2, "0.5")).await;
    until("it is completed", || async {
        trader.status(&id).await == "COMPLETED"
    })
    .await;
    until("theirs goes on", || async {
        upstream(&world, theirs).await["status"] == "COMPLETED"
    })
    .await;
    until("an id that looks like the gate's is told", || async {
        kinds(&world).await.contains(&"orphan_seen".to_owned())
    })
    .await;
    world.desk("POST", "/refresh", &json!({})).await;
    world.quiet().await;
    let status = world.look("/status").await;
    assert!(status["stopped"].is_null(), "{status}");
    assert_eq!(status["strays"], json!([]));
}
