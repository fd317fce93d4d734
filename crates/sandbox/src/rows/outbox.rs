//! Notifications and the attempts to deliver them.

use protocol::ids::{NotificationId, WebhookId, WorkspaceId};
use protocol::model::event::EventType;
use protocol::model::webhook::{Notification, NotificationAttempt, NotificationStatus};
use protocol::time::Millis;
use store::{Query, Row, StoreError, Writing, params};
use uuid::Uuid;

use super::{corrupt, notification_id, text};

/// Attempts are a workspace's, as all else is.
pub(super) const OF_WORKSPACES: &str = "
ALTER TABLE attempts ADD COLUMN workspace TEXT NOT NULL DEFAULT '';
UPDATE attempts SET workspace =
    COALESCE((SELECT workspace FROM notifications WHERE notifications.id = attempts.notification), '');
DROP INDEX attempts_of;
CREATE INDEX attempts_of ON attempts (workspace, notification, sent_time);
";

pub(super) const RESENDS: &str = "ALTER TABLE notifications ADD COLUMN resent_at BIGINT";

/// A notification to be delivered.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub(crate) workspace: WorkspaceId,
    pub(crate) webhook: WebhookId,
    pub(crate) id: NotificationId,
    pub(crate) attempt: u32,
    pub(crate) body: Vec<u8>,
    /// JWS and legacy signature, once made.
    pub(crate) signatures: Option<(String, String)>,
}

const fn word(status: NotificationStatus) -> &'static str {
    match status {
        NotificationStatus::InProgress => "IN_PROGRESS",
        NotificationStatus::Completed => "COMPLETED",
        NotificationStatus::Failed => "FAILED",
        NotificationStatus::OnHold => "ON_HOLD",
    }
}

fn status(text: &str) -> Result<NotificationStatus, StoreError> {
    Ok(match text {
        "IN_PROGRESS" => NotificationStatus::InProgress,
        "COMPLETED" => NotificationStatus::Completed,
        "FAILED" => NotificationStatus::Failed,
        "ON_HOLD" => NotificationStatus::OnHold,
        _ => return Err(corrupt("notifications", "status", text)),
    })
}

/// Puts a notification where it will be delivered from; or, `lost`, where it never will be.
pub(crate) fn add_notification(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    webhook: WebhookId,
    seq: i64,
    notification: &Notification,
    body: &[u8],
) -> Result<(), StoreError> {
    let sql = "INSERT INTO notifications
        (seq, workspace, webhook, id, event_type, resource_id, created_at, updated_at, status, attempt, due_at, body)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, 1, $7, $9)";
    let params = params![
        seq,
        workspace.to_string(),
        webhook.to_string(),
        notification.id.0.as_bytes().as_slice(),
        notification.event_type.as_str(),
        notification.resource_id.clone(),
        notification.created_at.0,
        word(notification.status),
        body
    ];
    writing.execute(sql, &params).map(drop)
}

/// What a webhook has to be sent now, in order.
pub(crate) fn due(
    query: &mut impl Query,
    workspace: WorkspaceId,
    webhook: WebhookId,
    now: Millis,
    limit: usize,
) -> Result<Vec<Parcel>, StoreError> {
    let sql = "SELECT id, attempt, body, jws, legacy FROM notifications
        WHERE workspace = $1 AND webhook = $2 AND status = 'IN_PROGRESS' AND due_at <= $3 ORDER BY due_at, seq LIMIT $4";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let params = params![workspace.to_string(), webhook.to_string(), now.0, limit];
    let read = |row: &Row| {
        let signatures = row.opt_text(3)?.zip(row.opt_text(4)?);
        Ok(Parcel {
            workspace,
            webhook,
            id: notification_id(row.bytes(0)?)?,
            attempt: u32::try_from(row.int(1)?).unwrap_or(u32::MAX),
            body: row.bytes(2)?.to_vec(),
            signatures: signatures.map(|(jws, legacy)| (jws.to_owned(), legacy.to_owned())),
        })
    };
    query.rows(sql, &params)?.iter().map(read).collect()
}

/// When a webhook has to be sent something next, after now.
pub(crate) fn next_due(
    query: &mut impl Query,
    workspace: WorkspaceId,
    webhook: WebhookId,
    now: Millis,
) -> Result<Option<Millis>, StoreError> {
    let sql = "SELECT MIN(due_at) FROM notifications
        WHERE workspace = $1 AND webhook = $2 AND status = 'IN_PROGRESS' AND due_at > $3";
    let params = params![workspace.to_string(), webhook.to_string(), now.0];
    let row = query.row(sql, &params)?;
    Ok(row
        .and_then(|row| row.opt_int(0).transpose())
        .transpose()?
        .map(Millis))
}

pub(crate) fn keep_signatures(
    writing: &mut Writing<'_>,
    parcel: &Parcel,
) -> Result<(), StoreError> {
    let Some((jws, legacy)) = &parcel.signatures else {
        return Ok(());
    };
    let sql = "UPDATE notifications SET jws = $4, legacy = $5 WHERE workspace = $1 AND webhook = $2 AND id = $3";
    let params = params![
        parcel.workspace.to_string(),
        parcel.webhook.to_string(),
        parcel.id.0.as_bytes().as_slice(),
        jws.as_str(),
        legacy.as_str()
    ];
    writing.execute(sql, &params).map(drop)
}

