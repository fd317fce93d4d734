//! C1-C4 and P1-P4: only two roles, only CSRs, one key each, only from named addresses.

use std::net::IpAddr;

use connector::operations::client_add::{AddClient, At as ClientAt, Straight, client_add};
use connector::operations::keys;
use protocol::handover::HandOver;
use protocol::ids::UserId;
use protocol::keys::{KeySize, PrivateKey};
use protocol::role::{ProviderRole, Role};
use protocol::token::{self, LIFETIME, TokenDraft};
use serde_json::{Value, json};
use wire::clock::{SystemClock, WallClock};

use super::scope_of;
use crate::demo::console;
use crate::demo::provider::Provider;
use crate::demo::stage::Stage;
use crate::demo::step::{Saw, Teller, refused};

pub(super) async fn tell(stage: &Stage, teller: &mut Teller) -> anyhow::Result<()> {
    let desk = &stage.desk;
    let ask = |name: &str, text: String| {
        let body = json!({"name": name, "handover": text});
        async move { desk.send::<Value>("POST", "/connections", &body).await }
    };
    let handover = stage
        .accounting
        .handover(ProviderRole::Viewer, scope_of("accounting"))
        .await?;
    teller.step(
        "P2",
        "accounting",
        "makes a key, born encrypted; asks for it again (keys new)",
        "only a CSR can leave, and one client has one key",
        {
            let again = keys::new(
                &stage.accounting.connector,
                &stage.accounting.client,
                KeySize::Rsa2048,
            )
            .await;
            let saw = refused(again.map_err(Into::into), "key")?;
            Ok((
                saw.0 && handover.csr.starts_with("-----BEGIN CERTIFICATE REQUEST"),
                format!("a CSR; a second key: {}", saw.1),
            ))
        },
    )?;
    teller.step(
        "P4",
        "accounting",
        "writes its hand-over file: CSR, addresses, webhook URL, role, scope (client handover)",
        "the addresses it calls from are in it",
        Ok((
            !handover.addresses.is_empty() && handover.webhook_url.is_some(),
            format!(
                "from {:?}, webhooks to {}",
                handover.addresses,
                handover
                    .webhook_url
                    .as_ref()
                    .map_or("nowhere", |url| url.as_str())
            ),
        )),
    )?;

    let signer = handover.to_json().replace("\"VIEWER\"", "\"SIGNER\"");
    teller.step(
        "C1",
        "accounting",
        "asks for the role SIGNER",
        "refused: a provider is a Viewer or an Editor",
        refused(ask("accounting", signer).await, "role"),
    )?;
    leaked_key(stage, teller, &handover).await?;
    let everywhere =
        json!({"name": "accounting", "handover": handover.to_json(), "addresses": ["0.0.0.0/0"]});
    teller.step(
        "C4",
        "client",
        "lets it in from everywhere (0.0.0.0/0)",
        "refused: that is no allow-list",
        refused(
            desk.send::<Value>("POST", "/connections", &everywhere)
                .await,
            "allow-list",
        ),
    )?;

    for (provider, role) in [
        (&stage.accounting, ProviderRole::Viewer),
        (&stage.portfolio, ProviderRole::Viewer),
        (&stage.trading, ProviderRole::Editor),
    ] {
        let handover = provider.handover(role, scope_of(provider.name)).await?;
        teller.step(
            "C1",
            "client",
            format!(
                "lets {} in as {role}, by its CSR (gate connection request, approve)",
                provider.name
            ),
            "a connection of its own, and a hand-back file",
            let_in(stage, provider, &handover).await,
        )?;
    }
    let twice = ask("another", handover.to_json()).await;
    teller.step(
        "C3 P3",
        "client",
        "takes the same key for another connection",
        "refused: each has a key of its own",
        refused(twice, "another connection"),
    )?;
    foreign_address(stage, teller).await?;
    straight(stage, teller).await?;
    too_much(stage, teller).await
}

/// C2: a private key in what is handed in, and the CSR of that key afterwards.
async fn leaked_key(stage: &Stage, teller: &mut Teller, handover: &HandOver) -> anyhow::Result<()> {
    let key = tokio::task::spawn_blocking(|| PrivateKey::generate(KeySize::Rsa2048)).await??;
    let mut leaking: Value = serde_json::from_str(&handover.to_json())?;
    leaking["note"] = json!(format!(
        "here is our key:\n{}",
        key.to_pkcs8_pem()?.as_str()
    ));
    let sent = stage
        .desk
        .send::<Value>(
            "POST",
            "/connections",
            &json!({"name": "careless", "handover": leaking.to_string()}),
        )
        .await;
    teller.step(
        "C2",
        "client",
        "is sent a private key in a hand-over file",
        "refused and named; nothing of it is kept; the key is burned",
        refused(sent, "private key"),
    )?;
    let csr = protocol::csr::CertificateSigningRequest::new(&key, "Careless", None)?;
    let mut later = handover.clone();
    later.csr = csr.to_pem();
    let sent = stage
        .desk
        .send::<Value>(
            "POST",
            "/connections",
            &json!({"name": "careless", "handover": later.to_json()}),
        )
        .await;
    teller.step(
        "C2",
        "client",
        "is sent the CSR of that same key, later",
        "refused: a burned key is never enrolled",
        refused(sent, "burned"),
    )
}

