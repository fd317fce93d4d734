//! The gas stations of a new workspace: one for each chain whose tokens need another asset for
//! their fees.

use protocol::amount::Amount;
use serde_json::Error;

use super::assets::{self, AddressForm};
use super::beside::{Document, Ground};
use super::{Network, units_of};
use crate::holdings::gas_station::{Configuration, GasStation};

pub(super) fn seeded(ground: &mut Ground) -> Result<Vec<Document>, Error> {
    let test = ground.network == Network::Testnet;
    let base = assets::of_network(test).filter(|asset| {
        asset.native == asset.id
            && assets::chain_of(asset).is_some_and(|chain| chain.form == AddressForm::Evm)
    });
    base.map(|asset| {
        let cents = |cents| Amount::from_units(units_of(asset, cents), asset.decimals);
        Document::of(&GasStation {
            asset_id: asset.id.to_owned(),
            balance: cents(500_000),
            configuration: Configuration {
                gas_threshold: cents(1_700),
                gas_cap: cents(6_800),
                max_gas_price: None,
            },
        })
    })
    .collect()
}
