//! Transactions under way, with what they do not show.

use protocol::ids::{TxId, WorkspaceId};
use protocol::model::transaction::TransactionStatus;
use protocol::time::Millis;
use store::{Query, Row, StoreError, Writing, params};

use super::{corrupt, uuid};
use crate::flight::UnderWay;

pub(super) const LANES: &str = "
ALTER TABLE flights ADD COLUMN status TEXT;
ALTER TABLE flights ADD COLUMN lane TEXT;
";

pub(super) const EXPIRY: &str = "
ALTER TABLE flights ADD COLUMN expires BIGINT;
";

pub(super) const TURNS: &str = "
CREATE INDEX flights_lane ON flights (workspace, lane);
";

/// Most transactions under way that are looked at together.
const MAX_FLIGHTS: i64 = 100_000;

pub(crate) fn put(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    flight: &UnderWay,
    doc: &str,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO flights (workspace, id, since, status, lane, doc, expires) VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (workspace, id) DO UPDATE
        SET since = excluded.since, status = excluded.status, lane = excluded.lane, doc = excluded.doc, expires = excluded.expires";
    let params = params![
        workspace.to_string(),
        flight.id.0.as_bytes().as_slice(),
        flight.since.0,
        flight.status.map(|status| status.to_string()),
        flight.lane.clone(),
        doc,
        flight.expires.map(|at| at.0)
    ];
    writing.execute(sql, &params).map(drop)
}

pub(crate) fn end(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    id: TxId,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM flights WHERE workspace = $1 AND id = $2";
    let params = params![workspace.to_string(), id.0.as_bytes().as_slice()];
    writing.execute(sql, &params).map(drop)
}

/// The transactions under way, those that changed longest ago first.
pub(crate) fn all(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Vec<UnderWay>, StoreError> {
    let sql = "SELECT id, since, status, lane, expires FROM flights WHERE workspace = $1 ORDER BY since, id LIMIT $2";
    let read = |row: &Row| {
        let status = row.opt_text(2)?.map(str::parse::<TransactionStatus>);
        Ok(UnderWay {
            id: TxId(uuid(row.bytes(0)?, "flights")?),
            since: Millis(row.int(1)?),
            status: status
                .transpose()
                .map_err(|_| corrupt("flights", "status", ""))?,
            lane: row.opt_text(3)?.map(str::to_owned),
            expires: row.opt_int(4)?.map(Millis),
        })
    };
    query
        .rows(sql, &params![workspace.to_string(), MAX_FLIGHTS])?
        .iter()
        .map(read)
        .collect()
}

/// How far those of one lane are.
pub(crate) fn of_lane(
    query: &mut impl Query,
    workspace: WorkspaceId,
    lane: &str,
) -> Result<Vec<TransactionStatus>, StoreError> {
    let sql =
        "SELECT status FROM flights WHERE workspace = $1 AND lane = $2 AND status IS NOT NULL";
    let read = |row: &Row| {
        let status = row.text(0)?.parse();
        status.map_err(|_| corrupt("flights", "status", ""))
    };
    query
        .rows(sql, &params![workspace.to_string(), lane])?
        .iter()
        .map(read)
        .collect()
}

pub(crate) fn one(
    query: &mut impl Query,
    workspace: WorkspaceId,
    id: TxId,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT doc FROM flights WHERE workspace = $1 AND id = $2";
    let params = params![workspace.to_string(), id.0.as_bytes().as_slice()];
    let row = query.row(sql, &params)?;
    row.map(|row| row.text(0).map(str::to_owned)).transpose()
}
