//! Every API user that ever was an Editor of the gate's.

use std::collections::BTreeMap;

use protocol::ids::{UserId, WorkspaceId};
use protocol::time::Millis;
use store::{Query, StoreError, Writing, params};

use super::corrupt;

/// One is an Editor of the gate's from now on; since when, stays.
pub(crate) fn add(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    editor: UserId,
    since: Millis,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO gate_editors (workspace, editor, since) VALUES ($1, $2, $3)
        ON CONFLICT (workspace, editor) DO NOTHING";
    let params = params![workspace.to_string(), editor.to_string(), since.0];
    writing.execute(sql, &params).map(drop)
}

/// All of them, each with when it became one.
pub(crate) fn all(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<BTreeMap<UserId, Millis>, StoreError> {
    let sql = "SELECT editor, since FROM gate_editors WHERE workspace = $1";
    let rows = query.rows(sql, &params![workspace.to_string()])?;
    let read = |row: &store::Row| {
        let text = row.text(0)?;
        let editor = text
            .parse()
            .map_err(|_| corrupt("gate_editors", "editor", text))?;
        Ok((editor, Millis(row.int(1)?)))
    };
    rows.iter().map(read).collect()
}
