//! Providers' keys in every state, burned ones, and moduli that were seen.

use protocol::ids::{UserId, WorkspaceId};
use protocol::keys::{KeyFingerprint, PublicKey};
use protocol::time::Millis;
use store::{Query, Row, StoreError, Writing, params};

use super::corrupt;
use super::gates::changed;
use crate::connections::{HeldKey, KeyState};

/// Most moduli that a new one is held against, the newest first: some 15 µs each with 4096 bits.
pub(crate) const MAX_MODULI: i64 = 10_000;
/// Most moduli of refused keys that are kept of what one connection brought.
pub(crate) const MAX_MODULI_OF_ONE: i64 = 64;
/// Most keys that are withheld of one claimant by name.
pub(crate) const MAX_WITHHELD_OF_ONE: i64 = 1_000;

const COLUMNS: &str =
    "fingerprint, connection, spki, state, added_at, since, until, expires_at, last_used";

fn read(row: &Row) -> Result<HeldKey, StoreError> {
    let bad = |column| corrupt("gate_keys", column, "");
    let (since, until) = (Millis(row.int(5)?), row.opt_int(6)?.map(Millis));
    let state = match (row.text(3)?, until) {
        ("NEXT", _) => KeyState::Next,
        ("ACTIVE", _) => KeyState::Active,
        ("RETIRING", Some(until)) => KeyState::Retiring { until },
        ("RETIRED", _) => KeyState::Retired,
        ("BURNED", _) => KeyState::Burned,
        _ => return Err(bad("state")),
    };
    Ok(HeldKey {
        connection: row.text(1)?.to_owned(),
        key: PublicKey::from_der(row.bytes(2)?).map_err(|_| bad("spki"))?,
        state,
        added_at: Millis(row.int(4)?),
        since,
        expires_at: row.opt_int(7)?.map(Millis),
        last_used: row.opt_int(8)?.map(Millis),
    })
}

/// Every key that a connection has or had.
pub(crate) fn of(
    query: &mut impl Query,
    workspace: WorkspaceId,
    connection: &str,
) -> Result<Vec<HeldKey>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM gate_keys WHERE workspace = $1 AND connection = $2 ORDER BY added_at DESC, since DESC, fingerprint"
    );
    let rows = query.rows(&sql, &params![workspace.to_string(), connection])?;
    rows.iter().map(read).collect()
}

/// The API keys that a connection of this name has or had.
pub(crate) fn api_keys(
    query: &mut impl Query,
    workspace: WorkspaceId,
    connection: &str,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT DISTINCT api_key FROM gate_keys WHERE workspace = $1 AND connection = $2";
    let rows = query.rows(sql, &params![workspace.to_string(), connection])?;
    rows.iter()
        .map(|row| row.text(0).map(str::to_owned))
        .collect()
}

/// Every key that may open a door, now or later.
pub(crate) fn living(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Vec<HeldKey>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM gate_keys WHERE workspace = $1 AND state IN ('ACTIVE', 'RETIRING') ORDER BY connection, fingerprint"
    );
    let rows = query.rows(&sql, &params![workspace.to_string()])?;
    rows.iter().map(read).collect()
}

/// A key, whosever it is.
pub(crate) fn one(
    query: &mut impl Query,
    workspace: WorkspaceId,
    fingerprint: KeyFingerprint,
) -> Result<Option<HeldKey>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM gate_keys WHERE workspace = $1 AND fingerprint = $2");
    let row = query.row(
        &sql,
        &params![workspace.to_string(), fingerprint.to_string()],
    )?;
    row.as_ref().map(read).transpose()
}

/// Writes a key down, or what it has become.
pub(crate) fn put(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    api_key: UserId,
    key: &HeldKey,
) -> Result<(), StoreError> {
    changed(writing, workspace)?;
    let sql = "INSERT INTO gate_keys (workspace, fingerprint, connection, api_key, spki, state, added_at, since, until, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        ON CONFLICT (workspace, fingerprint) DO UPDATE SET
            state = excluded.state, since = excluded.since, until = excluded.until, expires_at = excluded.expires_at";
    let until = match key.state {
        KeyState::Retiring { until } => Some(until.0),
        _ => None,
    };
    writing
        .execute(
            sql,
            &params![
                workspace.to_string(),
                key.fingerprint().to_string(),
                key.connection.as_str(),
                api_key.to_string(),
                key.key.spki_der(),
                key.state.as_str(),
                key.added_at.0,
                key.since.0,
                until,
                key.expires_at.map(|at| at.0)
            ],
        )
        .map(drop)
}

/// When a key was used last; never earlier than what is known.
pub(crate) fn used(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    fingerprint: KeyFingerprint,
    at: Millis,
) -> Result<(), StoreError> {
    let sql = "UPDATE gate_keys SET last_used = $3 WHERE workspace = $1 AND fingerprint = $2 AND (last_used IS NULL OR last_used < $3)";
    writing
        .execute(
            sql,
            &params![workspace.to_string(), fingerprint.to_string(), at.0],
        )
        .map(drop)
}

