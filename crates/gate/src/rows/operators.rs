//! Operators and what they ask one another to sign.

use protocol::ids::{UserId, WorkspaceId};
use protocol::keys::PublicKey;
use protocol::time::Millis;
use store::{Query, Row, StoreError, Writing, params};
use uuid::Uuid;

use super::gates::changed;
use super::{corrupt, doc};
use crate::changes::ChangeRequest;
use crate::operators::{Operator, OperatorRole};

fn read(row: &Row) -> Result<Operator, StoreError> {
    let name = row.text(1)?;
    let bad = |column| corrupt("gate_operators", column, name);
    Ok(Operator {
        id: row.text(0)?.parse().map_err(|_| bad("id"))?,
        name: name.to_owned(),
        role: OperatorRole::of(row.text(2)?).ok_or_else(|| bad("role"))?,
        key: PublicKey::from_der(row.bytes(3)?).map_err(|_| bad("spki"))?,
    })
}

/// Every operator that may come in, by name.
pub(crate) fn all(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Vec<Operator>, StoreError> {
    let sql = "SELECT id, name, role, spki FROM gate_operators WHERE workspace = $1 AND removed_at IS NULL ORDER BY name";
    query
        .rows(sql, &params![workspace.to_string()])?
        .iter()
        .map(read)
        .collect()
}

/// Every key and name that an operator has or had: none is used twice.
pub(crate) fn known(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Vec<(String, PublicKey)>, StoreError> {
    let sql = "SELECT id, name, role, spki FROM gate_operators WHERE workspace = $1";
    let known = |row: &Row| read(row).map(|operator| (operator.name, operator.key));
    query
        .rows(sql, &params![workspace.to_string()])?
        .iter()
        .map(known)
        .collect()
}

pub(crate) fn add(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    id: UserId,
    name: &str,
    role: OperatorRole,
    spki: &[u8],
) -> Result<(), StoreError> {
    changed(writing, workspace)?;
    let sql =
        "INSERT INTO gate_operators (workspace, id, name, role, spki) VALUES ($1, $2, $3, $4, $5)";
    let params = params![
        workspace.to_string(),
        id.to_string(),
        name,
        role.as_str(),
        spki
    ];
    writing.execute(sql, &params).map(drop)
}

pub(crate) fn set_role(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    name: &str,
    role: OperatorRole,
) -> Result<(), StoreError> {
    changed(writing, workspace)?;
    let sql = "UPDATE gate_operators SET role = $3 WHERE workspace = $1 AND name = $2";
    writing
        .execute(sql, &params![workspace.to_string(), name, role.as_str()])
        .map(drop)
}

pub(crate) fn remove(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    name: &str,
    at: Millis,
) -> Result<(), StoreError> {
    changed(writing, workspace)?;
    let sql = "UPDATE gate_operators SET removed_at = $3 WHERE workspace = $1 AND name = $2";
    writing
        .execute(sql, &params![workspace.to_string(), name, at.0])
        .map(drop)
}

pub(crate) fn put_change(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    change: &ChangeRequest,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO gate_changes (workspace, id, asked_at, doc) VALUES ($1, $2, $3, $4)
        ON CONFLICT (workspace, id) DO UPDATE SET doc = excluded.doc";
    let params = params![
        workspace.to_string(),
        change.id.to_string(),
        change.asked_at.0,
        doc(change)?
    ];
    writing.execute(sql, &params).map(drop)
}

fn read_change(row: &Row) -> Result<ChangeRequest, StoreError> {
    serde_json::from_str(row.text(0)?).map_err(|_| corrupt("gate_changes", "doc", ""))
}

pub(crate) fn change(
    query: &mut impl Query,
    workspace: WorkspaceId,
    id: Uuid,
) -> Result<Option<ChangeRequest>, StoreError> {
    let row = query.row(
        "SELECT doc FROM gate_changes WHERE workspace = $1 AND id = $2",
        &params![workspace.to_string(), id.to_string()],
    )?;
    row.as_ref().map(read_change).transpose()
}

/// Changes, the newest first, after one of them.
pub(crate) fn changes(
    query: &mut impl Query,
    workspace: WorkspaceId,
    after: Option<(Millis, Uuid)>,
    limit: u32,
) -> Result<Vec<ChangeRequest>, StoreError> {
    let (at, id) = after.map_or((i64::MAX, String::new()), |(at, id)| (at.0, id.to_string()));
    let sql = "SELECT doc FROM gate_changes WHERE workspace = $1 AND (asked_at < $2 OR (asked_at = $2 AND id > $3))
        ORDER BY asked_at DESC, id LIMIT $4";
    query
        .rows(sql, &params![workspace.to_string(), at, id, limit])?
        .iter()
        .map(read_change)
        .collect()
}

/// When each connection came last.
pub(crate) fn seen(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Vec<(String, Millis)>, StoreError> {
    let sql = "SELECT connection, at FROM gate_seen WHERE workspace = $1";
    let read = |row: &Row| Ok((row.text(0)?.to_owned(), Millis(row.int(1)?)));
    query
        .rows(sql, &params![workspace.to_string()])?
        .iter()
        .map(read)
        .collect()
}

pub(crate) fn put_seen(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    connection: &str,
    at: Millis,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO gate_seen (workspace, connection, at) VALUES ($1, $2, $3)
        ON CONFLICT (workspace, connection) DO UPDATE SET at = excluded.at";
    writing
        .execute(sql, &params![workspace.to_string(), connection, at.0])
        .map(drop)
}
