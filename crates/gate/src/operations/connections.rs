//! Connections: listed, shown, approved, suspended, resumed, revoked.

use std::sync::Arc;

use ipnet::IpNet;
use ledger::{Absent, PartScope};
use protocol::error::ApiError;
use protocol::handover::{HandBack, WebhookKeys};
use protocol::role::ProviderRole;
use serde::{Deserialize, Serialize};
use url::Url;

use super::{Operator, no_connection, refused};
use crate::connections::addresses::maybe_list;
use crate::connections::{Connection, Move, Place, ScopeGrant, check_addresses, granted};
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::rows;

/// Every connection.
pub(crate) fn list(gate: &Gate) -> Vec<Connection> {
    gate.directory
        .load()
        .all()
        .map(|provider| provider.connection.clone())
        .collect()
}

/// One connection.
pub(crate) fn show(gate: &Gate, name: &str) -> Result<Connection, ApiError> {
    let directory = gate.directory.load();
    directory
        .named(name)
        .map(|provider| provider.connection.clone())
        .ok_or_else(|| no_connection(name))
}

/// What the client grants, where it is not what was asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grant {
    /// The scope; what it does not name stays.
    pub scope: Option<ScopeGrant>,
    /// The addresses.
    #[serde(deserialize_with = "maybe_list")]
    pub addresses: Option<Vec<IpNet>>,
    /// Why a wide range is right.
    pub addresses_reason: Option<String>,
    /// Where its transactions are approved.
    pub place: Option<Place>,
}

/// What comes of an approval.
#[derive(Debug, Serialize)]
pub struct Approved {
    /// The file that goes back to the provider.
    pub handback: serde_json::Value,
    /// What was granted.
    pub connection: Connection,
    /// What the client does now.
    pub todo: Vec<String>,
}

/// Approves a request.
pub(crate) async fn approve(
    gate: &Arc<Gate>,
    operator: &Operator,
    name: &str,
    grant: Grant,
) -> Result<Approved, ApiError> {
    let mut connection = show(gate, name)?;
    if let Some(scope) = &grant.scope {
        connection.part = scope.of(&connection.part);
    }
    if let Some(addresses) = grant.addresses {
        connection.addresses = addresses;
        connection.addresses_reason = None;
    }
    connection.addresses_reason = grant.addresses_reason.or(connection.addresses_reason);
    check_addresses(
        &connection.addresses,
        connection.addresses_reason.as_deref(),
    )
    .map_err(|bad| refused(400, bad))?;
    connection.place = grant.place.unwrap_or(connection.place);
    connection.state = connection
        .after(Move::Approve)
        .map_err(|not| refused(409, not))?;
    connection.approved = Some((gate.clock.now(), operator.name.clone()));
    let unchecked = scope_todo(gate, &connection.part)?;
    let mut todo = editor_todo(gate, &connection).await?;
    todo.extend(unchecked);
    let back = handback(gate, &connection)?;
    let scope = connection.scope(gate.workspace());
    // Its rows are there before its first read.
    gate.books
        .register(&scope)
        .await
        .map_err(|error| refused(500, error))?;
    let event = Event::ConnectionApproved {
        connection: connection.name.clone(),
        api_key: connection.api_key.to_string(),
        scope: scope.id().to_string(),
        addresses: connection
            .addresses
            .iter()
            .map(ToString::to_string)
            .collect(),
    };
    keep(gate, operator, connection.clone(), event, Move::Approve).await?;
    let handback = serde_json::from_str(&back.to_json()).map_err(|error| refused(500, error))?;
    Ok(Approved {
        handback,
        connection,
        todo,
    })
}

/// A scope names what the workspace has: a slip would be empty books, and nobody would know why.
fn scope_todo(gate: &Gate, part: &PartScope) -> Result<Option<String>, ApiError> {
    if !gate.filled() {
        return Ok(Some(
            "The gate's books are not filled yet, so nobody has checked that the workspace has what the scope names"
                .to_owned(),
        ));
    }
    match absent_words(&gate.books.absent(part)) {
        None => Ok(None),
        Some(words) => Err(refused(
            400,
            format_args!("the workspace has no {words}: correct the scope"),
        )),
    }
}

/// What a scope names and the workspace does not have, in words.
fn absent_words(absent: &Absent) -> Option<String> {
    let kinds = [
        ("vault account", &absent.accounts),
        ("asset", &absent.assets),
        ("whitelisted wallet", &absent.whitelists),
    ];
    let words: Vec<_> = kinds
        .into_iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(kind, names)| format!("{kind} {}", names.join(", ")))
        .collect();
    (!words.is_empty()).then(|| words.join(", no "))
}

