//! The log's leaves, hashes and checkpoints.

use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use store::{Query, Row, StoreError, Writing, params};

use super::{corrupt, count, number};

/// A leaf, with its payload unless that was erased.
#[derive(Clone, Debug)]
pub(crate) struct Leaf {
    pub(crate) index: u64,
    pub(crate) at: Millis,
    pub(crate) kind: String,
    pub(crate) commitment: Vec<u8>,
    pub(crate) salt: Vec<u8>,
    pub(crate) payload: Option<String>,
}

pub(crate) fn size(query: &mut impl Query, workspace: WorkspaceId) -> Result<u64, StoreError> {
    let row = query.row(
        "SELECT MAX(idx) FROM gate_log_leaves WHERE workspace = $1",
        &params![workspace.to_string()],
    )?;
    let last = row.and_then(|row| row.opt_int(0).transpose()).transpose()?;
    Ok(last.map_or(0, |last| count(last) + 1))
}

/// When the newest entry was written.
pub(crate) fn newest(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Option<Millis>, StoreError> {
    let sql = "SELECT at FROM gate_log_leaves WHERE workspace = $1 ORDER BY idx DESC LIMIT 1";
    let row = query.row(sql, &params![workspace.to_string()])?;
    row.map(|row| Ok(Millis(row.int(0)?))).transpose()
}

/// The next leaf's index. Two writers that take the same collide on the primary key.
pub(crate) fn next_index(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<u64, StoreError> {
    size(query, workspace)
}

pub(crate) fn put_leaf(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    leaf: &Leaf,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO gate_log_leaves (workspace, idx, at, kind, commitment, salt, payload)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let params = params![
        workspace.to_string(),
        number(leaf.index),
        leaf.at.0,
        leaf.kind.as_str(),
        leaf.commitment.as_slice(),
        leaf.salt.as_slice(),
        leaf.payload.as_deref()
    ];
    writing.execute(sql, &params).map(drop)
}

pub(crate) fn put_hash(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    index: u64,
    hash: &[u8],
) -> Result<(), StoreError> {
    let sql = "INSERT INTO gate_log_hashes (workspace, idx, hash) VALUES ($1, $2, $3)";
    writing
        .execute(sql, &params![workspace.to_string(), number(index), hash])
        .map(drop)
}

pub(crate) fn hash(
    query: &mut impl Query,
    workspace: WorkspaceId,
    index: u64,
) -> Result<Option<[u8; 32]>, StoreError> {
    let row = query.row(
        "SELECT hash FROM gate_log_hashes WHERE workspace = $1 AND idx = $2",
        &params![workspace.to_string(), number(index)],
    )?;
    row.map(|row| {
        row.bytes(0)?
            .try_into()
            .map_err(|_| corrupt("gate_log_hashes", "hash", index))
    })
    .transpose()
}

/// The hashes of a range, with their places.
pub(crate) fn hashes(
    query: &mut impl Query,
    workspace: WorkspaceId,
    range: std::ops::Range<u64>,
) -> Result<Vec<(u64, [u8; 32])>, StoreError> {
    let sql = "SELECT idx, hash FROM gate_log_hashes WHERE workspace = $1 AND idx >= $2 AND idx < $3 ORDER BY idx";
    let read = |row: &Row| {
        let index = count(row.int(0)?);
        let hash = row.bytes(1)?.try_into();
        Ok((
            index,
            hash.map_err(|_| corrupt("gate_log_hashes", "hash", index))?,
        ))
    };
    let params = params![
        workspace.to_string(),
        number(range.start),
        number(range.end)
    ];
    query.rows(sql, &params)?.iter().map(read).collect()
}

/// Forgets a payload, and the salt with which it could be guessed; whether there was one.
pub(crate) fn erase(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    index: u64,
) -> Result<bool, StoreError> {
    let sql = "UPDATE gate_log_leaves SET payload = NULL, salt = $3 WHERE workspace = $1 AND idx = $2 AND payload IS NOT NULL";
    let changed = writing.execute(sql, &params![workspace.to_string(), number(index), &[][..]])?;
    Ok(changed > 0)
}

/// How many hashes a tree of these would have: one more than the last index.
pub(crate) fn hash_count(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<u64, StoreError> {
    let row = query.row(
        "SELECT MAX(idx) FROM gate_log_hashes WHERE workspace = $1",
        &params![workspace.to_string()],
    )?;
    let last = row.and_then(|row| row.opt_int(0).transpose()).transpose()?;
    Ok(last.map_or(0, |last| count(last) + 1))
}

pub(crate) fn leaves(
    query: &mut impl Query,
    workspace: WorkspaceId,
    from: u64,
    limit: u32,
) -> Result<Vec<Leaf>, StoreError> {
    let sql = "SELECT idx, at, kind, commitment, salt, payload FROM gate_log_leaves WHERE workspace = $1 AND idx >= $2 ORDER BY idx LIMIT $3";
    let read = |row: &Row| {
        Ok(Leaf {
            index: count(row.int(0)?),
            at: Millis(row.int(1)?),
            kind: row.text(2)?.to_owned(),
            commitment: row.bytes(3)?.to_vec(),
            salt: row.bytes(4)?.to_vec(),
            payload: row.opt_text(5)?.map(str::to_owned),
        })
    };
    query
        .rows(sql, &params![workspace.to_string(), number(from), limit])?
        .iter()
        .map(read)
        .collect()
}

/// The payloads of one kind below an index, in order.
pub(crate) fn of_kind(
    query: &mut impl Query,
    workspace: WorkspaceId,
    kind: &str,
    below: u64,
) -> Result<Vec<String>, StoreError> {
    let sql = "SELECT payload FROM gate_log_leaves WHERE workspace = $1 AND kind = $2 AND idx < $3 AND payload IS NOT NULL ORDER BY idx";
    query
        .rows(sql, &params![workspace.to_string(), kind, number(below)])?
        .iter()
        .map(|row| row.text(0).map(str::to_owned))
        .collect()
}

pub(crate) fn put_checkpoint(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    size: u64,
    note: &str,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO gate_log_checkpoints (workspace, size, note) VALUES ($1, $2, $3) ON CONFLICT (workspace, size) DO NOTHING";
    writing
        .execute(sql, &params![workspace.to_string(), number(size), note])
        .map(drop)
}

/// The newest checkpoint as the log's key signed it.
pub(crate) fn newest_signed(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Option<(u64, String)>, StoreError> {
    newest_within(query, workspace, u64::MAX >> 1)
}

/// The newest checkpoint of at most so many entries, as the log's key signed it.
pub(crate) fn newest_within(
    query: &mut impl Query,
    workspace: WorkspaceId,
    entries: u64,
) -> Result<Option<(u64, String)>, StoreError> {
    let sql = "SELECT size, note FROM gate_log_checkpoints WHERE workspace = $1 AND size <= $2 ORDER BY size DESC LIMIT 1";
    let row = query.row(sql, &params![workspace.to_string(), number(entries)])?;
    row.map(|row| Ok((count(row.int(0)?), row.text(1)?.to_owned())))
        .transpose()
}

/// The newest checkpoint, with what witnesses have written under it.
pub(crate) fn newest_checkpoint(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Option<(u64, String)>, StoreError> {
    match newest_signed(query, workspace)? {
        Some((size, _)) => of_size(query, workspace, number(size)),
        None => Ok(None),
    }
}

/// The newest checkpoint that this many witnesses have cosigned, with what they have written.
pub(crate) fn newest_cosigned(
    query: &mut impl Query,
    workspace: WorkspaceId,
    witnesses: u32,
) -> Result<Option<(u64, String)>, StoreError> {
    let sql = "SELECT size FROM gate_log_cosignatures WHERE workspace = $1 GROUP BY size HAVING COUNT(*) >= $2 ORDER BY size DESC LIMIT 1";
    let row = query.row(sql, &params![workspace.to_string(), witnesses])?;
    match row.map(|row| row.int(0)).transpose()? {
        Some(size) => of_size(query, workspace, size),
        None => Ok(None),
    }
}

/// The checkpoint over more entries than these that most of the witnesses have cosigned, the newest of
/// such, with what was written under it; and how many they are.
pub(crate) fn most_cosigned(
    query: &mut impl Query,
    workspace: WorkspaceId,
    above: u64,
    witnesses: &[String],
) -> Result<Option<(u32, String)>, StoreError> {
    if witnesses.is_empty() {
        return Ok(None);
    }
    let mut params = params![workspace.to_string(), number(above)].to_vec();
    let first = params.len() + 1;
    params.extend(witnesses.iter().map(|witness| witness.as_str().into()));
    let places: Vec<_> = (first..=params.len()).map(|at| format!("${at}")).collect();
    let sql = format!(
        "SELECT size, COUNT(*) FROM gate_log_cosignatures WHERE workspace = $1 AND size > $2 AND witness IN ({})
        GROUP BY size ORDER BY COUNT(*) DESC, size DESC LIMIT 1",
        places.join(", ")
    );
    let Some(row) = query.row(&sql, &params)? else {
        return Ok(None);
    };
    let by = u32::try_from(row.int(1)?).unwrap_or(u32::MAX);
    let found = of_size(query, workspace, row.int(0)?)?;
    Ok(found.map(|(_, note)| (by, note)))
}

fn of_size(
    query: &mut impl Query,
    workspace: WorkspaceId,
    size: i64,
) -> Result<Option<(u64, String)>, StoreError> {
    let of = "c.workspace = $1 AND c.size = $2";
    let found = with_lines(query, of, &params![workspace.to_string(), size])?;
    Ok(found.into_iter().next())
}

/// Every checkpoint, with what witnesses have written under it.
pub(crate) fn checkpoints(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Vec<(u64, String)>, StoreError> {
    with_lines(query, "c.workspace = $1", &params![workspace.to_string()])
}

fn with_lines(
    query: &mut impl Query,
    of: &str,
    params: &[store::Value],
) -> Result<Vec<(u64, String)>, StoreError> {
    let sql = format!(
        "SELECT c.size, c.note, w.line FROM gate_log_checkpoints c
        LEFT JOIN gate_log_cosignatures w ON w.workspace = c.workspace AND w.size = c.size
        WHERE {of} ORDER BY c.size, w.witness"
    );
    let mut found: Vec<(u64, String)> = Vec::new();
    for row in &query.rows(&sql, params)? {
        let (size, line) = (count(row.int(0)?), row.opt_text(2)?.unwrap_or_default());
        match found.last_mut() {
            Some((last, note)) if *last == size => *note += line,
            _ => found.push((size, format!("{}{line}", row.text(1)?))),
        }
    }
    Ok(found)
}

/// Keeps what a witness has written under a checkpoint, in place of what it wrote there before.
pub(crate) fn put_cosignature(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    size: u64,
    witness: &str,
    (at, line): (Millis, &str),
) -> Result<(), StoreError> {
    let sql = "INSERT INTO gate_log_cosignatures (workspace, size, witness, at, line) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (workspace, witness, size) DO UPDATE SET at = excluded.at, line = excluded.line";
    let params = params![workspace.to_string(), number(size), witness, at.0, line];
    writing.execute(sql, &params).map(drop)
}

/// The largest size that a witness has cosigned, and when.
pub(crate) fn cosigned(
    query: &mut impl Query,
    workspace: WorkspaceId,
    witness: &str,
) -> Result<Option<(u64, Millis)>, StoreError> {
    let sql = "SELECT size, at FROM gate_log_cosignatures WHERE workspace = $1 AND witness = $2 ORDER BY size DESC LIMIT 1";
    let row = query.row(sql, &params![workspace.to_string(), witness])?;
    row.map(|row| Ok((count(row.int(0)?), Millis(row.int(1)?))))
        .transpose()
}
