//! What the client's Console gave the gate: API keys of its users, the id of its webhook.

use std::sync::Arc;

use protocol::error::ApiError;
use protocol::ids::{UserId, WebhookId};
use protocol::role::ProviderRole;
use serde::Deserialize;
use sync::SyncError;

use super::{Operator, refused};
use crate::folder::KeyName;
use crate::gate::{Deed, Gate};
use crate::log::{Actor, Event};
use crate::rows;

/// What to set; what is missing stays.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ids {
    /// The API key of the gate's Viewer.
    pub viewer: Option<UserId>,
    /// The API key of the gate's Editor.
    pub editor: Option<UserId>,
    /// The webhook that the client made for the gate.
    pub webhook: Option<WebhookId>,
}

/// Sets them, unless upstream says that one of the keys can do more than the gate may.
pub(crate) async fn set(gate: &Arc<Gate>, operator: &Operator, ids: Ids) -> Result<(), ApiError> {
    not_too_much(gate, ids.viewer, KeyName::Viewer, ProviderRole::Viewer).await?;
    not_too_much(gate, ids.editor, KeyName::Editor, ProviderRole::Editor).await?;
    let actor = Actor::Operator(operator.name.clone());
    let text = |id: Option<uuid::Uuid>| id.map(|id| id.to_string());
    let values = [
        ("viewer", text(ids.viewer.map(|id| id.0))),
        ("editor", text(ids.editor.map(|id| id.0))),
        ("webhook", text(ids.webhook.map(|id| id.0))),
    ];
    let work = move |deed: &mut Deed<'_, '_>| {
        for (name, value) in &values {
            if let Some(value) = value {
                let before = rows::connections::setting(deed.writing, deed.workspace, name)?;
                if *name == "editor" && before.as_ref() != Some(value) {
                    rows::strays::begin(deed.writing, deed.workspace, deed.at)?;
                }
                rows::connections::set(deed.writing, deed.workspace, name, value)?;
            }
        }
        rows::gates::changed(deed.writing, deed.workspace)?;
        let [(_, viewer), (_, editor), (_, webhook)] = values.clone();
        deed.log(
            actor.clone(),
            Event::UpstreamSet {
                viewer,
                editor,
                webhook,
            },
        )?;
        Ok(())
    };
    gate.deed(work).await?;
    gate.reload().await.map_err(|error| refused(500, error))?;
    gate.mount_receiver();
    Ok(())
}

/// Refuses a key that can do more than it is for. What cannot be asked now is asked before the key
/// is used.
async fn not_too_much(
    gate: &Gate,
    id: Option<UserId>,
    name: KeyName,
    most: ProviderRole,
) -> Result<(), ApiError> {
    let Some(id) = id else {
        return Ok(());
    };
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
    gate.look.send_modify(|asked| *asked += 1);
    Ok(())
}
