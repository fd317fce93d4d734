//! The client's people at their Fireblocks Console: API users, webhooks, IP lists; and the world
//! outside, which pays in.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use http::Method;
use protocol::amount::Amount;
use protocol::ids::{AssetId, UserId, VaultAccountId, WebhookId, WorkspaceId};
use protocol::keys::PrivateKey;
use protocol::model::transaction::Transaction;
use protocol::model::vault::{VaultAccount, VaultAccountsPagedResponse};
use protocol::role::Role;
use sandbox::people;
use sandbox::world::Network;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use wire::client::{Budget, Client, LocalKey, Once};
use wire::clock::SystemClock;

const CALLS: NonZeroU32 = NonZeroU32::MIN.saturating_add(5_999);

/// The client's Console.
pub(crate) struct Console {
    admin: Client,
    control: String,
    token: String,
    workspace: WorkspaceId,
}

/// The id of one of the seeded users.
pub(crate) fn person(name: &str) -> anyhow::Result<UserId> {
    let person = people::named(name).context("no such seeded user")?;
    Ok(person.id(Network::Mainnet))
}

/// A client of the API as one of the seeded users.
pub(crate) fn user(origin: &str, name: &str) -> anyhow::Result<(Client, UserId, PrivateKey)> {
    let person = people::named(name).context("no such seeded user")?;
    let key = || {
        person
            .key()
            .context("that user has no key")?
            .map_err(anyhow::Error::from)
    };
    let id = person.id(Network::Mainnet);
    Ok((client(origin, id, key()?)?, id, key()?))
}

/// A client of an API.
pub(crate) fn client(origin: &str, id: UserId, key: PrivateKey) -> anyhow::Result<Client> {
    let budget = Budget::per_minute(CALLS, CALLS, Duration::from_secs(10));
    Ok(Client::new(
        origin,
        Arc::new(LocalKey::new(id, key)),
        budget,
        Arc::new(SystemClock),
    )?)
}

impl Console {
    pub(crate) fn of(running: &sandbox::Running) -> anyhow::Result<Self> {
        let (workspace, _) = running
            .workspaces
            .first()
            .context("the sandbox has no workspace")?;
        Ok(Self {
            admin: user(&running.origin, "non-signing-admin")?.0,
            control: format!("{}/_sandbox", running.control_origin),
            token: running.control_token.expose_secret().to_owned(),
            workspace: *workspace,
        })
    }

    async fn post(&self, target: &str, body: &Value) -> anyhow::Result<wire::client::Answer> {
        let body = Bytes::from(serde_json::to_vec(body)?);
        Ok(self
            .admin
            .write(Method::POST, target, body, Once::Unkeyed)
            .await?)
    }

    /// Adds an API user from a CSR; its API key.
    pub(crate) async fn add_api_user(
        &self,
        name: &str,
        role: Role,
        csr: &str,
    ) -> anyhow::Result<UserId> {
        self.post(
            "/v1/management/api_users",
            &json!({"name": name, "role": role, "csrPem": csr}),
        )
        .await?;
        self.api_user(name).await
    }

    /// The API key of the API user of this name.
    pub(crate) async fn api_user(&self, name: &str) -> anyhow::Result<UserId> {
        let users: Value = self.admin.get("/v1/management/api_users").await?.json()?;
        let found = users["users"]
            .as_array()
            .and_then(|users| users.iter().find(|user| user["name"] == name));
        let id = found
            .and_then(|user| user["id"].as_str())
            .with_context(|| format!("no API user is called '{name}'"))?;
        Ok(id.parse()?)
    }

    /// Makes a webhook for everything.
    pub(crate) async fn add_webhook(&self, url: &str) -> anyhow::Result<WebhookId> {
        let made: Value = self
            .post("/v1/webhooks", &json!({"url": url, "events": ["*"]}))
            .await?
            .json()?;
        Ok(made["id"]
            .as_str()
            .context("the webhook has no id")?
            .parse()?)
    }

    /// Every account of the workspace.
    pub(crate) async fn accounts(&self) -> anyhow::Result<Vec<VaultAccount>> {
        let mut all = Vec::new();
        let mut target = "/v1/vault/accounts_paged?limit=500".to_owned();
        loop {
            let page: VaultAccountsPagedResponse = self.admin.get(&target).await?.json()?;
            all.extend(page.accounts);
            match page.paging.after {
                Some(after) => target = format!("/v1/vault/accounts_paged?limit=500&after={after}"),
                None => return Ok(all),
            }
        }
    }

    /// Every transaction of the workspace.
    pub(crate) async fn transactions(&self) -> anyhow::Result<Vec<Transaction>> {
        let mut all = Vec::new();
        let mut next =
            Some("/v1/transactions?after=0&limit=500&orderBy=createdAt&sort=ASC".to_owned());
        while let Some(target) = next {
            let answer = self.admin.get(&target).await?;
            all.extend(answer.json::<Vec<Transaction>>()?);
            next = answer.next_page;
        }
        Ok(all)
    }

    /// Somebody outside pays in.
    pub(crate) async fn pay_in(
        &self,
        account: VaultAccountId,
        asset: &AssetId,
        amount: &Amount,
    ) -> anyhow::Result<String> {
        let body = json!({"vaultAccountId": account, "assetId": asset, "amount": amount});
        let made = self
            .control(&format!("/workspaces/{}/incoming", self.workspace), &body)
            .await?;
        Ok(made["id"].as_str().unwrap_or_default().to_owned())
    }

    /// The next notification of a webhook gets lost.
    pub(crate) async fn lose_next(&self, webhook: WebhookId, count: u32) -> anyhow::Result<()> {
        let path = format!(
            "/workspaces/{}/webhooks/{webhook}/drop_next",
            self.workspace
        );
        self.control(&path, &json!({"count": count}))
            .await
            .map(drop)
    }

    /// The owner sets a key's IP allow-list.
    pub(crate) async fn allow(&self, user: UserId, addresses: &[&str]) -> anyhow::Result<()> {
        let url = format!(
            "{}/workspaces/{}/users/{user}/ip_addresses",
            self.control, self.workspace
        );
        let sent = reqwest::Client::new()
            .put(url)
            .bearer_auth(&self.token)
            .json(&json!({"addresses": addresses}))
            .send()
            .await?;
        ensure!(
            sent.status().is_success(),
            "the Console answers {}",
            sent.status()
        );
        Ok(())
    }

    async fn control(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.control);
        let sent = reqwest::Client::new()
            .post(url)
            .bearer_auth(&self.token)
            .json(body)
            .send()
            .await?;
        let (status, answer) = (sent.status(), sent.json::<Value>().await?);
        ensure!(
            status.is_success(),
            "the sandbox answers {status}: {answer}"
        );
        Ok(answer)
    }
}
