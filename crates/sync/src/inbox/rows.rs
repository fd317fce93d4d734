//! The table of events, and every statement on it.

use protocol::time::Millis;
use store::{Migration, Query, Room, Sql, StoreError, Writing, params};

use super::{Aside, Counts, State};

/// The events' tables.
pub const ROOM: Room = Room {
    name: "sync",
    migrations: &[Migration {
        id: 1,
        name: "inbox",
        sql: Sql::Same(INBOX),
    }],
};

const INBOX: &str = "
-- The last arrival of each inbox: a row, not a sequence, so that order is the order of commits.
CREATE TABLE inboxes (workspace TEXT NOT NULL, name TEXT NOT NULL, arrivals BIGINT NOT NULL,
    PRIMARY KEY (workspace, name));
-- state: 0 new, 1 applied, 2 aside.
CREATE TABLE inbox_events (
    workspace TEXT NOT NULL, name TEXT NOT NULL, arrival BIGINT NOT NULL, id TEXT NOT NULL,
    received_at BIGINT NOT NULL, body BYTEA NOT NULL, state BIGINT NOT NULL, reason TEXT,
    PRIMARY KEY (workspace, name, arrival));
CREATE UNIQUE INDEX inbox_events_by_id ON inbox_events (workspace, name, id);
CREATE INDEX inbox_events_by_state ON inbox_events (workspace, name, state, arrival);
";

/// Whose events.
#[derive(Clone, Debug)]
pub(super) struct Of {
    pub(super) workspace: String,
    pub(super) name: String,
}

/// An event that is to be applied.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) arrival: i64,
    pub(super) body: Vec<u8>,
}

/// Stores an event; whether it is new.
pub(super) fn insert(
    writing: &mut Writing<'_>,
    of: &Of,
    id: &str,
    received_at: Millis,
    body: &[u8],
    state: State,
    reason: Option<&str>,
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM inbox_events WHERE workspace = $1 AND name = $2 AND id = $3";
    if writing
        .row(sql, &params![&of.workspace, &of.name, id])?
        .is_some()
    {
        return Ok(false);
    }
    let sql = "INSERT INTO inboxes (workspace, name, arrivals) VALUES ($1, $2, 1)
        ON CONFLICT (workspace, name) DO UPDATE SET arrivals = inboxes.arrivals + 1 RETURNING arrivals";
    let arrival = writing
        .row(sql, &params![&of.workspace, &of.name])?
        .ok_or(StoreError::Closed)?
        .int(0)?;
    let sql =
        "INSERT INTO inbox_events (workspace, name, arrival, id, received_at, body, state, reason)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let params = params![
        &of.workspace,
        &of.name,
        arrival,
        id,
        received_at.0,
        body,
        state.number(),
        reason
    ];
    Ok(writing.execute(sql, &params)? > 0)
}

/// The first new events, in the order in which they came.
pub(super) fn waiting(
    query: &mut impl Query,
    of: &Of,
    most: u32,
) -> Result<Vec<Waiting>, StoreError> {
    let sql =
        "SELECT arrival, body FROM inbox_events WHERE workspace = $1 AND name = $2 AND state = 0
        ORDER BY arrival LIMIT $3";
    let rows = query.rows(sql, &params![&of.workspace, &of.name, most])?;
    rows.iter()
        .map(|row| {
            Ok(Waiting {
                arrival: row.int(0)?,
                body: row.bytes(1)?.to_vec(),
            })
        })
        .collect()
}

/// Marks a new event as done; whether it still was new.
pub(super) fn mark(
    writing: &mut Writing<'_>,
    of: &Of,
    arrival: i64,
    state: State,
    reason: Option<&str>,
) -> Result<bool, StoreError> {
    let sql = "UPDATE inbox_events SET state = $4, reason = $5
        WHERE workspace = $1 AND name = $2 AND arrival = $3 AND state = 0";
    let params = params![&of.workspace, &of.name, arrival, state.number(), reason];
    Ok(writing.execute(sql, &params)? > 0)
}

pub(super) fn counts(query: &mut impl Query, of: &Of) -> Result<Counts, StoreError> {
    let sql = "SELECT state, COUNT(*) FROM inbox_events WHERE workspace = $1 AND name = $2 GROUP BY state";
    let mut counts = Counts::default();
    for row in query.rows(sql, &params![&of.workspace, &of.name])? {
        let count = row.int(1)?.unsigned_abs();
        match row.int(0)? {
            0 => counts.new = count,
            1 => counts.applied = count,
            _ => counts.aside = count,
        }
    }
    Ok(counts)
}

pub(super) fn asides(query: &mut impl Query, of: &Of, most: u32) -> Result<Vec<Aside>, StoreError> {
    let sql = "SELECT id, received_at, reason, body FROM inbox_events
        WHERE workspace = $1 AND name = $2 AND state = 2 ORDER BY arrival DESC LIMIT $3";
    let rows = query.rows(sql, &params![&of.workspace, &of.name, most])?;
    rows.iter()
        .map(|row| {
            Ok(Aside {
                id: row.text(0)?.to_owned(),
                received_at: Millis(row.int(1)?),
                reason: row.opt_text(2)?.unwrap_or_default().to_owned(),
                body: row.bytes(3)?.to_vec(),
            })
        })
        .collect()
}

pub(super) fn asides_are_new(writing: &mut Writing<'_>, of: &Of) -> Result<u64, StoreError> {
    let sql = "UPDATE inbox_events SET state = 0, reason = NULL WHERE workspace = $1 AND name = $2 AND state = 2";
    writing.execute(sql, &params![&of.workspace, &of.name])
}

pub(super) fn forget(writing: &mut Writing<'_>, of: &Of, then: Millis) -> Result<u64, StoreError> {
    let sql = "DELETE FROM inbox_events WHERE workspace = $1 AND name = $2 AND state = 1 AND received_at < $3";
    writing.execute(sql, &params![&of.workspace, &of.name, then.0])
}
