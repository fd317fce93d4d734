//! The attempts to deliver: of a notification, of a webhook.

use protocol::ids::{NotificationId, WebhookId, WorkspaceId};
use protocol::time::Millis;
use store::{Query, StoreError, params};

use crate::hooks::Tally;

/// The attempts of a notification, the first first.
pub(crate) fn attempts(
    query: &mut impl Query,
    workspace: WorkspaceId,
    id: NotificationId,
) -> Result<Vec<String>, StoreError> {
    let sql =
        "SELECT doc FROM attempts WHERE workspace = $1 AND notification = $2 ORDER BY sent_time";
    let place = params![workspace.to_string(), id.0.as_bytes().as_slice()];
    query
        .rows(sql, &place)?
        .iter()
        .map(|row| row.text(0).map(str::to_owned))
        .collect()
}

/// What became of a webhook's attempts since then.
pub(crate) fn tally(
    query: &mut impl Query,
    workspace: WorkspaceId,
    webhook: WebhookId,
    since: Millis,
) -> Result<Tally, StoreError> {
    let sql = "SELECT failed, COUNT(*) FROM attempts
        WHERE workspace = $1 AND webhook = $2 AND sent_time >= $3 GROUP BY failed";
    let mut tally = Tally::default();
    let place = params![workspace.to_string(), webhook.to_string(), since.0];
    for row in query.rows(sql, &place)? {
        let count = row.int(1)?;
        tally.attempts += count;
        tally.failed += if row.int(0)? == 0 { 0 } else { count };
    }
    Ok(tally)
}

/// When a webhook was last sent something.
pub(crate) fn last_attempt(
    query: &mut impl Query,
    workspace: WorkspaceId,
    webhook: WebhookId,
) -> Result<Option<Millis>, StoreError> {
    let sql = "SELECT MAX(sent_time) FROM attempts WHERE workspace = $1 AND webhook = $2";
    let row = query.row(sql, &params![workspace.to_string(), webhook.to_string()])?;
    Ok(row
        .and_then(|row| row.opt_int(0).transpose())
        .transpose()?
        .map(Millis))
}
