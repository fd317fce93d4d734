//! Proposals.

use protocol::ids::{TxId, WorkspaceId};
use protocol::time::Millis;
use store::{Query, Row, StoreError, Writing, params};

use super::{corrupt, count, doc};
use crate::proposals::{PROPOSER, Proposal};

fn read(row: &Row) -> Result<Proposal, StoreError> {
    serde_json::from_str(row.text(0)?).map_err(|_| corrupt("gate_proposals", "doc", ""))
}

/// Writes a new proposal; a constraint is broken where the connection's own id was used before.
pub(crate) fn add(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    proposal: &Proposal,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO gate_proposals (workspace, id, connection, state, external_id, up_external_id, created_at, doc)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let params = params![
        workspace.to_string(),
        proposal.id.0.as_bytes().as_slice(),
        proposal.connection.as_str(),
        proposal.state.as_str(),
        proposal.transfer.external_tx_id.clone(),
        proposal.up_external_id(),
        proposal.created_at.0,
        doc(proposal)?
    ];
    writing.execute(sql, &params).map(drop)
}

pub(crate) fn update(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    proposal: &Proposal,
) -> Result<(), StoreError> {
    let sql = "UPDATE gate_proposals SET state = $3, doc = $4 WHERE workspace = $1 AND id = $2";
    let params = params![
        workspace.to_string(),
        proposal.id.0.as_bytes().as_slice(),
        proposal.state.as_str(),
        doc(proposal)?
    ];
    writing.execute(sql, &params).map(drop)
}

pub(crate) fn one(
    query: &mut impl Query,
    workspace: WorkspaceId,
    id: TxId,
) -> Result<Option<Proposal>, StoreError> {
    let row = query.row(
        "SELECT doc FROM gate_proposals WHERE workspace = $1 AND id = $2",
        &params![workspace.to_string(), id.0.as_bytes().as_slice()],
    )?;
    row.as_ref().map(read).transpose()
}

/// A connection's proposal by the provider's own id.
pub(crate) fn by_own_id(
    query: &mut impl Query,
    workspace: WorkspaceId,
    connection: &str,
    external: &str,
) -> Result<Option<Proposal>, StoreError> {
    let sql = "SELECT doc FROM gate_proposals WHERE workspace = $1 AND connection = $2 AND external_id = $3";
    let row = query.row(sql, &params![workspace.to_string(), connection, external])?;
    row.as_ref().map(read).transpose()
}

/// Proposals in a state, the oldest first.
pub(crate) fn in_state(
    query: &mut impl Query,
    workspace: WorkspaceId,
    state: &str,
) -> Result<Vec<Proposal>, StoreError> {
    let sql = "SELECT doc FROM gate_proposals WHERE workspace = $1 AND state = $2 ORDER BY created_at LIMIT 1000";
    query
        .rows(sql, &params![workspace.to_string(), state])?
        .iter()
        .map(read)
        .collect()
}

/// Proposals, the newest first, after one of them.
pub(crate) fn newest(
    query: &mut impl Query,
    workspace: WorkspaceId,
    after: Option<(Millis, TxId)>,
    limit: u32,
) -> Result<Vec<Proposal>, StoreError> {
    let (at, id) = after.map_or((i64::MAX, Vec::new()), |(at, id)| {
        (at.0, id.0.as_bytes().to_vec())
    });
    let sql = "SELECT doc FROM gate_proposals WHERE workspace = $1 AND (created_at < $2 OR (created_at = $2 AND id > $3))
        ORDER BY created_at DESC, id LIMIT $4";
    query
        .rows(sql, &params![workspace.to_string(), at, id, limit])?
        .iter()
        .map(read)
        .collect()
}

/// How many proposals a connection has made from then on, and how many wait here or are on their way.
pub(crate) fn counted(
    query: &mut impl Query,
    workspace: WorkspaceId,
    connection: &str,
    from: Millis,
) -> Result<(u64, u64), StoreError> {
    let since = "SELECT COUNT(*) FROM gate_proposals WHERE workspace = $1 AND connection = $2 AND created_at >= $3";
    let made = query.row(since, &params![workspace.to_string(), connection, from.0])?;
    let open = "SELECT COUNT(*) FROM gate_proposals
        WHERE workspace = $1 AND connection = $2 AND state IN ('WAITING', 'APPROVED', 'SENDING')";
    let open = query.row(open, &params![workspace.to_string(), connection])?;
    let number = |row: Option<Row>| row.map_or(Ok(0), |row| row.int(0)).map(count);
    Ok((number(made)?, number(open)?))
}

/// Those that have gone up, or may have.
pub(crate) fn gone_up(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Vec<Proposal>, StoreError> {
    let sql = "SELECT doc FROM gate_proposals WHERE workspace = $1 AND state IN ('APPROVED', 'SENDING', 'SENT')";
    query
        .rows(sql, &params![workspace.to_string()])?
        .iter()
        .map(read)
        .collect()
}

/// Most probes that are looked at.
const MAX_PROBES: u32 = 20;

/// The newest probes.
pub(crate) fn probes(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<Vec<Proposal>, StoreError> {
    let sql = "SELECT doc FROM gate_proposals
        WHERE workspace = $1 AND connection = $2 ORDER BY created_at DESC LIMIT $3";
    query
        .rows(sql, &params![workspace.to_string(), PROPOSER, MAX_PROBES])?
        .iter()
        .map(read)
        .collect()
}

/// Most transactions that a record names.
const MAX_MAPPED: u32 = 100_000;

/// A connection's proposals that went up, the oldest first.
pub(crate) fn sent_of(
    query: &mut impl Query,
    workspace: WorkspaceId,
    connection: &str,
) -> Result<Vec<Proposal>, StoreError> {
    let sql = "SELECT doc FROM gate_proposals
        WHERE workspace = $1 AND connection = $2 AND state = 'SENT' ORDER BY created_at, id LIMIT $3";
    query
        .rows(sql, &params![workspace.to_string(), connection, MAX_MAPPED])?
        .iter()
        .map(read)
        .collect()
}

/// Most proposals that a provider is shown beside the books.
const MAX_BESIDE: u32 = 500;
/// How many of the latest that went up may not be in the books yet.
const MAX_JUST_SENT: u32 = 50;

/// A connection's newest proposals that are not upstream.
pub(crate) fn kept_here(
    query: &mut impl Query,
    workspace: WorkspaceId,
    connection: &str,
) -> Result<Vec<Proposal>, StoreError> {
    let sql = "SELECT doc FROM gate_proposals
        WHERE workspace = $1 AND connection = $2 AND state IN ('WAITING', 'APPROVED', 'REJECTED', 'FAILED')
        ORDER BY created_at DESC LIMIT $3";
    query
        .rows(sql, &params![workspace.to_string(), connection, MAX_BESIDE])?
        .iter()
        .map(read)
        .collect()
}

/// A connection's newest proposals that upstream has, or may have.
pub(crate) fn just_sent(
    query: &mut impl Query,
    workspace: WorkspaceId,
    connection: &str,
) -> Result<Vec<Proposal>, StoreError> {
    let sql = "SELECT doc FROM gate_proposals
        WHERE workspace = $1 AND connection = $2 AND state IN ('SENDING', 'SENT') ORDER BY created_at DESC LIMIT $3";
    query
        .rows(
            sql,
            &params![workspace.to_string(), connection, MAX_JUST_SENT],
        )?
        .iter()
        .map(read)
        .collect()
}
