//! Transactions, and which of them a scope covers.

mod list;

use protocol::ids::{TxId, WorkspaceId};
use protocol::model::transaction::Transaction;
use protocol::time::Millis;
use store::{Query, Row, StoreError, Value, Writing, params};
use uuid::Uuid;

use super::corrupt;
use crate::change::{Origin, Version};
use crate::scope::Scope;

pub(crate) use list::{Filter, Key, Listed, Order, page};

/// A transaction as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct StoredTransaction {
    pub(crate) transaction: Transaction,
    pub(crate) origin: Origin,
    pub(crate) version: Version,
}

const COLUMNS: &str = "t.doc, t.upstream_id, t.proposer, t.time, t.rank";

fn stored(row: &Row) -> Result<StoredTransaction, StoreError> {
    Ok(StoredTransaction {
        transaction: read(row.text(0)?)?,
        origin: origin(row, (1, 2))?,
        version: Version {
            time: Millis(row.int(3)?),
            rank: row.int(4)?,
        },
    })
}

/// What a document says.
fn read(doc: &str) -> Result<Transaction, StoreError> {
    serde_json::from_str(doc).map_err(|_| corrupt("transactions", "doc", "a transaction"))
}

/// Where it comes from, of the columns `upstream_id` and `proposer`.
fn origin(row: &Row, (upstream, proposer): (usize, usize)) -> Result<Origin, StoreError> {
    let upstream_id = row.opt_bytes(upstream)?;
    Ok(Origin {
        upstream_id: upstream_id
            .map(|bytes| id(bytes, "upstream_id"))
            .transpose()?,
        proposer: row.opt_text(proposer)?.map(str::to_owned),
        created_by: None,
    })
}

fn id(bytes: &[u8], column: &'static str) -> Result<TxId, StoreError> {
    let id = Uuid::from_slice(bytes).map_err(|_| corrupt("transactions", column, "not a UUID"))?;
    Ok(TxId(id))
}

pub(super) fn bytes(id: TxId) -> Value {
    Value::Bytes(id.0.as_bytes().to_vec())
}

pub(crate) fn transaction(
    query: &mut impl Query,
    workspace: WorkspaceId,
    id: TxId,
) -> Result<Option<StoredTransaction>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM transactions t WHERE t.workspace = $1 AND t.id = $2");
    query
        .row(&sql, &[workspace.to_string().into(), bytes(id)])?
        .as_ref()
        .map(stored)
        .transpose()
}

/// A transaction, if the scope covers it. In a scope that hides something it is looked for among
/// the scope's own rows: what is outside costs what is absent does, one probe that finds nothing.
pub(crate) fn transaction_in(
    query: &mut impl Query,
    scope: &Scope,
    id: TxId,
) -> Result<Option<StoredTransaction>, StoreError> {
    if scope.is_whole() {
        return transaction(query, scope.workspace(), id);
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM scope_transactions s JOIN transactions t ON t.workspace = s.workspace AND t.id = s.id
         WHERE s.workspace = $1 AND s.scope = $2 AND s.id = $3"
    );
    let params = [
        scope.workspace().to_string().into(),
        scope.id().to_string().into(),
        bytes(id),
    ];
    query.row(&sql, &params)?.as_ref().map(stored).transpose()
}

/// The one that carries this id of an initiator's. In a scope that hides something it is looked for among
/// what the reader proposed: another's id costs what an unknown one does, one probe that finds nothing.
pub(crate) fn by_external_id(
    query: &mut impl Query,
    scope: &Scope,
    external_id: &str,
) -> Result<Option<StoredTransaction>, StoreError> {
    let workspace = scope.workspace().to_string();
    let sql = |own: &str| {
        format!(
            "SELECT {COLUMNS} FROM transactions t WHERE t.workspace = $1 AND t.external_id = $2{own} LIMIT 1"
        )
    };
    let row = match (scope.is_whole(), scope.reader()) {
        (true, _) => query.row(&sql(""), &params![workspace, external_id])?,
        (false, Some(reader)) => {
            let own = sql(" AND t.proposer = $3");
            query.row(&own, &params![workspace, external_id, reader])?
        }
        (false, None) => None,
    };
    row.as_ref().map(stored).transpose()
}

macro_rules! transaction_in {
    () => {
        "INSERT INTO transactions (workspace, id, upstream_id, external_id, proposer, created_at, last_updated,
            status, asset, source_kind, source_id, destination_kind, destination_id, tx_hash, time, rank, recorded_at, doc)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)"
    };
}

/// Writes a transaction; what it replaces goes to the past.
pub(crate) fn write_transaction(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    row: &StoredTransaction,
    recorded_at: Millis,
) -> Result<(), StoreError> {
    let transaction = &row.transaction;
    let past = "INSERT INTO past (workspace, kind, key, time, rank, recorded_at, replaced_at, doc)
        SELECT workspace, 'transaction', CAST($3 AS TEXT), time, rank, recorded_at, CAST($4 AS BIGINT), doc FROM transactions
        WHERE workspace = $1 AND id = $2";
    let name = transaction.id.to_string();
    writing.execute(
        past,
        &[
            workspace.to_string().into(),
            bytes(transaction.id),
            name.into(),
            recorded_at.0.into(),
        ],
    )?;
    let sql = concat!(
        transaction_in!(),
        " ON CONFLICT (workspace, id) DO UPDATE SET
            upstream_id = excluded.upstream_id, external_id = excluded.external_id, proposer = excluded.proposer,
            created_at = excluded.created_at, last_updated = excluded.last_updated, status = excluded.status,
            asset = excluded.asset, source_kind = excluded.source_kind, source_id = excluded.source_id,
            destination_kind = excluded.destination_kind, destination_id = excluded.destination_id,
            tx_hash = excluded.tx_hash, time = excluded.time, rank = excluded.rank,
            recorded_at = excluded.recorded_at, doc = excluded.doc"
    );
    put_transaction(writing, sql, workspace, row, recorded_at)
}

/// Writes a transaction of which nothing was known.
pub(crate) fn insert_transaction(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    row: &StoredTransaction,
    recorded_at: Millis,
) -> Result<(), StoreError> {
    put_transaction(writing, transaction_in!(), workspace, row, recorded_at)
}

/// A transaction's document is its print: lists answer with it as it is.
fn put_transaction(
    writing: &mut Writing<'_>,
    sql: &str,
    workspace: WorkspaceId,
    row: &StoredTransaction,
    recorded_at: Millis,
) -> Result<(), StoreError> {
    let transaction = &row.transaction;
    let id = bytes(transaction.id);
    let doc = serde_json::to_string(transaction)
        .map_err(|_| corrupt("transactions", "doc", transaction.id))?;
    let params = [
        workspace.to_string().into(),
        id,
        row.origin.upstream_id.map_or(Value::Null, bytes),
        transaction.external_tx_id.as_deref().into(),
        row.origin.proposer.as_deref().into(),
        transaction.created_at.0.into(),
        transaction.last_updated.0.into(),
        transaction.status.as_str().into(),
        transaction.asset_id.as_str().into(),
        transaction.source.kind.as_str().into(),
        transaction.source.id.as_deref().into(),
        transaction.destination.kind.as_str().into(),
        transaction.destination.id.as_deref().into(),
        transaction.tx_hash.as_str().into(),
        row.version.time.0.into(),
        row.version.rank.into(),
        recorded_at.0.into(),
        doc.into(),
    ];
    writing.execute(sql, &params).map(drop)
}
