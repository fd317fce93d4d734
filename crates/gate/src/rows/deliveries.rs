//! Deliveries to providers.

use bytes::Bytes;
use protocol::ids::NotificationId;
use protocol::model::webhook::NotificationAttempt;
use protocol::time::Millis;
use store::{Query, Row, StoreError, Writing, params};
use uuid::Uuid;
use wire::hooks_out::Next;

use super::{corrupt, count, doc};

/// One delivery on its way.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub(crate) position: i64,
    pub(crate) id: NotificationId,
    pub(crate) attempt: u32,
    pub(crate) body: Bytes,
    pub(crate) jws: Option<String>,
    pub(crate) legacy: Option<String>,
}

pub(crate) fn add(
    writing: &mut Writing<'_>,
    connection: &str,
    position: i64,
    id: NotificationId,
    event_type: &str,
    at: Millis,
    body: &[u8],
) -> Result<(), StoreError> {
    let sql = "INSERT INTO gate_deliveries (connection, position, id, event_type, created_at, status, attempt, due_at, body)
        VALUES ($1, $2, $3, $4, $5, 'IN_PROGRESS', 1, $5, $6)";
    let params = params![
        connection,
        position,
        id.0.as_bytes().as_slice(),
        event_type,
        at.0,
        body
    ];
    writing.execute(sql, &params).map(drop)
}

pub(crate) fn due(
    query: &mut impl Query,
    connection: &str,
    now: Millis,
    limit: usize,
) -> Result<Vec<Parcel>, StoreError> {
    let sql = "SELECT position, id, attempt, body, jws, legacy FROM gate_deliveries
        WHERE connection = $1 AND status = 'IN_PROGRESS' AND due_at <= $2 ORDER BY due_at, position LIMIT $3";
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
        })
    };
    query
        .rows(sql, &params![connection, now.0, limit])?
        .iter()
        .map(read)
        .collect()
}

pub(crate) fn next_due(
    query: &mut impl Query,
    connection: &str,
    now: Millis,
) -> Result<Option<Millis>, StoreError> {
    let sql = "SELECT MIN(due_at) FROM gate_deliveries WHERE connection = $1 AND status = 'IN_PROGRESS' AND due_at > $2";
    let row = query.row(sql, &params![connection, now.0])?;
    Ok(row
        .and_then(|row| row.opt_int(0).transpose())
        .transpose()?
        .map(Millis))
}

pub(crate) fn keep_signature(
    writing: &mut Writing<'_>,
    connection: &str,
    parcel: &Parcel,
) -> Result<(), StoreError> {
    let sql =
        "UPDATE gate_deliveries SET jws = $3, legacy = $4 WHERE connection = $1 AND position = $2";
    let params = params![
        connection,
        parcel.position,
        parcel.jws.clone(),
        parcel.legacy.clone()
    ];
    writing.execute(sql, &params).map(drop)
}

pub(crate) fn record(
    writing: &mut Writing<'_>,
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
        "UPDATE gate_deliveries SET status = $3, due_at = $4, attempt = attempt + 1, last = $5
        WHERE connection = $1 AND id = $2";
    let params = params![
        connection,
        id.0.as_bytes().as_slice(),
        status,
        due_at.0,
        doc(attempt)?
    ];
    writing.execute(sql, &params).map(drop)
}

/// How many deliveries of a connection are completed, on their way, and failed.
pub(crate) fn counts(query: &mut impl Query, connection: &str) -> Result<[u64; 3], StoreError> {
    let sql = "SELECT status, COUNT(*) FROM gate_deliveries WHERE connection = $1 GROUP BY status";
    let mut counts = [0; 3];
    for row in query.rows(sql, &params![connection])? {
        let at = match row.text(0)? {
            "COMPLETED" => 0,
            "IN_PROGRESS" => 1,
            _ => 2,
        };
        if let Some(slot) = counts.get_mut(at) {
            *slot += count(row.int(1)?);
        }
    }
    Ok(counts)
}
