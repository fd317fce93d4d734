//! Earn, read: where can be lent, and what is. Protocols on the chain make the yield: simulating
//! them is a project of its own, so a seed makes what was lent.

use protocol::error::ApiError;
use protocol::exchange::Reply;
use serde_json::{Value, json};

use crate::operations::paging::{First, page};
use crate::operations::{Visit, area};
use crate::world::{EarnAction, EarnPosition, Network, Opportunity};

area! { visit, seeded;
    "getEarnProviders" => paged(visit, providers(visit)),
    "getEarnOpportunities" => opportunities(visit).await,
    "getEarnPositions" => positions(visit).await,
    "getEarnActions" => actions(visit).await,
    "getEarnAction" => action(visit).await,
}

/// Rows of a page where the query does not say.
const PAGE: usize = 100;

fn providers(visit: &Visit<'_>) -> Vec<Value> {
    let chain = match visit.hall.network {
        Network::Mainnet => 1,
        Network::Testnet => 11_155_111,
    };
    let provider = |(id, name): (&str, &str)| {
        json!({
            "providerId": id,
            "displayName": name,
            "logoUrl": format!("https://{}.earn.example/logo.svg", name.to_lowercase()),
            "supportedChainIds": [chain],
            "isTermsApprovalRequired": true,
            "termsOfServiceUrl": format!("https://{}.earn.example/terms", name.to_lowercase()),
            "isTermsOfServiceApproved": true,
        })
    };
    [("AAVE", "Aave"), ("MORPHO", "Morpho")]
        .map(provider)
        .into()
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

/// A page of rows: ordered as the query says, or as they came.
fn paged(visit: &Visit<'_>, rows: Vec<Value>) -> Result<Reply, ApiError> {
    let query = &visit.call.query;
    let total = rows.len();
    let by = query.one("sortBy");
    let rows: Vec<_> = (0_i64..).zip(rows).collect();
    let key = |(at, row): &(i64, Value)| match by {
        Some(name) => (0, text(row, name), at.to_string()),
        None => (*at, String::new(), String::new()),
    };
    let page = page(query, rows, PAGE, First::Oldest, key)?;
    let page = page.map(|(_, row)| row);
    let mut told = page.counted(total);
    if let Some(prev) = page.prev {
        told["prev"] = prev.into();
    }
    Ok(Reply::json(200, &told))
}

/// `GET /earn/opportunities`.
async fn opportunities(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let all = visit.hall.all_kept::<Opportunity>().await?;
    paged(visit, all.into_iter().map(|one| one.0).collect())
}

/// `GET /earn/positions`.
async fn positions(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let query = &visit.call.query;
    let all = visit.hall.all_kept::<EarnPosition>().await?;
    let mut all: Vec<_> = all.into_iter().map(|one| one.0).collect();
    let is = |row: &Value, name: &str| query.one(name).is_none_or(|asked| row[name] == asked);
    all.retain(|row| is(row, "chainId") && is(row, "providerId"));
    paged(visit, all)
}

/// `GET /earn/actions`.
async fn actions(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let all = visit.hall.all_kept::<EarnAction>().await?;
    paged(visit, all.into_iter().map(|one| one.0).collect())
}

/// `GET /earn/actions/{id}`.
async fn action(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let found = visit
        .hall
        .kept::<EarnAction>(visit.params.get("id"))
        .await?;
    let none = || ApiError::uncoded(404, "Action not found");
    Ok(Reply::json(200, &found.ok_or_else(none)?))
}
