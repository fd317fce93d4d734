//! Snapshots of workspaces: what each is called, and where its rows lie.

use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use store::{Query, Row, StoreError, Writing, params};

use super::corrupt;

pub(super) const TABLES: &str = "
CREATE TABLE snapshots (owner TEXT NOT NULL, name TEXT NOT NULL, id TEXT NOT NULL, made_at BIGINT NOT NULL, doc TEXT NOT NULL,
    PRIMARY KEY (owner, name));
CREATE INDEX snapshots_by_id ON snapshots (id);
";

/// A snapshot as it is kept.
pub(crate) struct SnapshotRow {
    /// Whose it is.
    pub(crate) owner: WorkspaceId,
    pub(crate) name: String,
    /// As which workspace its rows are kept; nobody comes in there.
    pub(crate) id: WorkspaceId,
    pub(crate) made_at: Millis,
    pub(crate) doc: String,
}

fn read(row: &Row) -> Result<SnapshotRow, StoreError> {
    let bad = |column| move |_| corrupt("snapshots", column, "");
    Ok(SnapshotRow {
        owner: row.text(0)?.parse().map_err(bad("owner"))?,
        name: row.text(1)?.to_owned(),
        id: row.text(2)?.parse().map_err(bad("id"))?,
        made_at: Millis(row.int(3)?),
        doc: row.text(4)?.to_owned(),
    })
}

/// A workspace's, by name.
pub(crate) fn of(
    query: &mut impl Query,
    owner: WorkspaceId,
) -> Result<Vec<SnapshotRow>, StoreError> {
    let sql = "SELECT owner, name, id, made_at, doc FROM snapshots WHERE owner = $1 ORDER BY name";
    let rows = query.rows(sql, &params![owner.to_string()])?;
    rows.iter().map(read).collect()
}

pub(crate) fn named(
    query: &mut impl Query,
    owner: WorkspaceId,
    name: &str,
) -> Result<Option<SnapshotRow>, StoreError> {
    let sql = "SELECT owner, name, id, made_at, doc FROM snapshots WHERE owner = $1 AND name = $2";
    let row = query.row(sql, &params![owner.to_string(), name])?;
    row.as_ref().map(read).transpose()
}

pub(crate) fn find(
    query: &mut impl Query,
    id: WorkspaceId,
) -> Result<Option<SnapshotRow>, StoreError> {
    let sql = "SELECT owner, name, id, made_at, doc FROM snapshots WHERE id = $1";
    let row = query.row(sql, &params![id.to_string()])?;
    row.as_ref().map(read).transpose()
}

pub(crate) fn put(writing: &mut Writing<'_>, row: &SnapshotRow) -> Result<(), StoreError> {
    let sql = "INSERT INTO snapshots (owner, name, id, made_at, doc) VALUES ($1, $2, $3, $4, $5)";
    let params = params![
        row.owner.to_string(),
        row.name.as_str(),
        row.id.to_string(),
        row.made_at.0,
        row.doc.as_str()
    ];
    writing.execute(sql, &params).map(drop)
}

pub(crate) fn remove(writing: &mut Writing<'_>, id: WorkspaceId) -> Result<(), StoreError> {
    let sql = "DELETE FROM snapshots WHERE id = $1";
    writing.execute(sql, &params![id.to_string()]).map(drop)
}

/// Rows that lie around as no workspace's and no snapshot's: templates of an earlier run.
pub(crate) fn strays(query: &mut impl Query) -> Result<Vec<WorkspaceId>, StoreError> {
    let sql = "SELECT workspace FROM clocks
        WHERE workspace NOT IN (SELECT id FROM workspaces) AND workspace NOT IN (SELECT id FROM snapshots)";
    query
        .rows(sql, &[])?
        .iter()
        .map(|row| {
            let text = row.text(0)?;
            text.parse()
                .map_err(|_| corrupt("clocks", "workspace", text))
        })
        .collect()
}
