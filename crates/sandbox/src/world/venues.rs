//! The connected accounts of a new workspace, who trades there, and what was traded.

use protocol::amount::Amount;
use protocol::time::Millis;
use serde_json::{Error, Value, json};

use super::assets::{self, AssetRow, chain_of};
use super::beside::{Document, Ground};
use super::made::{ConnectedAccount, Order, TradingProvider};
use super::{Network, addresses, units_of};
use crate::operations::date_time;
use crate::people;

/// Provider, name, and how many of the workspace's assets it holds.
const ACCOUNTS: [(&str, &str, usize); 3] = [
    ("BINANCE", "Binance Prime", 4),
    ("COINBASEEXCHANGE", "Coinbase Exchange", 3),
    ("BINANCE", "Binance Prime, desk 2", 2),
];
/// Which of them is a part of which.
const SUBACCOUNT: (usize, usize) = (2, 0);
/// Orders there were.
const ORDERS: usize = 7;

pub(super) fn seeded(ground: &mut Ground) -> Result<Vec<Document>, Error> {
    let known: Vec<_> = assets::of_network(ground.network == Network::Testnet).collect();
    let mut documents = Vec::new();
    let ids = ACCOUNTS.map(|_| ground.chance.uuid().to_string());
    for (at, ((provider, name, count), id)) in ACCOUNTS.into_iter().zip(&ids).enumerate() {
        let held = known.iter().take(count).copied().collect::<Vec<_>>();
        let mut account = account(ground, id, provider, name, &held);
        if at == SUBACCOUNT.0 {
            account["parentId"] = json!(ids.get(SUBACCOUNT.1));
        }
        documents.push(Document::of(&ConnectedAccount(account))?);
    }
    for provider in ["BINANCE", "COINBASEEXCHANGE"] {
        let accounts: Vec<_> = ACCOUNTS
            .iter()
            .zip(&ids)
            .filter(|((of, ..), _)| *of == provider)
            .map(|((_, name, _), id)| json!({"id": id, "name": name}))
            .collect();
        documents.push(Document::of(&TradingProvider(json!({
            "id": provider,
            "name": if provider == "BINANCE" { "Binance" } else { "Coinbase Exchange" },
            "accountBased": true,
            "connected": true,
            "accounts": accounts,
            "manifest": manifest(&["MARKET", "QUOTE"]),
        })))?);
    }
    documents.push(Document::of(&TradingProvider(json!({
        "id": "EXAMPLE_OTC",
        "name": "Example OTC",
        "accountBased": false,
        "approved": true,
        "hasTermsOfService": true,
        "termsOfServiceUrl": "https://otc.example/terms",
        "privacyPolicyUrl": "https://otc.example/privacy",
        "manifest": manifest(&["QUOTE"]),
    })))?);
    for number in 0..ORDERS {
        documents.push(Document::of(&Order(order(ground, number, &ids, &known)))?);
    }
    Ok(documents)
}

fn manifest(executions: &[&str]) -> Value {
    json!({
        "order": {
            "supported": true,
            "settlementTypes": ["DVP", "PREFUNDED"],
            "executionTypes": executions,
        },
        "quote": {"supported": true, "settlementTypes": ["DVP"]},
        "rate": {"supported": true},
    })
}

