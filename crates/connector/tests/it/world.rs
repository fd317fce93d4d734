//! A connector, and an upstream that it may be a client of.

use std::future::Future;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use connector::keystore::Passphrase;
use connector::operations::client_add::{AddClient, AddedClient, At, Straight, client_add};
use connector::operations::init::init;
use connector::operations::keys::{self, Adopt};
use connector::operations::run::{Run, Running, run};
use connector::{ClientName, Connector, Error, Settings};
use ledger::change::WalletFacts;
use ledger::{AccountFacts, AssetFilter, Change, PartScope, Scope, Version};
use protocol::handover::{HandBack, WantedScope, WebhookKeys};
use protocol::ids::{AssetId, VaultAccountId};
use protocol::keys::{KeySize, PrivateKey};
use protocol::model::vault::VaultAsset;
use protocol::role::ProviderRole;
use protocol::signature::WebhookKey;
use protocol::time::Millis;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use wire::clock::{SystemClock, WallClock};

use crate::upstream::*;

pub static KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(KeySize::Rsa2048).expect("a key"));
static HOOKS: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(KeySize::Rsa2048).expect("a key"));

pub fn name() -> ClientName {
    "fund".parse().expect("a name")
}

pub fn passphrase() -> Passphrase {
    Passphrase::new("correct horse battery".to_owned()).expect("a passphrase")
}

pub fn settings() -> Settings {
    Settings {
        organization: "Provider Ltd".to_owned(),
        egress: vec!["127.0.0.1/32".parse().expect("a net")],
        listen: "127.0.0.1:0".parse().expect("an address"),
        calls_per_minute: std::num::NonZeroU32::new(60_000).expect("many"),
        ..Settings::default()
    }
}

/// Accounts 1 and 2 are in what a gate shows; 3 is not.
pub fn part() -> PartScope {
    PartScope {
        accounts: [1, 2].map(VaultAccountId::new).into(),
        assets: AssetFilter::All,
        whitelists: [].into(),
        ..PartScope::default()
    }
}

pub struct World {
    pub folder: tempfile::TempDir,
    pub connector: Connector,
    pub upstream: Arc<Upstream>,
    pub gate: bool,
}

impl World {
    /// A provider at a gate.
    pub async fn at_gate() -> Self {
        Self::at(Scope::part(WORKSPACE, part()), true).await
    }

    /// A provider straight at a workspace.
    pub async fn straight() -> Self {
        Self::at(Scope::whole(WORKSPACE), false).await
    }

    async fn at(scope: Scope, gate: bool) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let home = folder.path().join("connector");
        init(&home, &settings()).await.expect("made");
        let connector = Connector::open(&home, passphrase()).await.expect("open");
        let file = folder.path().join("key.pem");
        std::fs::write(&file, KEY.to_pkcs8_pem().expect("pem").as_bytes()).expect("written");
        let adopt = Adopt {
            client: name(),
            file,
            sealed_with: None,
        };
        keys::adopt(&connector, adopt).await.expect("adopted");
        let hooks = WebhookKey::new("k", HOOKS.clone());
        let upstream = Upstream::start(scope, KEY.public().clone(), hooks).await;
        fill(&upstream).await;
        Self {
            folder,
            connector,
            upstream,
            gate,
        }
    }

    pub fn home(&self) -> PathBuf {
        self.folder.path().join("connector")
    }

    /// What the client hands back.
    pub fn hand_back(&self) -> HandBack {
        let role = *self.upstream.role.lock().expect("a lock");
        HandBack {
            connection: "acme".to_owned(),
            role: role.as_str().parse::<ProviderRole>().expect("a provider's"),
            base_url: self.upstream.base_url.parse().expect("a URL"),
            api_key: USER,
            workspace_id: WORKSPACE,
            scope: WantedScope {
                vault_accounts: part().accounts,
                assets: None,
                whitelists: [].into(),
            },
            webhooks: Some(WebhookKeys {
                webhook_id: WEBHOOK,
                jwks: self.upstream.jwks(),
                jwks_url: None,
                legacy_key_pem: None,
                sender_addresses: Vec::new(),
            }),
            log_key: self.upstream.log_key.public(),
        }
    }

    pub async fn add(&self) -> Result<AddedClient, Error> {
        self.add_with(false).await
    }

    pub async fn add_with(&self, accept_unseen_role: bool) -> Result<AddedClient, Error> {
        let at = if self.gate {
            At::Gate(self.hand_back().to_json().into_bytes())
        } else {
            At::Fireblocks(Box::new(Straight {
                environment: self.upstream.base_url.parse().expect("a URL"),
                api_key: USER,
                workspace: WORKSPACE,
                webhook: Some(WEBHOOK),
                jwks_url: None,
                jwks: Some(self.upstream.jwks().to_json()),
            }))
        };
        let add = AddClient {
            client: name(),
            at,
            accept_unseen_role,
            offline: false,
        };
        client_add(&self.connector, &add).await
    }

    pub async fn run(&self, first_sync: bool) -> (Running, CancellationToken, String) {
        let shutdown = CancellationToken::new();
        let how = Run {
            shutdown: shutdown.clone(),
            first_sync,
        };
        let running = run(&self.connector, how).await.expect("runs");
        let url = self.connector.webhook_url(&name()).expect("a URL");
        (running, shutdown, url.to_string())
    }

    /// A balance here, and the event of it.
    pub async fn balance(&self, account: u32, total: &str) -> String {
        let at = SystemClock.now();
        let data = json!({"vaultAccountId": account, "assetId": "ETH", "total": total, "available": total, "pending": "0",
            "frozen": "0", "staked": "0", "lockedAmount": "0", "blockHeight": null, "blockHash": null});
        let change = wallet(account, "ETH", total, at);
        self.upstream
            .happens(
                "vault_account.asset.balance_updated",
                at,
                vec![change],
                &data,
            )
            .await
    }

    /// A transaction moves on here, and the event of it.
    pub async fn moves(&self, mut doc: Value, status: &str) -> String {
        let at = SystemClock
            .now()
            .0
            .max(doc["lastUpdated"].as_i64().expect("a time") + 1);
        doc["status"] = json!(status);
        doc["lastUpdated"] = json!(at);
        self.upstream.put(&doc, true).await;
        self.upstream
            .happens("transaction.status.updated", Millis(at), Vec::new(), &doc)
            .await
    }

    pub async fn total(&self, account: u32) -> Option<String> {
        let (client, _) = self.connector.client(&name()).await.expect("a client");
        let books = self.connector.books(&client).await.expect("books");
        let (asset, ages): (AssetId, _) = ("ETH".parse().expect("an asset"), Millis(i64::MAX));
        let scope = client.scope();
        let facts = books.wallet_as_of(&scope, VaultAccountId::new(account), &asset, ages, ages);
        facts
            .await
            .expect("a read")
            .map(|facts| facts.balance.total.to_string())
    }
}

