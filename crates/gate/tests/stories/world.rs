//! A workspace, a gate in front of it, and the client's people at both.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::Ipv4Addr;
use std::num::NonZeroU32;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gate::config::{Areas, Development, Entrance, Log, Records, Serve, StoreAt, Upstream};
use gate::operations::proposals::signed_text;
use gate::{Config, Folder, KeyName};
use protocol::ids::UserId;
use protocol::keys::PrivateKey;
use protocol::role::{ProviderRole, Role};
use sandbox::people;
use sandbox::world::Network;
use serde_json::{Value, json};
use wire::clock::{SystemClock, WallClock};

use crate::caller::{Answer, Caller};
use crate::hooks::Hooks;
use crate::line::Line;
use crate::processes::{Gate, Sandbox, address, anywhere};

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that runs.
pub struct World {
    _home: tempfile::TempDir,
    pub sandbox: Sandbox,
    pub line: Line,
    pub gate: Gate,
    /// The client's admin at the workspace itself.
    pub admin: Caller,
    /// The owner at the gate's admin listener.
    pub owner: Caller,
    /// The gate's Editor upstream, once there is one.
    pub editor: Option<UserId>,
    /// The workspace's webhook to the gate.
    pub webhook: String,
    /// Who has asked and was not let in yet: key, hooks, role.
    pub waiting: BTreeMap<String, (PrivateKey, Hooks, ProviderRole)>,
}

impl World {
    /// A gate as it is once the client has done all that `gate init` asked for.
    pub async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// The same, with something in its configuration set otherwise.
    pub async fn with(set: impl FnOnce(&mut Config)) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let sandbox = Sandbox::new(home.path().join("sandbox.db")).await;
        let line = Line::to(address(&sandbox.is().origin)).await;
        let folder = Folder::new(home.path().join("gate"));
        let mut config = config(&sandbox, &line);
        set(&mut config);
        let made = gate::init::init(&folder, &config, "", "owner", &SystemClock).await;
        let made = made.expect("a gate");
        let mut gate = Gate::made(folder, config);
        gate.start().await;
        let admin = admin_of(&sandbox, Network::Mainnet);
        let owner_key = gate.folder.key(KeyName::Owner).expect("a key");
        let admin_origin = format!("http://{}", gate.config.serve.admin);
        let owner = Caller::new(&admin_origin, made.owner_id, owner_key);
        let csr = std::fs::read_to_string(&made.viewer_csr).expect("a CSR");
        let mut world = Self {
            _home: home,
            sandbox,
            line,
            gate,
            admin,
            owner,
            editor: None,
            webhook: String::new(),
            waiting: BTreeMap::new(),
        };
        let viewer = world.add_api_user("gate viewer", Role::Viewer, &csr).await;
        world.webhook = world.add_webhook(&world.admin).await;
        world
            .desk(
                "PUT",
                "/upstream",
                &json!({"viewer": viewer, "webhook": world.webhook}),
            )
            .await
            .fine();
        until("the books are filled", || async {
            world.look("/status").await["filled"] == true
        })
        .await;
        world
    }

    /// One of the workspace's own users, at the workspace itself.
    pub fn at_the_workspace(&self, name: &str) -> Caller {
        user_of(&self.sandbox, Network::Mainnet, name)
    }

    /// An API user made from a CSR, as in the Console; from this machine alone.
    pub async fn add_api_user(&self, name: &str, role: Role, csr: &str) -> UserId {
        let body = json!({"name": name, "role": role, "csrPem": csr});
        self.admin
            .post("/v1/management/api_users", &body)
            .await
            .fine();
        let users = self.admin.get("/v1/management/api_users").await.fine();
        let users = users["users"].as_array().expect("users");
        let user = users
            .iter()
            .find(|user| user["name"] == name)
            .expect("the new one");
        let id = user["id"].as_str().expect("an id");
        let path = format!("/users/{id}/ip_addresses");
        self.sandbox
            .act(&path, &json!({"addresses": ["127.0.0.1"]}))
            .await;
        id.parse().expect("an id")
    }

    /// A webhook to the gate, made by the admin of one of the workspaces.
    pub async fn add_webhook(&self, admin: &Caller) -> String {
        let url = format!("{}/webhooks/upstream", self.gate.origin);
        let body = json!({"url": url, "events": ["*"]});
        let made = admin.post("/v1/webhooks", &body).await.fine();
        made["id"].as_str().expect("an id").to_owned()
    }

    /// Asks the gate's desk.
    pub async fn desk(&self, method: &str, path: &str, body: &Value) -> Answer {
        let target = format!("/vestibule/v1{path}");
        let body = Some(body).filter(|_| method != "GET");
        self.owner.send(method, &target, body, &[]).await
    }

    /// Looks at something at the gate's desk.
    pub async fn look(&self, path: &str) -> Value {
        self.desk("GET", path, &Value::Null).await.fine()
    }

    /// The owner decides over a proposal, signed over exactly what she saw.
    pub async fn decide(&self, id: &str, approve: bool) -> Answer {
        self.decide_for(id, approve, "not this week").await
    }

    pub async fn decide_for(&self, id: &str, approve: bool, why: &str) -> Answer {
        let seen = self.look(&format!("/proposals/{id}")).await;
        let digest = seen["digest"].as_str().expect("a digest");
        let text = signed_text(approve, id.parse().expect("an id"), digest);
        let signature = self.owner.key.sign_rs256(text.as_bytes()).expect("signed");
        let word = if approve { "approve" } else { "reject" };
        let body =
            json!({"digest": digest, "signature": STANDARD.encode(signature), "reason": why});
        self.desk("POST", &format!("/proposals/{id}/{word}"), &body)
            .await
    }

    /// The owner rejects a proposal, with these words.
    pub async fn rejected(&self, id: &str, words: &Value) -> Answer {
        let seen = self.look(&format!("/proposals/{id}")).await;
        let text = signed_text(
            false,
            id.parse().expect("an id"),
            seen["digest"].as_str().expect("a digest"),
        );
        let signature = self.owner.key.sign_rs256(text.as_bytes()).expect("signed");
        let mut body = words.clone();
        body["digest"] = seen["digest"].clone();
        body["signature"] = STANDARD.encode(signature).into();
        self.desk("POST", &format!("/proposals/{id}/reject"), &body)
            .await
    }

    /// Approves a proposal, and waits until a machine on the way has answered it in upstream's place.
    pub async fn intercepted(&self, id: &str, status: u16) {
        self.line.intercept(status);
        self.decide(id, true).await.fine();
        until("it is stopped on its way", || async {
            self.line.has_intercepted()
        })
        .await;
    }

    /// How far a proposal is at the gate.
    pub async fn state(&self, id: &str) -> String {
        let seen = self.look(&format!("/proposals/{id}")).await;
        seen["state"].as_str().expect("a state").to_owned()
    }

    /// The workspace's transactions that are this proposal.
    pub async fn upstream_of(&self, id: &str) -> Vec<Value> {
        let external = format!("vestibule-{id}");
        let mut all = self.admin.transactions().await;
        all.retain(|one| one["externalTxId"] == *external);
        all
    }

    /// The gate's process ends and begins again.
    pub async fn restart_gate(&mut self) {
        self.gate.stop().await;
        self.gate.start().await;
    }

    /// The gate has looked at all of upstream since now. What it had begun before, it has ended: the next
    /// look is minutes away.
    pub async fn quiet(&self) {
        let asked = SystemClock.now();
        until("all of upstream is looked at", || async {
            // Upstream dates what it answers in whole seconds: a look in this very second is dated before it.
            self.desk("POST", "/refresh", &json!({})).await.fine();
            until("the look is over", || async {
                self.look("/status").await["looking"] == json!(false)
            })
            .await;
            let status = self.look("/status").await;
            let areas = status["areas"].as_array().expect("areas");
            let since = |area: &Value| area["as_of"].as_i64().is_some_and(|at| at >= asked.0);
            !areas.is_empty() && areas.iter().all(since)
        })
        .await;
    }
}

