//! What things are worth in a workspace: its own prices where somebody has set them, those of the
//! seed where not.

use protocol::amount::Amount;
use serde::{Deserialize, Serialize};
use store::StoreError;

use crate::deed::Deed;
use crate::holdings::exchange::Worth;
use crate::shelf::Kept;
use crate::world::assets::AssetRow;
use crate::world::{Network, assets, fiat};

/// A price that somebody has set, as the API shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Price {
    pub(crate) legacy_id: String,
    /// Seconds since the epoch, as the contract's example has it.
    pub(crate) last_update_at: i64,
    pub(crate) currency: String,
    pub(crate) price: serde_json::Number,
    pub(crate) source: String,
}

impl Kept for Price {
    const KIND: &'static str = "asset_price";

    fn key(&self) -> String {
        self.legacy_id.clone()
    }
}

impl Price {
    fn dollars(&self) -> Option<Amount> {
        let price: Amount = self.price.to_string().parse().ok()?;
        price.checked_mul(&fiat::currency(&self.currency)?.dollars(), 20)
    }
}

impl Deed<'_, '_> {
    /// What one of an asset is worth in US dollars; `None`: nobody knows.
    pub(crate) fn price(&mut self, asset: &AssetRow) -> Result<Option<Amount>, StoreError> {
        let own = self.kept::<Price>(asset.id)?;
        let own = own.and_then(|price| price.dollars());
        let seeded = (asset.cents > 0).then(|| Amount::from_units(asset.cents, 2));
        Ok(own.or(seeded))
    }

    /// The worth of an asset of the workspace's or of money of a state, by its id; `None`: nobody
    /// knows.
    pub(crate) fn worth(&mut self, id: &str) -> Result<Option<Worth>, StoreError> {
        if let Some(currency) = fiat::currency(id) {
            return Ok(Some(Worth {
                dollars: currency.dollars(),
                decimals: currency.decimals,
            }));
        }
        let test = self.hall.network == Network::Testnet;
        let known = assets::of_workspace(self.hall.id(), test);
        let Some(asset) = known.into_iter().find(|asset| asset.id == id) else {
            return Ok(None);
        };
        let decimals = asset.decimals;
        let dollars = self.price(asset)?;
        Ok(dollars.map(|dollars| Worth { dollars, decimals }))
    }
}
