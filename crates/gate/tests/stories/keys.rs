//! A provider's key is replaced while it calls: not one call fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use protocol::csr::CertificateSigningRequest;
use protocol::keys::{KeySize, PrivateKey};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::caller::Caller;
use crate::provider::viewer;
use crate::quorum::days;
use crate::world::{World, until};

const READ: &str = "/v1/vault/accounts_paged?limit=5";
const OWN_KEYS: &str = "/vestibule/v1/keys";

fn new_key() -> PrivateKey {
    PrivateKey::generate(KeySize::Rsa2048).expect("a key")
}

fn csr(key: &PrivateKey) -> String {
    let request = CertificateSigningRequest::new(key, "acme", None);
    request.expect("a request").to_pem()
}

fn print(key: &PrivateKey) -> String {
    key.public().fingerprint().to_string()
}

/// A provider's program that calls without a pause, with whatever key it has.
struct Busy {
    key: watch::Sender<Caller>,
    ended: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<Vec<u16>>,
}

impl Busy {
    fn start(caller: &Caller) -> Self {
        let (key, current) = watch::channel(caller.clone());
        let (ended, answered) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicUsize::new(0)),
        );
        let (stop, count) = (Arc::clone(&ended), Arc::clone(&answered));
        let task = tokio::spawn(async move {
            let mut failed = Vec::new();
            while !stop.load(Ordering::SeqCst) {
                let caller = current.borrow().clone();
                let answer = caller.get(READ).await;
                // A 429 tells a program to wait a moment; nothing has failed.
                if !matches!(answer.status, 200 | 429) {
                    failed.push(answer.status);
                }
                count.fetch_add(1, Ordering::SeqCst);
            }
            failed
        });
        Self {
            key,
            ended,
            answered,
            task,
        }
    }

    /// It has made some more calls since.
    async fn goes_on(&self) {
        let before = self.answered.load(Ordering::SeqCst);
        until("some more calls", || async {
            self.answered.load(Ordering::SeqCst) > before + 5
        })
        .await;
    }

    async fn failures(self) -> Vec<u16> {
        self.ended.store(true, Ordering::SeqCst);
        self.task.await.expect("it ends")
    }
}