/// The non-signing admin of one of the sandbox's workspaces.
pub fn admin_of(sandbox: &Sandbox, network: Network) -> Caller {
    user_of(sandbox, network, "non-signing-admin")
}

/// A user of a sandbox's first workspace.
pub fn of_workspace(sandbox: &Sandbox, name: &str) -> Caller {
    user_of(sandbox, Network::Mainnet, name)
}

fn user_of(sandbox: &Sandbox, network: Network, name: &str) -> Caller {
    let person = people::named(name).expect("a person");
    let key = person.key().expect("a key").expect("a key");
    Caller::new(&sandbox.is().origin, person.id(network), key)
}

fn config(sandbox: &Sandbox, line: &Line) -> Config {
    let origin = &sandbox.is().origin;
    Config {
        upstream: Upstream {
            base_url: format!("{}/v1", line.origin()).parse().expect("a URL"),
            workspace_id: sandbox.is().workspaces[0].0,
            jwks_url: format!("{origin}{}", wire::jwks::PATH)
                .parse()
                .expect("a URL"),
            calls_per_minute: NonZeroU32::MIN.saturating_add(59_999),
            timeout_seconds: Upstream::timeout(),
        },
        serve: Serve {
            listen: anywhere(),
            admin: anywhere(),
            public_url: None,
            egress_addresses: vec![Ipv4Addr::LOCALHOST.into()],
            calls_per_second: Serve::rate(),
            entrance: Entrance::default(),
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

/// Awaits a condition.
pub async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !holds().await {
        assert!(
            tokio::time::Instant::now() < deadline,
            "not in time: {what}"
        );
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}
