//! Lists of transactions: each page is read from where it begins to where it ends, in an index that
//! has its rows in order.

use std::borrow::Cow;
use std::collections::BTreeSet;

use protocol::ids::{AssetId, TxId};
use protocol::model::transaction::{Peer, PeerKind, Transaction, TransactionStatus};
use protocol::time::Millis;
use store::{Query, Row, StoreError, Value};

use super::{bytes, id, origin, read};
use crate::change::Origin;
use crate::rows::schema::{LATENESS, LATENESS_LIMITS};
use crate::scope::Scope;
use crate::view::MASKED;

/// Where a transaction stands in a list: its time, then its id.
pub(crate) type Key = (i64, TxId);

/// A transaction of a list.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) key: Key,
    /// Its document, as it is printed.
    pub(crate) doc: String,
    pub(crate) origin: Origin,
}

impl Listed {
    /// What its document says.
    pub(crate) fn transaction(&self) -> Result<Transaction, StoreError> {
        read(&self.doc)
    }
}

/// What a list of transactions is to hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    pub(crate) before: Option<Millis>,
    pub(crate) after: Option<Millis>,
    pub(crate) status: Option<TransactionStatus>,
    /// Whether it must be one of those that a mask may show in place of each other.
    pub(crate) status_is_masked: bool,
    pub(crate) source_kind: Option<PeerKind>,
    pub(crate) source_id: Option<String>,
    pub(crate) destination_kind: Option<PeerKind>,
    pub(crate) destination_id: Option<String>,
    pub(crate) assets: Vec<AssetId>,
    pub(crate) tx_hash: Option<String>,
}

impl Filter {
    /// The same, with nothing asked of what a mask may change. Of a status that it may, one of its kind is.
    pub(crate) fn without_masked(&self) -> Self {
        let is_masked = |status: &TransactionStatus| MASKED.contains(status);
        Self {
            status: self.status.filter(|status| !is_masked(status)),
            status_is_masked: self.status.as_ref().is_some_and(is_masked),
            source_kind: None,
            source_id: None,
            destination_kind: None,
            destination_id: None,
            ..self.clone()
        }
    }

    /// Whether sides and status are as asked for.
    pub(crate) fn takes_seen(&self, transaction: &Transaction) -> bool {
        let fits = |peer: &Peer, kind: Option<PeerKind>, id: Option<&str>| {
            kind.is_none_or(|kind| peer.kind == kind)
                && id.is_none_or(|id| peer.id.as_deref() == Some(id))
        };
        let status = self.status;
        status.is_none_or(|status| transaction.status == status)
            && fits(
                &transaction.source,
                self.source_kind,
                self.source_id.as_deref(),
            )
            && fits(
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
            && (self.assets.is_empty() || self.assets.contains(&transaction.asset_id))
            && self
                .tx_hash
                .as_ref()
                .is_none_or(|hash| transaction.tx_hash == *hash)
            && self.takes_seen(transaction)
    }
}

/// How a list of transactions is ordered, and where its page begins.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) by_update: bool,
    pub(crate) ascending: bool,
    /// The last row of the page before.
    pub(crate) past: Option<Key>,
    pub(crate) limit: i64,
}

