//! What the client's Console gave the gate: API keys of its users, the id of its webhook.

use std::sync::Arc;

use protocol::error::ApiError;
use protocol::ids::{UserId, WebhookId};
use serde::Deserialize;

use super::{Operator, refused};
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

/// Sets them.
pub(crate) async fn set(gate: &Arc<Gate>, operator: &Operator, ids: Ids) -> Result<(), ApiError> {
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
                rows::connections::set(deed.writing, name, value)?;
            }
        }
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

/// Looks at all of upstream now, not at the next turn: finds what has no event, and what a lost
/// webhook did not tell.
pub(crate) fn refresh(gate: &Gate) {
    gate.look.send_modify(|asked| *asked += 1);
}
