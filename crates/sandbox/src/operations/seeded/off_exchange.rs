//! Off-exchange, read: what is held for an exchange outside it. Exchange and custodian settle it
//! between them: simulating both is a project of its own, so a seed makes what there is.

use protocol::error::ApiError;
use protocol::exchange::Reply;
use serde_json::json;

use crate::operations::{Visit, area};
use crate::world::{Collateral, Settlement};

area! { visit, seeded;
    "getOffExchangeCollateralAccounts" => collateral(visit).await,
    "getOffExchangeSettlementTransactions" => settlement(visit).await,
}

fn not_found() -> ApiError {
    ApiError::uncoded(404, "The exchange account has no collateral account")
}

/// `GET /off_exchange/collateral_accounts/{mainExchangeAccountId}`.
async fn collateral(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id = visit.params.get("mainExchangeAccountId");
    let found = visit.hall.kept::<Collateral>(id).await?;
    Ok(Reply::json(200, &found.ok_or_else(not_found)?))
}

/// `GET /off_exchange/settlements/transactions`.
async fn settlement(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id = visit.call.query.one("mainExchangeAccountId");
    let found = visit.hall.kept::<Settlement>(id.unwrap_or_default());
    let found = found.await?.ok_or_else(not_found)?.0;
    let told = json!({
        "toExchange": found["toExchange"],
        "toCollateral": found["toCollateral"],
    });
    Ok(Reply::json(200, &told))
}