/// Writes a move down, unless the connection has moved meanwhile.
async fn keep(
    gate: &Arc<Gate>,
    operator: &Operator,
    connection: Connection,
    event: Event,
    what: Move,
) -> Result<(), ApiError> {
    let actor = Actor::Operator(operator.name.clone());
    let work = move |deed: &mut Deed<'_, '_>| {
        let now = rows::connections::connection(deed.writing, deed.workspace, &connection.name)?;
        let now = now.ok_or_else(|| no_connection(&connection.name))?;
        if what != Move::Approve {
            now.after(what).map_err(|not| refused(409, not))?;
        } else if now.state != crate::connections::State::Requested {
            return Err(refused(409, "it was decided meanwhile").into());
        }
        if rows::connections::is_burned(deed.writing, deed.workspace, &connection.fingerprint)?
            && what != Move::Revoke
            && what != Move::Suspend
        {
            return Err(refused(409, "its key is burned: it needs a new one").into());
        }
        rows::connections::put_connection(deed.writing, deed.workspace, &connection)?;
        deed.log(actor.clone(), event.clone())?;
        Ok(())
    };
    gate.deed(work).await?;
    gate.reload().await.map_err(|error| refused(500, error))?;
    gate.deliveries.notify_one();
    Ok(())
}

/// Why.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reason {
    /// In the operator's words; the log keeps them.
    pub reason: String,
}

/// Suspends, resumes or revokes.
pub(crate) async fn change(
    gate: &Arc<Gate>,
    operator: &Operator,
    name: &str,
    what: Move,
    reason: Reason,
) -> Result<Connection, ApiError> {
    let mut connection = show(gate, name)?;
    connection.state = connection.after(what).map_err(|not| refused(409, not))?;
    let (name, reason) = (connection.name.clone(), reason.reason);
    let event = match what {
        Move::Suspend => Event::ConnectionSuspended {
            connection: name,
            reason,
        },
        Move::Resume => Event::ConnectionResumed {
            connection: name,
            reason,
        },
        Move::Revoke => Event::ConnectionRevoked {
            connection: name,
            reason,
        },
        Move::Approve => return Err(refused(400, "an approval has its own operation")),
    };
    keep(gate, operator, connection.clone(), event, what).await?;
    Ok(connection)
}

/// The first connection that proposes needs an Editor upstream: its key and CSR are made here.
async fn editor_todo(gate: &Arc<Gate>, connection: &Connection) -> Result<Vec<String>, ApiError> {
    if connection.role != ProviderRole::Editor || gate.upstream.read().editor.is_some() {
        return Ok(Vec::new());
    }
    let this = Arc::clone(gate);
    let made = tokio::task::spawn_blocking(move || crate::init::editor_csr(&this.folder)).await;
    let csr = made
        .map_err(|error| refused(500, error))?
        .map_err(|error| refused(500, error))?;
    Ok(vec![
        format!("In the Console, add an API user of the role EDITOR with the CSR {}", csr.display()),
        "Put the gate's addresses on that user's IP allow-list".to_owned(),
        "Add a policy rule that names this API user as initiator, your approvers, and your designated signer".to_owned(),
        "Tell the gate its API key: vestibule gate upstream --editor-api-key ID".to_owned(),
    ])
}

fn handback(gate: &Gate, connection: &Connection) -> Result<HandBack, ApiError> {
    let url = |path: &str| {
        Url::parse(&format!("{}{path}", gate.public)).map_err(|error| refused(500, error))
    };
    let webhooks = match &connection.webhook {
        None => None,
        Some(target) => Some(WebhookKeys {
            webhook_id: target.id,
            jwks: gate.jwks(),
            jwks_url: Some(url(wire::jwks::PATH)?),
            legacy_key_pem: target
                .legacy_signature
                .then(|| gate.webhook_key.public().key.spki_pem()),
            sender_addresses: gate.config.serve.egress_addresses.clone(),
        }),
    };
    Ok(HandBack {
        connection: connection.name.clone(),
        role: connection.role,
        base_url: url("/v1")?,
        api_key: connection.api_key,
        workspace_id: gate.workspace(),
        scope: granted(&connection.part),
        webhooks,
        log_key: gate.log_key.public(),
    })
}
