//! What is outside a scope answers as what is not there.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::caller::Answer;
use crate::provider::viewer;
use crate::reads::{portfolio, side, text};
use crate::world::{World, until};

/// Out of scope and not there at all: one answer, byte for byte, headers and all.
#[tokio::test]
async fn invariant_7_what_is_out_of_scope_is_as_if_it_did_not_exist() {
    let mut world = World::new().await;
    let (portfolio, _) = portfolio(&mut world).await;
    let whole = world.admin.transactions().await;
    let foreign = whole.iter().find(|one| {
        !side(&one["source"], &one["assetId"]) && !side(&one["destination"], &one["assetId"])
    });
    let foreign = foreign.expect("one of others");
    let of_others = world.admin.get("/v1/external_wallets").await.fine();
    let (wallet, nobody) = (text(&of_others[1]["id"]), Uuid::from_u128(0xdead));
    let internal = world.admin.get("/v1/internal_wallets").await.fine();
    let contracts = world.admin.get("/v1/contracts").await.fine();
    let internal = text(&internal[0]["id"]);
    let contract = text(&contracts[0]["id"]);
    let hash = whole
        .iter()
        .find(|one| one["id"] == foreign["id"])
        .expect("it")["txHash"]
        .clone();
    let address = text(&foreign["id"]);
    let pairs = [
        (
            "/vault/accounts/9".to_owned(),
            "/vault/accounts/99999".to_owned(),
        ),
        (
            "/vault/accounts/9/ETH".to_owned(),
            "/vault/accounts/99999/ETH".to_owned(),
        ),
        (
            "/vault/accounts/1/SOL".to_owned(),
            "/vault/accounts/1/NOPE".to_owned(),
        ),
        (
            "/vault/accounts/9/ETH/addresses".to_owned(),
            "/vault/accounts/99999/ETH/addresses".to_owned(),
        ),
        (
            "/vault/accounts/1/SOL/addresses".to_owned(),
            "/vault/accounts/1/NOPE/addresses".to_owned(),
        ),
        (
            "/vault/accounts/9/ETH/addresses_paginated".to_owned(),
            "/vault/accounts/99999/ETH/addresses_paginated".to_owned(),
        ),
        (
            format!("/transactions/{address}"),
            format!("/transactions/{nobody}"),
        ),
        (
            format!("/external_wallets/{wallet}"),
            format!("/external_wallets/{nobody}"),
        ),
        (
            format!("/external_wallets/{wallet}/ETH"),
            format!("/external_wallets/{nobody}/ETH"),
        ),
        (
            format!("/internal_wallets/{internal}"),
            format!("/internal_wallets/{nobody}"),
        ),
        (
            format!("/contracts/{contract}"),
            format!("/contracts/{nobody}"),
        ),
        (
            "/transactions?after=0&sourceId=9".to_owned(),
            "/transactions?after=0&sourceId=99999".to_owned(),
        ),
        (
            "/transactions?after=0&destId=9".to_owned(),
            "/transactions?after=0&destId=99999".to_owned(),
        ),
        (
            "/transactions?after=0&assets=SOL".to_owned(),
            "/transactions?after=0&assets=NOPE".to_owned(),
        ),
        (
            format!("/transactions?after=0&txHash={}", text(&hash)),
            "/transactions?after=0&txHash=00".to_owned(),
        ),
        (
            format!("/transactions?after=0&destId={wallet}"),
            format!("/transactions?after=0&destId={nobody}"),
        ),
        (
            "/vault/asset_wallets?assetId=SOL".to_owned(),
            "/vault/asset_wallets?assetId=NOPE".to_owned(),
        ),
        (
            "/vault/accounts_paged?assetId=SOL".to_owned(),
            "/vault/accounts_paged?assetId=NOPE".to_owned(),
        ),
        (
            "/vault/accounts_paged?namePrefix=Treasury".to_owned(),
            "/vault/accounts_paged?namePrefix=Nobody".to_owned(),
        ),
        (
            "/vault/assets?accountNamePrefix=Treasury".to_owned(),
            "/vault/assets?accountNamePrefix=Nobody".to_owned(),
        ),
    ];
    for (hidden, absent) in pairs {
        let hidden_answer = portfolio.caller.get(&format!("/v1{hidden}")).await;
        let absent_answer = portfolio.caller.get(&format!("/v1{absent}")).await;
        assert_ne!(hidden_answer.status, 500, "{hidden}");
        assert_eq!(
            hidden_answer.lasting(),
            absent_answer.lasting(),
            "{hidden} and {absent}"
        );
    }
    // These repeat what was asked for, and are the same but for that.
    let hidden = portfolio.caller.get("/v1/vault/assets/SOL").await.lasting();
    let absent = portfolio.caller.get("/v1/vault/assets/XXX").await.lasting();
    let body = String::from_utf8_lossy(&hidden.body).replace("SOL", "XXX");
    assert_eq!(
        (hidden.status, body.as_bytes()),
        (absent.status, absent.body.as_slice())
    );
    // Users are nobody's business, and a second provider is not even a name.
    for path in [
        "/v1/users",
        "/v1/management/users",
        "/v1/management/api_users",
        "/v1/webhooks",
    ] {
        let refused = portfolio.caller.get(path).await.verdict();
        assert!(
            refused == (401, Some(-8)) || refused == (403, None),
            "{path}: {refused:?}"
        );
    }
}

