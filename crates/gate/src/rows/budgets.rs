//! What each connection has used of its budgets today.

use std::collections::BTreeMap;

use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use store::{Query, StoreError, Writing, params};

use super::{count, number};
use crate::meters::{Day, Used};

/// Writes down what a connection has used, in place of what was written before.
pub(crate) fn put(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    connection: &str,
    used: &Used,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO gate_used (workspace, connection, day, requests, row_count, reports, forwards)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (workspace, connection) DO UPDATE SET day = excluded.day, requests = excluded.requests,
            row_count = excluded.row_count, reports = excluded.reports, forwards = excluded.forwards";
    let [requests, rows, reports, forwards] = used.counts.map(number);
    let params = params![
        workspace.to_string(),
        connection,
        used.day.number(),
        requests,
        rows,
        reports,
        forwards
    ];
    writing.execute(sql, &params).map(drop)
}

/// What every connection has used on the day that was written down last.
pub(crate) fn used(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<BTreeMap<String, Used>, StoreError> {
    let sql = "SELECT connection, day, requests, row_count, reports, forwards FROM gate_used WHERE workspace = $1";
    let rows = query.rows(sql, &params![workspace.to_string()])?;
    let read = |row: &store::Row| {
        let day = Day::of(Millis(row.int(1)?.saturating_mul(Millis::DAY)));
        let counts = [
            count(row.int(2)?),
            count(row.int(3)?),
            count(row.int(4)?),
            count(row.int(5)?),
        ];
        Ok((row.text(0)?.to_owned(), Used { day, counts }))
    };
    rows.iter().map(read).collect()
}
