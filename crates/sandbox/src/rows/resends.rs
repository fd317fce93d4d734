//! What became of bulk resends.

use protocol::ids::{WebhookId, WorkspaceId};
use store::{Query, StoreError, Writing, params};
use uuid::Uuid;

/// Keeps what became of a bulk resend.
pub(crate) fn add_resend_job(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    webhook: WebhookId,
    id: Uuid,
    doc: &str,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO resend_jobs (workspace, webhook, id, doc) VALUES ($1, $2, $3, $4)";
    let params = params![
        workspace.to_string(),
        webhook.to_string(),
        id.to_string(),
        doc
    ];
    writing.execute(sql, &params).map(drop)
}

/// A bulk resend.
pub(crate) fn resend_job(
    query: &mut impl Query,
    workspace: WorkspaceId,
    webhook: WebhookId,
    id: Uuid,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT doc FROM resend_jobs WHERE workspace = $1 AND webhook = $2 AND id = $3";
    let params = params![workspace.to_string(), webhook.to_string(), id.to_string()];
    let row = query.row(sql, &params)?;
    row.map(|row| row.text(0).map(str::to_owned)).transpose()
}
