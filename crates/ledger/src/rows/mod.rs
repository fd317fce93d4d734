//! The books' tables and every statement on them.

mod accounts;
mod addresses;
mod digests;
mod schema;
mod scopes;
mod transactions;

use protocol::ids::{AssetId, VaultAccountId, WorkspaceId};
use protocol::model::transaction::Transaction;
use protocol::time::Millis;
use store::{Query, Row, StoreError, Writing, params};

use crate::change::{FactKey, FactKind, Version};
use crate::scope::Scope;
use crate::view::{Seen, view_transaction};

pub(crate) use accounts::{account_named, last_account};
pub(crate) use addresses::{
    Place, address_page, addresses, first_address, last_place, wallets_of_address,
};
#[cfg(test)]
pub(crate) use digests::{SPOIL_DIGESTS, other_formula};
pub(crate) use digests::{
    add_cell, cells, change_cell, count_from_now, forget_legs, is_counted_here,
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

pub(crate) fn corrupt(table: &'static str, column: &'static str, id: impl ToString) -> StoreError {
    StoreError::Corrupt {
        table,
        column,
        id: id.to_string(),
    }
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