async fn let_in(stage: &Stage, provider: &Provider, handover: &HandOver) -> Saw {
    let desk = &stage.desk;
    let _: Value = desk
        .send(
            "POST",
            "/connections",
            &json!({"name": provider.name, "handover": handover.to_json()}),
        )
        .await?;
    let approved: Value = desk
        .send(
            "POST",
            &format!("/connections/{}/approve", provider.name),
            &json!({}),
        )
        .await?;
    if handover.role == ProviderRole::Editor {
        // The first connection that proposes: the client adds the gate's Editor in its Console.
        let csr = std::fs::read_to_string(stage.data.join("gate/csr/upstream-editor.csr.pem"))?;
        let editor = stage
            .console
            .add_api_user("vestibule gate editor", Role::Editor, &csr)
            .await?;
        stage.console.allow(editor, &["127.0.0.1"]).await?;
        let _: Value = desk
            .send("PUT", "/upstream", &json!({"editor": editor}))
            .await?;
    }
    for kind in ["balances", "addresses", "transactions"] {
        let _: Value = desk
            .send(
                "POST",
                "/reports",
                &json!({"connection": provider.name, "kind": kind}),
            )
            .await?;
    }
    let handback = approved["handback"].to_string().into_bytes();
    let add = AddClient {
        client: provider.client.clone(),
        at: ClientAt::Gate(handback),
        accept_unseen_role: false,
        offline: false,
    };
    let added = client_add(&provider.connector, &add).await?;
    let id: UserId = approved["handback"]["api_key"]
        .as_str()
        .unwrap_or_default()
        .parse()?;
    let _ = provider.api_key.set(id);
    let role = added.role.and_then(|role| role.role());
    Ok((
        role == Some(handover.role),
        format!("API key {id}; the provider's own check of its role: {role:?}"),
    ))
}

/// C4: a right token from a wrong address.
async fn foreign_address(stage: &Stage, teller: &mut Teller) -> anyhow::Result<()> {
    let (Some(path), Some(user)) = (&stage.trading.key_path, stage.trading.api_key.get()) else {
        return Ok(());
    };
    let key = PrivateKey::from_pem(&std::fs::read_to_string(path)?)?;
    let home = call_from([127, 0, 0, 1].into(), &stage.gate.origin, *user, &key).await?;
    let away = call_from([127, 0, 0, 2].into(), &stage.gate.origin, *user, &key).await?;
    let saw = format!(
        "from 127.0.0.1: {}; from 127.0.0.2: {} {}",
        home.0, away.0, away.1
    );
    teller.step(
        "C4",
        "trading",
        "calls with its right key from an address that is not on its list",
        "401 -7, as if the key were unknown",
        Ok((home.0 == 200 && away.0 == 401 && away.1.contains("-7"), saw)),
    )
}

async fn call_from(
    from: IpAddr,
    origin: &str,
    user: UserId,
    key: &PrivateKey,
) -> anyhow::Result<(u16, String)> {
    let target = "/v1/vault/accounts_paged?limit=1";
    let nonce = uuid::Uuid::new_v4().to_string();
    let draft = TokenDraft {
        user,
        target,
        nonce: &nonce,
        issued_at: SystemClock.now().seconds(),
        lifetime: LIFETIME,
        body: b"",
    };
    let input = draft.signing_input();
    let token = token::finish(&input, &key.sign_rs256(input.as_bytes())?);
    let client = reqwest::Client::builder().local_address(from).build()?;
    let sent = client
        .get(format!("{origin}{target}"))
        .header("X-API-Key", user.to_string())
        .bearer_auth(token)
        .send()
        .await?;
    Ok((sent.status().as_u16(), sent.text().await?))
}

/// The fourth provider, straight at the workspace: without a gate, the client can only do by hand what it did.
async fn straight(stage: &Stage, teller: &mut Teller) -> anyhow::Result<()> {
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
        let how = added.role.map(|role| (role.role(), role.how));
        Ok((
            how.as_ref().and_then(|(role, _)| *role) == Some(ProviderRole::Viewer),
            how.map(|(_, how)| how).unwrap_or_default(),
        ))
    };
    teller.step(
        "P1",
        "direct",
        "is let in straight at the workspace, without a gate (client add --environment)",
        "it proves by reading that its key is a Viewer's",
        saw.await,
    )
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