impl Order {
    /// Where a transaction stands in the list.
    pub(crate) fn key(&self, transaction: &Transaction) -> Key {
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

    /// Puts rows in order.
    pub(crate) fn sort<T>(&self, rows: &mut [T], key: impl Fn(&T) -> Key) {
        rows.sort_by_key(key);
        if !self.ascending {
            rows.reverse();
        }
    }
}

/// Up to so many assets are looked for one by one.
const FEW_ASSETS: usize = 64;

/// One page. In a scope that hides something, only that scope's own rows are visited. Fewer rows
/// than the limit are the last ones.
pub(crate) fn page(
    query: &mut impl Query,
    scope: &Scope,
    filter: &Filter,
    order: &Order,
) -> Result<Vec<Listed>, StoreError> {
    let most = usize::try_from(order.limit).unwrap_or(usize::MAX);
    let mut page: Vec<Listed> = Vec::new();
    let strands = strands(scope, filter, order);
    for strand in &strands {
        // What would come after a full page's last row need not be read.
        let until = page
            .last()
            .filter(|_| page.len() == most)
            .map(|row| row.key);
        let (sql, params) = statement(scope, strand, order, until);
        for row in query.rows(&sql, &params)? {
            page.push(listed(row)?);
        }
        if strands.len() > 1 {
            order.sort(&mut page, |row| row.key);
            page.truncate(most);
        }
    }
    Ok(page)
}

fn listed(mut row: Row) -> Result<Listed, StoreError> {
    Ok(Listed {
        doc: row.take_text(0)?,
        key: (row.int(1)?, id(row.bytes(2)?, "id")?),
        origin: origin(&row, (3, 4))?,
    })
}

/// What of a list one statement reads: rows that an index has in order.
struct Strand<'a> {
    filter: Cow<'a, Filter>,
    /// How late they were updated, of the classes of [`LATENESS`]; nothing: any.
    class: Option<usize>,
}

/// Usually one. Several of a few assets, each of which is found by itself; and by update, where the
/// time of creation ends: of each class of lateness it is known by when all are updated.
fn strands<'a>(scope: &Scope, filter: &'a Filter, order: &Order) -> Vec<Strand<'a>> {
    let strand = |filter, class| Strand { filter, class };
    if scope.is_whole() && (2..=FEW_ASSETS).contains(&filter.assets.len()) {
        let each = BTreeSet::from_iter(&filter.assets);
        let of_one = |asset: &AssetId| Filter {
            assets: vec![asset.clone()],
            ..filter.clone()
        };
        let strands = each
            .into_iter()
            .map(|it| strand(Cow::Owned(of_one(it)), None));
        return strands.collect();
    }
    let plain = filter.equalities().next().is_none() && filter.assets.is_empty();
    if scope.is_whole() && order.by_update && filter.before.is_some() && plain {
        let classes = 0..=LATENESS_LIMITS.len();
        return classes
            .map(|class| strand(Cow::Borrowed(filter), Some(class)))
            .collect();
    }
    vec![strand(Cow::Borrowed(filter), None)]
}

impl Filter {
    /// The columns of which it asks for one value.
    fn equalities(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let asset = match self.assets.as_slice() {
            [asset] => Some(asset.as_str()),
            _ => None,
        };
        [
            ("t.status", self.status.map(TransactionStatus::as_str)),
            ("t.source_kind", self.source_kind.map(PeerKind::as_str)),
            ("t.source_id", self.source_id.as_deref()),
            (
                "t.destination_kind",
                self.destination_kind.map(PeerKind::as_str),
            ),
            ("t.destination_id", self.destination_id.as_deref()),
            ("t.tx_hash", self.tx_hash.as_deref()),
            ("t.asset", asset),
        ]
        .into_iter()
        .filter_map(|(column, value)| Some((column, value?)))
    }
}

/// One end of what a page is read from: a time, or a row of that time. Neither is in it.
type Edge = (i64, Option<TxId>);

/// The nearer of where the list ends and where the page begins: an index is read from there.
fn nearer(list: Option<i64>, page: Option<Key>, is_nearer: fn(&i64, &i64) -> bool) -> Option<Edge> {
    match (list, page) {
        (list, None) => list.map(|time| (time, None)),
        (Some(list), Some((time, _))) if !is_nearer(&time, &list) => Some((list, None)),
        (_, Some((time, id))) => Some((time, Some(id))),
    }
}

