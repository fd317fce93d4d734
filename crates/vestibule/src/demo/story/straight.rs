//! P1, P7: a provider without a gate, straight at the workspace.

use connector::operations::client_add::{AddClient, At as ClientAt, Straight, client_add};
use connector::operations::keys;
use protocol::role::{ProviderRole, Role};
use sync::roles::Judgement;

use crate::demo::console;
use crate::demo::stage::Stage;
use crate::demo::step::{Teller, refused};

/// The fourth provider, straight at the workspace: without a gate, the client can only do by hand what it did.
pub(super) async fn tell(stage: &Stage, teller: &mut Teller) -> anyhow::Result<()> {
    let provider = &stage.direct;
    let saw = async {
        let csr = keys::csr(&provider.connector, &provider.client).await?.csr;
        let id = stage
            .console
            .add_api_user("direct provider", Role::Viewer, &csr)
            .await?;
        stage.console.allow(id, &["127.0.0.1"]).await?;
        let url = provider.connector.webhook_url(&provider.client);
        let url = url.map(|url| url.to_string()).unwrap_or_default();
        let webhook = stage.console.add_webhook(&url).await?;
        let at = ClientAt::Fireblocks(Box::new(Straight {
            environment: stage.sandbox_ready.base_url.parse()?,
            api_key: id,
            workspace: stage.sandbox_ready.workspace_id.parse()?,
            webhook: Some(webhook),
            jwks_url: Some(stage.sandbox_ready.jwks_url.parse()?),
            jwks: None,
        }));
        let add = AddClient {
            client: provider.client.clone(),
            at,
            accept_unseen_role: false,
            offline: false,
        };
        let added = client_add(&provider.connector, &add).await?;
        let _ = provider.api_key.set(id);
        let proven = Judgement::Proven {
            role: ProviderRole::Viewer,
        };
        let seen = added.role;
        Ok((
            seen.as_ref().is_some_and(|seen| seen.judgement == proven),
            seen.map(|seen| seen.how).unwrap_or_default(),
        ))
    };
    teller.step(
        "P1",
        "direct",
        "is let in straight at the workspace, without a gate (client add --environment)",
        "it proves by reading that its key is a Viewer's",
        saw.await,
    )?;
    too_much(stage, teller).await
}

/// P1, P7: a key that could sign is refused by the provider itself.
async fn too_much(stage: &Stage, teller: &mut Teller) -> anyhow::Result<()> {
    let provider = &stage.direct;
    let client: connector::ClientName = "generous".parse()?;
    let (_, id, key) = console::user(&stage.sandbox.origin, "signer")?;
    let file = stage
        .data
        .join("providers")
        .join("direct")
        .join("generous.pem");
    crate::files::write_secret(&file, key.to_pkcs8_pem()?.as_bytes())?;
    let saw = async {
        keys::adopt(
            &provider.connector,
            keys::Adopt {
                client: client.clone(),
                file,
                sealed_with: None,
            },
        )
        .await?;
        let at = ClientAt::Fireblocks(Box::new(Straight {
            environment: stage.sandbox_ready.base_url.parse()?,
            api_key: id,
            workspace: stage.sandbox_ready.workspace_id.parse()?,
            webhook: None,
            jwks_url: Some(stage.sandbox_ready.jwks_url.parse()?),
            jwks: None,
        }));
        let add = AddClient {
            client: client.clone(),
            at,
            accept_unseen_role: false,
            offline: false,
        };
        client_add(&provider.connector, &add)
            .await
            .map(drop)
            .map_err(anyhow::Error::from)
    };
    teller.step(
        "P1 P7",
        "direct",
        "is given a Signer's key by a generous client",
        "its connector refuses it: it can do too much",
        refused(saw.await, "can do more"),
    )
}
