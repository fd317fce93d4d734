//! Connections: listed, shown, approved; the hand-back file.

use std::path::Path;
use std::sync::Arc;

use ipnet::IpNet;
use ledger::{Absent, PartScope};
use protocol::error::ApiError;
use protocol::handover::{HandBack, WebhookKeys};
use protocol::role::ProviderRole;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use url::Url;

use super::handed_in::HandedIn;
use super::{Operator, certificate, changes, named, no_connection, reason, refused};
use crate::changes::{Change, ChangeRequest, ChangeState};
use crate::connections::addresses::maybe_list;
use crate::connections::{
    Connection, Mode, Move, Place, ScopeGrant, Standing, State, Terms, check_addresses, granted,
};
use crate::folder::KeyName;
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::mail::MailAddress;
use crate::rows;

/// A connection as it is shown: how it stands by the clock, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// The connection.
    #[serde(flatten)]
    pub connection: Connection,
    /// How it stands now.
    pub standing: Standing,
    /// The change that waits for signatures, where what was asked for is not made yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<changes::Shown>,
}

impl Shown {
    pub(super) fn of(gate: &Gate, connection: Connection) -> Self {
        Self {
            standing: connection.standing(gate.clock.now()),
            connection,
            change: None,
        }
    }

    /// Told together with the change that was asked for, if that waits.
    pub(super) fn after(gate: &Gate, name: &str, change: changes::Shown) -> Result<Self, ApiError> {
        let waits = change.request.state == ChangeState::Waiting;
        Ok(Self {
            change: Some(change).filter(|_| waits),
            ..show(gate, name)?
        })
    }
}

/// Every connection, by name.
pub(crate) fn list(gate: &Gate) -> Vec<Shown> {
    let directory = gate.directory.load();
    let all = directory.all();
    all.map(|provider| Shown::of(gate, provider.connection.clone()))
        .collect()
}

/// One connection.
pub(crate) fn show(gate: &Gate, name: &str) -> Result<Shown, ApiError> {
    Ok(Shown::of(gate, find(gate, name)?))
}

/// One connection, as it is kept.
pub(super) fn find(gate: &Gate, name: &str) -> Result<Connection, ApiError> {
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
    /// The client certificate that it must show (PEM, or its pin); `none` is none.
    pub client_certificate: Option<HandedIn>,
    /// Where its transactions are approved.
    pub place: Option<Place>,
    /// How it works with the workspace.
    pub mode: Option<Mode>,
    /// When it ends.
    pub until: Option<Millis>,
    /// Who of the provider's is written to before that, or nobody; not named: as it is.
    #[serde(deserialize_with = "named")]
    pub contact: Option<Option<MailAddress>>,
    /// Why.
    pub reason: String,
}

/// What comes of an approval.
#[derive(Debug, Serialize)]
pub struct Approved {
    /// The file that goes back to the provider; nothing to one that is watched.
    pub handback: serde_json::Value,
    /// What was granted.
    pub connection: Shown,
    /// What the client does now.
    pub todo: Vec<String>,
}

impl Grant {
    /// The connection under what is granted beside the scope.
    fn put(self, connection: &mut Connection) {
        if let Some(addresses) = self.addresses {
            connection.addresses = addresses;
            connection.addresses_reason = None;
        }
        if self.addresses_reason.is_some() {
            connection.addresses_reason = self.addresses_reason;
        }
        connection.place = self.place.unwrap_or(connection.place);
        connection.mode = self.mode.unwrap_or(connection.mode);
        connection.until = self.until.unwrap_or(connection.until);
        if let Some(contact) = self.contact {
            connection.contact = contact;
        }
    }
}

/// Approves a request, and asks to open its door: where one operator is quorum enough, it is open
/// when this returns.
pub(crate) async fn approve(
    gate: &Arc<Gate>,
    operator: &Operator,
    name: &str,
    mut grant: Grant,
) -> Result<Approved, ApiError> {
    let why = reason(&grant.reason)?;
    let asked = find(gate, name)?;
    let mut connection = asked.clone();
    if let Some(scope) = &grant.scope {
        let mut terms = Terms::of(&connection);
        scope
            .put(gate.filled_books(), name, &mut terms)
            .map_err(|bad| refused(400, bad))?;
        terms.put(&mut connection);
    }
    let handed = certificate::handed(gate, operator, name, grant.client_certificate.take()).await?;
    connection.client_certificate = handed.unwrap_or(connection.client_certificate);
    certificate::reaches(gate, connection.client_certificate)?;
    grant.put(&mut connection);
    check_addresses(
        &connection.addresses,
        connection.addresses_reason.as_deref(),
    )
    .map_err(|bad| refused(400, bad))?;
    let (now, conflict) = (gate.clock.now(), |not| refused(409, not));
    connection.state = connection.after(Move::Approve, now).map_err(conflict)?;
    connection.approved = Some((now, operator.name.clone()));
    let mut todo = Vec::new();
    if connection.mode == Mode::Watched {
        todo.extend(watched_todo(&connection));
    } else {
        let unchecked = scope_todo(gate, &connection.part)?;
        todo.extend(editor_todo(gate, &connection).await?);
        todo.extend(unchecked);
    }
    // Whose key is straight at Fireblocks has nothing of this gate's to call.
    let handback = if connection.mode == Mode::Watched {
        serde_json::Value::Null
    } else {
        handback(gate, &connection)?
    };
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
    let open = Change::Activate {
        connection: connection.name.clone(),
        terms: Box::new(Terms::of(&connection)),
    };
    let request = ChangeRequest::new(open, why, &operator.name, now);
    let actor = Actor::Operator(operator.name.clone());
    let work = move |deed: &mut Deed<'_, '_>| {
        let known = rows::connections::connection(deed.writing, deed.workspace, &connection.name)?;
        if known.as_ref() != Some(&asked) {
            return Err(refused(409, "it was decided or changed meanwhile: look again").into());
        }
        rows::connections::put_connection(deed.writing, deed.workspace, &connection)?;
        deed.log(actor.clone(), event.clone())?;
        changes::asked(deed, request.clone())
    };
    let change = gate.deed(work).await?;
    changes::renew(gate).await?;
    if change.request.state == ChangeState::Waiting {
        todo.push(format!(
            "Its door is shut until {} more operators sign: vestibule gate change approve {}",
            change.needed.saturating_sub(change.counts),
            change.request.id
        ));
    }
    Ok(Approved {
        handback,
        connection: Shown::after(gate, name, change)?,
        todo,
    })
}

