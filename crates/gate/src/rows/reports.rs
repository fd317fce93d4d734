//! Report files for providers. Each is of the scope that it was made in, and of no other: what a connection
//! has another scope for by now, it does not have.

use ledger::ScopeId;
use ledger::reports::Kind;
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use serde::Serialize;
use store::{Query, Row, StoreError, Writing, params};
use uuid::Uuid;

use super::{corrupt, count, number};

/// A report, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportRow {
    /// Its id.
    pub id: Uuid,
    /// What it is about.
    pub kind: Kind,
    /// When it was made.
    pub created_at: Millis,
    /// The position it holds for.
    pub position: i64,
    /// Rows of the file, without its header.
    pub rows: u64,
    /// SHA-256 of the file, hex.
    pub sha256: String,
}

pub(crate) fn put(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    (connection, scope): (&str, ScopeId),
    report: &ReportRow,
    file: &[u8],
    manifest: &[u8],
) -> Result<(), StoreError> {
    let sql = "INSERT INTO gate_reports (workspace, id, connection, kind, created_at, position, rows, sha256, file, manifest, scope)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let params = params![
        workspace.to_string(),
        report.id.to_string(),
        connection,
        report.kind.as_str(),
        report.created_at.0,
        report.position,
        number(report.rows),
        report.sha256.as_str(),
        file,
        manifest,
        scope.to_string()
    ];
    writing.execute(sql, &params).map(drop)
}

fn read(row: &Row) -> Result<ReportRow, StoreError> {
    let bad = |column| corrupt("gate_reports", column, "");
    Ok(ReportRow {
        id: row.text(0)?.parse().map_err(|_| bad("id"))?,
        kind: row.text(1)?.parse().map_err(|_| bad("kind"))?,
        created_at: Millis(row.int(2)?),
        position: row.int(3)?,
        rows: count(row.int(4)?),
        sha256: row.text(5)?.to_owned(),
    })
}

/// A connection's reports in its scope of now, the newest first.
pub(crate) fn of(
    query: &mut impl Query,
    workspace: WorkspaceId,
    (connection, scope): (&str, ScopeId),
) -> Result<Vec<ReportRow>, StoreError> {
    let sql = "SELECT id, kind, created_at, position, rows, sha256 FROM gate_reports
        WHERE workspace = $1 AND connection = $2 AND scope = $3 ORDER BY created_at DESC, id LIMIT 1000";
    query
        .rows(
            sql,
            &params![workspace.to_string(), connection, scope.to_string()],
        )?
        .iter()
        .map(read)
        .collect()
}

/// The two files of a report.
pub(crate) struct ReportFiles {
    /// Rows of the file, without its header.
    pub(crate) rows: u64,
    pub(crate) csv: Vec<u8>,
    pub(crate) manifest: Vec<u8>,
}

/// A report's files, if it is the connection's in its scope of now.
pub(crate) fn files(
    query: &mut impl Query,
    workspace: WorkspaceId,
    (connection, scope): (&str, ScopeId),
    id: Uuid,
) -> Result<Option<ReportFiles>, StoreError> {
    let sql = "SELECT file, manifest, rows FROM gate_reports
        WHERE workspace = $1 AND connection = $2 AND id = $3 AND scope = $4";
    let params = params![
        workspace.to_string(),
        connection,
        id.to_string(),
        scope.to_string()
    ];
    let row = query.row(sql, &params)?;
    row.map(|row| {
        Ok(ReportFiles {
            rows: count(row.int(2)?),
            csv: row.bytes(0)?.to_vec(),
            manifest: row.bytes(1)?.to_vec(),
        })
    })
    .transpose()
}
