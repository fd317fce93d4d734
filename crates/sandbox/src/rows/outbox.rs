//! Notifications and the attempts to deliver them.

use ledger::positions;
use protocol::ids::{NotificationId, WebhookId, WorkspaceId};
use protocol::model::event::EventType;
use protocol::model::webhook::{Notification, NotificationAttempt, NotificationStatus};
use protocol::time::Millis;
use store::{Query, Row, StoreError, Writing, params};
use wire::hooks_out::Next;

use super::{corrupt, notification_id, text};
use crate::hooks::Forged;

/// Attempts are a workspace's, as all else is.
pub(super) const OF_WORKSPACES: &str = "
ALTER TABLE attempts ADD COLUMN workspace TEXT NOT NULL DEFAULT '';
UPDATE attempts SET workspace =
    COALESCE((SELECT workspace FROM notifications WHERE notifications.id = attempts.notification), '');
DROP INDEX attempts_of;
CREATE INDEX attempts_of ON attempts (workspace, notification, sent_time);
DROP INDEX attempts_by_webhook;
CREATE INDEX attempts_by_webhook ON attempts (workspace, webhook, sent_time);
";

pub(super) const RESENDS: &str = "ALTER TABLE notifications ADD COLUMN resent_at BIGINT";

/// Webhooks move to the shelf; what the control plane does to notifications, and attempts by
/// webhook.
pub(super) const WEBHOOKS: &str = "
INSERT INTO things (workspace, kind, id, seq, doc)
    SELECT workspace, 'webhook', id, 0, '{\"webhook\":' || doc || '}' FROM webhooks;
DROP TABLE webhooks;
ALTER TABLE notifications ADD COLUMN forged TEXT;
ALTER TABLE notifications ADD COLUMN copies BIGINT NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN webhook TEXT NOT NULL DEFAULT '';
ALTER TABLE attempts ADD COLUMN failed BIGINT NOT NULL DEFAULT 0;
CREATE INDEX attempts_by_webhook ON attempts (webhook, sent_time);
";

/// When a notification is due that waits for others.
const HELD: Millis = Millis(i64::MAX);

/// How a notification is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Posting {
    /// When first; nothing: when it is released.
    pub(crate) due_at: Option<Millis>,
    /// What is wrong with its signatures.
    pub(crate) forged: Option<Forged>,
    /// How often more, after it was taken.
    pub(crate) copies: i64,
}

/// A notification to be delivered.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub(crate) workspace: WorkspaceId,
    pub(crate) webhook: WebhookId,
    pub(crate) id: NotificationId,
    pub(crate) attempt: u32,
    pub(crate) body: Vec<u8>,
    pub(crate) forged: Option<Forged>,
    /// JWS and legacy signature, once made.
    pub(crate) signatures: Option<(String, String)>,
}

pub(super) const fn word(status: NotificationStatus) -> &'static str {
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

const fn forgery(forged: Forged) -> &'static str {
    match forged {
        Forged::WrongSignature => "WRONG_SIGNATURE",
        Forged::OldKey => "OLD_KEY",
    }
}

fn forged(text: &str) -> Result<Forged, StoreError> {
    let kinds = [Forged::WrongSignature, Forged::OldKey];
    let known = kinds.into_iter().find(|kind| forgery(*kind) == text);
    known.ok_or_else(|| corrupt("notifications", "forged", text))
}

/// Puts a notification where it is delivered from.
pub(crate) fn add_notification(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    webhook: WebhookId,
    seq: i64,
    notification: &Notification,
    posting: Posting,
    body: &[u8],
) -> Result<(), StoreError> {
    let sql = "INSERT INTO notifications
        (seq, workspace, webhook, id, event_type, resource_id, created_at, updated_at, status, attempt, due_at, body,
         forged, copies)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, 1, $10, $9, $11, $12)";
    let params = params![
        seq,
        workspace.to_string(),
        webhook.to_string(),
        notification.id.0.as_bytes().as_slice(),
        notification.event_type.as_str(),
        notification.resource_id.clone(),
        notification.created_at.0,
        word(notification.status),
        body,
        posting.due_at.unwrap_or(HELD).0,
        posting.forged.map(forgery),
        posting.copies
    ];
    writing.execute(sql, &params).map(drop)
}

/// Lets those go that were held, the last first.
pub(crate) fn release(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    webhook: WebhookId,
    now: Millis,
) -> Result<(), StoreError> {
    let sql = "SELECT id FROM notifications WHERE workspace = $1 AND webhook = $2 AND due_at = $3 ORDER BY seq DESC";
    let held = params![workspace.to_string(), webhook.to_string(), HELD.0];
    for row in writing.rows(sql, &held)? {
        let seq = positions::bump(writing, workspace, "notifications")?;
        let sql = "UPDATE notifications SET due_at = $4, seq = $5 WHERE workspace = $1 AND webhook = $2 AND id = $3";
        let params = params![
            workspace.to_string(),
            webhook.to_string(),
            row.bytes(0)?.to_vec(),
            now.0,
            seq
        ];
        writing.execute(sql, &params)?;
    }
    Ok(())
}

