//! The books' tables and every statement on them.

mod accounts;
mod addresses;
mod schema;
mod scopes;
mod transactions;

use protocol::ids::{AssetId, VaultAccountId, WorkspaceId};
use protocol::model::transaction::Transaction;
use protocol::time::Millis;
use store::{Query, Row, StoreError, Writing, params};

use crate::change::{FactKey, FactKind, Version};
use crate::digest::{Cell, CellKind, Digest, Sum};
use crate::scope::Scope;
use crate::view::{Seen, view_transaction};

pub(crate) use accounts::{account_named, last_account};
pub(crate) use addresses::{
    Place, address_page, addresses, first_address, last_place, wallets_of_address,
};
pub use schema::{LISTS, ROOM};
#[cfg(test)]
pub(crate) use scopes::SPOIL_SCOPE;
pub(crate) use scopes::{
    in_scope, put_unread_since, register, scope, scopes, take_apart, unread_since,
};
pub(crate) use transactions::{
    Filter, Key, Listed, Order, StoredTransaction, by_external_id, insert_transaction, page,
    transaction, transaction_in, write_transaction,
};

/// Transactions read at once.
const PAGE: i64 = 1_000;

/// A fact as it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Fact {
    pub(crate) key: String,
    pub(crate) account: Option<i64>,
    pub(crate) version: Version,
    pub(crate) doc: Option<String>,
}

fn fact(row: &Row) -> Result<Fact, StoreError> {
    Ok(Fact {
        key: row.text(0)?.to_owned(),
        account: row.opt_int(1)?,
        version: Version {
            time: Millis(row.int(2)?),
            rank: row.int(3)?,
        },
        doc: row.opt_text(4)?.map(str::to_owned),
    })
}

/// Every fact of a kind, also what is gone.
pub(crate) fn facts(
    query: &mut impl Query,
    workspace: WorkspaceId,
    kind: FactKind,
) -> Result<Vec<Fact>, StoreError> {
    let sql = "SELECT key, account, time, rank, doc FROM facts WHERE workspace = $1 AND kind = $2";
    query
        .rows(sql, &params![workspace.to_string(), kind.as_str()])?
        .iter()
        .map(fact)
        .collect()
}

/// The facts that were written with a later change than this one, also what is gone.
pub(crate) fn facts_since(
    query: &mut impl Query,
    workspace: WorkspaceId,
    sequence: i64,
) -> Result<Vec<(FactKind, Fact)>, StoreError> {
    let sql =
        "SELECT key, account, time, rank, doc, kind FROM facts WHERE workspace = $1 AND seq > $2";
    let read = |row: &Row| {
        let kind = FactKind::of_word(row.text(5)?);
        let kind = kind.ok_or_else(|| corrupt("facts", "kind", "a fact"))?;
        Ok((kind, fact(row)?))
    };
    query
        .rows(sql, &params![workspace.to_string(), sequence])?
        .iter()
        .map(read)
        .collect()
}

pub(crate) fn one_fact(
    query: &mut impl Query,
    workspace: WorkspaceId,
    at: &FactKey,
) -> Result<Option<Fact>, StoreError> {
    let sql = "SELECT key, account, time, rank, doc FROM facts WHERE workspace = $1 AND kind = $2 AND key = $3";
    query
        .row(
            sql,
            &params![workspace.to_string(), at.kind.as_str(), at.key.as_str()],
        )?
        .as_ref()
        .map(fact)
        .transpose()
}

macro_rules! fact_in {
    () => {
        "INSERT INTO facts (workspace, kind, key, account, asset, time, rank, recorded_at, doc, label, place, seq)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
    };
}

/// When a fact is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    pub(crate) recorded_at: Millis,
    /// With which change, where changes are counted.
    pub(crate) sequence: Option<i64>,
}

/// Writes a fact; what it replaces goes to the past.
pub(crate) fn write_fact(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    at: &FactKey,
    version: Version,
    written: Written,
    doc: Option<&str>,
) -> Result<(), StoreError> {
    let recorded_at = written.recorded_at;
    keep_past(writing, workspace, at.kind.as_str(), &at.key, recorded_at)?;
    let sql = concat!(
        fact_in!(),
        " ON CONFLICT (workspace, kind, key) DO UPDATE SET
            time = excluded.time, rank = excluded.rank, recorded_at = excluded.recorded_at, doc = excluded.doc,
            label = excluded.label, place = excluded.place, seq = excluded.seq"
    );
    put_fact(writing, sql, (workspace, at), version, written, doc)
}

