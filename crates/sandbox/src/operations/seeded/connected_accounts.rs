//! Connected accounts, read. A venue would hold them, and trade on them: simulating one is a
//! project of its own, so a seed makes what they hold.

use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use serde_json::{Value, json};

use crate::deed::Deed;
use crate::holdings::exchange::{Worth, exchanged};
use crate::operations::paging::{First, page_within};
use crate::operations::{Visit, area};
use crate::people;
use crate::world::ConnectedAccount;

area! { visit, seeded;
    "getConnectedAccounts" => list(visit).await,
    "getConnectedAccount" => one(visit).await,
    "getConnectedAccountBalances" => part(visit, "balances", "assetId").await,
    "getConnectedAccountTradingPairs" => part(visit, "pairs", "id").await,
    "getConnectedAccountRates" => rate(visit).await,
    "getConnectedAccountAllowlist" => allowlist(visit).await,
    "getConnectedAccountAllowlistEntry" => entry(visit).await,
    "getConnectedAccountsCredentialsPublicKey" =>
        Ok(Reply::json(200, &json!({ "publicKey": people::CREDENTIALS_KEY }))),
}

/// Rows of a page where the query does not say, and at most.
const PAGE: (usize, usize) = (100, 100);
/// The same, where the contract lets more.
const LONG_PAGE: (usize, usize) = (100, 1_000);

fn not_found() -> ApiError {
    ApiError::uncoded(404, "Connected account not found")
}

/// What is shown of it by itself.
fn shown(mut account: Value) -> Value {
    if let Some(parts) = account.as_object_mut() {
        for apart in ["balances", "pairs", "allowlist"] {
            parts.shift_remove(apart);
        }
    }
    account
}

async fn found(visit: &Visit<'_>) -> Result<Value, ApiError> {
    let id = visit.params.get("accountId");
    let found = visit.hall.kept::<ConnectedAccount>(id).await?;
    Ok(found.ok_or_else(not_found)?.0)
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// `GET /connected_accounts`.
async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let query = &visit.call.query;
    let mut all = visit.hall.all_kept::<ConnectedAccount>().await?;
    if query.one("mainAccounts") == Some("true") {
        all.retain(|account| account.0.get("parentId").is_none());
    }
    let rows = all.into_iter().map(|account| shown(account.0)).collect();
    paged(visit, rows, PAGE, "name")
}

/// A page of rows that are ordered by one of their texts.
fn paged(
    visit: &Visit<'_>,
    rows: Vec<Value>,
    sizes: (usize, usize),
    by: &str,
) -> Result<Reply, ApiError> {
    let total = rows.len();
    let key = |row: &Value| (0, text(row, by), text(row, "id"));
    let page = page_within(&visit.call.query, rows, sizes, First::Oldest, key)?;
    Ok(Reply::json(200, &page.counted(total)))
}

/// `GET /connected_accounts/{accountId}`.
async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let account = found(visit).await?;
    let all = visit.hall.all_kept::<ConnectedAccount>().await?;
    let parts = all
        .iter()
        .filter(|other| other.0["parentId"] == account["id"]);
    let parts: Vec<_> = parts.map(|part| text(&part.0, "id")).collect();
    let mut shown = shown(account);
    shown["subAccountsIds"] = json!(parts);
    Ok(Reply::json(200, &shown))
}

fn rows(account: &Value, name: &str) -> Vec<Value> {
    account[name].as_array().cloned().unwrap_or_default()
}

/// `GET /connected_accounts/{accountId}/balances`, `.../manifest/capabilities/trading/pairs`.
async fn part(visit: &Visit<'_>, name: &str, by: &str) -> Result<Reply, ApiError> {
    let sizes = if name == "balances" { LONG_PAGE } else { PAGE };
    paged(visit, rows(&found(visit).await?, name), sizes, by)
}

/// `GET /connected_accounts/{accountId}/rates`: of a pair that trades, at the workspace's prices.
async fn rate(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let query = &visit.call.query;
    let account = found(visit).await?;
    let asked = |name| query.one(name).unwrap_or_default().to_owned();
    let (base, quote) = (asked("baseAssetId"), asked("quoteAssetId"));
    let trades = rows(&account, "pairs")
        .iter()
        .any(|pair| text(pair, "baseAssetId") == base && text(pair, "quoteAssetId") == quote);
    if !trades {
        return Err(ApiError::uncoded(
            404,
            "The account has no such trading pair",
        ));
    }
    let assets = (base.clone(), quote.clone());
    let work = move |deed: &mut Deed<'_, '_>| Ok((deed.worth(&assets.0)?, deed.worth(&assets.1)?));
    // Somebody may have set a price of nothing: then there is no rate.
    let none = || ApiError::uncoded(404, "The pair has no rate at the workspace's prices");
    let (Some(from), Some(to)) = visit.hall.deed(work).await? else {
        return Err(none());
    };
    let one = Amount::from_units(1, 0);
    let to = Worth { decimals: 8, ..to };
    let rate = exchanged(&one, &from, &to).ok_or_else(none)?;
    let told = json!({
        "accountId": account["id"],
        "baseAssetId": base,
        "quoteAssetId": quote,
        "rate": rate,
    });
    Ok(Reply::json(200, &told))
}

/// When the venue was last asked: a seed's word is always the last.
fn metadata() -> Value {
    json!({ "syncStatus": "SUCCESS" })
}

/// `GET /connected_accounts/{accountId}/allowlist`.
async fn allowlist(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let query = &visit.call.query;
    let mut all = rows(&found(visit).await?, "allowlist");
    let within = |row: &Value, list: &str, name: &str| {
        query.one(name).is_none_or(|asked| {
            let list = row[list].as_array().into_iter().flatten();
            list.into_iter().any(|one| one.as_str() == Some(asked))
        })
    };
    let is = |row: &Value, name: &str| query.one(name).is_none_or(|asked| row[name] == asked);
    all.retain(|row| {
        is(row, "status")
            && is(row, "address")
            && within(row, "assets", "assetId")
            && within(row, "networks", "networkId")
    });
    let total = all.len();
    let key = |row: &Value| (0, text(row, "label"), text(row, "id"));
    let page = page_within(query, all, LONG_PAGE, First::Oldest, key)?;
    let mut told = page.counted(total);
    told["metadata"] = metadata();
    Ok(Reply::json(200, &told))
}

/// `GET /connected_accounts/{accountId}/allowlist/{allowlistId}`.
async fn entry(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id = visit.params.get("allowlistId");
    let all = rows(&found(visit).await?, "allowlist");
    let found = all.into_iter().find(|row| row["id"] == id);
    let none = || ApiError::uncoded(404, "Allowlist entry not found");
    let told = json!({"data": found.ok_or_else(none)?, "metadata": metadata()});
    Ok(Reply::json(200, &told))
}