/// What the client does in its Console for a key that is straight at Fireblocks.
fn watched_todo(connection: &Connection) -> Vec<String> {
    let addresses: Vec<_> = connection
        .addresses
        .iter()
        .map(ToString::to_string)
        .collect();
    vec![
        format!(
            "In the Console, add an API user of the role {} with the CSR of the hand-over file",
            connection.role
        ),
        format!(
            "Put {} on that user's IP allow-list, and give the provider its API key",
            addresses.join(", ")
        ),
    ]
}

/// A scope names what the workspace has: a slip would be empty books, and nobody would know why.
pub(super) fn scope_todo(gate: &Gate, part: &PartScope) -> Result<Option<String>, ApiError> {
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

/// Why.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reason {
    /// In the operator's words; the log keeps them.
    pub reason: String,
}

/// The first connection that proposes needs an Editor upstream: its key and CSR are made here.
pub(super) async fn editor_todo(
    gate: &Arc<Gate>,
    connection: &Connection,
) -> Result<Vec<String>, ApiError> {
    let known = connection.editor.or(gate.upstream.read().editor);
    if connection.role != ProviderRole::Editor || known.is_some() {
        return Ok(Vec::new());
    }
    let this = Arc::clone(gate);
    let make = move || crate::init::editor_csr(&this.folder, KeyName::Editor);
    let made = tokio::task::spawn_blocking(make).await;
    let csr = made
        .map_err(|error| refused(500, error))?
        .map_err(|error| refused(500, error))?;
    let mut todo = editor_steps(&csr);
    todo.push("Tell the gate its API key: vestibule gate upstream --editor-api-key ID".to_owned());
    Ok(todo)
}

/// What the client does in its Console for an Editor of the gate's.
pub(super) fn editor_steps(csr: &Path) -> Vec<String> {
    vec![
        format!("In the Console, add an API user of the role EDITOR with the CSR {}", csr.display()),
        "Put the gate's addresses on that user's IP allow-list".to_owned(),
        "Add a policy rule that names this API user as initiator, your approvers, and your designated signer".to_owned(),
    ]
}

/// The hand-back file of a connection that was approved, under its terms of now.
pub(crate) fn hand_back(gate: &Gate, name: &str) -> Result<serde_json::Value, ApiError> {
    let connection = find(gate, name)?;
    if matches!(connection.state, State::Requested | State::Revoked) {
        let state = connection.state.as_str();
        let why = format!(
            "the connection is {state}: only one that was approved, and not revoked since, has a hand-back file"
        );
        return Err(refused(409, why));
    }
    if connection.mode == Mode::Watched {
        let why = "the connection is watched: its key is straight at Fireblocks, and nothing here is its to call";
        return Err(refused(409, why));
    }
    handback(gate, &connection)
}

fn handback(gate: &Gate, connection: &Connection) -> Result<serde_json::Value, ApiError> {
    let url = |path: &str| {
        Url::parse(&format!("{}{path}", gate.public)).map_err(|error| refused(500, error))
    };
    let webhooks = match &connection.webhook {
        Some(target) => Some(WebhookKeys {
            webhook_id: target.id,
            jwks: gate.jwks(),
            jwks_url: Some(url(wire::jwks::PATH)?),
            legacy_key_pem: target
                .legacy_signature
                .then(|| gate.webhook_key.public().key.spki_pem()),
            sender_addresses: gate.config.serve.egress_addresses.clone(),
        }),
        None => None,
    };
    let back = HandBack {
        connection: connection.name.clone(),
        role: connection.role,
        base_url: url("/v1")?,
        api_key: connection.api_key,
        workspace_id: gate.workspace(),
        scope: granted(&connection.part),
        webhooks,
        log_key: gate.log_key.public(),
    };
    serde_json::from_str(&back.to_json()).map_err(|error| refused(500, error))
}