/// A key whose private half was seen: it never comes in again, here or anywhere.
pub(crate) fn burn(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    key: &[u8],
    at: Millis,
    how: &str,
) -> Result<(), StoreError> {
    changed(writing, workspace)?;
    let fingerprint = KeyFingerprint::of_modulus(key).to_string();
    let place = || workspace.to_string();
    let sql = "INSERT INTO gate_burned (workspace, fingerprint, at, how) VALUES ($1, $2, $3, $4) ON CONFLICT (workspace, fingerprint) DO NOTHING";
    writing.execute(sql, &params![place(), fingerprint.as_str(), at.0, how])?;
    let sql = "UPDATE gate_keys SET state = 'BURNED', since = $3, until = NULL WHERE workspace = $1 AND fingerprint = $2 AND state <> 'BURNED'";
    writing.execute(sql, &params![place(), fingerprint.as_str(), at.0])?;
    remember(writing, workspace, key, at, None).map(drop)
}

pub(crate) fn is_burned(
    query: &mut impl Query,
    workspace: WorkspaceId,
    fingerprint: &str,
) -> Result<bool, StoreError> {
    let row = query.row(
        "SELECT at FROM gate_burned WHERE workspace = $1 AND fingerprint = $2",
        &params![workspace.to_string(), fingerprint],
    )?;
    Ok(row.is_some())
}

/// A key is not taken of this claimant: what came with its CSR may be its private half.
pub(crate) fn withhold(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    claimant: &str,
    fingerprint: KeyFingerprint,
    at: Millis,
) -> Result<(), StoreError> {
    if is_all_withheld(writing, workspace, claimant)? {
        return Ok(());
    }
    let sql = "INSERT INTO gate_withheld (workspace, claimant, fingerprint, at) VALUES ($1, $2, $3, $4) ON CONFLICT (workspace, claimant, fingerprint) DO NOTHING";
    let place = workspace.to_string();
    let params = params![place, claimant, fingerprint.to_string(), at.0];
    writing.execute(sql, &params).map(drop)
}

/// Whether so many keys are withheld of a claimant that no more are kept: then none of its keys is taken.
pub(crate) fn is_all_withheld(
    query: &mut impl Query,
    workspace: WorkspaceId,
    claimant: &str,
) -> Result<bool, StoreError> {
    let sql = "SELECT COUNT(*) FROM gate_withheld WHERE workspace = $1 AND claimant = $2";
    let row = query.row(sql, &params![workspace.to_string(), claimant])?;
    let kept = row.map_or(Ok(0), |row| row.int(0))?;
    Ok(kept >= MAX_WITHHELD_OF_ONE)
}

pub(crate) fn is_withheld(
    query: &mut impl Query,
    workspace: WorkspaceId,
    claimant: &str,
    fingerprint: KeyFingerprint,
) -> Result<bool, StoreError> {
    let row = query.row(
        "SELECT at FROM gate_withheld WHERE workspace = $1 AND claimant = $2 AND fingerprint = $3",
        &params![workspace.to_string(), claimant, fingerprint.to_string()],
    )?;
    Ok(row.is_some())
}

/// Keeps a modulus, once, and so many of a connection's; whether it is news, and kept.
pub(crate) fn remember(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    modulus: &[u8],
    at: Millis,
    connection: Option<&str>,
) -> Result<bool, StoreError> {
    let place = workspace.to_string();
    if let Some(connection) = connection {
        let sql = "SELECT COUNT(*) FROM gate_seen_moduli WHERE workspace = $1 AND connection = $2";
        let row = writing.row(sql, &params![place.as_str(), connection])?;
        let kept = row.map_or(Ok(0), |row| row.int(0))?;
        if kept >= MAX_MODULI_OF_ONE {
            return Ok(false);
        }
    }
    let sql = "INSERT INTO gate_seen_moduli (workspace, fingerprint, modulus, at, connection) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (workspace, fingerprint) DO NOTHING";
    let fingerprint = KeyFingerprint::of_modulus(modulus).to_string();
    let kept = writing.execute(
        sql,
        &params![place.as_str(), fingerprint, modulus, at.0, connection],
    )?;
    Ok(kept > 0)
}

/// The newest moduli that were seen: of keys in every state, of what was refused, and of what waits for a
/// quorum or did not get one.
pub(crate) fn moduli(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Vec<Vec<u8>>, StoreError> {
    let sql = "SELECT spki FROM gate_keys WHERE workspace = $1 ORDER BY added_at DESC LIMIT $2";
    let keys = query.rows(sql, &params![workspace.to_string(), MAX_MODULI])?;
    let modulus = |row: &Row| {
        let key =
            PublicKey::from_der(row.bytes(0)?).map_err(|_| corrupt("gate_keys", "spki", ""))?;
        Ok(key.modulus().to_vec())
    };
    let mut all = keys
        .iter()
        .map(modulus)
        .collect::<Result<Vec<_>, StoreError>>()?;
    let sql = "SELECT modulus FROM gate_seen_moduli WHERE workspace = $1 AND NOT EXISTS (
            SELECT 1 FROM gate_keys WHERE gate_keys.workspace = gate_seen_moduli.workspace AND gate_keys.fingerprint = gate_seen_moduli.fingerprint)
        ORDER BY at DESC LIMIT $2";
    let left = MAX_MODULI.saturating_sub(i64::try_from(all.len()).unwrap_or(MAX_MODULI));
    for row in query.rows(sql, &params![workspace.to_string(), left])? {
        all.push(row.bytes(0)?.to_vec());
    }
    Ok(all)
}
