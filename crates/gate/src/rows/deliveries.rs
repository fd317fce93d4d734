//! Deliveries to providers.

use bytes::Bytes;
use ledger::ScopeId;
use protocol::ids::{NotificationId, WorkspaceId};
use protocol::model::webhook::NotificationAttempt;
use protocol::time::Millis;
use store::{Query, Row, StoreError, Writing, params};
use uuid::Uuid;
use wire::hooks_out::Next;

use super::{corrupt, count, doc};

/// What stands for a scope where a delivery holds nothing of any.
const OF_NONE: &str = "-";

/// In which scope a delivery was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MadeIn {
    /// In the one of this name.
    Scope(String),
    /// It holds nothing of any scope.
    None,
    /// A gate has written it that knew of none.
    Unknown,
}

/// One delivery on its way.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub(crate) position: i64,
    pub(crate) id: NotificationId,
    pub(crate) event_type: String,
    pub(crate) attempt: u32,
    pub(crate) body: Bytes,
    pub(crate) made_in: MadeIn,
    pub(crate) jws: Option<String>,
    pub(crate) legacy: Option<String>,
}

/// A delivery that begins.
pub(crate) struct Fresh<'a> {
    pub(crate) position: i64,
    pub(crate) id: NotificationId,
    pub(crate) event_type: &'a str,
    pub(crate) at: Millis,
    pub(crate) body: &'a [u8],
    /// In which scope it was made; none: it holds nothing of any.
    pub(crate) made_in: Option<ScopeId>,
}

pub(crate) fn add(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    connection: &str,
    fresh: &Fresh<'_>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO gate_deliveries
        (workspace, connection, position, id, event_type, created_at, status, attempt, due_at, body, scope)
        VALUES ($1, $2, $3, $4, $5, $6, 'IN_PROGRESS', 1, $6, $7, $8)";
    let made_in = fresh.made_in.map(|scope| scope.to_string());
    let params = params![
        workspace.to_string(),
        connection,
        fresh.position,
        fresh.id.0.as_bytes().as_slice(),
        fresh.event_type,
        fresh.at.0,
        fresh.body,
        made_in.as_deref().unwrap_or(OF_NONE)
    ];
    writing.execute(sql, &params).map(drop)
}

pub(crate) fn due(
    query: &mut impl Query,
    workspace: WorkspaceId,
    connection: &str,
    now: Millis,
    limit: usize,
) -> Result<Vec<Parcel>, StoreError> {
    let sql = "SELECT position, id, attempt, body, jws, legacy, event_type, scope FROM gate_deliveries
        WHERE workspace = $1 AND connection = $2 AND status = 'IN_PROGRESS' AND due_at <= $3 ORDER BY due_at, position LIMIT $4";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let read = |row: &Row| {
        let id = Uuid::from_slice(row.bytes(1)?)
            .map_err(|_| corrupt("gate_deliveries", "id", connection))?;
        Ok(Parcel {
            position: row.int(0)?,
            id: NotificationId(id),
            attempt: u32::try_from(row.int(2)?).unwrap_or(u32::MAX),
            body: Bytes::copy_from_slice(row.bytes(3)?),
            jws: row.opt_text(4)?.map(str::to_owned),
            legacy: row.opt_text(5)?.map(str::to_owned),
            event_type: row.text(6)?.to_owned(),
            made_in: match row.opt_text(7)? {
                None => MadeIn::Unknown,
                Some(OF_NONE) => MadeIn::None,
                Some(scope) => MadeIn::Scope(scope.to_owned()),
            },
        })
    };
    query
        .rows(
            sql,
            &params![workspace.to_string(), connection, now.0, limit],
        )?
        .iter()
        .map(read)
        .collect()
}

