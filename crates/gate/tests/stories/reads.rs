//! Reads: the scope, the whole scope, and nothing but the scope, without asking upstream.

use std::collections::BTreeSet;

use protocol::role::ProviderRole;
use serde_json::{Value, json};

use crate::provider::{Provider, Wanted, viewer};
use crate::world::World;

const ACCOUNTS: [&str; 2] = ["1", "2"];
const ASSETS: [&str; 2] = ["BTC", "ETH"];

/// One whitelisted wallet is in scope.
pub async fn portfolio(world: &mut World) -> (Provider, String) {
    let listed = world.admin.get("/v1/external_wallets").await.fine();
    let id = listed[0]["id"].as_str().expect("an id").to_owned();
    let mut wanted = viewer(&[1, 2], Some(&ASSETS));
    wanted.scope.whitelists.insert(id.parse().expect("an id"));
    (world.enrol("portfolio", wanted).await, id)
}

pub fn text(value: &Value) -> &str {
    value.as_str().expect("text")
}

/// Whether a wallet of this account and asset is in scope.
fn covers(account: &str, asset: &Value) -> bool {
    ACCOUNTS.contains(&account) && ASSETS.contains(&text(asset))
}

pub fn side(peer: &Value, asset: &Value) -> bool {
    peer["type"] == "VAULT_ACCOUNT" && covers(text(&peer["id"]), asset)
}

#[tokio::test]
async fn invariant_7_a_provider_reads_its_scope_and_nothing_else() {
    let mut world = World::new().await;
    let (portfolio, listed) = portfolio(&mut world).await;
    let caller = &portfolio.caller;
    let whole = world
        .admin
        .pages("/v1/vault/accounts_paged", "accounts")
        .await;
    assert!(whole.len() > 30, "a workspace with more than the scope");

    // Accounts: these, with these assets, as the workspace has them.
    let seen = caller.pages("/v1/vault/accounts_paged", "accounts").await;
    let mut expected: Vec<Value> = whole
        .iter()
        .filter(|account| ACCOUNTS.contains(&text(&account["id"])))
        .cloned()
        .collect();
    for account in &mut expected {
        let assets = account["assets"].as_array_mut().expect("assets");
        assets.retain(|wallet| ASSETS.contains(&text(&wallet["id"])));
        assert_eq!(assets.len(), 2);
    }
    let sorted = |mut list: Vec<Value>| {
        list.sort_by_key(|one| one["id"].to_string());
        list
    };
    assert_eq!(sorted(seen), sorted(expected.clone()));
    for account in &expected {
        let id = text(&account["id"]);
        let one = caller.get(&format!("/v1/vault/accounts/{id}")).await.fine();
        assert_eq!(&one, account);
    }

    // Totals: of the scope, not of the workspace.
    let totals = caller.get("/v1/vault/assets").await.fine();
    assert_eq!(totals.as_array().expect("totals").len(), 2);
    for asset in ASSETS {
        let parts: Vec<f64> = expected
            .iter()
            .flat_map(|account| account["assets"].as_array().expect("assets"))
            .filter(|wallet| wallet["id"] == asset)
            .map(|wallet| text(&wallet["total"]).parse().expect("a number"))
            .collect();
        let total = caller
            .get(&format!("/v1/vault/assets/{asset}"))
            .await
            .fine();
        let told: f64 = text(&total["total"]).parse().expect("a number");
        assert!((told - parts.iter().sum::<f64>()).abs() < 1e-6, "{asset}");
        let of_all = world
            .admin
            .get(&format!("/v1/vault/assets/{asset}"))
            .await
            .fine();
        assert_ne!(total["total"], of_all["total"]);
    }
    let wallets = caller
        .get("/v1/vault/asset_wallets?limit=1000")
        .await
        .fine();
    let wallets: BTreeSet<_> = wallets["assetWallets"]
        .as_array()
        .expect("wallets")
        .iter()
        .map(|wallet| {
            (
                text(&wallet["vaultId"]).to_owned(),
                text(&wallet["assetId"]).to_owned(),
            )
        })
        .collect();
    let every = ACCOUNTS
        .iter()
        .flat_map(|id| ASSETS.map(|asset| ((*id).to_owned(), asset.to_owned())));
    assert_eq!(wallets, every.collect());

    // Whitelists: the one that was named, with assets in scope.
    let wallets = caller.get("/v1/external_wallets").await.fine();
    assert_eq!(wallets.as_array().expect("wallets").len(), 1);
    assert_eq!(wallets[0]["id"], listed);
    for asset in wallets[0]["assets"].as_array().expect("assets") {
        assert!(ASSETS.contains(&text(&asset["id"])), "{asset}");
    }
    for path in ["/v1/internal_wallets", "/v1/contracts"] {
        assert_eq!(caller.get(path).await.fine(), json!([]), "{path}");
    }
}

