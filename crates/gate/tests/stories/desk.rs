//! A gate by itself, and the client's people at its desk: no workspace answers behind it.

use std::net::Ipv4Addr;
use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gate::config::{Areas, Development, Entrance, Log, Records, Serve, StoreAt, Upstream};
use gate::{Config, Folder, KeyName};
use protocol::csr::CertificateSigningRequest;
use protocol::handover::{HandOver, WantedScope};
use protocol::ids::{VaultAccountId, WorkspaceId};
use protocol::keys::{KeySize, PrivateKey};
use protocol::role::ProviderRole;
use serde_json::{Value, json};
use uuid::Uuid;
use wire::clock::SystemClock;

use crate::caller::{Answer, Caller};
use crate::processes::{Gate, anywhere};

/// A gate that runs, and its first owner.
pub struct Desk {
    _home: tempfile::TempDir,
    pub gate: Gate,
    pub owner: Caller,
}

impl Desk {
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same, with something in its configuration set otherwise.
    pub async fn with(set: impl FnOnce(&mut Config)) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let folder = Folder::new(home.path().join("gate"));
        let mut config = Self::config();
        set(&mut config);
        let made = gate::init::init(&folder, &config, "", "owner", &SystemClock).await;
        let made = made.expect("a gate");
        let mut gate = Gate::made(folder, config);
        gate.start().await;
        let key = gate.folder.key(KeyName::Owner).expect("a key");
        let origin = format!("http://{}", gate.config.serve.admin);
        let owner = Caller::new(&origin, made.owner_id, key);
        Self {
            _home: home,
            gate,
            owner,
        }
    }

    /// A gate's configuration.
    pub fn config() -> Config {
        // Nobody listens there.
        let nowhere = "http://127.0.0.1:9/v1";
        Config {
            upstream: Upstream {
                base_url: nowhere.parse().expect("a URL"),
                workspace_id: WorkspaceId(Uuid::from_u128(7)),
                jwks_url: nowhere.parse().expect("a URL"),
                calls_per_minute: NonZeroU32::MIN.saturating_add(599),
                timeout_seconds: Upstream::timeout(),
            },
            serve: Serve {
                listen: anywhere(),
                entrance: Entrance::default(),
                admin: anywhere(),
                public_url: None,
                egress_addresses: vec![Ipv4Addr::LOCALHOST.into()],
                calls_per_second: Serve::rate(),
                private_targets: vec!["127.0.0.0/8".parse().expect("a net")],
            },
            areas: Areas::default(),
            store: StoreAt::default(),
            records: Records::default(),
            mail: None,
            webhook: None,
            log: Log::default(),
            development: Development::default(),
        }
    }

    /// Somebody asks the desk.
    pub async fn ask(&self, who: &Caller, method: &str, path: &str, body: &Value) -> Answer {
        let target = format!("/vestibule/v1{path}");
        let body = Some(body).filter(|_| method != "GET");
        who.send(method, &target, body, &[]).await
    }

    pub async fn look(&self, path: &str) -> Value {
        self.ask(&self.owner, "GET", path, &Value::Null)
            .await
            .fine()
    }

    /// The owner lets somebody of the client's in.
    pub async fn add_operator(&self, name: &str, role: &str) -> Caller {
        let key = PrivateKey::generate(KeySize::Rsa2048).expect("a key");
        let body = json!({"name": name, "role": role, "csr": csr(&key), "reason": "joins"});
        let done = self.ask(&self.owner, "POST", "/operators", &body).await;
        let done = done.fine();
        assert_eq!(done["state"], "MADE", "{done}");
        self.caller(&done, key)
    }

    /// Whoever a change adds, calling with this key.
    pub fn caller(&self, change: &Value, key: PrivateKey) -> Caller {
        let id = change["change"]["id"].as_str().expect("an id");
        Caller::new(&self.owner.origin, id.parse().expect("an id"), key)
    }

    /// Signs a change, or turns it down, over exactly what was seen.
    pub async fn decide(&self, who: &Caller, id: &str, approve: bool) -> Answer {
        let seen = self.look(&format!("/changes/{id}")).await;
        let digest = seen["digest"].as_str().expect("a digest");
        self.decide_over(who, id, approve, digest).await
    }

    pub async fn decide_over(&self, who: &Caller, id: &str, approve: bool, digest: &str) -> Answer {
        let parsed = id.parse().expect("an id");
        let text = gate::changes::signed_text(approve, parsed, digest);
        let signature = STANDARD.encode(who.key.sign_rs256(text.as_bytes()).expect("signed"));
        let word = if approve { "approve" } else { "reject" };
        let body = json!({"digest": digest, "signature": signature, "reason": "as we said"});
        self.ask(who, "POST", &format!("/changes/{id}/{word}"), &body)
            .await
    }

    /// Lets `needed` operators sign from now on.
    pub async fn quorum(&self, needed: u32) {
        let body = json!({"needed": needed, "reason": "four eyes"});
        let done = self.ask(&self.owner, "PUT", "/quorum", &body).await.fine();
        assert_eq!(done["state"], "MADE", "{done}");
    }

    /// A provider asks to be let in; it calls with its own key.
    pub async fn request(&self, name: &str, more: Value) -> Caller {
        let key = PrivateKey::generate(KeySize::Rsa2048).expect("a key");
        let made = self.hand_over(name, &key, more).await.fine();
        let id = made["api_key"].as_str().expect("an id");
        Caller::new(&self.gate.origin, id.parse().expect("an id"), key)
    }

    /// A provider's hand-over file with this key.
    pub async fn hand_over(&self, name: &str, key: &PrivateKey, mut more: Value) -> Answer {
        let members = more.as_object_mut().expect("an object");
        let webhook = members.remove("webhook_url");
        let handover = HandOver {
            provider: format!("{name} Ltd"),
            role: ProviderRole::Viewer,
            csr: csr(key),
            addresses: vec!["127.0.0.1/32".parse().expect("a net")],
            webhook_url: webhook.map(|url| url.as_str().expect("text").parse().expect("a URL")),
            legacy_signature: false,
            scope: WantedScope {
                vault_accounts: [1, 2].map(VaultAccountId::new).into(),
                ..WantedScope::default()
            },
        };
        let mut body = json!({"name": name, "handover": handover.to_json()});
        for (member, value) in more.as_object().expect("an object") {
            body[member] = value.clone();
        }
        self.ask(&self.owner, "POST", "/connections", &body).await
    }

    /// A provider that may come in.
    pub async fn enrol(&self, name: &str) -> Caller {
        let provider = self.request(name, json!({})).await;
        let path = format!("/connections/{name}/approve");
        let done = self
            .ask(&self.owner, "POST", &path, &why("as agreed"))
            .await;
        assert_eq!(done.fine()["connection"]["standing"], "ACTIVE");
        assert_eq!(comes_in(&provider).await, 200);
        provider
    }

    /// What is done to a connection, and what comes of it. What is approved is as agreed.
    pub async fn act(&self, who: &Caller, name: &str, what: &str, mut body: Value) -> Answer {
        let path = format!("/connections/{name}/{what}");
        if what == "approve" && body["reason"].is_null() {
            body["reason"] = "as agreed".into();
        }
        self.ask(who, "POST", &path, &body).await
    }
}

/// A request that is answered without the books: 200 where the provider may come in.
pub async fn comes_in(provider: &Caller) -> u16 {
    provider.get("/vestibule/v1/me").await.status
}

pub fn csr(key: &PrivateKey) -> String {
    let request = CertificateSigningRequest::new(key, "Example", None).expect("a request");
    request.to_pem()
}

pub fn why(text: &str) -> Value {
    json!({"reason": text})
}
