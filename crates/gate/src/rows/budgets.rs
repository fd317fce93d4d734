//! What each connection has used of its budgets today.

use std::collections::BTreeMap;

use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use store::{Query, StoreError, Writing, params};

use super::count;
use crate::meters::{Added, Day, Used};

/// Adds to what a connection has used. A later day begins anew; to an earlier one nothing is added.
pub(crate) fn add(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    connection: &str,
    added: &Added,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO gate_used AS known (workspace, connection, day, requests, row_count, reports, forwards)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (workspace, connection) DO UPDATE SET day = excluded.day,
            requests = excluded.requests + CASE WHEN known.day = excluded.day THEN known.requests ELSE 0 END,
            row_count = excluded.row_count + CASE WHEN known.day = excluded.day THEN known.row_count ELSE 0 END,
            reports = excluded.reports + CASE WHEN known.day = excluded.day THEN known.reports ELSE 0 END,
            forwards = excluded.forwards + CASE WHEN known.day = excluded.day THEN known.forwards ELSE 0 END
        WHERE known.day <= excluded.day";
    let [requests, rows, reports, forwards] = added.counts;
    let params = params![
        workspace.to_string(),
        connection,
        added.day.number(),
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
