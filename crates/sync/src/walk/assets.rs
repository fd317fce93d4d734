//! Assets and blockchains. The older list of assets is closed to a Viewer: then it is made from
//! the newer one.

use std::collections::BTreeMap;

use ledger::{Change, Version};
use protocol::ids::AssetId;
use protocol::model::asset::{Asset, AssetClass, Blockchain, SupportedAsset};
use protocol::operations::Paging;
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::pages::{each_page, forbidden, rows};
use super::{SyncError, Walker};

#[derive(Deserialize)]
struct Listed {
    data: Vec<Box<RawValue>>,
}

impl Walker<'_> {
    pub(super) async fn blockchains(&mut self) -> Result<(), SyncError> {
        let target = "/v1/blockchains?pageSize=500";
        each_page!(self, target, Paging::PageCursor, |page| {
            // Some deprecated chains lack a field that the contract demands: those are passed over.
            let read: Vec<Blockchain> = rows(self, &page.answer.json::<Listed>()?.data).await;
            let version = Version::at(page.as_of);
            let changes = read
                .into_iter()
                .map(|chain| (version, Change::Blockchain(chain)));
            self.apply(changes.collect()).await?;
        });
        Ok(())
    }

    pub(super) async fn assets(&mut self) -> Result<(), SyncError> {
        let mut older: BTreeMap<AssetId, SupportedAsset> = BTreeMap::new();
        match self.get("/v1/supported_assets").await {
            Ok(page) => {
                let listed: Vec<Box<RawValue>> = page.answer.json()?;
                let read: Vec<SupportedAsset> = rows(self, &listed).await;
                older.extend(read.into_iter().map(|asset| (asset.id.clone(), asset)));
            }
            Err(error) if forbidden(&error) => {}
            Err(error) => return Err(error.into()),
        }
        let mut natives: BTreeMap<Uuid, AssetId> = BTreeMap::new();
        // One that comes twice is as it came last.
        let mut waiting = BTreeMap::new();
        each_page!(
            self,
            "/v1/assets?pageSize=1000",
            Paging::PageCursor,
            |page| {
                let read: Vec<Asset> = rows(self, &page.answer.json::<Listed>()?.data).await;
                for asset in &read {
                    if let (AssetClass::Native, Some(chain)) =
                        (asset.asset_class, asset.blockchain_id)
                    {
                        natives
                            .entry(chain)
                            .or_insert_with(|| asset.legacy_id.clone());
                    }
                }
                let version = Version::at(page.as_of);
                let named = |asset: Asset| (asset.legacy_id.clone(), (version, asset));
                waiting.extend(read.into_iter().map(named));
            }
        );
        // A token's chain may come on a later page than the token.
        let changes = waiting.into_values().map(|(version, asset)| {
            let supported = older
                .remove(&asset.legacy_id)
                .unwrap_or_else(|| as_supported(&asset, &natives));
            (version, Change::Asset(supported, asset))
        });
        let changes = changes.collect();
        self.apply(changes).await
    }
}

/// The older form of an asset.
fn as_supported(asset: &Asset, natives: &BTreeMap<Uuid, AssetId>) -> SupportedAsset {
    let onchain = asset.onchain.as_ref();
    let standard = onchain.and_then(|onchain| onchain.standards.first());
    let kind = match asset.asset_class {
        AssetClass::Native => "BASE_ASSET".to_owned(),
        AssetClass::Fiat => "FIAT".to_owned(),
        AssetClass::Ft | AssetClass::Nft | AssetClass::Sft => standard.cloned().unwrap_or_default(),
    };
    let native = match asset.asset_class {
        AssetClass::Native => Some(&asset.legacy_id),
        _ => asset.blockchain_id.and_then(|chain| natives.get(&chain)),
    };
    SupportedAsset {
        id: asset.legacy_id.clone(),
        name: asset.display_name.clone(),
        kind,
        contract_address: onchain
            .and_then(|onchain| onchain.address.clone())
            .unwrap_or_default(),
        native_asset: native.map(ToString::to_string).unwrap_or_default(),
        decimals: onchain
            .map(|onchain| onchain.decimals)
            .or(asset.decimals)
            .unwrap_or_default(),
    }
}
