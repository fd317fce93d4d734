//! Documents, by workspace, kind and key.

use ledger::positions;
use protocol::ids::WorkspaceId;
use store::{Query, StoreError, Writing, params};

pub(super) const TABLES: &str = "
CREATE TABLE things (workspace TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, seq BIGINT NOT NULL, doc TEXT NOT NULL,
    PRIMARY KEY (workspace, kind, id));
CREATE INDEX things_in_order ON things (workspace, kind, seq);
";

pub(crate) fn one(
    query: &mut impl Query,
    workspace: WorkspaceId,
    kind: &str,
    id: &str,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT doc FROM things WHERE workspace = $1 AND kind = $2 AND id = $3";
    let row = query.row(sql, &params![workspace.to_string(), kind, id])?;
    row.map(|row| row.text(0).map(str::to_owned)).transpose()
}

/// Key and document of each, in the order in which they came.
pub(crate) fn all(
    query: &mut impl Query,
    workspace: WorkspaceId,
    kind: &str,
) -> Result<Vec<(String, String)>, StoreError> {
    let sql = "SELECT id, doc FROM things WHERE workspace = $1 AND kind = $2 ORDER BY seq";
    query
        .rows(sql, &params![workspace.to_string(), kind])?
        .iter()
        .map(|row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned())))
        .collect()
}

pub(crate) fn put(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    kind: &str,
    id: &str,
    doc: &str,
) -> Result<(), StoreError> {
    let place = params![workspace.to_string(), kind, id, doc];
    let sql = "UPDATE things SET doc = $4 WHERE workspace = $1 AND kind = $2 AND id = $3";
    if writing.execute(sql, &place)? == 1 {
        return Ok(());
    }
    let seq = positions::bump(writing, workspace, "things")?;
    add(writing, workspace, kind, id, doc, seq)
}

/// Adds what was not there before, at a place of its own.
pub(crate) fn add(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    kind: &str,
    id: &str,
    doc: &str,
    seq: i64,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO things (workspace, kind, id, doc, seq) VALUES ($1, $2, $3, $4, $5)";
    writing
        .execute(sql, &params![workspace.to_string(), kind, id, doc, seq])
        .map(drop)
}

/// Key and document of up to `limit` of those at a place after `from` and before `to`, the first
/// ones or the last ones of them, in that order.
pub(crate) fn between(
    query: &mut impl Query,
    workspace: WorkspaceId,
    kind: &str,
    (from, to): (i64, i64),
    last: bool,
    limit: i64,
) -> Result<Vec<(String, String)>, StoreError> {
    let up =
        "SELECT id, doc FROM things WHERE workspace = $1 AND kind = $2 AND seq > $3 AND seq < $4
        ORDER BY seq LIMIT $5";
    let down =
        "SELECT id, doc FROM things WHERE workspace = $1 AND kind = $2 AND seq > $3 AND seq < $4
        ORDER BY seq DESC LIMIT $5";
    let place = params![workspace.to_string(), kind, from, to, limit];
    query
        .rows(if last { down } else { up }, &place)?
        .iter()
        .map(|row| Ok((row.text(0)?.to_owned(), row.text(1)?.to_owned())))
        .collect()
}

/// `false` if there was none.
pub(crate) fn remove(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    kind: &str,
    id: &str,
) -> Result<bool, StoreError> {
    let sql = "DELETE FROM things WHERE workspace = $1 AND kind = $2 AND id = $3";
    Ok(writing.execute(sql, &params![workspace.to_string(), kind, id])? == 1)
}