fn state_of(keys: &Value, of: &PrivateKey) -> Value {
    let keys = keys.get("keys").unwrap_or(keys).as_array().expect("keys");
    let key = keys.iter().find(|key| key["fingerprint"] == print(of));
    key.map_or(Value::Null, |key| key["state"].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_replaced_and_no_call_fails() {
    let mut world = World::new().await;
    let provider = world.enrol("acme", viewer(&[1, 2], None)).await;
    let old = provider.caller.clone();
    let busy = Busy::start(&old);
    busy.goes_on().await;

    // The provider offers its next key, signed with the one of now.
    let next = new_key();
    let offered = old.post(OWN_KEYS, &json!({"csr": csr(&next)})).await.fine();
    assert_eq!(state_of(&offered["data"], &next), "NEXT");
    let early = Caller::new(&old.origin, old.user, next.clone());
    assert_eq!(early.get(READ).await.status, 401, "not confirmed");
    busy.goes_on().await;

    // The client confirms it. Both are let in, under the same API key.
    let path = format!("/connections/acme/keys/{}/confirm", print(&next));
    let keys = world
        .desk(
            "POST",
            &path,
            &json!({"overlap_seconds": 10, "reason": "as agreed"}),
        )
        .await
        .fine();
    assert_eq!(state_of(&keys, &next), "ACTIVE");
    assert_eq!(state_of(&keys, &old.key), "RETIRING");
    busy.goes_on().await;
    assert_eq!(early.get(READ).await.status, 200);

    // The provider's program takes the new key when it finds that it holds.
    let own = early.get(OWN_KEYS).await.fine();
    assert_eq!(state_of(&own["data"], &next), "ACTIVE");
    busy.key.send_replace(early.clone());
    busy.goes_on().await;

    // The overlap ends by itself, with the old key's last call; the new one goes on.
    until("the overlap ends", || async {
        old.get(READ).await.status == 401
    })
    .await;
    busy.goes_on().await;
    let keys = world.look("/connections/acme/keys").await;
    assert_eq!(state_of(&keys, &old.key), "RETIRED");
    let used = |key: &PrivateKey| {
        let keys = keys.as_array().expect("keys");
        let key = keys
            .iter()
            .find(|one| one["fingerprint"] == print(key))
            .cloned();
        key.expect("there")["lastUsed"].as_i64().expect("used")
    };
    assert!(used(&next) >= used(&old.key));
    assert_eq!(busy.failures().await, Vec::<u16>::new());
    let shown = world.look("/connections/acme").await;
    assert_eq!(shown["fingerprint"], print(&next), "it can be compared");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_replaces_a_key_from_whatever_it_was_sent_and_in_an_emergency_at_once() {
    let mut world = World::new().await;
    let provider = world.enrol("acme", viewer(&[1], None)).await;
    let old = provider.caller.clone();
    let (second, third) = (new_key(), new_key());
    let mail = format!(
        "Hi,\r\n\r\n> our new one:\r\n{}",
        csr(&second).replace('\n', "\r\n> ")
    );
    let keys = "/connections/acme/keys";
    world
        .desk(
            "POST",
            keys,
            &json!({"csr": mail, "overlap_seconds": 60, "reason": "as agreed"}),
        )
        .await
        .fine();
    let new = Caller::new(&old.origin, old.user, second.clone());
    assert_eq!(
        (old.get(READ).await.status, new.get(READ).await.status),
        (200, 200)
    );

    // Somebody has seen the keys: the next request after the answer is refused.
    world
        .desk(
            "POST",
            keys,
            &json!({"csr": csr(&third), "overlap_seconds": 0, "reason": "as agreed"}),
        )
        .await
        .fine();
    assert_eq!(
        (old.get(READ).await.status, new.get(READ).await.status),
        (401, 401)
    );
    let newest = Caller::new(&old.origin, old.user, third.clone());
    assert_eq!(newest.get(READ).await.status, 200);

    // A used key comes back by explicit word alone; and all of it survives a restart.
    let back = json!({"csr": csr(&second), "overlap_seconds": 0, "reason": "as agreed"});
    assert_eq!(world.desk("POST", keys, &back).await.status, 409);
    world.restart_gate().await;
    let at = |key: &PrivateKey| Caller::new(&world.gate.origin, old.user, key.clone());
    until("the gate takes tokens", || async {
        at(&third).get(READ).await.status == 200
    })
    .await;
    assert_eq!(at(&second).get(READ).await.status, 401);
}

/// Invariant 3: a provider that sends its private key in place of a CSR is told, and stopped.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn invariant_3_a_provider_that_offers_its_private_key_has_burned_it() {
    let mut world = World::new().await;
    let provider = world.enrol("acme", viewer(&[1], None)).await;
    let (leaked, own) = (new_key(), provider.caller.key.clone());
    for (key, then) in [(&leaked, 200), (&own, 401)] {
        let pem = key.to_pkcs8_pem().expect("pem").to_string();
        let answer = provider.caller.post(OWN_KEYS, &json!({"csr": pem})).await;
        assert_eq!(answer.status, 400);
        let told = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(told.contains("private key never travels"), "{told}");
        assert_eq!(provider.caller.get(READ).await.status, then);
    }
    let shown = world.look("/connections/acme").await;
    assert_eq!(shown["state"], "SUSPENDED");
}

#[tokio::test]
async fn a_key_that_expires_soon_is_named_and_at_once_is_by_the_gates_clock() {
    let mut world = World::new().await;
    let reader = world.enrol("reader", viewer(&[1], None)).await;
    let stays = || async {
        let status = world.look("/status").await;
        let checks = status["checks"].as_array().expect("checks").clone();
        let of_keys = |one: &&Value| one["what"] == "no connection's key expires within 14 days";
        let check = checks.iter().find(of_keys).expect("a check");
        (check["ok"].clone(), check["saw"].to_string())
    };
    assert_eq!(stays().await.0, true);
    let key = print(&reader.caller.key);
    let path = format!("/connections/reader/keys/{key}/expire");
    let near = json!({"expires_at": days(13), "reason": "a key a quarter"});
    world.desk("POST", &path, &near).await.fine();
    let (ok, saw) = stays().await;
    assert!(ok == false && saw.contains("reader"), "{saw}");
    assert_eq!(reader.caller.get(READ).await.status, 200);
    // Said twice, it is done twice, without a quorum.
    for _ in 0..2 {
        let at_once = json!({"expires_at": 0, "reason": "somebody has seen it"});
        let done = world.desk("POST", &path, &at_once).await.fine();
        assert!(done["change"].is_null(), "{done}");
        assert_eq!(reader.caller.get(READ).await.status, 401);
        assert!(done["keys"][0]["expiresAt"].as_i64() > Some(0), "{done}");
    }
}