/// Writes a fact of which nothing was known.
pub(crate) fn insert_fact(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    at: &FactKey,
    version: Version,
    recorded_at: Millis,
    doc: &str,
) -> Result<(), StoreError> {
    let place = (workspace, at);
    let written = Written {
        recorded_at,
        sequence: None,
    };
    put_fact(writing, fact_in!(), place, version, written, Some(doc))
}

fn put_fact(
    writing: &mut Writing<'_>,
    sql: &str,
    (workspace, at): (WorkspaceId, &FactKey),
    version: Version,
    written: Written,
    doc: Option<&str>,
) -> Result<(), StoreError> {
    let params = params![
        workspace.to_string(),
        at.kind.as_str(),
        at.key.as_str(),
        at.account.map(VaultAccountId::number),
        at.asset.as_ref().map(AssetId::as_str),
        version.time.0,
        version.rank,
        written.recorded_at.0,
        doc,
        at.label.as_deref(),
        at.place,
        written.sequence,
    ];
    writing.execute(sql, &params).map(drop)
}

fn keep_past(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    kind: &str,
    key: &str,
    recorded_at: Millis,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO past (workspace, kind, key, time, rank, recorded_at, replaced_at, doc)
        SELECT workspace, kind, key, time, rank, recorded_at, CAST($4 AS BIGINT), doc FROM facts
        WHERE workspace = $1 AND kind = $2 AND key = $3";
    writing
        .execute(
            sql,
            &params![workspace.to_string(), kind, key, recorded_at.0],
        )
        .map(drop)
}

/// What was true of a thing at a time, as far as was known at another.
pub(crate) fn as_of(
    query: &mut impl Query,
    workspace: WorkspaceId,
    at: &FactKey,
    effective: Millis,
    known: Millis,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT time, rank, doc FROM past
            WHERE workspace = $1 AND kind = $2 AND key = $3 AND time <= $4 AND recorded_at <= $5
        UNION ALL SELECT time, rank, doc FROM facts
            WHERE workspace = $1 AND kind = $2 AND key = $3 AND time <= $4 AND recorded_at <= $5
        ORDER BY 1 DESC, 2 DESC LIMIT 1";
    let params = params![
        workspace.to_string(),
        at.kind.as_str(),
        at.key.as_str(),
        effective.0,
        known.0
    ];
    Ok(query
        .row(sql, &params)?
        .and_then(|row| row.opt_text(2).ok().flatten().map(str::to_owned)))
}

/// Changes a cell by what came in and what went out.
pub(crate) fn change_cell(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    cell: &Cell,
    out: Option<&Digest>,
    into: Option<&Digest>,
) -> Result<(), StoreError> {
    let key = |more: &[store::Value]| {
        let mut params = params![
            workspace.to_string(),
            cell.account.number(),
            cell.asset.as_str(),
            cell.kind.as_str(),
            cell.month,
        ]
        .to_vec();
        params.extend_from_slice(more);
        params
    };
    let sql = "SELECT count, sum FROM digest_cells
        WHERE workspace = $1 AND account = $2 AND asset = $3 AND kind = $4 AND month = $5";
    let mut digest = match writing.row(sql, &key(&[]))? {
        Some(row) => Digest {
            count: row.int(0)?,
            sum: sum(row.bytes(1)?)?,
        },
        None => Digest::default(),
    };
    if let Some(out) = out {
        digest = digest.minus(out);
    }
    if let Some(into) = into {
        digest = digest.plus(into);
    }
    let sql = "INSERT INTO digest_cells (workspace, account, asset, kind, month, count, sum)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (workspace, account, asset, kind, month) DO UPDATE SET count = excluded.count, sum = excluded.sum";
    writing
        .execute(
            sql,
            &key(&params![digest.count, digest.sum.as_bytes().as_slice()]),
        )
        .map(drop)
}

/// Adds a cell; `false` if there is one already.
pub(crate) fn add_cell(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    cell: &Cell,
    digest: &Digest,
) -> Result<bool, StoreError> {
    let sql = "INSERT INTO digest_cells (workspace, account, asset, kind, month, count, sum)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT (workspace, account, asset, kind, month) DO NOTHING";
    let params = params![
        workspace.to_string(),
        cell.account.number(),
        cell.asset.as_str(),
        cell.kind.as_str(),
        cell.month,
        digest.count,
        digest.sum.as_bytes().as_slice()
    ];
    Ok(writing.execute(sql, &params)? == 1)
}