/// Keeps what became of an attempt.
pub(crate) fn record(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    webhook: WebhookId,
    id: NotificationId,
    attempt: &NotificationAttempt,
    next: wire::hooks_out::Next,
    now: Millis,
) -> Result<(), StoreError> {
    use wire::hooks_out::Next;
    super::clocks::reached(writing, workspace, now)?;
    let bytes = id.0.as_bytes().as_slice();
    let doc =
        serde_json::to_string(attempt).map_err(|error| StoreError::Engine(error.to_string()))?;
    let sql =
        "INSERT INTO attempts (workspace, notification, sent_time, doc) VALUES ($1, $2, $3, $4)";
    let params = params![workspace.to_string(), bytes, attempt.sent_time.0, doc];
    writing.execute(sql, &params)?;
    let (status, due_at) = match next {
        Next::Completed => (NotificationStatus::Completed, now),
        Next::Again(at) => (NotificationStatus::InProgress, at),
        Next::Failed => (NotificationStatus::Failed, now),
    };
    let sql =
        "UPDATE notifications SET status = $3, due_at = $4, updated_at = $5, attempt = attempt + 1
        WHERE webhook = $1 AND id = $2 AND workspace = $6";
    let params = params![
        webhook.to_string(),
        bytes,
        word(status),
        due_at.0,
        now.0,
        workspace.to_string()
    ];
    writing.execute(sql, &params).map(drop)
}

fn read(row: &Row) -> Result<(Notification, Vec<u8>), StoreError> {
    let notification = Notification {
        id: notification_id(row.bytes(0)?)?,
        created_at: Millis(row.int(1)?),
        updated_at: Millis(row.int(2)?),
        status: status(row.text(3)?)?,
        event_type: row
            .text(4)?
            .parse::<EventType>()
            .map_err(|_| corrupt("notifications", "event_type", ""))?,
        resource_id: row.opt_text(5)?.map(str::to_owned),
        data: None,
    };
    Ok((notification, row.bytes(6)?.to_vec()))
}

const COLUMNS: &str = "id, created_at, updated_at, status, event_type, resource_id, body";

/// A webhook's notifications of a time, by creation, each with its number.
pub(crate) fn notifications(
    query: &mut impl Query,
    workspace: WorkspaceId,
    webhook: WebhookId,
    from: Millis,
    to: Millis,
) -> Result<Vec<(i64, Notification)>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS}, seq FROM notifications
         WHERE workspace = $1 AND webhook = $2 AND created_at >= $3 AND created_at <= $4 ORDER BY seq"
    );
    let params = params![workspace.to_string(), webhook.to_string(), from.0, to.0];
    query
        .rows(&sql, &params)?
        .iter()
        .map(|row| read(row).and_then(|(notification, _)| Ok((row.int(7)?, notification))))
        .collect()
}

/// One notification, and the body that was sent.
pub(crate) fn notification(
    query: &mut impl Query,
    workspace: WorkspaceId,
    webhook: WebhookId,
    id: NotificationId,
) -> Result<Option<(Notification, String)>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM notifications WHERE workspace = $1 AND webhook = $2 AND id = $3"
    );
    let params = params![
        workspace.to_string(),
        webhook.to_string(),
        id.0.as_bytes().as_slice()
    ];
    let row = query.row(&sql, &params)?;
    row.map(|row| read(&row).map(|(notification, body)| (notification, text(&body))))
        .transpose()
}

/// The attempts of a notification, the first first.
pub(crate) fn attempts(
    query: &mut impl Query,
    workspace: WorkspaceId,
    id: NotificationId,
) -> Result<Vec<String>, StoreError> {
    let sql =
        "SELECT doc FROM attempts WHERE workspace = $1 AND notification = $2 ORDER BY sent_time";
    query
        .rows(
            sql,
            &params![workspace.to_string(), id.0.as_bytes().as_slice()],
        )?
        .iter()
        .map(|row| row.text(0).map(str::to_owned))
        .collect()
}

/// Sends a notification again, from the first attempt on; `false` if that was done before, since
/// that time.
pub(crate) fn resend(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    webhook: WebhookId,
    id: NotificationId,
    now: Millis,
    since: Millis,
) -> Result<bool, StoreError> {
    let sql = "UPDATE notifications
        SET status = 'IN_PROGRESS', due_at = $4, updated_at = $4, resent_at = $4, attempt = 1
        WHERE workspace = $1 AND webhook = $2 AND id = $3 AND (resent_at IS NULL OR resent_at <= $5)";
    let params = params![
        workspace.to_string(),
        webhook.to_string(),
        id.0.as_bytes().as_slice(),
        now.0,
        since.0
    ];
    Ok(writing.execute(sql, &params)? == 1)
}

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
