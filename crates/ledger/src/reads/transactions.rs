//! Transactions: from the store. In a scope that hides something, only its own rows are visited.

use std::collections::BTreeSet;

use bytes::Bytes;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::TxId;
use protocol::model::transaction::Transaction;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use store::{Query, StoreError};

use super::accounts::url_encoded;
use super::{Ask, array, cursor, limit};
use crate::rows::{self, Filter, Key, Listed, Order, StoredTransaction};
use crate::scope::Scope;
use crate::view::{Seen, view_beside, view_transaction, view_whole};

/// How far back a list goes that names no bounds.
pub const DEFAULT_WINDOW: i64 = 90 * Millis::DAY;

/// Most rows of a scope that are read at once.
const LONGEST: i64 = 4_096;

fn internal(_: StoreError) -> ApiError {
    ApiError::internal()
}

/// Where a page begins.
#[derive(Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) time: i64,
    pub(super) id: TxId,
    /// Whether the page before is asked for.
    pub(super) back: bool,
}

/// A page of the list, as it is asked for.
pub(super) struct Wanted {
    pub(super) filter: Filter,
    pub(super) order: Order,
    /// Rows of the page; of the books one more is read, which tells whether there is more.
    pub(super) limit: usize,
    back: bool,
}

impl Wanted {
    pub(super) fn of(ask: &Ask<'_>) -> Result<Self, ApiError> {
        let filter = filter(ask)?;
        let limit = limit(ask, "limit", 200, 1, 500)?;
        let by_update = match ask.query.one("orderBy") {
            None | Some("createdAt") => false,
            Some("lastUpdated") => true,
            Some(_) => return Err(ApiError::invalid("orderBy", "createdAt or lastUpdated")),
        };
        let ascending = match ask.query.one("sort") {
            None | Some("DESC") => false,
            Some("ASC") => true,
            Some(_) => return Err(ApiError::invalid("sort", "ASC or DESC")),
        };
        let place: Option<Place> = match (ask.query.one("next"), ask.query.one("prev")) {
            (Some(_), Some(_)) => return Err(ApiError::paging_changed_direction()),
            (Some(text), None) => Some(cursor::read(ask.seal, "next", text)?),
            (None, Some(text)) => Some(cursor::read(ask.seal, "prev", text)?),
            (None, None) => None,
        };
        let back = place.as_ref().is_some_and(|place| place.back);
        let order = Order {
            by_update,
            ascending: ascending != back,
            past: place.map(|place| (place.time, place.id)),
            limit: i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1),
        };
        Ok(Self {
            filter,
            order,
            limit,
            back,
        })
    }
}

/// `GET /transactions`. By creation, newest first, the last 90 days, unless told otherwise.
pub(super) async fn list(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let Wanted {
        filter,
        order,
        limit,
        back,
    } = Wanted::of(&ask)?;
    // The books hold no end user's wallet: nothing comes from one or goes to one.
    if ask.query.one("sourceWalletId").is_some() || ask.query.one("destWalletId").is_some() {
        return Ok(Reply::json(200, &Vec::<Transaction>::new()).of_rows(0));
    }
    let started = order.past.is_some();
    let scope = ask.scope.clone();
    let (in_books, how) = (filter.clone(), order.clone());
    let read = ask
        .books
        .store()
        .read(move |reading| collect(reading, &scope, &in_books, how, limit + 1));
    let mut page = read.await.map_err(internal)?;
    with_beside(&mut page, ask.beside, &filter, &order);
    let more = page.len() > limit;
    page.truncate(limit);
    if back {
        page.reverse();
    }
    let place = |line: &Line, back: bool| {
        let (time, id) = line.key;
        cursor::make(ask.seal, &Place { time, id, back })
    };
    let next = page
        .last()
        .filter(|_| back || more)
        .map(|line| place(line, false));
    let prev = page
        .first()
        .filter(|_| if back { more } else { started })
        .map(|line| place(line, true));
    let body = array(b"", page.iter().map(|line| line.seen.get()));
    let mut reply = Reply {
        status: 200,
        headers: Vec::new(),
        body: body.freeze(),
        rows: Some(page.len()),
    };
    if let Some(next) = next {
        reply = reply.with("next-page", url(&ask, "next", &next));
    }
    if let Some(prev) = prev {
        reply = reply.with("prev-page", url(&ask, "prev", &prev));
    }
    Ok(reply)
}

/// A transaction of a list, as the reader sees it: as JSON.
pub(super) struct Line {
    pub(super) key: Key,
    seen: Seen<Bytes>,
}

/// Puts what the reader alone sees in its place among what the books hold.
fn with_beside(page: &mut Vec<Line>, beside: &[Transaction], filter: &Filter, order: &Order) {
    if beside.is_empty() {
        return;
    }
    let known: BTreeSet<TxId> = page.iter().map(|line| line.key.1).collect();
    let own = beside
        .iter()
        .filter(|one| !known.contains(&one.id) && order.is_past(one) && filter.takes(one));
    page.extend(own.filter_map(|one| {
        Some(Line {
            key: order.key(one),
            seen: view_beside(one).printed()?,
        })
    }));
    order.sort(page, |line| line.key);
}

