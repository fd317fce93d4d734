//! What has no event: walked again by and by, and closed where it gets too old.

use std::num::NonZeroU32;

use gate::Config;
use gate::config::Pace;
use serde_json::{Value, json};

use crate::provider::{Provider, editor, transfer, viewer};
use crate::world::{World, until};

const ADDRESSES: &str = "/v1/vault/accounts/1/BTC/addresses_paginated";
const ASSETS: [&str; 1] = ["BTC"];

fn pace(every: u32, max_age: u32) -> Pace {
    let number = |number| NonZeroU32::new(number).expect("some");
    Pace::new(number(every), number(max_age)).expect("a pace")
}

/// A new deposit address, made in the workspace: no event tells of it.
async fn new_address(world: &World) -> String {
    let body = json!({"description": "invoice 7"});
    let path = "/v1/vault/accounts/1/BTC/addresses";
    let made = world.admin.post(path, &body).await.fine();
    made["address"].as_str().expect("an address").to_owned()
}

async fn sees(provider: &Provider, address: &str) -> bool {
    let answer = provider.caller.get(ADDRESSES).await.json();
    let all = answer["addresses"].as_array().expect("addresses");
    all.iter().any(|one| one["address"] == *address)
}

fn check<'a>(status: &'a Value, what: &str) -> &'a Value {
    let checks = status["checks"].as_array().expect("checks");
    let mut all = checks.iter();
    all.find(|check| {
        check["what"]
            .as_str()
            .is_some_and(|text| text.contains(what))
    })
    .expect("a check")
}

fn area<'a>(status: &'a Value, name: &str) -> &'a Value {
    let areas = status["areas"].as_array().expect("areas");
    areas.iter().find(|area| area["area"] == *name).expect("it")
}

async fn c6(world: &World) -> Value {
    let posture = world.look("/posture").await;
    let findings = posture[0]["findings"].as_array().expect("findings").clone();
    let mut all = findings.into_iter();
    all.find(|finding| finding["practice"] == "C6").expect("C6")
}

#[tokio::test]
async fn a_new_address_upstream_reaches_the_gate_when_asked_for() {
    let mut world = World::new().await;
    let books = world.enrol("books", viewer(&[1], Some(&ASSETS))).await;
    let before = world.look("/status").await;
    let calls = world.line.asked().len();
    let address = new_address(&world).await;
    assert!(!sees(&books, &address).await, "nothing has told of it yet");
    world.desk("POST", "/refresh", &json!({})).await;
    until("the address is there", || sees(&books, &address)).await;
    // A refresh walks everything, and each part says as of when it is now.
    until("all is walked again", || async {
        let after = world.look("/status").await;
        let mut areas = after["areas"].as_array().expect("areas").iter();
        areas.all(|now| {
            let name = now["area"].as_str().expect("a name");
            now["as_of"].as_i64() > area(&before, name)["as_of"].as_i64()
        })
    })
    .await;
    // One report, not a list for every wallet of the workspace.
    let asked = world.line.asked().split_off(calls);
    let asks = |what: &str| asked.iter().filter(|one| one.contains(what)).count();
    assert_eq!(asks("POST /v1/reports"), 1, "{asked:?}");
    assert_eq!(asks("addresses_paginated"), 0, "{asked:?}");
}

#[tokio::test]
async fn a_new_address_upstream_reaches_the_gate_by_itself() {
    let set = |config: &mut Config| config.areas.addresses = pace(1, 3_600);
    let mut world = World::with(set).await;
    let books = world.enrol("books", viewer(&[1], Some(&ASSETS))).await;
    let address = new_address(&world).await;
    until("the address is there", || sees(&books, &address)).await;
}

#[tokio::test]
async fn what_is_too_old_is_closed_and_opens_when_it_is_walked_again() {
    let set = |config: &mut Config| config.areas.addresses = pace(1, 8);
    let mut world = World::with(set).await;
    let books = world.enrol("books", viewer(&[1], Some(&ASSETS))).await;
    until("the addresses are told", || async {
        books.caller.get(ADDRESSES).await.status == 200
    })
    .await;
    assert_eq!(check(&world.look("/status").await, "too old")["ok"], true);
    assert_eq!(c6(&world).await["verdict"], "held");
    world.sandbox.stop().await;
    until("the addresses are too old", || async {
        books.caller.get(ADDRESSES).await.status == 503
    })
    .await;
    let refused = books.caller.get(ADDRESSES).await;
    let message = refused.json()["message"]
        .as_str()
        .expect("a message")
        .to_owned();
    assert!(message.contains("addresses"), "{message}");
    let digest = books.caller.get("/vestibule/v1/digest").await;
    assert_eq!(digest.status, 503, "nor is a sum told over them");
    // What is not too old is told as before, with its age.
    for path in ["/v1/vault/accounts/1", "/v1/transactions", "/v1/assets"] {
        let answer = books.caller.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.header("vestibule-as-of").is_some());
    }
    let status = world.look("/status").await;
    assert_eq!(check(&status, "too old")["ok"], false);
    assert_eq!(area(&status, "addresses")["too_old"], true);
    assert_eq!(area(&status, "accounts")["too_old"], false);
    let found = c6(&world).await;
    assert_eq!(found["verdict"], "broken", "{found}");
    let ask = json!({"connection": "books", "kind": "addresses"});
    let report = world.desk("POST", "/reports", &ask).await;
    assert_eq!(report.status, 503, "nor is a report made of them");
    // A restart does not make them younger.
    world.restart_gate().await;
    assert_eq!(books.caller.get(ADDRESSES).await.status, 503);

    world.sandbox.start().await;
    until("they are told again", || async {
        books.caller.get(ADDRESSES).await.status == 200
    })
    .await;
    assert_eq!(c6(&world).await["verdict"], "held");
}

