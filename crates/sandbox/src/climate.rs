//! How dear a chain is: in percent of what is usual.

use std::sync::Arc;

use ledger::Fault;
use protocol::error::ApiError;
use serde::{Deserialize, Serialize};

use crate::deed::Deed;
use crate::hall::Hall;
use crate::shelf::Kept;
use crate::world::assets::AssetRow;

/// What is usual.
const USUAL: u32 = 100;

/// The climate of a chain.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Climate {
    /// The chain's own asset.
    pub(crate) chain: String,
    pub(crate) percent: u32,
}

impl Kept for Climate {
    const KIND: &'static str = "climate";

    fn key(&self) -> String {
        self.chain.clone()
    }
}

impl Deed<'_, '_> {
    /// The climate of the chain that an asset lives on.
    pub(crate) fn climate(&mut self, asset: &AssetRow) -> Result<u32, Fault> {
        let kept = self.kept::<Climate>(asset.native)?;
        Ok(kept.map_or(USUAL, |climate| climate.percent))
    }
}

impl Hall {
    /// The climate of the chain that an asset lives on.
    pub(crate) async fn climate(self: &Arc<Self>, asset: &AssetRow) -> Result<u32, ApiError> {
        let kept = self.kept::<Climate>(asset.native).await?;
        Ok(kept.map_or(USUAL, |climate| climate.percent))
    }
}