/// A transaction of the books as the reader sees it. Its document is its print: for who sees the
/// whole nothing of it is read. Where something is hidden, what is asked of a side or the status is asked
/// of what is *seen*: otherwise a filter would tell what a mask hides.
fn seen_in_list(
    row: Listed,
    scope: &Scope,
    filter: &Filter,
) -> Result<Option<Seen<Bytes>>, StoreError> {
    if scope.is_whole() {
        return Ok(view_whole(row.doc.into(), scope));
    }
    let seen = view_transaction(&row.transaction()?, &row.origin, scope);
    Ok(seen
        .filter(|seen| filter.takes_seen(seen.get()))
        .and_then(|seen| seen.printed()))
}

/// Up to `most` transactions as they are seen. What of a page's rows is not seen makes another page
/// necessary: a longer one each time.
pub(super) fn collect(
    query: &mut impl Query,
    scope: &Scope,
    filter: &Filter,
    mut order: Order,
    most: usize,
) -> Result<Vec<Line>, StoreError> {
    let in_sql = if scope.is_whole() {
        filter.clone()
    } else {
        filter.without_masked()
    };
    let mut collected = Vec::new();
    loop {
        let rows = rows::page(query, scope, &in_sql, &order)?;
        let last = i64::try_from(rows.len()).is_ok_and(|rows| rows < order.limit);
        order.past = rows.last().map(|row| row.key).or(order.past);
        for row in rows {
            let key = row.key;
            if let Some(seen) = seen_in_list(row, scope, filter)? {
                collected.push(Line { key, seen });
            }
            if collected.len() == most {
                return Ok(collected);
            }
        }
        if last {
            return Ok(collected);
        }
        order.limit = order.limit.saturating_mul(4).min(LONGEST);
    }
}

/// The whole URL of a page. It ends with a character whose loss is harmless: the legacy Python
/// client drops the last one.
fn url(ask: &Ask<'_>, direction: &str, cursor: &str) -> String {
    let own = ask
        .query
        .pairs()
        .filter(|(name, _)| *name != "next" && *name != "prev");
    let own: String = own
        .map(|(name, value)| format!("{}={}&", url_encoded(name), url_encoded(value)))
        .collect();
    format!("{}/v1/transactions?{own}{direction}={cursor}&", ask.origin)
}

fn filter(ask: &Ask<'_>) -> Result<Filter, ApiError> {
    fn read<T: std::str::FromStr>(
        ask: &Ask<'_>,
        name: &'static str,
        must: &'static str,
    ) -> Result<Option<T>, ApiError> {
        ask.query.read(name, |_| ApiError::invalid(name, must))
    }
    let time = "milliseconds since the epoch";
    let (before, after) = (
        read(ask, "before", time)?.map(Millis),
        read(ask, "after", time)?.map(Millis),
    );
    let assets = ask
        .query
        .many("assets")
        .flat_map(|list| list.split(','))
        .filter(|asset| !asset.is_empty())
        .map(|asset| {
            asset
                .parse()
                .map_err(|error| ApiError::invalid("assets", error))
        })
        .collect::<Result<_, _>>()?;
    Ok(Filter {
        before,
        after: after.or_else(|| before.is_none().then(|| ask.now.plus(-DEFAULT_WINDOW))),
        status: read(ask, "status", "a transaction status")?,
        status_is_masked: false,
        source_kind: read(ask, "sourceType", "a peer type")?,
        source_id: ask.query.one("sourceId").map(str::to_owned),
        destination_kind: read(ask, "destType", "a peer type")?,
        destination_id: ask.query.one("destId").map(str::to_owned),
        assets,
        tx_hash: ask.query.one("txHash").map(str::to_owned),
    })
}

fn see(row: &StoredTransaction, scope: &Scope) -> Option<Seen<Transaction>> {
    view_transaction(&row.transaction, &row.origin, scope)
}

/// `GET /transactions/{txId}`.
pub(super) async fn one(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let id: TxId = ask
        .params
        .get("txId")
        .parse()
        .map_err(|_| ApiError::transaction_not_found())?;
    let scope = ask.scope.clone();
    let row = ask
        .books
        .store()
        .read(move |reading| rows::transaction_in(reading, &scope, id))
        .await
        .map_err(internal)?;
    let beside = || ask.beside.iter().find(|one| one.id == id).cloned();
    let seen = row
        .as_ref()
        .and_then(|row| see(row, ask.scope))
        .or_else(|| beside().map(view_beside));
    Ok(Reply::json(
        200,
        seen.ok_or_else(ApiError::transaction_not_found)?.get(),
    ))
}

/// `GET /transactions/external_tx_id/{externalTxId}`. In a scope that hides something, of the
/// reader's own alone.
pub(super) async fn by_external_id(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let (id, scope) = (ask.params.get("externalTxId").to_owned(), ask.scope.clone());
    let beside = ask
        .beside
        .iter()
        .find(|one| one.external_tx_id.as_ref() == Some(&id));
    let found = ask
        .books
        .store()
        .read(move |reading| rows::by_external_id(reading, &scope, &id))
        .await
        .map_err(internal)?;
    let seen = found
        .as_ref()
        .and_then(|row| see(row, ask.scope))
        .or_else(|| beside.cloned().map(view_beside));
    Ok(Reply::json(
        200,
        seen.ok_or_else(ApiError::external_tx_id_not_found)?.get(),
    ))
}