/// Which accounts a followed tag lets in is known from walks of the accounts alone.
#[tokio::test]
async fn invariant_7_what_follows_a_tag_closes_when_the_accounts_are_too_old() {
    let mut world = World::with(|config| config.areas.accounts = pace(1, 8)).await;
    let tag = json!({"label": "audited", "isProtected": true});
    let tag = world.admin.post("/v1/tags", &tag).await.fine()["id"].clone();
    let body = json!({"vaultAccountIds": ["1"], "tagIdsToAttach": [tag]});
    let attach = "/v1/vault/accounts/attached_tags";
    world.admin.post(attach, &body).await.fine();
    let asked = world.requested("auditor", editor(&[2])).await;
    let rule = json!({"accounts_by": {"tags": ["audited"], "follow": true}, "forward": true});
    let grant = json!({"scope": rule});
    until("the tag is in the gate's books", || async {
        let path = "/connections/auditor/preview";
        world.desk("POST", path, &grant).await.status == 200
    })
    .await;
    let auditor = world.let_in("auditor", &asked, &grant).await;
    let named = world.enrol("named", editor(&[1, 2])).await;
    let wanted = json!({"connection": "auditor", "kind": "balances"});
    let report = world.desk("POST", "/reports", &wanted).await.fine();
    let id = report["id"].as_str().expect("an id");
    let report = format!("/vestibule/v1/reports/{id}");
    let manifest = format!("{report}/manifest");
    let reads = [
        "/v1/transactions",
        ADDRESSES,
        "/v1/assets",
        "/v1/supported_assets",
        "/v1/estimate_network_fee?assetId=ETH",
        "/v1/vault/accounts/1/BTC/unspent_inputs",
        "/vestibule/v1/digest",
        "/vestibule/v1/reports",
        report.as_str(),
        manifest.as_str(),
    ];
    for path in reads {
        until("it is told", || async {
            auditor.caller.get(path).await.status == 200
        })
        .await;
    }
    world.sandbox.stop().await;
    until("the accounts are too old", || async {
        auditor.caller.get("/v1/transactions").await.status == 503
    })
    .await;
    for path in reads {
        let closed = auditor.caller.get(path).await;
        assert_eq!(closed.status, 503, "{path}");
        // Of the gate's own lists, before anybody upstream is asked.
        let why = closed.json()["message"].to_string();
        assert!(why.contains("accounts are as of"), "{path}: {why}");
    }
    let made = world.desk("POST", "/reports", &wanted).await;
    assert_eq!(made.status, 503);
    // What shows no account, and who was granted these very accounts, go on; nobody proposes.
    for path in ["/v1/blockchains", "/v1/external_wallets"] {
        assert_eq!(auditor.caller.get(path).await.status, 200, "{path}");
    }
    for path in [
        "/v1/transactions",
        "/v1/assets",
        ADDRESSES,
        "/vestibule/v1/digest",
    ] {
        assert_eq!(named.caller.get(path).await.status, 200, "{path}");
    }
    let proposed = named
        .caller
        .post("/v1/transactions", &transfer(1, 2, "1"))
        .await;
    assert_eq!(proposed.status, 503);
    world.sandbox.start().await;
    until("it is told again", || async {
        auditor.caller.get("/v1/transactions").await.status == 200
    })
    .await;
    named.propose(&transfer(1, 2, "1")).await;
}

/// Upstream dates its answers in whole seconds: what an event has told in the second of a look counts as
/// later than the look. Who asks for one sees what is there all the same.
#[tokio::test]
async fn what_was_lost_in_the_second_of_an_event_is_seen_by_the_look_that_is_asked_for() {
    let mut world = World::new().await;
    let reader = world.enrol("reader", viewer(&[1], None)).await;
    let balance = "/v1/vault/accounts/1/ETH";
    let equal = || async {
        let theirs = world.admin.get(balance).await.fine();
        reader.caller.get(balance).await.fine()["total"] == theirs["total"]
    };
    let drop_next = format!("/webhooks/{}/drop_next", world.webhook);
    for _ in 0..3 {
        world.sandbox.pay_in(1, "ETH", "0.25").await;
        until("an event has told", equal).await;
        world.sandbox.act(&drop_next, &json!({"count": 100})).await;
        let lost = world.sandbox.pay_in(1, "ETH", "0.5").await;
        until("it is completed upstream", || async {
            let all = world.admin.transactions().await;
            all.iter()
                .any(|one| one["id"] == *lost && one["status"] == "COMPLETED")
        })
        .await;
        world.desk("POST", "/refresh", &json!({})).await.fine();
        until("the look is over", || async {
            world.look("/status").await["looking"] == json!(false)
        })
        .await;
        assert!(equal().await, "the look has seen it");
        world.sandbox.act(&drop_next, &json!({"count": 0})).await;
    }
}
