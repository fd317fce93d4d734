//! What a transaction would cost, and whether an address is one.

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::AssetId;
use protocol::model::transaction_request::FeeLevel;
use serde_json::{Value, json};

use super::super::Visit;
use super::super::vault::accounts::asset_of;
use super::create::{order, work};
use super::order::From;
use crate::deed::Deed;
use crate::fees::{Job, Prices, Work};
use crate::world::addresses;
use crate::world::assets::{self, AddressForm};

const LEVELS: [(&str, FeeLevel); 3] = [
    ("low", FeeLevel::Low),
    ("medium", FeeLevel::Medium),
    ("high", FeeLevel::High),
];

/// `POST /transactions/estimate_fee`.
pub(super) async fn of_transaction(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let (order, asset) = order(visit.hall, visit.call.body.as_ref())?;
    let From::Vault(account) = order.from else {
        return Err(ApiError::bad_source_type());
    };
    let shown = move |deed: &mut Deed<'_, '_>| {
        let prices = Prices::of(asset, deed.climate(asset)?).ok_or_else(ApiError::internal)?;
        let work = work(deed, &order, account, asset, prices, order.gross)?;
        let mut shown = json!({});
        for (name, level) in LEVELS {
            shown[name] = prices.shown(&prices.at(level, work), true);
        }
        Ok(Reply::json(200, &shown))
    };
    visit.hall.effect(visit.call, shown).await
}

/// `GET /estimate_network_fee`.
pub(super) async fn of_network(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id = visit.call.query.one("assetId").unwrap_or_default();
    let id: AssetId = id.parse().map_err(|_| ApiError::unsupported_asset(id))?;
    let asset = asset_of(visit.hall, &id)?;
    let climate = visit.hall.climate(asset).await?;
    let prices = Prices::of(asset, climate).ok_or_else(ApiError::internal)?;
    let work = Work::of(asset, Job::Transfer, 1, 2);
    let mut shown: Value = json!({});
    for (name, level) in LEVELS {
        shown[name] = prices.shown(&prices.at(level, work), false);
    }
    Ok(Reply::json(200, &shown))
}

/// `GET /transactions/validate_address/{assetId}/{address}`.
pub(super) async fn validate_address(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let unsupported = || ApiError::new(400, 1429, "The asset is not supported");
    let id: AssetId = visit.param("assetId", unsupported)?;
    let asset = asset_of(visit.hall, &id).map_err(|_| unsupported())?;
    let chain = assets::chain_of(asset).ok_or_else(ApiError::internal)?;
    let valid = addresses::is_valid(chain, visit.params.get("address"));
    let answer = json!({
        "isValid": valid,
        "isActive": valid,
        "requiresTag": chain.form == AddressForm::Ripple,
    });
    Ok(Reply::json(200, &answer))
}