/// An account with what it holds: `balances`, `pairs` and `allowlist` are shown apart.
fn account(
    ground: &mut Ground,
    id: &str,
    provider: &str,
    name: &str,
    held: &[&'static AssetRow],
) -> Value {
    let (mut cents, mut balances, mut allowlist) = (0, Vec::new(), Vec::new());
    for asset in held {
        let [much, more] = ground.chance.bytes::<2>();
        let worth = 500_000 + u64::from(much) * 40_000 + u64::from(more) * 100;
        cents += worth;
        let amount = Amount::from_units(units_of(asset, worth), asset.decimals);
        balances.push(json!({
            "assetId": asset.id,
            "availableAmount": amount,
            "totalAmount": amount,
            "lockedAmount": "0",
            "creditAmount": "0",
            "balanceType": "SPOT",
            "balanceName": "Spot",
        }));
        let bytes = ground.chance.bytes();
        let (_, described) = asset.described();
        let address = chain_of(asset).map(|chain| addresses::of_nobody(chain, &bytes));
        allowlist.push(json!({
            "id": ground.chance.uuid(),
            "address": address.unwrap_or_default().text,
            "assets": [asset.id],
            "networks": [described.blockchain_id],
            "label": format!("{} of the fund", asset.id),
            "status": "ACTIVE",
            "addedAt": date_time(ground.now.plus(-30 * Millis::DAY)),
        }));
    }
    let pairs = held.iter().skip(1).filter_map(|quote| {
        let base = held.first()?;
        let (base, quote) = (base.id, quote.id);
        Some(json!({
            "id": format!("{base}-{quote}"),
            "baseAssetId": base,
            "quoteAssetId": quote,
            "supportedTypes": ["QUOTE", "MARKET", "LIMIT"],
        }))
    });
    json!({
        "id": id,
        "name": name,
        "providerId": provider,
        "status": "APPROVED",
        "totalBalance": {
            "amount": Amount::from_units(cents, 2),
            "denominatedAssetId": "USD",
            "hasFullAssetCoverage": true,
        },
        "manifest": {
            "assetTypes": ["DIGITAL"],
            "capabilities": ["WITHDRAWALS", "DEPOSITS", "TRADING"],
        },
        "accountType": "EXCHANGE",
        "balances": balances,
        "pairs": pairs.collect::<Vec<_>>(),
        "allowlist": allowlist,
    })
}

fn order(ground: &mut Ground, number: usize, ids: &[String], known: &[&'static AssetRow]) -> Value {
    let pick = |at: usize| known.get(at % known.len().max(1)).copied();
    let (base, quote) = (pick(number), pick(number + 1));
    let amount = |asset: Option<&'static AssetRow>, cents: u64| {
        asset.map(|asset| Amount::from_units(units_of(asset, cents), asset.decimals))
    };
    let [much] = ground.chance.bytes::<1>();
    let cents = 1_000_000 + u64::from(much) * 10_000;
    let days = i64::try_from(ORDERS - number).unwrap_or(1);
    let created = ground.now.plus(-7 * days * Millis::DAY);
    let direct = number % 3 == 2;
    let at = number % ids.len().max(1);
    let account = ids.get(at);
    let via = if direct {
        json!({"type": "PROVIDER", "providerId": "EXAMPLE_OTC"})
    } else {
        let provider = ACCOUNTS.get(at).map(|(provider, ..)| *provider);
        json!({"type": "PROVIDER_ACCOUNT", "providerId": provider, "accountId": account})
    };
    let vault = |number: usize| json!({"type": "VAULT_ACCOUNT", "accountId": number.to_string()});
    let settlement = if direct {
        json!({"type": "DVP", "sourceAccount": vault(1), "destinationAccount": vault(2)})
    } else {
        // The contract's own table of what a reference leads to has no connected accounts.
        json!({"type": "PREFUNDED", "destinationAccount": vault(2)})
    };
    let mut execution = json!({
        "type": if direct { "QUOTE" } else { "MARKET" },
        "side": if number.is_multiple_of(2) { "BUY" } else { "SELL" },
        "baseAmount": amount(base, cents),
        "baseAssetId": base.map(|asset| asset.id),
        "quoteAssetId": quote.map(|asset| asset.id),
    });
    if direct {
        execution["quoteId"] = json!(ground.chance.uuid());
        execution["quoteAmount"] = json!(amount(quote, cents));
    }
    let (status, step) = match number {
        0 => ("CANCELED", "CANCELLED"),
        1 => ("FAILED", "FAILED"),
        _ => ("COMPLETED", "COMPLETED"),
    };
    let mut order = json!({
        "id": ground.chance.uuid(),
        "via": via,
        "status": status,
        "createdAt": date_time(created),
        "updatedAt": date_time(created.plus(40 * Millis::SECOND)),
        "executionSteps": [{"type": "EXECUTE", "status": step}],
        "executionResponseDetails": execution,
        "settlement": settlement,
        "createdBy": people::named("editor").map(|editor| editor.id(ground.network)),
        "note": "",
    });
    if number == 1 {
        order["failure"] = json!({"reason": "INSUFFICIENT_FUNDS"});
    }
    order
}
