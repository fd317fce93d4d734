//! Transactions, and which of them a scope covers.

use std::collections::BTreeSet;

use protocol::ids::{AssetId, TxId, WorkspaceId};
use protocol::model::transaction::{Peer, PeerKind, Transaction, TransactionStatus};
use protocol::time::Millis;
use store::{Query, Row, StoreError, Value, Writing, params};
use uuid::Uuid;

use super::corrupt;
use crate::change::{Origin, Version};
use crate::scope::{PartScope, Scope};

/// A transaction as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct StoredTransaction {
    pub(crate) transaction: Transaction,
    pub(crate) origin: Origin,
    pub(crate) version: Version,
}

const COLUMNS: &str = "t.doc, t.upstream_id, t.proposer, t.time, t.rank";

fn stored(row: &Row) -> Result<StoredTransaction, StoreError> {
    let transaction: Transaction = serde_json::from_str(row.text(0)?)
        .map_err(|_| corrupt("transactions", "doc", "a transaction"))?;
    let upstream_id = match row.opt_bytes(1)? {
        None => None,
        Some(bytes) => {
            Some(TxId(Uuid::from_slice(bytes).map_err(|_| {
                corrupt("transactions", "upstream_id", transaction.id)
            })?))
        }
    };
    Ok(StoredTransaction {
        transaction,
        origin: Origin {
            upstream_id,
            proposer: row.opt_text(2)?.map(str::to_owned),
        },
        version: Version {
            time: Millis(row.int(3)?),
            rank: row.int(4)?,
        },
    })
}

fn bytes(id: TxId) -> Value {
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

/// Those that carry this id of an initiator's: one in a workspace, one a connection at a gate.
pub(crate) fn by_external_id(
    query: &mut impl Query,
    workspace: WorkspaceId,
    external_id: &str,
) -> Result<Vec<StoredTransaction>, StoreError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM transactions t WHERE t.workspace = $1 AND t.external_id = $2"
    );
    query
        .rows(&sql, &params![workspace.to_string(), external_id])?
        .iter()
        .map(stored)
        .collect()
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

/// Enters a transaction where a scope covers it, and takes it out where it does not.
pub(crate) fn in_scope(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    scope: &str,
    transaction: &Transaction,
    covered: bool,
) -> Result<(), StoreError> {
    let sql = if covered {
        "INSERT INTO scope_transactions (workspace, scope, created_at, id) VALUES ($1, $2, $3, $4)
         ON CONFLICT (workspace, scope, created_at, id) DO NOTHING"
    } else {
        "DELETE FROM scope_transactions WHERE workspace = $1 AND scope = $2 AND created_at = $3 AND id = $4"
    };
    let params = [
        workspace.to_string().into(),
        scope.into(),
        transaction.created_at.0.into(),
        bytes(transaction.id),
    ];
    writing.execute(sql, &params).map(drop)
}

/// Remembers a scope that hides something; whether it is new.
pub(crate) fn register(
    writing: &mut Writing<'_>,
    scope: &Scope,
    part: &PartScope,
) -> Result<bool, StoreError> {
    let text = serde_json::to_string(part).map_err(|_| corrupt("scopes", "part", scope.id()))?;
    let sql = "INSERT INTO scopes (workspace, scope, part) VALUES ($1, $2, $3) ON CONFLICT (workspace, scope) DO NOTHING";
    Ok(writing.execute(
        sql,
        &params![scope.workspace().to_string(), scope.id().to_string(), text],
    )? > 0)
}

/// What a list of transactions is to hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) before: Option<Millis>,
    pub(crate) after: Option<Millis>,
    pub(crate) status: Option<TransactionStatus>,
    pub(crate) source_kind: Option<PeerKind>,
    pub(crate) source_id: Option<String>,
    pub(crate) destination_kind: Option<PeerKind>,
    pub(crate) destination_id: Option<String>,
    pub(crate) assets: Vec<AssetId>,
    pub(crate) tx_hash: Option<String>,
}

impl Filter {
    /// The same, with nothing asked of the sides.
    pub(crate) fn without_sides(&self) -> Self {
        Self {
            source_kind: None,
            source_id: None,
            destination_kind: None,
            destination_id: None,
            ..self.clone()
        }
    }

    /// Whether the sides are as asked for.
    pub(crate) fn takes_sides(&self, transaction: &Transaction) -> bool {
        let fits = |peer: &Peer, kind: Option<PeerKind>, id: Option<&str>| {
            kind.is_none_or(|kind| peer.kind == kind)
                && id.is_none_or(|id| peer.id.as_deref() == Some(id))
        };
        fits(
            &transaction.source,
            self.source_kind,
            self.source_id.as_deref(),
        ) && fits(
            &transaction.destination,
            self.destination_kind,
            self.destination_id.as_deref(),
        )
    }
}

impl Filter {
    /// Whether a transaction is as asked for, in every way.
    pub(crate) fn takes(&self, transaction: &Transaction) -> bool {
        self.after
            .is_none_or(|after| transaction.created_at > after)
            && self
                .before
                .is_none_or(|before| transaction.created_at < before)
            && self
                .status
                .is_none_or(|status| transaction.status == status)
            && (self.assets.is_empty() || self.assets.contains(&transaction.asset_id))
            && self
                .tx_hash
                .as_ref()
                .is_none_or(|hash| transaction.tx_hash == *hash)
            && self.takes_sides(transaction)
    }
}

