//! Client certificates, connection by connection.

use gate::config::{Behind, Config, Tell, TlsFiles};
use protocol::ids::UserId;
use rcgen::{CertifiedKey, KeyPair, generate_simple_self_signed};
use reqwest::{Certificate, Client, Identity};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::caller::Caller;
use crate::desk::{Desk, comes_in};

/// A gate that serves TLS itself.
struct Served {
    desk: Desk,
    knows: Certificate,
    _files: tempfile::TempDir,
}

fn made(name: &str) -> CertifiedKey<KeyPair> {
    generate_simple_self_signed([name.to_owned()]).expect("a certificate")
}

impl Served {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(set: impl FnOnce(&mut Config)) -> Self {
        let files = tempfile::tempdir().expect("a folder");
        let own = made("127.0.0.1");
        let (certificate, key) = (files.path().join("c.pem"), files.path().join("k.pem"));
        std::fs::write(&certificate, own.cert.pem()).expect("written");
        std::fs::write(&key, own.signing_key.serialize_pem()).expect("written");
        let desk = Desk::with(|config| {
            config.serve.entrance.tls = Some(TlsFiles { certificate, key });
            set(config);
        });
        Self {
            desk: desk.await,
            knows: Certificate::from_pem(own.cert.pem().as_bytes()).expect("a certificate"),
            _files: files,
        }
    }

    /// A client that shows this certificate, or none.
    fn client(&self, shows: Option<&CertifiedKey<KeyPair>>) -> Client {
        let client = Client::builder()
            .no_proxy()
            .tls_certs_only([self.knows.clone()]);
        let client = match shows {
            None => client,
            Some(own) => {
                let pem = own.signing_key.serialize_pem() + &own.cert.pem();
                client.identity(Identity::from_pem(pem.as_bytes()).expect("an identity"))
            }
        };
        client.build().expect("a client")
    }

    async fn change(&self, name: &str, certificate: &str) -> Value {
        let wanted = json!({"client_certificate": certificate, "reason": "mutual TLS"});
        let owner = &self.desk.owner;
        self.desk.act(owner, name, "change", wanted).await.fine()
    }
}

#[tokio::test]
async fn invariant_2_a_connection_with_a_client_certificate_comes_in_with_that_one_alone() {
    let mut served = Served::new().await;
    let desk = &served.desk;
    let (own, others) = (made("acme"), made("other"));
    let acme = desk.request("acme", json!({})).await;
    let grant = json!({"client_certificate": own.cert.pem()});
    let done = desk.act(&desk.owner, "acme", "approve", grant).await.fine();
    assert_eq!(done["connection"]["standing"], "ACTIVE");
    let [right, wrong, none] =
        [Some(&own), Some(&others), None].map(|shows| acme.clone().over(served.client(shows)));
    let me = right.get("/vestibule/v1/me").await.fine();
    let pin = &done["connection"]["client_certificate"];
    assert!(pin.is_string() && me["clientCertificate"] == *pin, "{me}");
    let nobody = Caller::new(&acme.origin, UserId(Uuid::new_v4()), acme.key.clone());
    let nobody = nobody.over(served.client(None));
    let unknown = nobody.get("/vestibule/v1/me").await.lasting();
    assert_eq!(unknown.status, 401);
    for caller in [&wrong, &none] {
        let refused = caller.get("/vestibule/v1/me").await.lasting();
        assert_eq!(refused, unknown, "nobody learns why");
    }
    // A certificate renewed for the same key is as good.
    let renewed = rcgen::CertificateParams::new(["acme.example".to_owned()]);
    let cert = renewed.expect("parameters").self_signed(&own.signing_key);
    let renewed = CertifiedKey {
        cert: cert.expect("a certificate"),
        signing_key: own.signing_key,
    };
    let renewed = acme.clone().over(served.client(Some(&renewed)));
    assert_eq!(comes_in(&renewed).await, 200);
    // The other provider need not show any.
    let free = desk.request("free", json!({})).await;
    let done = desk.act(&desk.owner, "free", "approve", json!({})).await;
    done.fine();
    for shows in [None, Some(&others)] {
        let free = free.clone().over(served.client(shows));
        let me = free.get("/vestibule/v1/me").await.fine();
        assert_eq!(me["clientCertificate"], Value::Null);
    }
    // The log tells it, in whose dealings it is.
    served.desk.gate.stop().await;
    served.desk.gate.start().await;
    let log = served.desk.look("/log").await;
    let mut told = log
        .as_array()
        .expect("entries")
        .iter()
        .map(|one| &one["entry"]);
    let why = "it did not show the client certificate of its connection";
    let told = told.find(|one| one["why"] == why);
    assert_eq!(told.expect("in the log")["count"], 2);
}

