//! What upstream knows the gate as: its API users there, and the webhook that tells it.

use protocol::ids::{UserId, WebhookId, WorkspaceId};
use serde::{Deserialize, Serialize};
use store::{Query, StoreError};
use uuid::Uuid;

use crate::rows;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Identity {
    /// The API user that reads.
    Viewer,
    /// The API user that proposes.
    Editor,
    /// The webhook that tells.
    Webhook,
}

impl Identity {
    /// The setting that holds its id.
    pub(crate) const fn setting(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Editor => "editor",
            Self::Webhook => "webhook",
        }
    }

    /// It, in a few words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Viewer => "the gate's Viewer",
            Self::Editor => "the gate's Editor",
            Self::Webhook => "the workspace's webhook",
        }
    }
}

/// All of them, as far as the client has said them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UpstreamIds {
    /// The API key that reads.
    pub viewer: Option<UserId>,
    /// The API key that proposes.
    pub editor: Option<UserId>,
    /// The webhook that tells.
    pub webhook: Option<WebhookId>,
}

impl UpstreamIds {
    pub(crate) fn read(query: &mut impl Query, workspace: WorkspaceId) -> Result<Self, StoreError> {
        let mut id = |identity| id_of(query, workspace, identity);
        Ok(Self {
            viewer: id(Identity::Viewer)?.map(UserId),
            editor: id(Identity::Editor)?.map(UserId),
            webhook: id(Identity::Webhook)?.map(WebhookId),
        })
    }
}

/// The id of one of them, if it is said.
pub(crate) fn id_of(
    query: &mut impl Query,
    workspace: WorkspaceId,
    identity: Identity,
) -> Result<Option<Uuid>, StoreError> {
    let name = identity.setting();
    let Some(text) = rows::connections::setting(query, workspace, name)? else {
        return Ok(None);
    };
    let read = text.parse().map(Some);
    read.map_err(|_| rows::corrupt("gate_settings", "value", name))
}
