//! What the client's Console gave the gate: API keys of its users, the id of its webhook. The first of
//! each is one operator's word; another in its place takes the quorum, for it decides whose events and
//! transactions the gate goes by.

use std::sync::Arc;

use ledger::Fault;
use protocol::error::ApiError;
use protocol::ids::{UserId, WebhookId};
use protocol::role::ProviderRole;
use serde::{Deserialize, Serialize};
use sync::SyncError;
use uuid::Uuid;

use super::{Operator, changes, editor, reason, refused};
use crate::changes::{Change, ChangeRequest, Replaced};
use crate::folder::KeyName;
use crate::gate::{Deed, Gate};
use crate::identities::{Identity, id_of};
use crate::log::{Actor, Event};
use crate::rows;

/// What to set; what is missing stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ids {
    /// The API key of the gate's Viewer.
    pub viewer: Option<UserId>,
    /// The API key of the gate's Editor.
    pub editor: Option<UserId>,
    /// The webhook that the client made for the gate.
    pub webhook: Option<WebhookId>,
    /// Why, where one takes another's place.
    pub reason: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Set {
    /// What takes the quorum, where one takes another's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<changes::Shown>,
}

/// Sets what was not set, and asks for what takes another's place; unless upstream says that one of the
/// keys can do more than the gate may.
pub(crate) async fn set(gate: &Arc<Gate>, operator: &Operator, ids: Ids) -> Result<Set, ApiError> {
    let wanted: Vec<_> = [
        (Identity::Viewer, ids.viewer.map(|id| id.0)),
        (Identity::Editor, ids.editor.map(|id| id.0)),
        (Identity::Webhook, ids.webhook.map(|id| id.0)),
    ]
    .into_iter()
    .filter_map(|(identity, id)| Some((identity, id?)))
    .collect();
    for (identity, id) in &wanted {
        not_too_much(gate, *identity, *id).await?;
    }
    let (name, why) = (operator.name.clone(), ids.reason);
    let work = move |deed: &mut Deed<'_, '_>| {
        let (mut first, mut replaced) = (Vec::new(), Vec::new());
        for (identity, after) in wanted.iter().copied() {
            match id_of(deed.writing, deed.workspace, identity)? {
                None => first.push((identity, after)),
                Some(before) if before == after => {}
                Some(before) => replaced.push(Replaced {
                    identity,
                    before,
                    after,
                }),
            }
        }
        if !first.is_empty() {
            let why = why.as_deref().map(reason).transpose()?;
            let event = put(deed, &first, why)?;
            deed.log(Actor::Operator(name.clone()), event)?;
        }
        if replaced.is_empty() {
            return Ok(Set { change: None });
        }
        let why = why.as_deref().ok_or_else(|| {
            let ids: Vec<_> = replaced.iter().map(Replaced::words).collect();
            refused(400, format_args!("say why: {}", ids.join(", ")))
        })?;
        let change = Change::ReplaceUpstream { replaced };
        let request = ChangeRequest::new(change, reason(why)?, &name, deed.at);
        let change = Some(changes::asked(deed, request)?);
        Ok(Set { change })
    };
    let done = gate.deed(work).await?;
    changes::renew(gate).await?;
    Ok(done)
}

/// Whether each is still what is to be replaced.
pub(super) fn check(deed: &mut Deed<'_, '_>, replaced: &[Replaced]) -> Result<(), Fault> {
    for one in replaced {
        let now = id_of(deed.writing, deed.workspace, one.identity)?;
        if now != Some(one.before) || one.after == one.before {
            let now = now.map_or_else(|| "not set".to_owned(), |id| id.to_string());
            let why = format!(
                "{} is {now} already or by now: look again, and ask for what you want",
                one.identity.words()
            );
            return Err(refused(409, why).into());
        }
    }
    Ok(())
}

/// Makes it so.
pub(super) fn make(
    deed: &mut Deed<'_, '_>,
    replaced: &[Replaced],
    reason: String,
) -> Result<Event, Fault> {
    let ids: Vec<_> = replaced
        .iter()
        .map(|one| (one.identity, one.after))
        .collect();
    put(deed, &ids, Some(reason))
}

/// Writes ids down. Who was an Editor once is watched for ever.
fn put(
    deed: &mut Deed<'_, '_>,
    ids: &[(Identity, Uuid)],
    reason: Option<String>,
) -> Result<Event, Fault> {
    let (mut viewer, mut editor, mut webhook) = (None, None, None);
    for (identity, id) in ids {
        let text = id.to_string();
        rows::connections::set(deed.writing, deed.workspace, identity.setting(), &text)?;
        match identity {
            Identity::Viewer => viewer = Some(text),
            Identity::Webhook => webhook = Some(text),
            Identity::Editor => {
                if let Some(connection) = editor::holder(deed, UserId(*id))? {
                    let why = format!(
                        "API user {id} is {connection}'s own Editor: the gate's is another"
                    );
                    return Err(refused(409, why).into());
                }
                rows::editors::add(deed.writing, deed.workspace, UserId(*id), deed.at)?;
                editor = Some(text);
            }
        }
    }
    rows::gates::changed(deed.writing, deed.workspace)?;
    Ok(Event::UpstreamSet {
        viewer,
        editor,
        webhook,
        reason,
    })
}

/// Refuses a key that can do more than it is for. What cannot be asked now is asked before the key
/// is used.
pub(super) async fn not_too_much(
    gate: &Gate,
    identity: Identity,
    id: Uuid,
) -> Result<(), ApiError> {
    let (name, most) = match identity {
        Identity::Viewer => (KeyName::Viewer, ProviderRole::Viewer),
        Identity::Editor => (KeyName::Editor, ProviderRole::Editor),
        Identity::Webhook => return Ok(()),
    };
    let id = UserId(id);
    let Some(client) = gate.client_of(id, name) else {
        return Ok(());
    };
    match gate.judge(&client, id, most).await {
        Err(SyncError::MoreThanAsked(more)) => Err(refused(409, more)),
        _ => Ok(()),
    }
}

/// Looks at all of upstream now, not at the next turn: finds what has no event, and what a lost
/// webhook did not tell.
pub(crate) fn refresh(gate: &Gate) -> Result<(), ApiError> {
    if !gate.leads() {
        return Err(refused(
            409,
            "another gate over this store leads, and looks at upstream: ask that one (vestibule gate status names it)",
        ));
    }
    gate.look.ask();
    Ok(())
}
