//! Settings and connections.

use protocol::ids::WorkspaceId;
use store::{Query, Row, StoreError, Writing, params};
use uuid::Uuid;

use super::gates::changed;
use super::{corrupt, doc};
use crate::connections::Connection;

pub(crate) fn setting(
    query: &mut impl Query,
    workspace: WorkspaceId,
    name: &str,
) -> Result<Option<String>, StoreError> {
    let row = query.row(
        "SELECT value FROM gate_settings WHERE workspace = $1 AND name = $2",
        &params![workspace.to_string(), name],
    )?;
    row.map(|row| row.text(0).map(str::to_owned)).transpose()
}

pub(crate) fn set(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    name: &str,
    value: &str,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO gate_settings (workspace, name, value) VALUES ($1, $2, $3) ON CONFLICT (workspace, name) DO UPDATE SET value = excluded.value";
    writing
        .execute(sql, &params![workspace.to_string(), name, value])
        .map(drop)
}

/// The setting that names the life of the store.
const EPOCH: &str = "epoch";

/// The life of the store; its first one is named here.
pub(crate) fn epoch(writing: &mut Writing<'_>, workspace: WorkspaceId) -> Result<Uuid, StoreError> {
    match setting(writing, workspace, EPOCH)? {
        Some(epoch) => epoch
            .parse()
            .map_err(|_| corrupt("gate_settings", "value", EPOCH)),
        None => {
            let epoch = Uuid::new_v4();
            set_epoch(writing, workspace, epoch)?;
            Ok(epoch)
        }
    }
}

/// Begins another life of the store.
pub(crate) fn set_epoch(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    epoch: Uuid,
) -> Result<(), StoreError> {
    set(writing, workspace, EPOCH, &epoch.to_string())
}

/// The setting that shuts the gate.
const QUARANTINE: &str = "quarantine";

/// Whether a copy was put back, and nobody has released it.
pub(crate) fn quarantined(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<bool, StoreError> {
    let setting = setting(query, workspace, QUARANTINE)?;
    Ok(setting.is_some_and(|value| value != RELEASED))
}

const RELEASED: &str = "released";

/// Shuts the gate, or releases it.
pub(crate) fn set_quarantine(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    shut: bool,
) -> Result<(), StoreError> {
    let value = if shut { "shut" } else { RELEASED };
    changed(writing, workspace)?;
    set(writing, workspace, QUARANTINE, value)
}

/// Every connection.
pub(crate) fn connections(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Vec<Connection>, StoreError> {
    let read = |row: &Row| {
        serde_json::from_str(row.text(0)?).map_err(|_| corrupt("gate_connections", "doc", ""))
    };
    query
        .rows(
            "SELECT doc FROM gate_connections WHERE workspace = $1 ORDER BY name",
            &params![workspace.to_string()],
        )?
        .iter()
        .map(read)
        .collect()
}

pub(crate) fn put_connection(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    connection: &Connection,
) -> Result<(), StoreError> {
    changed(writing, workspace)?;
    let sql = "INSERT INTO gate_connections (workspace, name, doc) VALUES ($1, $2, $3) ON CONFLICT (workspace, name) DO UPDATE SET doc = excluded.doc";
    writing
        .execute(
            sql,
            &params![
                workspace.to_string(),
                connection.name.as_str(),
                doc(connection)?
            ],
        )
        .map(drop)
}

pub(crate) fn connection(
    query: &mut impl Query,
    workspace: WorkspaceId,
    name: &str,
) -> Result<Option<Connection>, StoreError> {
    let row = query.row(
        "SELECT doc FROM gate_connections WHERE workspace = $1 AND name = $2",
        &params![workspace.to_string(), name],
    )?;
    row.map(|row| {
        serde_json::from_str(row.text(0)?).map_err(|_| corrupt("gate_connections", "doc", name))
    })
    .transpose()
}
