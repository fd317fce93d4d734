//! A sandbox of its own, and calls of its users, really signed.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use protocol::ids::UserId;
use protocol::keys::PrivateKey;
use protocol::operations::{Access, Operation};
use protocol::role::Role;
use protocol::token::{self, TokenDraft};
use sandbox::people::PEOPLE;
use sandbox::world::Network;
use sandbox::{Config, Running};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use wire::clock::{SystemClock, WallClock as _};

/// How a call comes to the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// As it should.
    Right,
    /// With no token.
    NoToken,
    /// With the token of another body.
    OtherBody,
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: String,
    pub(crate) location: Option<String>,
    pub(crate) body: Vec<u8>,
}

pub(crate) struct Caller {
    pub(crate) origin: String,
    http: reqwest::Client,
    users: Vec<(Role, UserId, PrivateKey)>,
    nonces: AtomicU64,
    running: Running,
    shutdown: CancellationToken,
}

impl Caller {
    /// In memory; people and chain wait to be told.
    pub(crate) async fn start() -> Self {
        Self::new(None, true).await
    }

    /// Keeps its workspaces in this file, if any; in `manual`, people and chain wait to be told.
    pub(crate) async fn new(data: Option<PathBuf>, manual: bool) -> Self {
        let any = ([127, 0, 0, 1], 0).into();
        let config = Config {
            seed: Some(1),
            manual,
            data,
            ..Config::new(any, any)
        };
        let shutdown = CancellationToken::new();
        let running = sandbox::start(config, shutdown.clone())
            .await
            .expect("a sandbox");
        let keyed = PEOPLE.iter().filter_map(|person| {
            let key = person.key()?.expect("a key");
            Some((person.role, person.id(Network::Mainnet), key))
        });
        let http = reqwest::Client::builder()
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .build();
        Self {
            origin: running.origin.clone(),
            http: http.expect("a client"),
            users: keyed.collect(),
            nonces: AtomicU64::new(0),
            running,
            shutdown,
        }
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.running.done().await;
    }

    /// Where the control plane is.
    pub(crate) fn control_origin(&self) -> String {
        self.running.control_origin.clone()
    }

    pub(crate) fn control_token(&self) -> &str {
        self.running.control_token.expose_secret()
    }

    /// The paths of the control plane's own document that take a body by this method.
    pub(crate) async fn control_paths(&self, method: &str) -> Vec<String> {
        let url = format!("{}/_sandbox/openapi.json", self.running.control_origin);
        let request = self.http.get(url).bearer_auth(self.control_token());
        let answer = request.send().await.expect("an answer");
        let told: Value =
            serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON");
        let paths = told["paths"].as_object().expect("paths").iter();
        let taking = paths.filter(|(_, calls)| calls[method]["requestBody"].is_object());
        taking.map(|(path, _)| format!("/_sandbox{path}")).collect()
    }

