//! The Editor that a connection may have of its own upstream: its key and CSR are made here, its API user
//! in the client's Console.

use std::sync::Arc;

use ledger::Fault;
use protocol::error::ApiError;
use protocol::ids::UserId;
use protocol::role::ProviderRole;
use serde::{Deserialize, Serialize};
use sync::SyncError;

use super::connections::find;
use super::{Operator, refused};
use crate::connections::{Connection, Mode, State};
use crate::folder::KeyName;
use crate::gate::{Deed, Gate};
use crate::identities::UpstreamIds;
use crate::log::{Actor, Event};
use crate::rows;

/// What is uploaded in the Console.
#[derive(Debug, Serialize, Deserialize)]
pub struct EditorCsr {
    /// Whose Editor it is to be.
    pub connection: String,
    /// The CSR, as PEM.
    pub csr: String,
    /// What the client does now.
    pub todo: Vec<String>,
}

/// Makes key and CSR for a connection's own Editor, where there are none; and tells what comes next.
pub(crate) async fn csr(
    gate: &Arc<Gate>,
    operator: &Operator,
    name: &str,
) -> Result<EditorCsr, ApiError> {
    let connection = find(gate, name)?;
    if connection.state == State::Revoked || connection.role != ProviderRole::Editor {
        let why =
            format!("connection {name} proposes nothing: only an EDITOR needs an Editor upstream");
        return Err(refused(409, why));
    }
    if connection.mode == Mode::Watched {
        let why =
            "the connection's key is straight at Fireblocks: the gate proposes nothing for it";
        return Err(refused(409, why));
    }
    let (this, name) = (Arc::clone(gate), connection.name.clone());
    let made = tokio::task::spawn_blocking(move || {
        let of = KeyName::EditorOf(&name);
        let fresh = !this.folder.csr_path(of).exists();
        let path = crate::init::editor_csr(&this.folder, of)?;
        let key = this.folder.key(of)?;
        Ok::<_, crate::init::InitError>((path, fresh, key.public().fingerprint()))
    });
    let (path, fresh, fingerprint) = made
        .await
        .map_err(|error| refused(500, error))?
        .map_err(|error| refused(500, error))?;
    let csr = tokio::fs::read_to_string(&path).await;
    let csr = csr.map_err(|error| refused(500, format_args!("{}: {error}", path.display())))?;
    if fresh {
        let (by, connection) = (operator.name.clone(), connection.name.clone());
        let work = move |deed: &mut Deed<'_, '_>| {
            let event = Event::EditorKeyMade {
                connection: connection.clone(),
                fingerprint: fingerprint.to_string(),
            };
            Ok(deed.log(Actor::Operator(by.clone()), event)?)
        };
        gate.deed(work).await?;
    }
    let name = &connection.name;
    let mut todo = super::connections::editor_steps(&path);
    todo.push(format!(
        "Tell the gate its API key: vestibule gate connection change {name} --editor-api-key ID --reason WHY"
    ));
    Ok(EditorCsr {
        connection: connection.name,
        csr,
        todo,
    })
}

/// Refuses an Editor of a connection's own that cannot be one: its key is not made here, does not open that
/// API user, or can do more than propose.
pub(super) async fn fits(gate: &Gate, connection: &str, user: UserId) -> Result<(), ApiError> {
    let Some(client) = gate.client_of(user, KeyName::EditorOf(connection)) else {
        let why = format!(
            "there is no key for an Editor of {connection}'s own: vestibule gate connection editor {connection} makes it, and its CSR"
        );
        return Err(refused(409, why));
    };
    match gate.judge(&client, user, ProviderRole::Editor).await {
        Ok(_) => Ok(()),
        Err(SyncError::MoreThanAsked(more)) => Err(refused(409, more)),
        // Whoever is an Editor of the gate's is watched for ever: nobody becomes one unproven.
        Err(error) => Err(refused(
            409,
            format_args!("API user {user} cannot be called with this key yet: {error}"),
        )),
    }
}

/// A connection has another Editor from now on: one that nobody else has, and that is watched for ever.
pub(super) fn settle(deed: &mut Deed<'_, '_>, connection: &Connection) -> Result<(), Fault> {
    let Some(user) = connection.editor else {
        return Ok(());
    };
    let ids = UpstreamIds::read(deed.writing, deed.workspace)?;
    if [ids.viewer, ids.editor].contains(&Some(user)) {
        let why =
            format!("API user {user} is the gate's own: a connection's own Editor is another");
        return Err(refused(409, why).into());
    }
    if let Some(other) = holder(deed, user)?.filter(|other| *other != connection.name) {
        let why = format!("API user {user} is the Editor of {other}: each has its own");
        return Err(refused(409, why).into());
    }
    Ok(rows::editors::add(
        deed.writing,
        deed.workspace,
        user,
        deed.at,
    )?)
}

/// The connection whose own Editor this is.
pub(super) fn holder(deed: &mut Deed<'_, '_>, user: UserId) -> Result<Option<String>, Fault> {
    let all = rows::connections::connections(deed.writing, deed.workspace)?;
    let held = all.into_iter().find(|one| one.editor == Some(user));
    Ok(held.map(|one| one.name))
}