#[tokio::test]
async fn invariant_7_transactions_tell_of_counterparts_what_the_chain_does() {
    let mut world = World::new().await;
    let (portfolio, listed) = portfolio(&mut world).await;
    let whole = world.admin.transactions().await;
    let expected: Vec<_> = whole
        .iter()
        .filter(|one| {
            side(&one["source"], &one["assetId"]) || side(&one["destination"], &one["assetId"])
        })
        .collect();
    let seen = portfolio.caller.transactions().await;
    let ids = |list: &[&Value]| {
        list.iter()
            .map(|one| text(&one["id"]).to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(ids(&seen.iter().collect::<Vec<_>>()), ids(&expected));
    assert_eq!(seen.len(), expected.len(), "each once");
    assert!(seen.len() > 20 && seen.len() < whole.len() / 2);
    let mut masked = 0;
    for one in &seen {
        let original = whole
            .iter()
            .find(|other| other["id"] == one["id"])
            .expect("the original");
        for peer in ["source", "destination"] {
            let shown = side(&original[peer], &one["assetId"]) || original[peer]["id"] == *listed;
            if shown {
                assert_eq!(one[peer], original[peer]);
            } else {
                assert_eq!(one[peer]["type"], "UNKNOWN", "{one}");
                assert_eq!(one[peer]["name"].as_str().unwrap_or_default(), "", "{one}");
                masked += usize::from(original[peer]["type"] != "UNKNOWN");
            }
        }
        for same in [
            "amountInfo",
            "feeInfo",
            "txHash",
            "status",
            "subStatus",
            "createdAt",
            "lastUpdated",
        ] {
            assert_eq!(one[same], original[same], "{same}");
        }
        // A counterpart's address is the chain's to tell: before it has it, only the workspace knows it.
        let on_chain = original["txHash"] != "";
        for (peer, address) in [
            ("source", "sourceAddress"),
            ("destination", "destinationAddress"),
        ] {
            if on_chain || one[peer]["type"] != "UNKNOWN" {
                assert_eq!(one[address], original[address], "{address}");
            } else {
                assert_eq!(one[address], "", "{address}");
            }
        }
        for hidden in [
            "createdBy",
            "rejectedBy",
            "note",
            "externalTxId",
            "customerRefId",
        ] {
            assert_eq!(
                one[hidden].as_str().unwrap_or_default(),
                "",
                "{hidden}: {one}"
            );
        }
        assert_eq!(one["signedBy"], json!([]));
        assert!(one["authorizationInfo"].is_null());
        let id = text(&one["id"]);
        let alone = portfolio
            .caller
            .get(&format!("/v1/transactions/{id}"))
            .await
            .fine();
        assert_eq!(&alone, one);
    }
    assert!(masked > 5, "some counterparts are hidden: {masked}");
}

#[tokio::test]
async fn invariant_6_no_providers_read_costs_an_upstream_call() {
    let mut world = World::new().await;
    let wanted = Wanted {
        role: ProviderRole::Editor,
        ..viewer(&[1, 2, 3], None)
    };
    let trader = world.enrol("trader", wanted).await;
    world.quiet().await;
    let before = world.line.asked().len();
    assert!(before > 0, "the line counts");
    for _ in 0..10 {
        for target in [
            "/v1/vault/accounts_paged",
            "/v1/vault/accounts/1",
            "/v1/vault/accounts/99999",
            "/v1/vault/accounts/1/ETH",
            "/v1/vault/accounts/1/ETH/addresses",
            "/v1/vault/assets",
            "/v1/vault/asset_wallets",
            "/v1/transactions?after=0",
            "/v1/transactions/00000000-0000-4000-8000-000000000000",
            "/v1/transactions/external_tx_id/theirs",
            "/v1/external_wallets",
            "/v1/supported_assets",
            "/v1/assets",
            "/v1/blockchains",
            "/v1/gas_station",
            "/v1/nowhere",
            "/vestibule/v1/me",
            "/vestibule/v1/digest",
            "/vestibule/v1/reports",
        ] {
            let answer = trader.caller.get(target).await;
            assert_ne!(answer.status, 500, "{target}");
        }
    }
    assert_eq!(world.line.asked()[before..], [""; 0]);
}