/// Whether a migration has asked for the digests of transactions to be counted anew.
pub(crate) fn is_to_be_counted(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<bool, StoreError> {
    let sql = "SELECT 1 FROM digests_to_count WHERE workspace = $1";
    Ok(query.row(sql, &params![workspace.to_string()])?.is_some())
}

/// Digests of transactions that are wrong, and that are to be counted anew.
#[cfg(test)]
pub(crate) const SPOIL_DIGESTS: [&str; 2] = [
    "UPDATE digest_cells SET count = count + 1 WHERE kind IN ('in', 'out')",
    "INSERT INTO digests_to_count (workspace) SELECT DISTINCT workspace FROM digest_cells",
];

/// Forgets the digests of transactions, where they are to be counted anew; whether they are.
pub(crate) fn forget_legs(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
) -> Result<bool, StoreError> {
    let params = params![workspace.to_string()];
    let sql = "DELETE FROM digests_to_count WHERE workspace = $1";
    if writing.execute(sql, &params)? == 0 {
        return Ok(false);
    }
    let sql = "DELETE FROM digest_cells WHERE workspace = $1 AND kind IN ('in', 'out')";
    writing.execute(sql, &params)?;
    Ok(true)
}

fn sum(bytes: &[u8]) -> Result<Sum, StoreError> {
    Sum::from_bytes(bytes).ok_or_else(|| corrupt("digest_cells", "sum", "a cell"))
}

pub(crate) fn corrupt(table: &'static str, column: &'static str, id: impl ToString) -> StoreError {
    StoreError::Corrupt {
        table,
        column,
        id: id.to_string(),
    }
}

/// The cells that a scope covers.
pub(crate) fn cells(
    query: &mut impl Query,
    scope: &Scope,
) -> Result<Vec<(Cell, Digest)>, StoreError> {
    let sql = "SELECT account, asset, kind, month, count, sum FROM digest_cells WHERE workspace = $1 AND count <> 0";
    let first_month = scope
        .as_part()
        .and_then(|part| part.history_from)
        .map(crate::digest::month);
    let mut cells = Vec::new();
    for row in query.rows(sql, &params![scope.workspace().to_string()])? {
        let bad = |column| corrupt("digest_cells", column, "a cell");
        let number = u32::try_from(row.int(0)?).map_err(|_| bad("account"))?;
        let cell = Cell {
            account: VaultAccountId::new(number),
            asset: row.text(1)?.parse().map_err(|_| bad("asset"))?,
            kind: CellKind::from_word(row.text(2)?).ok_or_else(|| bad("kind"))?,
            month: row.int(3)?,
        };
        let in_time = cell.month == 0 || first_month.is_none_or(|first| cell.month >= first);
        if in_time && scope.covers_wallet(cell.account, &cell.asset) {
            cells.push((
                cell,
                Digest {
                    count: row.int(4)?,
                    sum: sum(row.bytes(5)?)?,
                },
            ));
        }
    }
    cells.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(cells)
}

/// Every transaction of a scope, as its reader may see it, the oldest first. A scope that hides
/// something has its rows.
pub(crate) fn each_seen(
    query: &mut impl Query,
    scope: &Scope,
    mut take: impl FnMut(&Seen<Transaction>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut past = None;
    loop {
        let order = Order {
            by_update: false,
            ascending: true,
            past,
            limit: PAGE,
        };
        let page = page(query, scope, &Filter::default(), &order)?;
        for row in &page {
            if let Some(seen) = view_transaction(&row.transaction()?, &row.origin, scope) {
                take(&seen)?;
            }
        }
        match page.last() {
            Some(last) => past = Some(last.key),
            None => return Ok(()),
        }
    }
}

/// The next position of a subscriber: gap-free, in the order of commits.
pub(crate) fn bump(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    subscriber: &str,
) -> Result<i64, StoreError> {
    let sql = "INSERT INTO positions (workspace, subscriber, position) VALUES ($1, $2, 1)
        ON CONFLICT (workspace, subscriber) DO UPDATE SET position = positions.position + 1 RETURNING position";
    writing
        .row(sql, &params![workspace.to_string(), subscriber])?
        .ok_or(StoreError::Closed)?
        .int(0)
}

/// The position of a subscriber; 0 before its first event.
pub(crate) fn position(
    query: &mut impl Query,
    workspace: WorkspaceId,
    subscriber: &str,
) -> Result<i64, StoreError> {
    let sql = "SELECT position FROM positions WHERE workspace = $1 AND subscriber = $2";
    query
        .row(sql, &params![workspace.to_string(), subscriber])?
        .map_or(Ok(0), |row| row.int(0))
}
