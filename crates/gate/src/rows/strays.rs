//! Strays, and whether anything is sent.

use protocol::ids::{TxId, WorkspaceId};
use protocol::time::Millis;
use store::{Query, Row, StoreError, Writing, params};

use super::connections::{set, setting};
use super::gates::changed;
use super::{corrupt, doc};
use crate::proposals::{Standing, Stopped, Stray};

/// Most that are followed at once.
const MAX_OPEN: u32 = 50;

fn read(row: &Row) -> Result<Stray, StoreError> {
    serde_json::from_str(row.text(0)?).map_err(|_| corrupt("gate_strays", "doc", ""))
}

fn one(
    query: &mut impl Query,
    workspace: WorkspaceId,
    upstream: TxId,
) -> Result<Option<Stray>, StoreError> {
    let sql = "SELECT doc FROM gate_strays WHERE workspace = $1 AND upstream = $2";
    let row = query.row(sql, &params![workspace.to_string(), upstream.to_string()])?;
    row.as_ref().map(read).transpose()
}

/// Writes one down; whether it was not known, or was cleared of something else.
pub(crate) fn add(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    stray: &Stray,
) -> Result<bool, StoreError> {
    if let Some(known) = one(writing, workspace, stray.upstream)? {
        let again = known.standing == Standing::Cleared && known.why != stray.why;
        if again {
            put(writing, workspace, stray)?;
        }
        return Ok(again);
    }
    let sql = "INSERT INTO gate_strays (workspace, upstream, seen_at, standing, doc)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (workspace, upstream) DO NOTHING";
    let params = params![
        workspace.to_string(),
        stray.upstream.to_string(),
        stray.seen_at.0,
        stray.standing.as_str(),
        doc(stray)?
    ];
    Ok(writing.execute(sql, &params)? == 1)
}

/// It is known as this from now on.
pub(crate) fn put(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    stray: &Stray,
) -> Result<(), StoreError> {
    let sql =
        "UPDATE gate_strays SET standing = $3, doc = $4 WHERE workspace = $1 AND upstream = $2";
    let params = params![
        workspace.to_string(),
        stray.upstream.to_string(),
        stray.standing.as_str(),
        doc(stray)?
    ];
    writing.execute(sql, &params).map(drop)
}

/// Those that are not over, the oldest first.
pub(crate) fn open(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Vec<Stray>, StoreError> {
    let sql = "SELECT doc FROM gate_strays
        WHERE workspace = $1 AND standing IN ('SUSPECTED', 'RAISED') ORDER BY seen_at LIMIT $2";
    query
        .rows(sql, &params![workspace.to_string(), MAX_OPEN])?
        .iter()
        .map(read)
        .collect()
}

/// The newest, of those that were raised.
pub(crate) fn raised(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Vec<Stray>, StoreError> {
    let sql = "SELECT doc FROM gate_strays
        WHERE workspace = $1 AND standing IN ('RAISED', 'ENDED') ORDER BY seen_at DESC LIMIT $2";
    query
        .rows(sql, &params![workspace.to_string(), MAX_OPEN])?
        .iter()
        .map(read)
        .collect()
}

/// The setting that stops what is sent.
const DISPATCH: &str = "dispatch";
const GOES_ON: &str = "goes on";

/// Why nothing is sent, if it is so.
pub(crate) fn stopped(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Option<Stopped>, StoreError> {
    match setting(query, workspace, DISPATCH)?.as_deref() {
        None | Some(GOES_ON) => Ok(None),
        Some(text) => serde_json::from_str(text)
            .map(Some)
            .map_err(|_| corrupt("gate_settings", "value", DISPATCH)),
    }
}

/// Nothing is sent from now on.
pub(crate) fn stop(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    stopped: &Stopped,
) -> Result<(), StoreError> {
    changed(writing, workspace)?;
    set(writing, workspace, DISPATCH, &doc(stopped)?)
}

/// It is sent again.
pub(crate) fn resume(writing: &mut Writing<'_>, workspace: WorkspaceId) -> Result<(), StoreError> {
    changed(writing, workspace)?;
    set(writing, workspace, DISPATCH, GOES_ON)
}

/// Why nothing is sent at this moment, in words.
pub(crate) fn held(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Option<String>, StoreError> {
    if let Some(stopped) = stopped(query, workspace)? {
        return Ok(Some(format!("dispatch is stopped: {}", stopped.words())));
    }
    let sql =
        "SELECT upstream FROM gate_strays WHERE workspace = $1 AND standing = 'SUSPECTED' LIMIT 1";
    let suspected = query.row(sql, &params![workspace.to_string()])?;
    suspected
        .map(|row| {
            let upstream = row.text(0)?;
            Ok(format!(
                "transaction {upstream} upstream is looked up first"
            ))
        })
        .transpose()
}

/// The setting that says from when on the store knows of everything the gate's Editor does.
const SINCE: &str = "strays_since";

/// From when on the store knows of everything that the gate's Editor does.
pub(crate) fn since(query: &mut impl Query, workspace: WorkspaceId) -> Result<Millis, StoreError> {
    match setting(query, workspace, SINCE)? {
        None => Ok(Millis(0)),
        Some(text) => text
            .parse()
            .map(Millis)
            .map_err(|_| corrupt("gate_settings", "value", SINCE)),
    }
}

/// From now on.
pub(crate) fn begin(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    at: Millis,
) -> Result<(), StoreError> {
    set(writing, workspace, SINCE, &at.0.to_string())
}