#[tokio::test]
async fn invariant_2_the_first_certificate_holds_at_once_and_another_takes_the_quorum() {
    let served = Served::new().await;
    let desk = &served.desk;
    let other = desk.add_operator("other", "OWNER").await;
    let acme = desk.request("acme", json!({})).await;
    let done = desk.act(&desk.owner, "acme", "approve", json!({})).await;
    done.fine();
    desk.quorum(2).await;
    let (first, second) = (made("acme"), made("acme"));
    let [old, new, none] =
        [Some(&first), Some(&second), None].map(|shows| acme.clone().over(served.client(shows)));
    let all = || async {
        [
            comes_in(&old).await,
            comes_in(&new).await,
            comes_in(&none).await,
        ]
    };
    assert_eq!(all().await, [200, 200, 200]);
    // These connections stay open over all that follows.
    let narrowed = served.change("acme", &first.cert.pem()).await;
    assert_eq!(narrowed["direction"], "narrows");
    assert_eq!(all().await, [200, 401, 401], "the next request");
    for (certificate, after) in [
        (second.cert.pem(), [401, 200, 401]),
        ("none".to_owned(), [200, 200, 200]),
    ] {
        let before = all().await;
        let asked = served.change("acme", &certificate).await;
        assert_eq!(asked["direction"], "widens");
        assert_eq!(all().await, before, "as it was until it is signed");
        let id = asked["change"]["id"].as_str().expect("an id");
        desk.decide(&other, id, true).await.fine();
        assert_eq!(all().await, after);
    }
}

#[tokio::test]
async fn a_certificate_that_cannot_reach_the_gate_is_not_asked_for() {
    let pem = made("acme").cert.pem();
    let plain = Desk::new().await;
    let behind = Served::with(|config| {
        config.serve.entrance.behind = Some(Behind {
            proxies: vec!["192.0.2.1/32".parse().expect("a net")],
            tell: Tell::Forwarded,
        });
    })
    .await;
    for desk in [&plain, &behind.desk] {
        desk.request("acme", json!({})).await;
        let grant = json!({"client_certificate": pem});
        let refused = desk.act(&desk.owner, "acme", "approve", grant).await;
        assert_eq!(refused.status, 409);
        let told = refused.json()["detail"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(told.contains("let the gate serve TLS itself"), "{told}");
        let approved = desk.act(&desk.owner, "acme", "approve", json!({})).await;
        approved.fine();
        let wanted = json!({"client_certificate": pem, "reason": "mutual TLS"});
        let refused = desk.act(&desk.owner, "acme", "change", wanted).await;
        assert_eq!(refused.status, 409);
        let shown = desk.look("/connections/acme").await;
        assert_eq!(shown["client_certificate"], Value::Null);
    }
}

#[tokio::test]
async fn invariant_3_a_private_key_in_place_of_the_certificate_is_burned() {
    let served = Served::new().await;
    let desk = &served.desk;
    let acme = desk.request("acme", json!({})).await;
    let done = desk.act(&desk.owner, "acme", "approve", json!({})).await;
    done.fine();
    let acme = acme.over(served.client(None));
    let own = made("acme");
    let with_its_key = own.cert.pem() + &own.signing_key.serialize_pem();
    let provers = acme.key.to_pkcs8_pem().expect("pem").to_string();
    for (pasted, then) in [(with_its_key, 200), (provers, 401)] {
        let wanted = json!({"client_certificate": pasted, "reason": "mutual TLS"});
        let refused = desk.act(&desk.owner, "acme", "change", wanted).await;
        assert_eq!(refused.status, 400);
        let told = refused.json()["detail"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(told.contains("private key never travels"), "{told}");
        assert_eq!(comes_in(&acme).await, then);
    }
    let shown = desk.look("/connections/acme").await;
    assert_eq!(shown["state"], "SUSPENDED");
    let wanted = json!({"client_certificate": "no PEM", "reason": "mutual TLS"});
    let refused = desk.act(&desk.owner, "acme", "change", wanted).await;
    assert_eq!(refused.status, 400);
}
