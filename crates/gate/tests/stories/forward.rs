//! What the books do not hold is asked upstream: where it is granted, of what is in scope, and in
//! the gate's own words.

use serde_json::json;

use crate::provider::{Provider, editor, transfer, viewer};
use crate::world::World;

const COINS: &str = "/v1/vault/accounts/1/BTC/unspent_inputs";
const FEE: &str = "/v1/estimate_network_fee?assetId=ETH";

async fn granted(world: &mut World, name: &str, wanted: crate::provider::Wanted) -> Provider {
    world
        .granting(name, wanted, &json!({"scope": {"forward": true}}))
        .await
}

/// What the gate asked upstream meanwhile, as the line heard it.
async fn asked(world: &World, before: usize) -> Vec<String> {
    let all = world.line.asked();
    let wanted = [
        "estimate",
        "validate_address",
        "unspent",
        "spendable",
        "staking",
    ];
    let of_providers = |line: &&String| wanted.iter().any(|word| line.contains(word));
    all.iter()
        .skip(before)
        .filter(of_providers)
        .cloned()
        .collect()
}

#[tokio::test]
async fn what_is_granted_is_asked_upstream_and_answered_as_there() {
    let mut world = World::new().await;
    let trader = granted(&mut world, "trader", editor(&[1, 2])).await;
    let there = world.at_the_workspace("editor");
    let address = world
        .admin
        .get("/v1/vault/accounts/1/BTC/addresses")
        .await
        .fine()[0]["address"]
        .as_str()
        .expect("an address")
        .to_owned();
    for target in [
        FEE.to_owned(),
        format!("/v1/transactions/validate_address/BTC/{address}"),
        "/v1/transactions/validate_address/BTC/nonsense".to_owned(),
        "/v1/staking/chains".to_owned(),
        COINS.to_owned(),
        "/v1/vault/accounts/1/BTC/max_spendable_amount?minAmount=0.01".to_owned(),
    ] {
        let here = trader.caller.get(&target).await.fine();
        let theirs = there.get(&target).await.fine();
        if target == "/v1/staking/chains" || target == COINS {
            assert!(!here.as_array().expect("a list").is_empty(), "{target}");
        }
        assert_eq!(here, theirs, "{target}");
    }
    // A question that is posted is not among them, though an Editor may ask it there.
    let fee = "/v1/transactions/estimate_fee";
    let refused = trader.caller.post(fee, &transfer(1, 2, "0.1")).await;
    assert_eq!(refused.verdict(), (403, None));
    assert!(!world.line.heard(fee));
}

/// A coin is the transaction that brought it.
#[tokio::test]
async fn invariant_7_coins_are_not_asked_for_where_the_scope_hides_transactions() {
    let mut world = World::new().await;
    let open = granted(&mut world, "open", viewer(&[1], None)).await;
    let coins = open.caller.get(COINS).await.fine();
    assert!(!coins.as_array().expect("coins").is_empty());
    world.quiet().await;
    let before = world.line.asked().len();
    for (name, hides) in [
        ("recent", json!({"history_from": 1_767_225_600_000_i64})),
        ("outgoing", json!({"directions": {"incoming": false}})),
        ("own", json!({"others": false})),
    ] {
        let mut scope = hides.clone();
        scope["forward"] = true.into();
        let grant = json!({ "scope": scope });
        let hides = world.granting(name, viewer(&[1], None), &grant).await;
        for target in [COINS, "/v1/vault/accounts/1/BTC/max_spendable_amount"] {
            let refused = hides.caller.get(target).await;
            assert_eq!(refused.verdict(), (403, None), "{name}");
        }
    }
    assert_eq!(asked(&world, before).await, [""; 0]);
}

/// Neither a header nor an unknown parameter of the provider's is on the line.
#[tokio::test]
async fn invariant_2_what_goes_up_is_the_gates_own() {
    let mut world = World::new().await;
    let reader = granted(&mut world, "reader", viewer(&[1], None)).await;
    world.quiet().await;
    let before = world.line.asked().len();
    let target = format!("{COINS}?evil=1&includeAllLabels=");
    let headers = [("x-evil", "1"), ("x-end-user-wallet-id", "7")];
    let answer = reader.caller.send("GET", &target, None, &headers).await;
    assert_eq!(answer.status, 200);
    let asked = asked(&world, before).await;
    assert_eq!(asked, [format!("GET {COINS}")]);
    assert!(world.line.heard(COINS) && !world.line.heard("evil"));
}

#[tokio::test]
async fn invariant_7_outside_and_absent_are_refused_alike_and_nobody_upstream_is_asked() {
    let mut world = World::new().await;
    let trader = granted(&mut world, "trader", editor(&[1, 2])).await;
    let narrow = granted(&mut world, "narrow", viewer(&[1], Some(&["ETH"]))).await;
    let bare = world.enrol("bare", viewer(&[1], None)).await;
    world.quiet().await;
    let before = world.line.asked().len();
    let pairs = [
        (
            "/v1/vault/accounts/4/BTC/unspent_inputs",
            "/v1/vault/accounts/99999/BTC/unspent_inputs",
        ),
        (
            "/v1/vault/accounts/4/BTC/max_spendable_amount",
            "/v1/vault/accounts/99999/BTC/max_spendable_amount",
        ),
    ];
    for (outside, absent) in pairs {
        let (outside, absent) = (
            trader.caller.get(outside).await.lasting(),
            trader.caller.get(absent).await.lasting(),
        );
        assert_eq!(outside.verdict(), (404, Some(1004)));
        assert_eq!(outside, absent);
    }
    let (outside, absent) = (
        narrow.caller.get(COINS).await.lasting(),
        narrow
            .caller
            .get("/v1/vault/accounts/1/NOSUCH/unspent_inputs")
            .await
            .lasting(),
    );
    assert_eq!(outside.verdict(), (404, Some(1006)));
    assert_eq!(outside, absent);
    // Not granted: nothing upstream, whatever is asked.
    for target in [FEE, COINS] {
        let refused = bare.caller.get(target).await;
        assert!(
            matches!(refused.verdict(), (403, None) | (401, Some(-8))),
            "{target}"
        );
    }
    assert_eq!(asked(&world, before).await, [""; 0]);
}
