//! Gas stations: what they hold, and when they fuel.

use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::AssetId;
use serde::Deserialize;
use serde_json::json;

use super::accounts::asset_of;
use crate::deed::Deed;
use crate::holdings::gas_station::{Configuration, GasStation};
use crate::operations::{Visit, area};
use crate::world::{Network, assets};

area! { visit;
    "getGasStationInfo" => show(visit, usual(visit)).await,
    "getGasStationByAssetId" => show(visit, asked(visit)).await,
    "updateGasStationConfiguration" => configure(visit, usual(visit)).await,
    "updateGasStationConfigurationByAssetId" => configure(visit, asked(visit)).await,
}

/// The one that is meant where none is named.
fn usual(visit: &Visit<'_>) -> String {
    let id = match visit.hall.network {
        Network::Mainnet => "ETH",
        Network::Testnet => "ETH_TEST5",
    };
    id.to_owned()
}

fn asked(visit: &Visit<'_>) -> String {
    visit.params.get("assetId").to_owned()
}

/// There is a gas station for a chain's own asset alone, and not for every chain's.
fn none(visit: &Visit<'_>, id: &str) -> ApiError {
    let known = id.parse().ok().map(|id: AssetId| asset_of(visit.hall, &id));
    match known {
        None => ApiError::unsupported_asset(id),
        Some(Err(error)) => error,
        Some(Ok(_)) => ApiError::uncoded(404, format!("There is no gas station for {id}")),
    }
}

/// `GET /gas_station`, `GET /gas_station/{assetId}`.
async fn show(visit: &Visit<'_>, id: String) -> Result<Reply, ApiError> {
    let found = visit.hall.kept::<GasStation>(&id).await?;
    let station = found.ok_or_else(|| none(visit, &id))?;
    let shown = json!({
        "balance": { station.asset_id: station.balance },
        "configuration": station.configuration,
    });
    Ok(Reply::json(200, &shown))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    #[serde(default)]
    gas_threshold: Option<Amount>,
    #[serde(default)]
    gas_cap: Option<Amount>,
    /// The official client sends the text `null` for none.
    #[serde(default)]
    max_gas_price: Option<String>,
}

impl Wanted {
    /// What is not said stays as it was.
    fn over(&self, now: Configuration) -> Result<Configuration, ApiError> {
        let most = match self.max_gas_price.as_deref() {
            None => now.max_gas_price,
            Some("" | "null") => None,
            Some(text) => Some(
                text.parse()
                    .map_err(|error| ApiError::invalid("maxGasPrice", error))?,
            ),
        };
        Ok(Configuration {
            gas_threshold: self.gas_threshold.clone().unwrap_or(now.gas_threshold),
            gas_cap: self.gas_cap.clone().unwrap_or(now.gas_cap),
            max_gas_price: most,
        })
    }
}

/// `PUT /gas_station/configuration`, `PUT /gas_station/configuration/{assetId}`.
async fn configure(visit: &Visit<'_>, id: String) -> Result<Reply, ApiError> {
    let wanted: Wanted = visit.body()?;
    let unknown = none(visit, &id);
    let work = move |deed: &mut Deed<'_, '_>| {
        let found = deed.kept::<GasStation>(&id)?;
        let mut station = found.ok_or_else(|| unknown.clone())?;
        station.configuration = wanted.over(station.configuration)?;
        let decimals = id.parse().ok().and_then(|id| assets::find(&id));
        let decimals = decimals.map_or(0, |asset| asset.decimals);
        let checked = station.configuration.check(decimals);
        checked.map_err(|why| ApiError::invalid("configuration", why))?;
        deed.keep(&station)?;
        Ok(Reply::json(200, &json!({ "success": true })))
    };
    visit.hall.effect(visit.call, work).await
}