impl Strand<'_> {
    /// The times that a page of it lies between. What is updated so late after its creation is
    /// updated so late after the list's first and last creation.
    fn edges(&self, order: &Order, until: Option<Key>) -> (Option<Edge>, Option<Edge>) {
        let Filter { after, before, .. } = *self.filter;
        let limit = |class: usize| LATENESS_LIMITS.get(class).copied();
        let least = self.class.and_then(|class| limit(class.checked_sub(1)?));
        let from = after.map(|after| after.0.saturating_add(least.unwrap_or(0)));
        let most = match (order.by_update, self.class) {
            (false, _) => Some(0),
            (true, class) => class.and_then(limit),
        };
        let to = before
            .zip(most)
            .map(|(before, most)| before.0.saturating_add(most));
        // A plain time is compared faster than a row, and what it lets in besides is left out later.
        let (least, most) = (
            until.map(|it| it.0.saturating_sub(1)),
            until.map(|it| it.0.saturating_add(1)),
        );
        let end = |time| (time, None);
        if order.ascending {
            let to = to.into_iter().chain(most).min();
            (nearer(from, order.past, i64::gt), to.map(end))
        } else {
            let from = from.into_iter().chain(least).max();
            (from.map(end), nearer(to, order.past, i64::lt))
        }
    }
}

fn statement(
    scope: &Scope,
    strand: &Strand<'_>,
    order: &Order,
    until: Option<Key>,
) -> (String, Vec<Value>) {
    let filter = &*strand.filter;
    let mut statement = Statement::default();
    let workspace = statement.param(scope.workspace().to_string());
    let (created, id, from) = if scope.is_whole() {
        ("t.created_at", "t.id", "transactions t WHERE".to_owned())
    } else {
        // The scope's rows first, each transaction by its id: SQLite keeps the order of a CROSS JOIN,
        // and no index is looked for of what is put together.
        let scope = statement.param(scope.id().to_string());
        let from = format!(
            "scope_transactions s CROSS JOIN transactions t
             WHERE s.workspace = {workspace} AND s.scope = {scope} AND t.id = s.id AND"
        );
        ("s.created_at", "s.id", from)
    };
    let time = if order.by_update {
        "t.last_updated"
    } else {
        created
    };
    let mut sql = format!(
        "SELECT t.doc, {time}, {id}, t.upstream_id, t.proposer FROM {from} t.workspace = {workspace}"
    );
    for (column, value) in filter.equalities() {
        let value = statement.param(value);
        let any = if scope.is_whole() { "" } else { " || ''" };
        sql.push_str(&format!(" AND {column}{any} = {value}"));
    }
    if filter.status_is_masked {
        let words = MASKED.map(|status| statement.param(status.as_str()));
        sql.push_str(&format!(" AND t.status || '' IN ({})", words.join(", ")));
    }
    if filter.assets.len() > 1 {
        let assets = filter.assets.iter();
        let params: Vec<_> = assets.map(|it| statement.param(it.as_str())).collect();
        sql.push_str(&format!(" AND t.asset IN ({})", params.join(", ")));
    }
    if let Some(class) = strand.class {
        sql.push_str(&format!(" AND {LATENESS} = {class}"));
    }
    if order.by_update {
        // As sums, of which no index is looked for either: the rows are found by their update.
        let bounds = [(">", filter.after), ("<", filter.before)];
        for (sign, bound) in bounds {
            if let Some(bound) = bound {
                let bound = statement.param(bound.0);
                sql.push_str(&format!(" AND {created} + 0 {sign} {bound}"));
            }
        }
    }
    let (from, to) = strand.edges(order, until);
    for (sign, edge) in [(">", from), ("<", to)] {
        let Some((at, row)) = edge else { continue };
        let at = statement.param(at);
        match row {
            None => sql.push_str(&format!(" AND {time} {sign} {at}")),
            Some(row) => {
                let row = statement.param(bytes(row));
                sql.push_str(&format!(" AND ({time}, {id}) {sign} ({at}, {row})"));
            }
        }
    }
    let direction = if order.ascending { "ASC" } else { "DESC" };
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
