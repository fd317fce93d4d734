//! Whose workspace a key opens: what comes from another one never enters these books.

use protocol::ids::WorkspaceId;
use protocol::model::workspace::Workspace;
use wire::client::{Client, ClientError};

/// A key that opens another workspace than the one it was given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the API key opens workspace {0}, which is another one: nothing is read from it")]
pub struct ForeignWorkspace(pub WorkspaceId);

/// Asks upstream whose workspace the key opens. `Ok(Err(_))`: another's. Where upstream does not
/// tell this role (401, 403, 404), nothing more can be known beforehand: events are pinned anyway.
pub async fn identity(
    client: &Client,
    workspace: WorkspaceId,
) -> Result<Result<(), ForeignWorkspace>, ClientError> {
    match client.get("/v1/workspace").await {
        Ok(answer) => {
            let told: Workspace = answer.json()?;
            Ok(if told.id == workspace {
                Ok(())
            } else {
                Err(ForeignWorkspace(told.id))
            })
        }
        Err(ClientError::Status {
            status: 401 | 403 | 404,
            ..
        }) => Ok(Ok(())),
        Err(error) => Err(error),
    }
}
