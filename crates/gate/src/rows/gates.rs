//! The gates over one store, and what each has taken in.

use ledger::positions;
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use store::{Query, StoreError, Writing, params};
use uuid::Uuid;

use super::corrupt;

/// Counts as subscribers' positions are counted.
const VERSION: &str = "connections";

/// A gate, as the others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its process.
    pub(crate) instance: Uuid,
    /// Its name.
    pub(crate) name: String,
    /// How often it has done something.
    pub(crate) beat: i64,
    /// Which version of the connections it goes by.
    pub(crate) acknowledged: i64,
    /// Whether it leads.
    pub(crate) leads: bool,
}

/// Counts the changes of connections, keys and operators.
pub(crate) fn version(query: &mut impl Query, workspace: WorkspaceId) -> Result<i64, StoreError> {
    positions::current(query, workspace, VERSION)
}

/// A connection, a key or an operator becomes another, in this transaction.
pub(crate) fn changed(writing: &mut Writing<'_>, workspace: WorkspaceId) -> Result<(), StoreError> {
    positions::bump(writing, workspace, VERSION).map(drop)
}

/// From now on the others wait for this gate.
pub(crate) fn join(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    instance: Uuid,
    name: &str,
    at: Millis,
) -> Result<(), StoreError> {
    let sql =
        "INSERT INTO gate_gates (workspace, instance, name, joined_at, beat, acknowledged, leads)
        VALUES ($1, $2, $3, $4, 0, -1, 0) ON CONFLICT (workspace, instance) DO NOTHING";
    let params = params![workspace.to_string(), instance.to_string(), name, at.0];
    writing.execute(sql, &params).map(drop)
}

/// The gate lives, and goes by this version; whether the others know of it still.
pub(crate) fn beat(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    instance: Uuid,
    acknowledged: i64,
    leads: bool,
) -> Result<bool, StoreError> {
    let sql = "UPDATE gate_gates SET beat = beat + 1, acknowledged = $3, leads = $4 WHERE workspace = $1 AND instance = $2";
    let params = params![
        workspace.to_string(),
        instance.to_string(),
        acknowledged,
        i64::from(leads)
    ];
    Ok(writing.execute(sql, &params)? == 1)
}

/// Every gate, by name.
pub(crate) fn all(query: &mut impl Query, workspace: WorkspaceId) -> Result<Vec<Row>, StoreError> {
    let sql = "SELECT instance, name, beat, acknowledged, leads FROM gate_gates WHERE workspace = $1 ORDER BY name, instance";
    let read = |row: &store::Row| {
        let instance = row.text(0)?.parse();
        Ok(Row {
            instance: instance.map_err(|_| corrupt("gate_gates", "instance", ""))?,
            name: row.text(1)?.to_owned(),
            beat: row.int(2)?,
            acknowledged: row.int(3)?,
            leads: row.int(4)? != 0,
        })
    };
    query
        .rows(sql, &params![workspace.to_string()])?
        .iter()
        .map(read)
        .collect()
}

/// Nobody waits for a gate any more that has done nothing since.
pub(crate) fn forget(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    instance: Uuid,
    beat: i64,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM gate_gates WHERE workspace = $1 AND instance = $2 AND beat = $3";
    let params = params![workspace.to_string(), instance.to_string(), beat];
    writing.execute(sql, &params).map(drop)
}

/// A gate has ended.
pub(crate) fn leave(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    instance: Uuid,
) -> Result<(), StoreError> {
    let sql = "DELETE FROM gate_gates WHERE workspace = $1 AND instance = $2";
    writing
        .execute(sql, &params![workspace.to_string(), instance.to_string()])
        .map(drop)
}
