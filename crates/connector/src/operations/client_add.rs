//! `connector client add NAME`: what the client granted is pinned: workspace, webhook, keys. A key
//! that can do more than a Viewer or Editor is refused (practice P1).

use ledger::{AssetFilter, PartScope};
use protocol::handover::{HandBack, WantedScope};
use protocol::ids::{UserId, WebhookId, WorkspaceId};
use protocol::private_key;
use serde::Serialize;
use url::Url;

use crate::client_name::ClientName;
use crate::clients::{Client, Upstream, WebhookPins, known_role};
use crate::environment::Environment;
use crate::role_check::{self, RoleSeen};
use crate::{Connector, Error, gate_api};

/// A client that is to be added. Its key is in the keystore already.
#[derive(Clone, Debug)]
pub struct AddClient {
    /// What we call it.
    pub client: ClientName,
    /// Where it is.
    pub at: At,
    /// The explicit word for a key whose role reading cannot tell.
    pub accept_unseen_role: bool,
    /// Whether it is added unasked: the role is then checked before the first sync and each trade.
    pub offline: bool,
}

/// Where a client is.
#[derive(Clone, Debug)]
pub enum At {
    /// At a gate: the hand-back file's content.
    Gate(Vec<u8>),
    /// Straight at Fireblocks.
    Fireblocks(Box<Straight>),
}

/// Straight at Fireblocks.
#[derive(Clone, Debug)]
pub struct Straight {
    /// Which environment.
    pub environment: Environment,
    /// The API key: an id, no secret.
    pub api_key: UserId,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The webhook, once it is known.
    pub webhook: Option<WebhookId>,
    /// Where webhook keys are listed, if not where the environment lists them.
    pub jwks_url: Option<Url>,
    /// Webhook keys to pin, as a JWKS.
    pub jwks: Option<String>,
}

/// What was added.
#[derive(Clone, Debug, Serialize)]
pub struct AddedClient {
    /// The client as it is pinned.
    pub client: Client,
    /// What the key may do, if upstream was asked.
    pub role: Option<RoleSeen>,
    /// Where it sends its webhooks.
    pub webhook_url: Option<String>,
}

/// Adds a client.
pub async fn client_add(connector: &Connector, add: &AddClient) -> Result<AddedClient, Error> {
    // Without a key there is nothing to call with.
    connector.keystore().entry(&add.client)?;
    let mut client = match &add.at {
        At::Gate(file) => at_gate(connector, add, file)?,
        At::Fireblocks(straight) => straight_at(connector, add, straight),
    };
    if let Some(pins) = &client.webhooks {
        pins.keys()?;
    }
    let added = finish(connector, add, &mut client).await;
    if added.is_err() {
        connector.forget(&client.name);
    }
    let role = added?;
    connector.tell_news();
    Ok(AddedClient {
        webhook_url: connector
            .webhook_url(&client.name)
            .filter(|_| client.webhooks.is_some())
            .map(Into::into),
        client,
        role,
    })
}

async fn finish(
    connector: &Connector,
    add: &AddClient,
    client: &mut Client,
) -> Result<Option<RoleSeen>, Error> {
    let mut role = None;
    if !add.offline {
        let upstream = connector.upstream(client).await?;
        if client.is_gate() {
            since_when(client, &gate_api::me(&upstream).await?);
        }
        let seen = role_check::ask(client, &upstream).await?;
        role_check::insist(client, &seen)?;
        role = Some(seen);
    }
    connector.clients().add(client.clone()).await?;
    if let Some(seen) = &role {
        known_role::remember(connector, &client.name, seen).await?;
    }
    Ok(role)
}

/// The hand-back file says which accounts, assets and whitelisted wallets are in scope; all else of
/// it (how far back the history goes, what is shown of a transaction) the gate says.
fn since_when(client: &mut Client, me: &gate_api::Me) {
    if let (Upstream::Gate { part: ours, .. }, Some(theirs)) =
        (&mut client.upstream, &me.scope.part)
    {
        let same = |ours: &PartScope| {
            ours.accounts == theirs.accounts
                && ours.assets == theirs.assets
                && ours.whitelists == theirs.whitelists
        };
        if ours.as_deref().is_some_and(same) {
            *ours = Some(Box::new(theirs.clone()));
        }
    }
}

fn at_gate(connector: &Connector, add: &AddClient, file: &[u8]) -> Result<Client, Error> {
    // Nobody is ever asked for a private key, and none is taken (practice P2).
    if let Some(found) = private_key::find(file) {
        return Err(Error::HandBack(format!(
            "there is a private key in it ({:?}); nothing of it was kept: tell the client that this key is burned",
            found.kind
        )));
    }
    let back = HandBack::from_json(file).map_err(|error| Error::HandBack(error.to_string()))?;
    let webhooks = back.webhooks.map(|keys| WebhookPins {
        webhook: Some(keys.webhook_id),
        jwks: Some(keys.jwks.to_json()),
        jwks_url: keys.jwks_url,
        legacy_key_pem: keys.legacy_key_pem,
    });
    Ok(Client {
        name: add.client.clone(),
        workspace: back.workspace_id,
        api_key: back.api_key,
        base_url: back.base_url.to_string(),
        upstream: Upstream::Gate {
            connection: back.connection,
            role: back.role,
            part: Some(Box::new(part(back.scope))),
            log_key: back.log_key,
        },
        webhooks,
        accept_unseen_role: add.accept_unseen_role,
        added_at: connector.now(),
    })
}

fn part(scope: WantedScope) -> PartScope {
    PartScope {
        accounts: scope.vault_accounts,
        assets: scope.assets.map_or(AssetFilter::All, AssetFilter::Only),
        whitelists: scope.whitelists,
        ..PartScope::default()
    }
}

fn straight_at(connector: &Connector, add: &AddClient, straight: &Straight) -> Client {
    let jwks_url = straight.jwks_url.clone();
    let jwks_url = jwks_url.or_else(|| straight.environment.jwks_url());
    let webhooks = (jwks_url.is_some() || straight.jwks.is_some()).then(|| WebhookPins {
        webhook: straight.webhook,
        jwks: straight.jwks.clone(),
        jwks_url,
        legacy_key_pem: None,
    });
    Client {
        name: add.client.clone(),
        workspace: straight.workspace,
        api_key: straight.api_key,
        base_url: straight.environment.base_url(),
        upstream: Upstream::Fireblocks {
            environment: straight.environment.to_string(),
        },
        webhooks,
        accept_unseen_role: add.accept_unseen_role,
        added_at: connector.now(),
    }
}
