//! The exchange and fiat accounts of a new workspace.

use std::collections::BTreeMap;

use protocol::amount::Amount;
use serde_json::Error;

use super::assets::{self, AssetRow};
use super::beside::{Document, Ground};
use super::collateral;
use super::{Network, units_of};
use crate::holdings::Purse;
use crate::holdings::exchange::{ExchangeAccount, MAIN, Status};
use crate::holdings::fiat::FiatAccount;

/// Exchange, name, and its trading accounts, each with how many of the workspace's assets it holds.
type Plan = (&'static str, &'static str, &'static [(&'static str, usize)]);

const PLANS: [Plan; 5] = [
    ("KRAKEN", "Kraken", &[(MAIN, 4), ("FUTURES", 1)]),
    (
        "BINANCE",
        "Binance",
        &[(MAIN, 5), ("FUNDING", 2), ("USDT_FUTURES", 0)],
    ),
    ("BINANCE", "Binance, desk 2", &[(MAIN, 2), ("FUNDING", 0)]),
    ("COINBASEPRIME", "Coinbase Prime", &[(MAIN, 3)]),
    ("BITSO", "Bitso", &[(MAIN, 1)]),
];
/// Which of them is a part of which.
const SUBACCOUNT: (usize, usize) = (2, 1);

pub(super) fn seeded(ground: &mut Ground) -> Result<Vec<Document>, Error> {
    let test = ground.network == Network::Testnet;
    let known: Vec<_> = assets::of_network(test).collect();
    let ids: Vec<_> = PLANS
        .iter()
        .map(|_| ground.chance.uuid().to_string())
        .collect();
    let mut documents = Vec::new();
    for (at, (exchange, name, kinds)) in PLANS.iter().enumerate() {
        let mut trading = BTreeMap::new();
        for (kind, count) in *kinds {
            let purse: Purse = (0..*count)
                .filter_map(|_| pick(ground, &known))
                .map(|(asset, cents)| (asset.id, cents_of(asset, cents)))
                .collect();
            trading.insert((*kind).to_owned(), purse);
        }
        for (asset, amount) in money(exchange, &known) {
            let purse: &mut Purse = trading.entry(MAIN.to_owned()).or_default();
            let _ = purse.put(asset, &amount);
        }
        let main = (at == SUBACCOUNT.0).then(|| ids.get(SUBACCOUNT.1).cloned());
        documents.push(Document::of(&ExchangeAccount {
            id: ids.get(at).cloned().unwrap_or_default(),
            exchange: (*exchange).to_owned(),
            name: (*name).to_owned(),
            status: Status::Approved,
            main_account_id: main.flatten(),
            trading,
            locked: Purse::default(),
        })?);
    }
    documents.push(Document::of(&FiatAccount {
        id: ground.chance.uuid().to_string(),
        name: "Operating account".to_owned(),
        asset: "USD".to_owned(),
        holds: Purse::from_iter([("USD", Amount::from_units(25_000_000, 2))]),
        linked: Amount::from_units(100_000_000, 2),
    })?);
    let main = ids.get(SUBACCOUNT.1).zip(PLANS.get(SUBACCOUNT.1));
    if let Some((id, (exchange, ..))) = main {
        documents.extend(collateral::seeded(ground, id, exchange, &known)?);
    }
    Ok(documents)
}

/// One of the workspace's assets, and some thousand dollars' worth.
fn pick(ground: &mut Ground, known: &[&'static AssetRow]) -> Option<(&'static AssetRow, u64)> {
    let [which, much, more, most] = ground.chance.bytes::<4>();
    let asset = known.get(usize::from(which) % known.len().max(1)).copied();
    let cents = u64::from(u32::from_be_bytes([0, much % 64, more, most])) + 100_000;
    asset.map(|asset| (asset, cents))
}

fn cents_of(asset: &AssetRow, cents: u64) -> Amount {
    Amount::from_units(units_of(asset, cents), asset.decimals)
}

/// What an exchange holds that can be converted.
fn money(exchange: &str, known: &[&'static AssetRow]) -> Vec<(&'static str, Amount)> {
    let dollars = |cents: u64| ("USD", Amount::from_units(cents, 2));
    match exchange {
        "COINBASEPRIME" => known
            .iter()
            .find(|asset| asset.id.starts_with("USDC"))
            .map(|asset| (asset.id, cents_of(asset, 4_000_000)))
            .into_iter()
            .chain([dollars(7_500_000)])
            .collect(),
        "BITSO" => vec![
            ("MXN", Amount::from_units(90_000_000, 2)),
            dollars(1_000_000),
        ],
        _ => Vec::new(),
    }
}