pub fn wallet(account: u32, asset: &str, total: &str, at: Millis) -> (Version, Change) {
    let total: protocol::amount::Amount = total.parse().expect("an amount");
    let balance = VaultAsset {
        available: total.clone(),
        balance: Some(total.clone()),
        total,
        ..VaultAsset::empty(asset.parse().expect("an asset"))
    };
    let facts = WalletFacts {
        balance,
        created_at: Millis(1_000),
    };
    (
        Version::at(at),
        Change::Wallet(VaultAccountId::new(account), facts),
    )
}

pub fn transaction(id: u128, from: u32, to: u32, status: &str) -> Value {
    let at = SystemClock.now().plus(-400 * Millis::DAY);
    json!({"id": Uuid::from_u128(id), "status": status, "assetId": "ETH", "createdAt": at, "lastUpdated": at,
        "source": {"type": "VAULT_ACCOUNT", "id": from.to_string(), "name": format!("Account {from}")},
        "destination": {"type": "VAULT_ACCOUNT", "id": to.to_string(), "name": format!("Account {to}")},
        "amountInfo": {"amount": "1"}, "txHash": "0xaa", "note": "words"})
}

/// Three accounts, a balance and an address each, transactions between them, more than a year old.
async fn fill(upstream: &Upstream) {
    let at = SystemClock.now().plus(-Millis::HOUR);
    let mut changes = Vec::new();
    for number in 1..=3 {
        let id = VaultAccountId::new(number);
        let facts = AccountFacts {
            id,
            name: format!("Account {number}"),
            hidden_on_ui: false,
            customer_ref_id: None,
            auto_fuel: false,
            tags: Vec::new(),
        };
        changes.push((Version::at(at), Change::Account(facts)));
        changes.push(wallet(number, "ETH", "5", at));
        let address = json!({"assetId": "ETH", "address": format!("0x{number}")});
        let address = serde_json::from_value(address).expect("an address");
        changes.push((Version::at(at), Change::Address(id, address)));
    }
    upstream.books.apply(at, changes).await.expect("applied");
    for (id, from, to) in [(1, 1, 2), (2, 2, 3), (3, 3, 3)] {
        upstream
            .put(&transaction(id, from, to, "COMPLETED"), false)
            .await;
    }
}

/// Awaits a condition.
pub async fn until<F: Future<Output = bool>>(what: &str, holds: impl Fn() -> F) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !holds().await {
        assert!(
            tokio::time::Instant::now() < deadline,
            "not in time: {what}"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
