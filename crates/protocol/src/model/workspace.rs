//! The workspace itself (`GET /workspace`).

use serde::{Deserialize, Serialize};

use crate::ids::WorkspaceId;

/// A workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
}
