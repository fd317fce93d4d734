//! The sandbox's own tables and every statement on them.

use protocol::ids::{NotificationId, UserId, WorkspaceId};
use protocol::time::Millis;
use store::{Migration, Query, Room, Row, Sql, StoreError, Writing, params};
use uuid::Uuid;

mod attempts;
pub(crate) mod clocks;
pub(crate) mod flights;
pub(crate) mod house;
mod notifications;
mod outbox;
mod resends;
pub(crate) mod shelf;
pub(crate) mod snapshots;
pub(crate) mod tables;
#[cfg(test)]
mod upgrades;

pub(crate) use attempts::{attempts, last_attempt, tally};
pub(crate) use notifications::{
    Chosen, Direction, Order, Standing, notification_count, notification_page, notifications,
};
pub(crate) use outbox::{
    Parcel, Posting, add_notification, delete_deliveries, due, forget_signatures, hold,
    keep_signatures, next_due, notification, record, release, resend,
};
pub(crate) use resends::{add_resend_job, resend_job};

/// The sandbox's tables.
pub const ROOM: Room = Room {
    name: "sandbox",
    migrations: &[
        Migration {
            id: 1,
            name: "workspaces",
            sql: Sql::Same(TABLES),
        },
        Migration {
            id: 2,
            name: "resend_jobs",
            sql: Sql::Same(RESEND_JOBS),
        },
        Migration {
            id: 3,
            name: "things",
            sql: Sql::Same(shelf::TABLES),
        },
        Migration {
            id: 4,
            name: "house",
            sql: Sql::Same(house::TABLES),
        },
        Migration {
            id: 5,
            name: "lanes",
            sql: Sql::Same(flights::LANES),
        },
        Migration {
            id: 6,
            name: "resends",
            sql: Sql::Same(outbox::RESENDS),
        },
        Migration {
            id: 7,
            name: "expiry",
            sql: Sql::Same(flights::EXPIRY),
        },
        Migration {
            id: 8,
            name: "webhooks",
            sql: Sql::Same(outbox::WEBHOOKS),
        },
        Migration {
            id: 9,
            name: "clocks",
            sql: Sql::Same(clocks::TABLES),
        },
        Migration {
            id: 10,
            name: "attempts of workspaces",
            sql: Sql::Same(outbox::OF_WORKSPACES),
        },
        Migration {
            id: 11,
            name: "fresh workspaces",
            sql: Sql::Same(FRESH),
        },
        Migration {
            id: 12,
            name: "snapshots",
            sql: Sql::Same(snapshots::TABLES),
        },
        Migration {
            id: 13,
            name: "turns",
            sql: Sql::Same(flights::TURNS),
        },
        Migration {
            id: 14,
            name: "waiting",
            sql: Sql::Same(flights::WAITING),
        },
        Migration {
            id: 15,
            name: "lists of notifications",
            sql: Sql::Same(notifications::LISTS),
        },
    ],
};

const RESEND_JOBS: &str = "
CREATE TABLE resend_jobs (workspace TEXT NOT NULL, webhook TEXT NOT NULL, id TEXT NOT NULL, doc TEXT NOT NULL,
    PRIMARY KEY (workspace, webhook, id));
";

const FRESH: &str = "
ALTER TABLE workspaces ADD COLUMN number BIGINT NOT NULL DEFAULT 0;
ALTER TABLE workspaces ADD COLUMN origin TEXT;
";

const TABLES: &str = "
CREATE TABLE workspaces (id TEXT NOT NULL PRIMARY KEY, name TEXT NOT NULL, network TEXT NOT NULL, policy TEXT NOT NULL);
CREATE TABLE api_keys (user_id TEXT NOT NULL PRIMARY KEY, workspace TEXT NOT NULL, spki BYTEA NOT NULL, addresses TEXT NOT NULL);
CREATE TABLE external_ids (workspace TEXT NOT NULL, external_id TEXT NOT NULL, PRIMARY KEY (workspace, external_id));
-- Transactions under way, with what they do not show.
CREATE TABLE flights (workspace TEXT NOT NULL, id BYTEA NOT NULL, since BIGINT NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (workspace, id));
CREATE TABLE webhooks (workspace TEXT NOT NULL, id TEXT NOT NULL, doc TEXT NOT NULL, drop_next BIGINT NOT NULL, PRIMARY KEY (workspace, id));
CREATE TABLE notifications (
    seq BIGINT NOT NULL, workspace TEXT NOT NULL, webhook TEXT NOT NULL, id BYTEA NOT NULL,
    event_type TEXT NOT NULL, resource_id TEXT, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
    status TEXT NOT NULL, attempt BIGINT NOT NULL, due_at BIGINT NOT NULL,
    body BYTEA NOT NULL, jws TEXT, legacy TEXT,
    PRIMARY KEY (workspace, webhook, id));
CREATE INDEX notifications_due ON notifications (workspace, webhook, status, due_at);
CREATE TABLE attempts (notification BYTEA NOT NULL, sent_time BIGINT NOT NULL, doc TEXT NOT NULL);
CREATE INDEX attempts_of ON attempts (notification, sent_time);
CREATE TABLE reports (workspace TEXT NOT NULL, id TEXT NOT NULL, created_at BIGINT NOT NULL, doc TEXT NOT NULL, file BYTEA NOT NULL,
    PRIMARY KEY (workspace, id));
";

