//! Trading, read: providers and orders. An order is executed by a venue: simulating one is a
//! project of its own, so a seed makes what was traded.

use protocol::error::ApiError;
use protocol::exchange::Reply;
use serde_json::{Value, json};

use crate::operations::paging::{First, page};
use crate::operations::{Visit, area};
use crate::world::{Order, TradingProvider};

area! { visit, seeded;
    "getTradingProviders" => providers(visit).await,
    "getTradingProviderById" => provider(visit).await,
    "getOrders" => orders(visit).await,
    "getOrder" => order(visit).await,
}

/// Rows of a page where the query does not say.
const PAGE: usize = 20;

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// `GET /trading/providers`.
async fn providers(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let all = visit.hall.all_kept::<TradingProvider>().await?;
    let total = all.len();
    let rows: Vec<_> = all.into_iter().map(|provider| provider.0).collect();
    let key = |row: &Value| (0, text(row, "name"), text(row, "id"));
    let page = page(&visit.call.query, rows, PAGE, First::Oldest, key)?;
    Ok(Reply::json(200, &page.counted(total)))
}

/// `GET /trading/providers/{providerId}`.
async fn provider(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id = visit.params.get("providerId");
    let found = visit.hall.kept::<TradingProvider>(id).await?;
    let none = || ApiError::uncoded(404, "Provider not found");
    Ok(Reply::json(200, &found.ok_or_else(none)?))
}

/// When an order was made, in milliseconds.
fn created(order: &Value) -> i64 {
    let at: Option<jiff::Timestamp> = text(order, "createdAt").parse().ok();
    at.map_or(0, jiff::Timestamp::as_millisecond)
}

/// An order as the list shows it.
fn summary(order: &Value) -> Value {
    let (execution, settlement) = (&order["executionResponseDetails"], &order["settlement"]);
    let mut summary = json!({
        "id": order["id"],
        "via": order["via"],
        "side": execution["side"],
        "baseAmount": execution["baseAmount"],
        "baseAssetId": execution["baseAssetId"],
        "quoteAssetId": execution["quoteAssetId"],
        "status": order["status"],
        "destination": settlement["destinationAccount"],
        "createdAt": order["createdAt"],
    });
    for (name, value) in [
        ("quoteAmount", &execution["quoteAmount"]),
        ("source", &settlement["sourceAccount"]),
    ] {
        if !value.is_null() {
            summary[name] = value.clone();
        }
    }
    summary
}

/// `GET /trading/orders`, the newest first.
async fn orders(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let query = &visit.call.query;
    let any = |name: &str, value: &Value| {
        let mut asked = query.many(name).peekable();
        asked.peek().is_none() || asked.any(|one| *value == one)
    };
    let bound = |name: &'static str| {
        query.read::<i64, _>(name, |_| ApiError::invalid(name, "milliseconds"))
    };
    let (from, to) = (bound("startTime")?, bound("endTime")?);
    // Nothing of a seed's was traded for money of states.
    let fiat = query.one("assetConversionType") == Some("FIAT");
    let all = visit.hall.all_kept::<Order>().await?;
    let mut all: Vec<_> = all.into_iter().map(|order| order.0).collect();
    all.retain(|order| {
        let via = &order["via"];
        !fiat
            && any("accountId", &via["accountId"])
            && any("providerId", &via["providerId"])
            && any("statuses", &order["status"])
            && from.is_none_or(|from| created(order) >= from)
            && to.is_none_or(|to| created(order) <= to)
    });
    let total = all.len();
    let key = |order: &Value| (created(order), String::new(), text(order, "id"));
    let page = page(query, all, PAGE, First::Newest, key)?;
    let summaries = page.map(|order| summary(&order));
    Ok(Reply::json(200, &summaries.counted(total)))
}

/// `GET /trading/orders/{orderId}`.
async fn order(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id = visit.params.get("orderId");
    let found = visit.hall.kept::<Order>(id).await?;
    let none = || ApiError::uncoded(404, "Order not found");
    Ok(Reply::json(200, &found.ok_or_else(none)?))
}
