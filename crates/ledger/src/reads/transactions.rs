//! Transactions: from the store. In a scope that hides something, only its own rows are visited.

use std::collections::BTreeSet;

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::TxId;
use protocol::model::transaction::Transaction;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use store::{Query, StoreError};

use super::accounts::url_encoded;
use super::{Ask, cursor, limit};
use crate::rows::{self, Filter, Order, StoredTransaction};
use crate::scope::Scope;
use crate::view::{Seen, view_beside, view_transaction};

/// How far back a list goes that names no bounds.
pub const DEFAULT_WINDOW: i64 = 90 * Millis::DAY;

fn internal(_: StoreError) -> ApiError {
    ApiError::internal()
}

/// Where a page begins.
#[derive(Serialize, Deserialize)]
struct Place {
    time: i64,
    id: TxId,
    /// Whether the page before is asked for.
    back: bool,
}

/// `GET /transactions`. By creation, newest first, the last 90 days, unless told otherwise.
pub(super) async fn list(ask: Ask<'_>) -> Result<Reply, ApiError> {
    let filter = filter(&ask)?;
    // The books hold no end user's wallet: nothing comes from one or goes to one.
    let none = ask.query.one("sourceWalletId").is_some() || ask.query.one("destWalletId").is_some();
    let limit = limit(&ask, "limit", 200, 1, 500)?;
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
        (Some(text), None) => Some(cursor::read("next", text)?),
        (None, Some(text)) => Some(cursor::read("prev", text)?),
        (None, None) => None,
    };
    let back = place.as_ref().is_some_and(|place| place.back);
    let started = place.is_some();
    let order = Order {
        by_update,
        ascending: ascending != back,
        past: place.map(|place| (place.time, place.id)),
        limit: i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1),
    };
    if none {
        return Ok(Reply::json(200, &Vec::<Transaction>::new()));
    }
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
    let place = |seen: &Seen<Transaction>, back: bool| {
        let transaction = seen.get();
        let time = if by_update {
            transaction.last_updated
        } else {
            transaction.created_at
        };
        cursor::make(&Place {
            time: time.0,
            id: transaction.id,
            back,
        })
    };
    let next = page
        .last()
        .filter(|_| back || more)
        .map(|seen| place(seen, false));
    let prev = page
        .first()
        .filter(|_| if back { more } else { started })
        .map(|seen| place(seen, true));
    let seen: Vec<_> = page.iter().map(Seen::get).collect();
    let mut reply = Reply::json(200, &seen);
    if let Some(next) = next {
        reply = reply.with("next-page", url(&ask, "next", &next));
    }
    if let Some(prev) = prev {
        reply = reply.with("prev-page", url(&ask, "prev", &prev));
    }
    Ok(reply)
}

/// Puts what the reader alone sees in its place among what the books hold.
fn with_beside(
    page: &mut Vec<Seen<Transaction>>,
    beside: &[Transaction],
    filter: &Filter,
    order: &Order,
) {
    let known: BTreeSet<TxId> = page.iter().map(|seen| seen.get().id).collect();
    let own = beside
        .iter()
        .filter(|one| !known.contains(&one.id) && order.is_past(one) && filter.takes(one));
    page.extend(own.map(|one| view_beside(one.clone())));
    page.sort_by_key(|seen| order.key(seen.get()));
    if !order.ascending {
        page.reverse();
    }
}

fn see(row: &StoredTransaction, scope: &Scope) -> Option<Seen<Transaction>> {
    view_transaction(&row.transaction, &row.origin, scope)
}

/// Up to `most` transactions as they are seen. Where something is hidden, what is asked of a side
/// is asked of the side *as seen*: otherwise a filter would tell what a mask hides.
fn collect(
    query: &mut impl Query,
    scope: &Scope,
    filter: &Filter,
    mut order: Order,
    most: usize,
) -> Result<Vec<Seen<Transaction>>, StoreError> {
    let in_sql = if scope.is_whole() {
        filter.clone()
    } else {
        filter.without_sides()
    };
    let mut collected = Vec::new();
    loop {
        let rows = rows::page(query, scope, &in_sql, &order)?;
        let seen = rows
            .iter()
            .filter_map(|row| see(row, scope))
            .filter(|seen| filter.takes_sides(seen.get()));
        collected.extend(seen.take(most - collected.len()));
        let Some(last) = rows
            .last()
            .map(|row| &row.transaction)
            .filter(|_| collected.len() < most)
        else {
            return Ok(collected);
        };
        let time = if order.by_update {
            last.last_updated
        } else {
            last.created_at
        };
        order.past = Some((time.0, last.id));
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
        source_kind: read(ask, "sourceType", "a peer type")?,
        source_id: ask.query.one("sourceId").map(str::to_owned),
        destination_kind: read(ask, "destType", "a peer type")?,
        destination_id: ask.query.one("destId").map(str::to_owned),
        assets,
        tx_hash: ask.query.one("txHash").map(str::to_owned),
    })
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
    let (id, workspace) = (
        ask.params.get("externalTxId").to_owned(),
        ask.scope.workspace(),
    );
    let beside = ask
        .beside
        .iter()
        .find(|one| one.external_tx_id.as_ref() == Some(&id));
    let found = ask
        .books
        .store()
        .read(move |reading| rows::by_external_id(reading, workspace, &id))
        .await
        .map_err(internal)?;
    let own = found
        .iter()
        .find(|row| ask.scope.is_own(row.origin.proposer.as_deref()));
    let seen = own
        .and_then(|row| see(row, ask.scope))
        .or_else(|| beside.cloned().map(view_beside));
    Ok(Reply::json(
        200,
        seen.ok_or_else(ApiError::external_tx_id_not_found)?.get(),
    ))
}
