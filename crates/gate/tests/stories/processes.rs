//! The two processes: a workspace's and a gate's. Each can end, and begin again where it was.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use gate::{Config, Folder};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// The workspace's process.
pub struct Sandbox {
    config: sandbox::Config,
    running: Option<(sandbox::Running, CancellationToken)>,
}

/// The gate's process.
pub struct Gate {
    pub folder: Folder,
    pub config: Config,
    pub origin: String,
    running: Option<(gate::Running, CancellationToken)>,
}

/// A free port of this machine.
pub fn anywhere() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

/// Where an origin is.
pub fn address(origin: &str) -> SocketAddr {
    let address = origin.split_once("://").expect("an origin").1;
    address.parse().expect("an address")
}

impl Sandbox {
    pub async fn new(file: PathBuf) -> Self {
        let mut sandbox = Self {
            config: sandbox::Config {
                data: Some(file),
                seed: Some(7),
                ..sandbox::Config::new(anywhere(), anywhere())
            },
            running: None,
        };
        sandbox.start().await;
        sandbox
    }

    /// Starts it, from now on at the same addresses.
    pub async fn start(&mut self) {
        let shutdown = CancellationToken::new();
        let running = sandbox::start(self.config.clone(), shutdown.clone()).await;
        let running = running.expect("a sandbox");
        self.config.listen = address(&running.origin);
        self.config.control = address(&running.control_origin);
        self.running = Some((running, shutdown));
    }

    pub async fn stop(&mut self) {
        let (running, shutdown) = self.running.take().expect("it runs");
        shutdown.cancel();
        running.done().await;
    }

    /// From now on people and chain wait to be told, or act by themselves.
    pub async fn waits_to_be_told(&mut self, manual: bool) {
        self.stop().await;
        self.config.manual = manual;
        self.start().await;
    }

    /// Where its books are.
    pub fn file(&self) -> &Path {
        self.config.data.as_deref().expect("a file")
    }

    pub fn is(&self) -> &sandbox::Running {
        &self.running.as_ref().expect("it runs").0
    }

    /// What people and chain do.
    pub async fn act(&self, path: &str, body: &Value) -> Value {
        let running = self.is();
        let workspace = running.workspaces[0].0;
        let url = format!(
            "{}/_sandbox/workspaces/{workspace}{path}",
            running.control_origin
        );
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("a client");
        let method = if path.ends_with("ip_addresses") {
            "PUT"
        } else {
            "POST"
        };
        let request = http.request(method.parse().expect("a method"), url);
        let request = request
            .bearer_auth(running.control_token.expose_secret())
            .json(body);
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.expect("JSON")
    }

    /// Somebody outside pays in; the transaction's id.
    pub async fn pay_in(&self, account: u32, asset: &str, amount: &str) -> String {
        let body =
            json!({"vaultAccountId": account.to_string(), "assetId": asset, "amount": amount});
        let made = self.act("/incoming", &body).await;
        made["id"].as_str().expect("an id").to_owned()
    }
}

impl Gate {
    /// A gate that was made in this folder; nothing runs yet.
    pub fn made(folder: Folder, config: Config) -> Self {
        Self {
            folder,
            config,
            origin: String::new(),
            running: None,
        }
    }

    /// Starts it, from now on at the same address for providers and webhooks.
    pub async fn start(&mut self) {
        let shutdown = CancellationToken::new();
        let running = gate::start(self.folder.clone(), self.config.clone(), shutdown.clone()).await;
        let running = running.expect("a gate");
        self.origin = running.origin.clone();
        self.config.serve.listen = address(&running.origin);
        self.config.serve.admin = address(&running.admin_origin);
        self.running = Some((running, shutdown));
    }

    pub async fn stop(&mut self) {
        let (running, shutdown) = self.running.take().expect("it runs");
        shutdown.cancel();
        running.done().await.expect("told to end");
    }
}
