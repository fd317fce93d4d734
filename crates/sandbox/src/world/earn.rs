//! Where a new workspace can lend, and what it has lent.

use protocol::amount::Amount;
use protocol::time::Millis;
use serde_json::{Error, Value, json};

use super::assets::{self, AddressForm, AssetRow, Chain, chain_of};
use super::beside::{Document, Ground};
use super::made::{EarnAction, EarnPosition, Opportunity};
use super::{Network, addresses, units_of};
use crate::operations::date_time;
use crate::people;

/// Provider, kind, name, symbol, and what it yields in a year, in hundredths of a percent.
const OPPORTUNITIES: [(&str, &str, &str, &str, u32); 3] = [
    ("MORPHO", "VAULT", "Harbor USD Vault", "hUSD", 512),
    ("MORPHO", "VAULT", "Slate USD Vault", "sUSD", 447),
    ("AAVE", "MARKET", "Aave USDC", "aUSDC", 389),
];

pub(super) fn seeded(ground: &mut Ground) -> Result<Vec<Document>, Error> {
    let test = ground.network == Network::Testnet;
    let dollars = assets::of_network(test).find(|asset| asset.id.starts_with("USDC"));
    let chain = dollars.and_then(chain_of);
    let (Some(asset), Some(chain)) = (dollars, chain) else {
        return Ok(Vec::new());
    };
    let mut documents = Vec::new();
    for (number, plan) in (1_u32..).zip(OPPORTUNITIES) {
        let opportunity = opportunity(ground, asset, chain, plan);
        // The first two are used.
        if number <= 2 {
            documents.extend(lent(ground, asset, number, &opportunity)?);
        }
        documents.push(Document::of(&Opportunity(opportunity))?);
    }
    Ok(documents)
}

fn opportunity(
    ground: &mut Ground,
    asset: &AssetRow,
    chain: &Chain,
    (provider, kind, name, symbol, yearly): (&str, &str, &str, &str, u32),
) -> Value {
    debug_assert_eq!(chain.form, AddressForm::Evm);
    let bytes = ground.chance.bytes();
    let address = addresses::of_nobody(chain, &bytes).text;
    let [much] = ground.chance.bytes::<1>();
    let cents = 1_000_000_000 + u64::from(much) * 7_000_000;
    let amount = |cents| Amount::from_units(units_of(asset, cents), asset.decimals);
    let (_, described) = asset.described();
    let onchain = described.onchain.and_then(|onchain| onchain.address);
    let rate = Amount::from_units(yearly, 4)
        .to_string()
        .parse::<serde_json::Number>();
    json!({
        "id": ground.chance.uuid(),
        "providerId": provider,
        "type": kind,
        "chainId": chain.number(),
        "address": address,
        "name": name,
        "symbol": symbol,
        "principalAsset": {
            "address": onchain,
            "symbol": "USDC",
            "decimals": asset.decimals,
            "assetId": asset.id,
        },
        "positionAsset": {"address": address, "symbol": symbol, "decimals": 18},
        "totalAssets": amount(cents),
        "totalAssetsUsd": Amount::from_units(cents, 2),
        "liquidity": amount(cents / 4),
        "liquidityUsd": Amount::from_units(cents / 4, 2),
        "apy": {"native": rate.as_ref().ok(), "net": rate.as_ref().ok()},
        "performanceFee": "0",
        "managementFee": "0",
        "exposureType": "UNSPECIFIED",
        "exposure": [],
    })
}

/// A position, and the deposit that it came of.
fn lent(
    ground: &mut Ground,
    asset: &AssetRow,
    number: u32,
    opportunity: &Value,
) -> Result<[Document; 2], Error> {
    let amount = Amount::from_units(
        units_of(asset, 5_000_000 * u64::from(number)),
        asset.decimals,
    );
    let since = ground.now.plus(-i64::from(number) * 20 * Millis::DAY);
    let (position, vault) = (ground.chance.uuid(), number.to_string());
    let (since, now) = (date_time(since), date_time(ground.now));
    let share = &opportunity["positionAsset"]["symbol"];
    Ok([
        Document::of(&EarnPosition(json!({
            "id": position,
            "status": "ACTIVE",
            "inFlight": false,
            "positionType": "LEND",
            "vaultAccountId": vault,
            "opportunityId": opportunity["id"],
            "chainId": opportunity["chainId"],
            "providerId": opportunity["providerId"],
            "origin": "NATIVE",
            "principalAssetId": asset.id,
            "positionAssetId": share,
            "principalBalance": amount,
            "positionBalance": amount,
            "createdAt": since,
            "updatedAt": now,
            "lastSyncedAt": now,
            "availableActions": ["DEPOSIT", "WITHDRAW"],
        })))?,
        Document::of(&EarnAction(json!({
            "id": ground.chance.uuid(),
            "vaultAccountId": vault,
            "userId": people::named("signer").map(|signer| signer.id(ground.network)),
            "status": "COMPLETED",
            "providerId": opportunity["providerId"],
            "actionType": "DEPOSIT",
            "opportunityId": opportunity["id"],
            "positionId": position,
            "amount": amount,
            "createdAt": since,
            "updatedAt": since,
            "records": [
                {"actionType": "APPROVE", "status": "COMPLETED", "updatedAt": since},
                {"actionType": "DEPOSIT", "status": "COMPLETED", "updatedAt": since},
            ],
        })))?,
    ])
}