const ADDRESSES: &str = "/v1/vault/accounts/1/BTC/addresses_paginated?limit=1";

/// Every list that goes on, with the parameter that takes its cursor.
fn lists(internal: &str) -> [(String, &'static str); 7] {
    let addresses = format!("/v1/internal_wallets/{internal}/assets?pageSize=1");
    [
        ("/v1/vault/accounts_paged?limit=1".to_owned(), "after"),
        ("/v1/vault/asset_wallets?limit=1".to_owned(), "after"),
        (ADDRESSES.to_owned(), "after"),
        ("/v1/transactions?after=0&limit=1".to_owned(), "next"),
        ("/v1/blockchains?pageSize=1".to_owned(), "pageCursor"),
        (addresses, "pageCursor"),
        // A workspace of few assets has no second page of these, and goes on where the list of a
        // wallet's assets does: both are by an asset's id.
        ("/v1/assets?pageSize=100".to_owned(), "pageCursor"),
    ]
}

/// The cursor of an answer, where there is one.
fn cursor(page: &Answer) -> Option<String> {
    let body = page.json();
    let of_header = page.header("next-page").and_then(|url| {
        let (_, cursor) = url.split_once("next=")?;
        Some(cursor.trim_end_matches('&').to_owned())
    });
    let of_body = body["paging"]["after"].as_str().or(body["next"].as_str());
    of_header.or(of_body.map(str::to_owned))
}

/// A cursor is its reader's: another's is refused as one that was made up is, whatever the list.
#[tokio::test]
async fn invariant_7_a_cursor_cannot_be_carried_to_another_connection() {
    let mut world = World::new().await;
    let internal = world.admin.get("/v1/internal_wallets").await.fine();
    let mut internal = internal.as_array().expect("a list").iter();
    let several = |one: &&Value| one["assets"].as_array().is_some_and(|all| all.len() > 1);
    let internal = internal.find(several).expect("a wallet of several assets");
    let internal = text(&internal["id"]).to_owned();
    let wanted = || {
        let mut wanted = viewer(&[1, 2, 3], None);
        let id = internal.parse().expect("an id");
        wanted.scope.whitelists.insert(id);
        wanted
    };
    let first = world.enrol("first", wanted()).await;
    let second = world.enrol("second", wanted()).await;
    // Where the wallet has one address yet, it gets more.
    for _ in 0..2 {
        let path = "/v1/vault/accounts/1/BTC/addresses";
        world.admin.post(path, &json!({})).await.fine();
    }
    world.desk("POST", "/refresh", &json!({})).await.fine();
    until("the gate knows of them", || async {
        cursor(&first.caller.get(ADDRESSES).await).is_some()
    })
    .await;
    let mut before = None;
    for (list, name) in lists(&internal) {
        let page = first.caller.get(&list).await;
        assert_eq!(page.status, 200, "{list}");
        let cursor = cursor(&page);
        let cursor = cursor.or(before.take_if(|_| list.starts_with("/v1/assets")));
        let cursor = cursor.expect(&list);
        let on = format!("{list}&{name}={cursor}");
        let went_on = first.caller.get(&on).await;
        assert_eq!(went_on.status, 200, "{on}");
        assert_ne!(went_on.body, page.body, "{on}: it is another page");
        let carried = second.caller.get(&on).await.lasting();
        let made_up = format!("{list}&{name}=eyJBZnRlciI6MX0");
        let made_up = second.caller.get(&made_up).await.lasting();
        assert_eq!(carried.status, 400, "{on}");
        assert_eq!(carried, made_up);
        before = Some(cursor);
    }
}
