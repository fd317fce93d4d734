//! Ids in sequence: who asks for one after the other finds what is its own, and of all else one answer.

use std::collections::BTreeSet;

use protocol::role::ProviderRole;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::caller::{Answer, Caller};
use crate::provider::{Wanted, editor, transfer, viewer};
use crate::reads::text;
use crate::world::World;

const ACCOUNTS: u32 = 70;

/// Asks for each in turn: what is its own is there, and all else is one answer, byte for byte, as what
/// there is nowhere.
async fn in_turn(
    caller: &Caller,
    what: &str,
    targets: impl IntoIterator<Item = (String, bool)>,
    nowhere: &str,
) {
    let absent = caller.get(nowhere).await.lasting();
    assert_eq!(absent.status, 404, "{nowhere}");
    let (mut own, mut others) = (0, 0);
    for (target, is_own) in targets {
        let answer = caller.get(&target).await;
        if is_own {
            assert_eq!(answer.status, 200, "{what}: {target}");
            own += 1;
        } else {
            assert_eq!(answer.lasting(), absent, "{what}: {target}");
            others += 1;
        }
    }
    assert!(own > 0 && others > 1, "{what}: {own} and {others}");
}

fn ids(list: &Value) -> Vec<String> {
    let all = list.as_array().expect("a list").iter();
    all.map(|one| text(&one["id"]).to_owned()).collect()
}

/// The ids before and after it.
fn beside(id: &str) -> [String; 2] {
    let number = id.parse::<Uuid>().expect("an id").as_u128();
    [number - 1, number + 1].map(|number| Uuid::from_u128(number).to_string())
}

/// Hundreds of questions in a second are asked here.
async fn unhurried() -> World {
    let rate = std::num::NonZeroU32::new(100_000).expect("not nothing");
    World::with(|config| config.serve.calls_per_second = rate).await
}

#[tokio::test]
async fn invariant_7_ids_in_sequence_tell_nothing() {
    let nobody = Uuid::from_u128(0xdead).to_string();
    let mut world = unhurried().await;
    let lists = ["external_wallets", "internal_wallets", "contracts"];
    let mut wanted = Wanted {
        role: ProviderRole::Editor,
        ..viewer(&[1, 2], Some(&["BTC", "ETH"]))
    };
    let mut listed = Vec::new();
    for list in lists {
        let all = ids(&world.admin.get(&format!("/v1/{list}")).await.fine());
        wanted
            .scope
            .whitelists
            .insert(all[0].parse().expect("an id"));
        listed.push((list, all));
    }
    let caller = world.enrol("counter", wanted).await.caller;
    let own = |account: u32| [1, 2].contains(&account);
    for path in ["", "/ETH", "/BTC/addresses", "/ETH/addresses_paginated"] {
        let target = |account: u32| format!("/v1/vault/accounts/{account}{path}");
        let all = (0..ACCOUNTS).map(|account| (target(account), own(account)));
        in_turn(&caller, path, all, &target(99_999)).await;
    }
    let assets = ids(&world.admin.get("/v1/supported_assets").await.fine());
    let wallet = |asset: &str| format!("/v1/vault/accounts/1/{asset}");
    let all = assets
        .iter()
        .map(|asset| (wallet(asset), ["BTC", "ETH"].contains(&asset.as_str())));
    in_turn(&caller, "assets", all, &wallet("NOPE")).await;
    for (list, all) in listed {
        let target = |id: &str| format!("/v1/{list}/{id}");
        let near = beside(&all[0]).map(|id| (target(&id), false));
        let each = all.iter().enumerate().map(|(at, id)| (target(id), at == 0));
        in_turn(&caller, list, each.chain(near), &target(&nobody)).await;
    }
    let seen = caller.transactions().await;
    let seen: BTreeSet<_> = seen.iter().map(|one| text(&one["id"]).to_owned()).collect();
    let target = |id: &str| format!("/v1/transactions/{id}");
    let near = seen.iter().flat_map(|id| beside(id));
    let near: Vec<_> = near.map(|id| (target(&id), false)).collect();
    let all = ids(&json!(world.admin.transactions().await));
    let all = all.iter().map(|id| (target(id), seen.contains(id)));
    in_turn(&caller, "transactions", all.chain(near), &target(&nobody)).await;
}

/// What one provider calls its own, counted through by another.
#[tokio::test]
async fn invariant_7_ids_of_another_provider_in_sequence_tell_nothing() {
    let nobody = Uuid::from_u128(0xdead).to_string();
    let mut world = unhurried().await;
    let rival = world.enrol("rival", editor(&[3, 4])).await;
    let counter = world.enrol("counter", editor(&[1, 2])).await;
    let caller = &counter.caller;
    let mut proposals = Vec::new();
    for number in 0..3 {
        let mut body = transfer(3, 4, "0.01");
        body["externalTxId"] = json!(format!("order-{number}"));
        proposals.push(rival.propose(&body).await);
    }
    let mut body = transfer(1, 2, "0.01");
    body["externalTxId"] = json!("order-7");
    let own = counter.propose(&body).await;
    let target = |number: u32| format!("/v1/transactions/external_tx_id/order-{number}");
    let all = (0..10).map(|number| (target(number), number == 7));
    in_turn(caller, "external ids", all, &target(99)).await;
    let target = |id: &str| format!("/v1/transactions/{id}");
    let near = proposals.iter().chain([&own]).flat_map(|id| beside(id));
    let near: Vec<_> = near.map(|id| (target(&id), false)).collect();
    let all = proposals.iter().map(|id| (target(id), false));
    let all = all.chain([(target(&own), true)]).chain(near);
    in_turn(caller, "proposals", all, &target(&nobody)).await;

    let mut reports = Vec::new();
    for connection in ["rival", "counter"] {
        let ask = json!({"connection": connection, "kind": "balances"});
        let made = world.desk("POST", "/reports", &ask).await.fine();
        reports.push((text(&made["id"]).to_owned(), connection == "counter"));
    }
    for part in ["", "/manifest"] {
        let target = |id: &str| format!("/vestibule/v1/reports/{id}{part}");
        let near = reports.iter().flat_map(|(id, _)| beside(id));
        let near: Vec<_> = near.map(|id| (target(&id), false)).collect();
        let all = reports.iter().map(|(id, own)| (target(id), *own));
        in_turn(caller, "reports", all.chain(near), &target(&nobody)).await;
    }

    // Where it may send to is not asked for by sending.
    let ask = async |to: Value| -> Answer {
        let mut body = transfer(1, 2, "0.01");
        body["destination"] = to;
        caller.post("/v1/transactions", &body).await
    };
    let account = |id: u32| json!({"type": "VAULT_ACCOUNT", "id": id.to_string()});
    let absent = ask(account(99_999)).await.lasting();
    for id in (0..ACCOUNTS).filter(|id| ![1, 2].contains(id)) {
        assert_eq!(ask(account(id)).await.lasting(), absent, "to account {id}");
    }
    assert_eq!(absent.status, 400);
    assert_eq!(ask(account(2)).await.status, 200);
    for (kind, list) in [
        ("EXTERNAL_WALLET", "external_wallets"),
        ("INTERNAL_WALLET", "internal_wallets"),
    ] {
        let wallet = |id: &str| json!({"type": kind, "id": id});
        let absent = ask(wallet(&nobody)).await.lasting();
        assert_eq!(absent.status, 400);
        for id in ids(&world.admin.get(&format!("/v1/{list}")).await.fine()) {
            assert_eq!(ask(wallet(&id)).await.lasting(), absent, "to {kind} {id}");
        }
    }
}
