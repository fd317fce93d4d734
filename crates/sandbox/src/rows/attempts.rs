//! The attempts to deliver: of a notification, of a webhook.

use protocol::ids::{NotificationId, WebhookId};
use protocol::time::Millis;
use store::{Query, StoreError, params};

use crate::hooks::Tally;

/// The attempts of a notification, the first first.
pub(crate) fn attempts(
    query: &mut impl Query,
    id: NotificationId,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT doc FROM attempts WHERE notification = $1 ORDER BY sent_time";
    query
        .rows(sql, &params![id.0.as_bytes().as_slice()])?
        .iter()
        .map(|row| row.text(0).map(str::to_owned))
        .collect()
}

/// What became of a webhook's attempts since then.
pub(crate) fn tally(
    query: &mut impl Query,
    webhook: WebhookId,
    since: Millis,
) -> Result<Tally, StoreError> {
    let sql = "SELECT failed, COUNT(*) FROM attempts WHERE webhook = $1 AND sent_time >= $2 GROUP BY failed";
    let mut tally = Tally::default();
    for row in query.rows(sql, &params![webhook.to_string(), since.0])? {
        let count = row.int(1)?;
        tally.attempts += count;
        tally.failed += if row.int(0)? == 0 { 0 } else { count };
    }
    Ok(tally)
}

/// When a webhook was last sent something.
pub(crate) fn last_attempt(
    query: &mut impl Query,
    webhook: WebhookId,
) -> Result<Option<Millis>, StoreError> {
    let sql = "SELECT MAX(sent_time) FROM attempts WHERE webhook = $1";
    let row = query.row(sql, &params![webhook.to_string()])?;
    Ok(row
        .and_then(|row| row.opt_int(0).transpose())
        .transpose()?
        .map(Millis))
}