pub(crate) fn next_due(
    query: &mut impl Query,
    workspace: WorkspaceId,
    connection: &str,
    now: Millis,
) -> Result<Option<Millis>, StoreError> {
    let sql = "SELECT MIN(due_at) FROM gate_deliveries WHERE workspace = $1 AND connection = $2 AND status = 'IN_PROGRESS' AND due_at > $3";
    let row = query.row(sql, &params![workspace.to_string(), connection, now.0])?;
    Ok(row
        .and_then(|row| row.opt_int(0).transpose())
        .transpose()?
        .map(Millis))
}

/// Keeps what a delivery is in the scope that its event was seen in anew.
pub(crate) fn keep_body(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    connection: &str,
    parcel: &Parcel,
) -> Result<(), StoreError> {
    let MadeIn::Scope(scope) = &parcel.made_in else {
        return Ok(());
    };
    let sql = "UPDATE gate_deliveries SET event_type = $4, body = $5, scope = $6 WHERE workspace = $1 AND connection = $2 AND position = $3";
    let params = params![
        workspace.to_string(),
        connection,
        parcel.position,
        parcel.event_type.as_str(),
        parcel.body.as_ref(),
        scope.as_str()
    ];
    writing.execute(sql, &params).map(drop)
}

pub(crate) fn keep_signature(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    connection: &str,
    parcel: &Parcel,
) -> Result<(), StoreError> {
    let sql = "UPDATE gate_deliveries SET jws = $4, legacy = $5 WHERE workspace = $1 AND connection = $2 AND position = $3";
    let params = params![
        workspace.to_string(),
        connection,
        parcel.position,
        parcel.jws.clone(),
        parcel.legacy.clone()
    ];
    writing.execute(sql, &params).map(drop)
}

pub(crate) fn record(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    connection: &str,
    id: NotificationId,
    attempt: &NotificationAttempt,
    next: Next,
) -> Result<(), StoreError> {
    let (status, due_at) = match next {
        Next::Completed => ("COMPLETED", attempt.sent_time),
        Next::Again(at) => ("IN_PROGRESS", at),
        Next::Failed => ("FAILED", attempt.sent_time),
    };
    let sql =
        "UPDATE gate_deliveries SET status = $4, due_at = $5, attempt = attempt + 1, last = $6
        WHERE workspace = $1 AND connection = $2 AND id = $3";
    let params = params![
        workspace.to_string(),
        connection,
        id.0.as_bytes().as_slice(),
        status,
        due_at.0,
        doc(attempt)?
    ];
    writing.execute(sql, &params).map(drop)
}

/// How a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Taken,
    UnderWay,
    GivenUp,
}

impl Standing {
    fn of(word: &str) -> Self {
        match word {
            "COMPLETED" => Self::Taken,
            "IN_PROGRESS" => Self::UnderWay,
            _ => Self::GivenUp,
        }
    }
}

/// How the newest delivery under a name stands, if there is one.
pub(crate) fn newest(
    query: &mut impl Query,
    workspace: WorkspaceId,
    name: &str,
) -> Result<Option<Standing>, StoreError> {
    let sql = "SELECT status FROM gate_deliveries WHERE workspace = $1 AND connection = $2 ORDER BY position DESC LIMIT 1";
    let row = query.row(sql, &params![workspace.to_string(), name])?;
    row.map(|row| row.text(0).map(Standing::of)).transpose()
}

/// How many deliveries of a connection are completed, on their way, and failed.
pub(crate) fn counts(
    query: &mut impl Query,
    workspace: WorkspaceId,
    connection: &str,
) -> Result<[u64; 3], StoreError> {
    let sql = "SELECT status, COUNT(*) FROM gate_deliveries WHERE workspace = $1 AND connection = $2 GROUP BY status";
    let mut counts = [0; 3];
    for row in query.rows(sql, &params![workspace.to_string(), connection])? {
        let at = match Standing::of(row.text(0)?) {
            Standing::Taken => 0,
            Standing::UnderWay => 1,
            Standing::GivenUp => 2,
        };
        if let Some(slot) = counts.get_mut(at) {
            *slot += count(row.int(1)?);
        }
    }
    Ok(counts)
}
