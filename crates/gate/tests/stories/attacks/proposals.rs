//! Proposals: fields that no provider may set, amounts that are none, places that are not its own.

use serde_json::{Value, json};

use super::attempt::{Attacker, Attempt, Gets};
use super::scene::Prey;
use crate::provider::transfer;

const WRITE: &str = "/v1/transactions";

pub fn right(by: &Attacker) -> Attempt {
    let body = transfer(1, 2, "0.5").to_string();
    let request = by.post(WRITE, body.as_bytes());
    Attempt::new("a right proposal", request, Gets::Taken)
}

pub fn attempts(by: &Attacker, prey: &Prey) -> Vec<Attempt> {
    let ask = |name: String, body: &Value, gets| {
        let request = by.post(WRITE, body.to_string().as_bytes());
        Attempt::new(name, request, gets)
    };
    // What is not a TRANSFER's; another operation; no amount.
    let (field, operation, amount) = (
        Gets::Code(400, 1409),
        Gets::Code(400, 1401),
        Gets::Code(400, 1432),
    );
    let with = |field: &str, value: &Value| {
        let mut body = transfer(1, 2, "0.5");
        body[field] = value.clone();
        body
    };
    let mut all = Vec::new();
    for (name, value) in [
        ("id", json!("00000000-0000-4000-8000-000000000000")),
        ("status", json!("COMPLETED")),
        ("subStatus", json!("CONFIRMED")),
        ("createdBy", json!(prey.user)),
        ("signedBy", json!([prey.user])),
        ("rejectedBy", json!("nobody")),
        ("createdAt", json!(1)),
        ("txHash", json!("0x00")),
        ("authorizationInfo", json!({"threshold": 0})),
        ("approved", json!(true)),
        ("place", json!("fireblocks")),
        ("connection", json!("rival")),
        ("workspace", json!("another")),
        ("networkFee", json!("0")),
        ("fee", json!("1000")),
        ("gasLimit", json!("1")),
        ("maxFee", json!("1")),
        ("cpuStaking", json!(1)),
        (
            "extraParameters",
            json!({"rawMessageData": {"messages": [{"content": "00"}]}}),
        ),
        (
            "destinations",
            json!([{"amount": "1", "destination": {"type": "VAULT_ACCOUNT", "id": "3"}}]),
        ),
        ("replaceTxByHash", json!(prey.hash)),
        ("travelRuleMessage", json!({})),
        ("useGasless", json!(true)),
        ("force", json!(true)),
    ] {
        all.push(ask(format!("{name} is set"), &with(name, &value), field));
    }
    for word in [
        "RAW",
        "CONTRACT_CALL",
        "PROGRAM_CALL",
        "TYPED_MESSAGE",
        "MINT",
        "BURN",
        "STAKE",
        "UNSTAKE",
        "APPROVE",
        "INTERNAL_LEDGER_TRANSFER",
        "transfer",
        "TRANSFER ",
        "",
        "TRANSFER\u{0}",
    ] {
        let body = with("operation", &json!(word));
        all.push(ask(format!("the operation {word:?}"), &body, operation));
    }
    for value in [
        json!("0"),
        json!("-0"),
        json!("-1"),
        json!("+1"),
        json!("1e3"),
        json!("0x10"),
        json!(".5"),
        json!("5."),
        json!("1,5"),
        json!("1_000"),
        json!(" 1"),
        json!("1 "),
        json!("١"),
        json!("Infinity"),
        json!("NaN"),
        json!(""),
        json!("1\u{0}"),
        json!("0.1234567890123456789"),
        json!("9".repeat(60)),
        json!(-1),
        json!(null),
        json!([1]),
        json!({"value": "1"}),
        json!(true),
        json!("1;DROP TABLE x"),
    ] {
        let body = with("amount", &value);
        let name = format!("the amount {:.30}", value.to_string());
        all.push(ask(name, &body, amount));
    }
    let absent = ["another's account", "an account that is not there"];
    let vault = |id: Value| json!({"type": "VAULT_ACCOUNT", "id": id});
    for (what, place) in [
        ("another's account", vault(json!("3"))),
        ("an account that is not there", vault(json!("99999"))),
        ("an account below zero", vault(json!("-1"))),
        ("an account that is a number", vault(json!(1))),
        ("an account with a zero before", vault(json!("01"))),
        ("two accounts", vault(json!(["1", "3"]))),
        ("no account", json!({"type": "VAULT_ACCOUNT"})),
        ("a place without a kind", json!({"id": "1"})),
        ("an unknown kind", json!({"type": "VAULT", "id": "1"})),
        (
            "an exchange",
            json!({"type": "EXCHANGE_ACCOUNT", "id": "1"}),
        ),
        ("a fiat account", json!({"type": "FIAT_ACCOUNT", "id": "1"})),
        ("a gas station", json!({"type": "GAS_STATION", "id": "1"})),
        ("an unknown place", json!({"type": "UNKNOWN", "id": "1"})),
        (
            "a wallet that was not granted",
            json!({"type": "EXTERNAL_WALLET", "id": prey.wallet}),
        ),
        (
            "one time",
            json!({"type": "ONE_TIME_ADDRESS", "oneTimeAddress": {"address": "0x0000000000000000000000000000000000000001"}}),
        ),
        (
            "a virtual id",
            json!({"type": "VAULT_ACCOUNT", "id": "1", "virtualId": "3"}),
        ),
        ("a text", json!("VAULT_ACCOUNT/1")),
        ("nothing", Value::Null),
    ] {
        for side in ["source", "destination"] {
            let name = format!("{side}: {what}");
            let code = match (place["type"].as_str(), side) {
                (Some("VAULT_ACCOUNT"), _) if absent.contains(&what) => 11_001,
                (None | Some("VAULT_ACCOUNT" | "ONE_TIME_ADDRESS"), _) => 1409,
                (_, "source") => 1427,
                (Some("EXTERNAL_WALLET"), _) => 1410,
                _ => 1428,
            };
            all.push(ask(name, &with(side, &place), Gets::Code(400, code)));
        }
    }
    for asset in [
        "", "eth", "ETH ", " ETH", "ETH\u{0}", "ЕTH", "NOPE", "ETH,BTC", "*", "../ETH",
    ] {
        let body = with("assetId", &json!(asset));
        // Of those that have an asset's form, there is no wallet.
        let code = match asset {
            "eth" | "NOPE" => 1410,
            _ => 1409,
        };
        let gets = Gets::Code(400, code);
        all.push(ask(format!("the asset {asset:?}"), &body, gets));
    }
    let long = json!("x".repeat(100_000));
    for name in ["note", "externalTxId", "customerRefId"] {
        let endless = format!("an endless {name}");
        all.push(ask(endless, &with(name, &long), field));
        let list = format!("{name} that is a list");
        all.push(ask(list, &with(name, &json!([])), field));
    }
    all
}