    /// What the sandbox says that it serves.
    pub(crate) async fn served(&self) -> Vec<&'static Operation> {
        let document = self.document().await;
        let paths = document["paths"].as_object().expect("paths");
        let methods = paths.values().filter_map(Value::as_object).flatten();
        let ids = methods.filter_map(|(_, told)| told["operationId"].as_str());
        ids.filter_map(protocol::operations::by_id).collect()
    }

    /// An Admin, and a token of theirs for this target and body.
    pub(crate) fn admin_token(&self, target: &str, body: &[u8]) -> (String, String) {
        let admin = self.users.iter().find(|(role, ..)| *role == Role::Admin);
        let (_, user, key) = admin.expect("an admin");
        (user.to_string(), self.token(*user, key, target, body))
    }

    fn token(&self, user: UserId, key: &PrivateKey, target: &str, body: &[u8]) -> String {
        let nonce = format!("variant-{}", self.nonces.fetch_add(1, Ordering::SeqCst));
        let draft = TokenDraft {
            user,
            target,
            nonce: &nonce,
            issued_at: SystemClock.now().seconds(),
            lifetime: 55,
            body,
        };
        let input = draft.signing_input();
        token::finish(&input, &key.sign_rs256(input.as_bytes()).expect("signed"))
    }

    /// The sandbox's own OpenAPI document.
    pub(crate) async fn document(&self) -> Value {
        let url = format!("{}/openapi.json", self.origin);
        let answer = self.http.get(url).send().await.expect("an answer");
        serde_json::from_slice(&answer.bytes().await.expect("a body")).expect("JSON")
    }

    /// The workspace, as the control plane names it.
    pub(crate) fn fund(&self) -> String {
        let id = sandbox::people::workspace_id(Network::Mainnet);
        format!("/workspaces/{id}")
    }

    /// People, chain or clock do something.
    pub(crate) async fn control(&self, path: &str, body: &Value) -> String {
        self.asked("POST", path, Some(body)).await
    }

    /// A call of the control plane, which succeeds; what it answers.
    pub(crate) async fn asked(&self, method: &str, path: &str, body: Option<&Value>) -> String {
        let url = format!("{}/_sandbox{path}", self.running.control_origin);
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = self
            .http
            .request(method, url)
            .bearer_auth(self.control_token());
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("an answer");
        let status = answer.status();
        let told = answer.text().await.unwrap_or_default();
        assert!(status.is_success(), "{path}: {told}");
        told
    }

    /// Who may call an operation: an admin, if any may; else whoever may.
    fn user(&self, operation: &Operation) -> &(Role, UserId, PrivateKey) {
        let may = |role: Role| !operation.roles_stated || operation.roles.contains(role);
        let named = |role: Role| self.users.iter().find(move |(theirs, ..)| *theirs == role);
        let wanted = if operation.access == Access::Read && may(Role::Viewer) {
            [Role::Viewer, Role::Admin]
        } else {
            [Role::Admin, Role::NonSigningAdmin]
        };
        let found = wanted.into_iter().filter(|role| may(*role)).find_map(named);
        let other = || self.users.iter().find(|(role, ..)| may(*role));
        found
            .or_else(other)
            .or_else(|| self.users.first())
            .expect("a user")
    }

    /// The roles of its users.
    pub(crate) fn roles(&self) -> Vec<Role> {
        self.users.iter().map(|(role, ..)| *role).collect()
    }

    /// One of its users calls an operation about nothing that there is.
    pub(crate) async fn knock(&self, operation: &Operation, user: usize) -> Answer {
        let path = operation
            .path
            .split('/')
            .map(|part| match part.starts_with('{') {
                true => "0",
                false => part,
            });
        let target = format!("/v1{}", path.collect::<Vec<_>>().join("/"));
        let user = self.users.get(user).expect("a user");
        self.call_as(user, operation, &target, b"", Door::Right)
            .await
    }

    pub(crate) async fn call(
        &self,
        operation: &Operation,
        target: &str,
        body: &[u8],
        door: Door,
    ) -> Answer {
        self.call_as(self.user(operation), operation, target, body, door)
            .await
    }

    async fn call_as(
        &self,
        (_, user, key): &(Role, UserId, PrivateKey),
        operation: &Operation,
        target: &str,
        body: &[u8],
        door: Door,
    ) -> Answer {
        let url: url::Url = format!("{}{target}", self.origin).parse().expect("a URL");
        let sent = match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        let signed = if door == Door::OtherBody {
            b"other"
        } else {
            body
        };
        let token = self.token(*user, key, &sent, signed);
        let method = reqwest::Method::from_bytes(operation.method.as_str().as_bytes());
        let mut request = self.http.request(method.expect("a method"), url);
        request = request.header("x-api-key", user.to_string());
        if door != Door::NoToken {
            request = request.bearer_auth(token);
        }
        if !body.is_empty() {
            request = request
                .header("content-type", "application/json")
                .body(body.to_vec());
        }
        let answer = request.send().await.expect("an answer");
        let header = |name: &str| {
            let value = answer.headers().get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        let (content_type, location) = (header("content-type"), header("location"));
        Answer {
            status: answer.status().as_u16(),
            content_type: content_type.unwrap_or_default(),
            location,
            body: answer.bytes().await.expect("a body").to_vec(),
        }
    }
}