/// How a list of transactions is ordered, and where its page begins.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) by_update: bool,
    pub(crate) ascending: bool,
    /// The last row of the page before: its time and id.
    pub(crate) past: Option<(i64, TxId)>,
    pub(crate) limit: i64,
}

impl Order {
    /// Where a transaction stands in the list.
    pub(crate) fn key(&self, transaction: &Transaction) -> (i64, TxId) {
        let time = if self.by_update {
            transaction.last_updated
        } else {
            transaction.created_at
        };
        (time.0, transaction.id)
    }

    /// Whether a transaction comes after where the page begins.
    pub(crate) fn is_past(&self, transaction: &Transaction) -> bool {
        let key = self.key(transaction);
        self.past.is_none_or(|past| {
            if self.ascending {
                key > past
            } else {
                key < past
            }
        })
    }
}

/// Up to so many assets are looked for one by one.
const FEW_ASSETS: usize = 16;

/// One page. In a scope that hides something, only that scope's own rows are visited. Of a few
/// assets, each one's page is read where an index has it in order.
pub(crate) fn page(
    query: &mut impl Query,
    scope: &Scope,
    filter: &Filter,
    order: &Order,
) -> Result<Vec<StoredTransaction>, StoreError> {
    if !scope.is_whole() || !(2..=FEW_ASSETS).contains(&filter.assets.len()) {
        return plain_page(query, scope, filter, order);
    }
    let mut page = Vec::new();
    for asset in BTreeSet::from_iter(&filter.assets) {
        let mut of_asset = filter.clone();
        of_asset.assets = vec![asset.clone()];
        page.extend(plain_page(query, scope, &of_asset, order)?);
    }
    page.sort_by_key(|row| order.key(&row.transaction));
    if !order.ascending {
        page.reverse();
    }
    page.truncate(usize::try_from(order.limit).unwrap_or(usize::MAX));
    Ok(page)
}

fn plain_page(
    query: &mut impl Query,
    scope: &Scope,
    filter: &Filter,
    order: &Order,
) -> Result<Vec<StoredTransaction>, StoreError> {
    let (sql, params) = statement(scope, filter, order);
    query.rows(&sql, &params)?.iter().map(stored).collect()
}

fn statement(scope: &Scope, filter: &Filter, order: &Order) -> (String, Vec<Value>) {
    let mut statement = Statement::default();
    let workspace = statement.param(scope.workspace().to_string());
    let created = if scope.is_whole() {
        "t.created_at"
    } else {
        "s.created_at"
    };
    let mut sql = if scope.is_whole() {
        format!("SELECT {COLUMNS} FROM transactions t WHERE t.workspace = {workspace}")
    } else {
        let id = statement.param(scope.id().to_string());
        format!(
            "SELECT {COLUMNS} FROM scope_transactions s JOIN transactions t ON t.workspace = s.workspace AND t.id = s.id
             WHERE s.workspace = {workspace} AND s.scope = {id}"
        )
    };
    let mut and = |statement: &mut Statement, column: &str, operator: &str, value: Value| {
        let param = statement.param(value);
        sql.push_str(&format!(" AND {column} {operator} {param}"));
    };
    if let Some(after) = filter.after {
        and(&mut statement, created, ">", after.0.into());
        if order.by_update {
            // Nothing is updated before it is created: so the list's own index is bounded, too.
            and(&mut statement, "t.last_updated", ">", after.0.into());
        }
    }
    if let Some(before) = filter.before {
        and(&mut statement, created, "<", before.0.into());
    }
    let texts = [
        ("t.status", filter.status.map(TransactionStatus::as_str)),
        ("t.source_kind", filter.source_kind.map(PeerKind::as_str)),
        ("t.source_id", filter.source_id.as_deref()),
        (
            "t.destination_kind",
            filter.destination_kind.map(PeerKind::as_str),
        ),
        ("t.destination_id", filter.destination_id.as_deref()),
        ("t.tx_hash", filter.tx_hash.as_deref()),
    ];
    for (column, text) in texts {
        if let Some(text) = text {
            and(&mut statement, column, "=", text.into());
        }
    }
    let (time, id) = match (order.by_update, scope.is_whole()) {
        (true, _) => ("t.last_updated", "t.id"),
        (false, true) => ("t.created_at", "t.id"),
        (false, false) => ("s.created_at", "s.id"),
    };
    let (direction, beyond) = if order.ascending {
        ("ASC", ">")
    } else {
        ("DESC", "<")
    };
    if !filter.assets.is_empty() {
        let params: Vec<_> = filter
            .assets
            .iter()
            .map(|asset| statement.param(asset.as_str()))
            .collect();
        sql.push_str(&format!(" AND t.asset IN ({})", params.join(", ")));
    }
    if let Some((last, last_id)) = order.past {
        let (last, last_id) = (statement.param(last), statement.param(bytes(last_id)));
        sql.push_str(&format!(" AND ({time}, {id}) {beyond} ({last}, {last_id})"));
    }
    let limit = statement.param(order.limit);
    sql.push_str(&format!(
        " ORDER BY {time} {direction}, {id} {direction} LIMIT {limit}"
    ));
    (sql, statement.params)
}

/// Parameters as they are used.
#[derive(Default)]
struct Statement {
    params: Vec<Value>,
}

impl Statement {
    fn param(&mut self, value: impl Into<Value>) -> String {
        self.params.push(value.into());
        format!("${}", self.params.len())
    }
}

#[cfg(test)]
mod tests;
