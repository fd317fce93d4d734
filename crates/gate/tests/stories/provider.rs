//! Providers, let in as the client lets them in.

use protocol::csr::CertificateSigningRequest;
use protocol::handover::{HandOver, WantedScope};
use protocol::ids::VaultAccountId;
use protocol::keys::{KeySize, PrivateKey};
use protocol::role::{ProviderRole, Role};
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::hooks::Hooks;
use crate::world::World;

/// A provider with a connection.
pub struct Provider {
    pub name: String,
    pub caller: Caller,
    pub hooks: Hooks,
    pub handback: Value,
}

/// What a provider asks for.
pub struct Wanted {
    pub role: ProviderRole,
    pub scope: WantedScope,
    pub place: &'static str,
    pub legacy_signature: bool,
}

pub fn viewer(accounts: &[u32], assets: Option<&[&str]>) -> Wanted {
    Wanted {
        role: ProviderRole::Viewer,
        scope: scope(accounts, assets),
        place: "gate",
        legacy_signature: false,
    }
}

pub fn editor(accounts: &[u32]) -> Wanted {
    Wanted {
        role: ProviderRole::Editor,
        ..viewer(accounts, None)
    }
}

fn scope(accounts: &[u32], assets: Option<&[&str]>) -> WantedScope {
    let asset = |asset: &&str| asset.parse().expect("an asset");
    WantedScope {
        vault_accounts: accounts.iter().copied().map(VaultAccountId::new).collect(),
        assets: assets.map(|assets| assets.iter().map(asset).collect()),
        whitelists: [].into(),
    }
}

impl World {
    /// Lets a provider in: hand-over file, request, approval, hand-back file.
    pub async fn enrol(&mut self, name: &str, wanted: Wanted) -> Provider {
        self.granting(name, wanted, &json!({})).await
    }

    /// The same, where the client grants something else than was asked for.
    pub async fn granting(&mut self, name: &str, wanted: Wanted, grant: &Value) -> Provider {
        let asked = self.requested(name, wanted).await;
        self.let_in(name, &asked, grant).await
    }

    /// A provider's request is kept; where it is approved.
    pub async fn requested(&mut self, name: &str, wanted: Wanted) -> String {
        let key = PrivateKey::generate(KeySize::Rsa2048).expect("a key");
        let csr = CertificateSigningRequest::new(&key, name, None).expect("a request");
        let hooks = Hooks::start().await;
        let handover = HandOver {
            provider: format!("{name} Ltd"),
            role: wanted.role,
            csr: csr.to_pem(),
            addresses: vec!["127.0.0.1/32".parse().expect("a net")],
            webhook_url: Some(hooks.url.parse().expect("a URL")),
            legacy_signature: wanted.legacy_signature,
            scope: wanted.scope,
        };
        let ask = json!({"name": name, "handover": handover.to_json(), "place": wanted.place});
        self.desk("POST", "/connections", &ask).await.fine();
        self.waiting
            .insert(name.to_owned(), (key, hooks, wanted.role));
        format!("/connections/{name}/approve")
    }

    /// A request is approved.
    pub async fn let_in(&mut self, name: &str, approve: &str, grant: &Value) -> Provider {
        let (key, hooks, role) = self.waiting.remove(name).expect("it was asked for");
        let mut grant = grant.clone();
        grant["reason"] = "as agreed".into();
        let approved = self.desk("POST", approve, &grant).await.fine();
        if role == ProviderRole::Editor && self.editor.is_none() {
            let csr = self.gate.folder.csr_path(gate::KeyName::Editor);
            let csr = std::fs::read_to_string(csr).expect("a CSR");
            let editor = self.add_api_user("gate editor", Role::Editor, &csr).await;
            self.desk("PUT", "/upstream", &json!({"editor": editor}))
                .await
                .fine();
            self.editor = Some(editor);
        }
        let handback = approved["handback"].clone();
        let id = handback["api_key"].as_str().expect("an id");
        Provider {
            name: name.to_owned(),
            caller: Caller::new(&self.gate.origin, id.parse().expect("an id"), key),
            hooks,
            handback,
        }
    }
}

/// A transfer of ether between two of the client's accounts.
pub fn transfer(from: u32, to: u32, amount: &str) -> Value {
    json!({"operation": "TRANSFER", "assetId": "ETH", "amount": amount,
        "source": {"type": "VAULT_ACCOUNT", "id": from.to_string()},
        "destination": {"type": "VAULT_ACCOUNT", "id": to.to_string()}})
}

impl Provider {
    /// Proposes; the proposal's id.
    pub async fn propose(&self, body: &Value) -> String {
        let made = self.caller.post("/v1/transactions", body).await.fine();
        assert_eq!(made["status"], "PENDING_AUTHORIZATION");
        made["id"].as_str().expect("an id").to_owned()
    }

    /// A transaction as the provider sees it.
    pub async fn sees(&self, id: &str) -> Value {
        self.caller
            .get(&format!("/v1/transactions/{id}"))
            .await
            .json()
    }

    /// Its status there.
    pub async fn status(&self, id: &str) -> String {
        let seen = self.sees(id).await;
        seen["status"].as_str().unwrap_or_default().to_owned()
    }
}
