//! What is held outside an exchange for one of its accounts, and what settles it.

use protocol::amount::Amount;
use serde_json::{Error, json};

use super::assets::{AssetRow, chain_of};
use super::beside::{Document, Ground};
use super::made::{Collateral, Settlement};
use super::{addresses, units_of};

/// Of an exchange account: the same exchange, and two of the workspace's assets.
pub(super) fn seeded(
    ground: &mut Ground,
    main: &str,
    exchange: &str,
    known: &[&'static AssetRow],
) -> Result<Vec<Document>, Error> {
    let (mut assets, mut to_exchange, mut to_collateral) = (Vec::new(), Vec::new(), Vec::new());
    for asset in known.iter().take(2) {
        let [much] = ground.chance.bytes::<1>();
        let amount = |cents| Amount::from_units(units_of(asset, cents), asset.decimals);
        let held = amount(2_000_000 + u64::from(much) * 50_000);
        assets.push(json!({
            "id": asset.id,
            "balance": held,
            "total": held,
            "available": held,
            "lockedAmount": "0",
            "credit": "0",
        }));
        let bytes = ground.chance.bytes();
        let address = chain_of(asset).map(|chain| addresses::of_nobody(chain, &bytes));
        let address = address.unwrap_or_default();
        let moved = amount(100_000 + u64::from(much) * 1_000);
        if to_exchange.is_empty() {
            to_exchange.push(json!({
                "assetId": asset.id,
                "amount": moved,
                "dstAddress": address.text,
                "dstTag": address.tag,
            }));
        } else {
            to_collateral.push(json!({
                "asset": asset.id,
                "amount": moved,
                "srcAddress": address.text,
                "srcTag": address.tag,
                "fee": "0",
            }));
        }
    }
    Ok(vec![
        Document::of(&Collateral(json!({
            "id": ground.chance.uuid(),
            "type": exchange,
            "name": "Collateral",
            "status": "APPROVED",
            "assets": assets,
            "success": true,
            "isSubaccount": false,
            "mainAccountId": main,
        })))?,
        Document::of(&Settlement(json!({
            "mainAccountId": main,
            "toExchange": to_exchange,
            "toCollateral": to_collateral,
        })))?,
    ])
}