/// A webhook sends no longer: what was on its way waits.
pub(crate) fn hold(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    webhook: WebhookId,
    now: Millis,
) -> Result<(), StoreError> {
    let sql = "UPDATE notifications SET status = 'ON_HOLD', updated_at = $3
        WHERE workspace = $1 AND webhook = $2 AND status = 'IN_PROGRESS'";
    let params = params![workspace.to_string(), webhook.to_string(), now.0];
    writing.execute(sql, &params).map(drop)
}

/// A webhook is gone, and with it what it was sent.
pub(crate) fn delete_deliveries(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    webhook: WebhookId,
) -> Result<(), StoreError> {
    let params = params![workspace.to_string(), webhook.to_string()];
    let sql = "DELETE FROM attempts WHERE workspace = $1 AND webhook = $2";
    writing.execute(sql, &params)?;
    let sql = "DELETE FROM notifications WHERE workspace = $1 AND webhook = $2";
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
    let sql = "SELECT id, attempt, body, jws, legacy, forged FROM notifications
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
            forged: row.opt_text(5)?.map(forged).transpose()?,
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
        WHERE workspace = $1 AND webhook = $2 AND status = 'IN_PROGRESS' AND due_at > $3 AND due_at < $4";
    let params = params![workspace.to_string(), webhook.to_string(), now.0, HELD.0];
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

/// No signature of before is sent again: each is made anew when it is next due.
pub(crate) fn forget_signatures(writing: &mut Writing<'_>) -> Result<(), StoreError> {
    let sql = "UPDATE notifications SET jws = NULL, legacy = NULL WHERE jws IS NOT NULL";
    writing.execute(sql, &[]).map(drop)
}

/// Keeps what became of an attempt; whether the notification is known still.
pub(crate) fn record(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    webhook: WebhookId,
    id: NotificationId,
    attempt: &NotificationAttempt,
    next: Next,
    now: Millis,
) -> Result<bool, StoreError> {
    super::clocks::reached(writing, workspace, now)?;
    let bytes = id.0.as_bytes().as_slice();
    let place = [workspace.to_string(), webhook.to_string()];
    let sql = "SELECT status, copies FROM notifications WHERE workspace = $1 AND webhook = $2 AND id = $3";
    let Some(row) = writing.row(sql, &params![&place[0], &place[1], bytes])? else {
        return Ok(false);
    };
    let (before, copies) = (status(row.text(0)?)?, row.int(1)?);
    let doc =
        serde_json::to_string(attempt).map_err(|error| StoreError::Engine(error.to_string()))?;
    let sql = "INSERT INTO attempts (workspace, notification, sent_time, doc, webhook, failed)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let failed = i64::from(next != Next::Completed);
    let sent = attempt.sent_time.0;
    let params = params![&place[0], bytes, sent, doc, &place[1], failed];
    writing.execute(sql, &params)?;
    let (status, due_at, copies) = match next {
        Next::Completed if copies > 0 => (before, now, copies - 1),
        Next::Completed => (NotificationStatus::Completed, now, 0),
        // It may wait by now: its webhook was turned off meanwhile.
        Next::Again(at) => (before, at, copies),
        Next::Failed => (NotificationStatus::Failed, now, copies),
    };
    let sql = "UPDATE notifications
        SET status = $4, due_at = $5, updated_at = $6, copies = $7, attempt = attempt + 1
        WHERE workspace = $1 AND webhook = $2 AND id = $3";
    let params = params![
        &place[0],
        &place[1],
        bytes,
        word(status),
        due_at.0,
        now.0,
        copies
    ];
    writing.execute(sql, &params)?;
    Ok(true)
}

/// What of a notification a list shows.
pub(super) const LISTED: &str = "id, created_at, updated_at, status, event_type, resource_id";

pub(super) fn listed(row: &Row) -> Result<Notification, StoreError> {
    Ok(Notification {
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
    })
}

/// One notification, and the body that was sent.
pub(crate) fn notification(
    query: &mut impl Query,
    workspace: WorkspaceId,
    webhook: WebhookId,
    id: NotificationId,
) -> Result<Option<(Notification, String)>, StoreError> {
    let sql = format!(
        "SELECT {LISTED}, body FROM notifications WHERE workspace = $1 AND webhook = $2 AND id = $3"
    );
    let params = params![
        workspace.to_string(),
        webhook.to_string(),
        id.0.as_bytes().as_slice()
    ];
    let row = query.row(&sql, &params)?;
    row.map(|row| Ok((listed(&row)?, text(row.bytes(6)?))))
        .transpose()
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
