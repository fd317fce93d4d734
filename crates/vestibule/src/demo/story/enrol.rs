//! C1-C4 and P1-P4: only two roles, only CSRs, one key each, only from named addresses.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::bail;
use connector::operations::client_add::{AddClient, At as ClientAt, client_add};
use connector::operations::keys;
use gate::connections::{Connection, State};
use protocol::csr::CertificateSigningRequest;
use protocol::handover::HandOver;
use protocol::ids::UserId;
use protocol::keys::{KeySize, PrivateKey};
use protocol::private_key;
use protocol::role::{ProviderRole, Role};
use protocol::token::{self, LIFETIME, TokenDraft};
use serde_json::{Value, json};
use sync::roles::Judgement;
use wire::clock::{SystemClock, WallClock};

use super::{GATE_EDITOR, leak, scope_of, straight};
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
    let again = keys::new(
        &stage.accounting.connector,
        &stage.accounting.client,
        KeySize::Rsa2048,
    )
    .await;
    teller.step(
        "P2",
        "accounting",
        "makes a key; asks for another one for the same client (keys new)",
        "what leaves is a CSR and no private key; one client, one key",
        one_key(&handover, again.map_err(Into::into)),
    )?;
    teller.step(
        "P4",
        "accounting",
        "writes its hand-over file: CSR, addresses, webhook URL, role, scope (client handover)",
        "the address it calls from is in it, and its own webhook URL",
        promised(&stage.accounting, &handover),
    )?;

    let signer = handover.to_json().replace("\"VIEWER\"", "\"SIGNER\"");
    teller.step(
        "C1",
        "accounting",
        "asks for the role SIGNER",
        "refused: a provider is a Viewer or an Editor",
        refused(
            ask("accounting", signer).await,
            "role: must be VIEWER or EDITOR",
        ),
    )?;
    leak::tell(stage, teller, &handover).await?;
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
            "an active connection of its own; its hand-back file works, and proves that role",
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
    straight::tell(stage, teller).await
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
            &json!({"reason": "the demo"}),
        )
        .await?;
    if handover.role == ProviderRole::Editor {
        // The first connection that proposes: the client adds the gate's Editor in its Console.
        let csr = std::fs::read_to_string(stage.data.join("gate/csr/upstream-editor.csr.pem"))?;
        let editor = stage
            .console
            .add_api_user(GATE_EDITOR, Role::Editor, &csr)
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
    let judged = added.role.map(|role| (role.judgement, role.how));
    let connection: Connection = desk.get(&format!("/connections/{}", provider.name)).await?;
    let others: Vec<_> = stage
        .providers()
        .iter()
        .filter(|other| other.name != provider.name)
        .filter_map(|other| other.api_key.get().copied())
        .collect();
    let proven = Judgement::Proven {
        role: handover.role,
    };
    Ok((
        judged
            .as_ref()
            .is_some_and(|(judgement, _)| *judgement == proven)
            && (connection.state, connection.role) == (State::Active, handover.role)
            && connection.api_key == id
            && !others.contains(&id),
        format!(
            "{}, API key {id}; {}",
            connection.state.as_str(),
            judged.map(|(_, how)| how).unwrap_or_default()
        ),
    ))
}

/// P2: what a provider's key shows of itself.
fn one_key(handover: &HandOver, again: anyhow::Result<keys::KeyMade>) -> Saw {
    let saw = refused(again, "one client, one key")?;
    let csr = CertificateSigningRequest::from_pem(&handover.csr)?;
    let found = private_key::find_all(handover.to_json().as_bytes());
    Ok((
        saw.0 && found.is_empty(),
        format!(
            "a CSR of {} bytes, private keys in the hand-over file: {}; a second key: {}",
            csr.der().len(),
            found.len(),
            saw.1
        ),
    ))
}

/// P4: what a hand-over file promises, beside what is so.
fn promised(provider: &Provider, handover: &HandOver) -> Saw {
    let from = IpAddr::from(Ipv4Addr::LOCALHOST);
    let own = provider.connector.webhook_url(&provider.client);
    Ok((
        handover.addresses.iter().any(|net| net.contains(&from))
            && own.is_some()
            && handover.webhook_url == own
            && handover.role == ProviderRole::Viewer
            && handover.scope == scope_of(provider.name),
        format!(
            "from {}, webhooks to {}",
            handover
                .addresses
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(", "),
            handover
                .webhook_url
                .as_ref()
                .map_or("nowhere", |url| url.as_str())
        ),
    ))
}

/// C4: a right token from a wrong address, beside one of a key that nobody has.
async fn foreign_address(stage: &Stage, teller: &mut Teller) -> anyhow::Result<()> {
    let saw = async {
        let (Some(path), Some(user)) = (&stage.trading.key_path, stage.trading.api_key.get())
        else {
            bail!("the trading provider has no key to try this with");
        };
        let key = PrivateKey::from_pem(&std::fs::read_to_string(path)?)?;
        let nobody = UserId(uuid::Uuid::new_v4());
        let origin = &stage.gate.origin;
        let home = call_from([127, 0, 0, 1].into(), origin, *user, &key).await?;
        let away = call_from([127, 0, 0, 2].into(), origin, *user, &key).await?;
        let unknown = call_from([127, 0, 0, 1].into(), origin, nobody, &key).await?;
        let code = serde_json::from_str::<Value>(&away.1)
            .ok()
            .and_then(|body| body["code"].as_i64());
        Ok((
            home.0 == 200 && (away.0, code) == (401, Some(-7)) && away == unknown,
            format!(
                "from 127.0.0.1: {}; from 127.0.0.2: {} {}; an unknown key: {} {}",
                home.0, away.0, away.1, unknown.0, unknown.1
            ),
        ))
    };
    teller.step(
        "C4",
        "trading",
        "calls with its right key from an address that is not on its list",
        "401 -7, word for word as if the key were unknown",
        saw.await,
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