fn uuid(bytes: &[u8], table: &'static str) -> Result<Uuid, StoreError> {
    Uuid::from_slice(bytes).map_err(|_| corrupt(table, "id", bytes))
}

fn corrupt(table: &'static str, column: &'static str, id: impl AsRef<[u8]>) -> StoreError {
    StoreError::Corrupt {
        table,
        column,
        id: hex::encode(id.as_ref()),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A workspace as it is kept.
pub(crate) struct WorkspaceRow {
    pub(crate) id: WorkspaceId,
    pub(crate) name: String,
    pub(crate) network: String,
    pub(crate) policy: String,
    /// The number of the call that made it; 0: it was there from the start.
    pub(crate) number: i64,
    /// What it was made from, as a document; older releases did not keep it.
    pub(crate) origin: Option<String>,
}

/// Every workspace; those that were there from the start come first.
pub(crate) fn workspaces(query: &mut impl Query) -> Result<Vec<WorkspaceRow>, StoreError> {
    let sql = "SELECT id, name, network, policy, number, origin FROM workspaces
        ORDER BY number, network, name";
    let read = |row: &Row| {
        Ok(WorkspaceRow {
            id: row
                .text(0)?
                .parse()
                .map_err(|_| corrupt("workspaces", "id", ""))?,
            name: row.text(1)?.to_owned(),
            network: row.text(2)?.to_owned(),
            policy: row.text(3)?.to_owned(),
            number: row.int(4)?,
            origin: row.opt_text(5)?.map(str::to_owned),
        })
    };
    query.rows(sql, &[])?.iter().map(read).collect()
}

pub(crate) fn add_workspace(
    writing: &mut Writing<'_>,
    row: &WorkspaceRow,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO workspaces (id, name, network, policy, number, origin)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let params = params![
        row.id.to_string(),
        row.name.as_str(),
        row.network.as_str(),
        row.policy.as_str(),
        row.number,
        row.origin.clone()
    ];
    writing.execute(sql, &params).map(drop)
}

/// It is no more.
pub(crate) fn remove_workspace(
    writing: &mut Writing<'_>,
    id: WorkspaceId,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM workspaces WHERE id = $1";
    writing.execute(sql, &params![id.to_string()]).map(drop)
}

/// An API key as it is kept.
pub(crate) struct KeyRow {
    pub(crate) user: UserId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) spki: Vec<u8>,
    /// Addresses, separated by commas; none: from anywhere.
    pub(crate) addresses: String,
}

/// The API keys of a workspace.
pub(crate) fn keys(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Vec<KeyRow>, StoreError> {
    let sql = "SELECT user_id, workspace, spki, addresses FROM api_keys WHERE workspace = $1 ORDER BY user_id";
    let read = |row: &Row| {
        let bad = || corrupt("api_keys", "user_id", "");
        Ok(KeyRow {
            user: row.text(0)?.parse().map_err(|_| bad())?,
            workspace: row.text(1)?.parse().map_err(|_| bad())?,
            spki: row.bytes(2)?.to_vec(),
            addresses: row.text(3)?.to_owned(),
        })
    };
    let rows = query.rows(sql, &params![workspace.to_string()])?;
    rows.iter().map(read).collect()
}

pub(crate) fn put_key(writing: &mut Writing<'_>, row: &KeyRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO api_keys (user_id, workspace, spki, addresses) VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_id) DO UPDATE SET addresses = excluded.addresses";
    let params = params![
        row.user.to_string(),
        row.workspace.to_string(),
        row.spki.clone(),
        row.addresses.as_str()
    ];
    writing.execute(sql, &params).map(drop)
}

/// Takes an initiator's own id; `false` if it was taken before.
pub(crate) fn take_external_id(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    id: &str,
) -> Result<bool, StoreError> {
    let sql = "INSERT INTO external_ids (workspace, external_id) VALUES ($1, $2) ON CONFLICT (workspace, external_id) DO NOTHING";
    Ok(writing.execute(sql, &params![workspace.to_string(), id])? == 1)
}

pub(crate) fn put_report(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    id: Uuid,
    created_at: Millis,
    doc: &str,
    file: &[u8],
) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO reports (workspace, id, created_at, doc, file) VALUES ($1, $2, $3, $4, $5)";
    let params = params![
        workspace.to_string(),
        id.to_string(),
        created_at.0,
        doc,
        file
    ];
    writing.execute(sql, &params).map(drop)
}

/// Reports, the newest first.
pub(crate) fn reports(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT doc FROM reports WHERE workspace = $1 ORDER BY created_at DESC, id DESC";
    query
        .rows(sql, &params![workspace.to_string()])?
        .iter()
        .map(|row| row.text(0).map(str::to_owned))
        .collect()
}

/// The file of a report.
pub(crate) fn report_file(
    query: &mut impl Query,
    workspace: WorkspaceId,
    id: Uuid,
) -> Result<Option<(String, Vec<u8>)>, StoreError> {
    let sql = "SELECT doc, file FROM reports WHERE workspace = $1 AND id = $2";
    let row = query.row(sql, &params![workspace.to_string(), id.to_string()])?;
    row.map(|row| Ok((row.text(0)?.to_owned(), row.bytes(1)?.to_vec())))
        .transpose()
}

fn notification_id(bytes: &[u8]) -> Result<NotificationId, StoreError> {
    uuid(bytes, "notifications").map(NotificationId)
}
