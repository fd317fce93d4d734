//! The policies that nobody has written: a seeded workspace's, and Fireblocks' own.

use protocol::ids::UserId;
use serde_json::{Value, json};

/// What those who can sign may do by themselves in a seeded workspace, beside transfers.
const BY_THEMSELVES: [&str; 7] = [
    "CONTRACT_CALL",
    "PROGRAM_CALL",
    "APPROVE",
    "MINT",
    "BURN",
    "RAW",
    "TYPED_MESSAGE",
];

/// The policy of a seeded workspace: nothing goes to an address that is on no list; those who can
/// sign send by themselves; whatever transfer others ask for, the treasurer approves and the
/// signing officer signs.
pub(crate) fn seeded(signers: &[UserId], treasurer: UserId, signing_officer: UserId) -> Vec<Value> {
    let everybody = || json!({ "wildcard": "*" });
    let any = || json!({ "ids": [["*"]] });
    let vault = || json!({ "ids": [["*", "VAULT"]] });
    let rule = |action: &str, operators: Value, src: Value, dst_address_type: &str| {
        json!({
            "type": "TRANSFER",
            "transactionType": "TRANSFER",
            "action": action,
            "asset": "*",
            "amountCurrency": "USD",
            "amountScope": "SINGLE_TX",
            "amount": "0",
            "periodSec": 0,
            "operators": operators,
            "src": src,
            "dst": any(),
            "dstAddressType": dst_address_type,
        })
    };
    let by_themselves = BY_THEMSELVES.map(|kind| {
        let mut rule = rule("ALLOW", json!({ "users": signers }), vault(), "*");
        rule["transactionType"] = kind.into();
        rule
    });
    let mut approved = rule("2-TIER", everybody(), vault(), "*");
    approved["designatedSigners"] = json!({ "users": [signing_officer] });
    approved["authorizationGroups"] = json!({
        "logic": "AND",
        "allowOperatorAsAuthorizer": false,
        "groups": [{"users": [treasurer], "th": 1}],
    });
    let mut rules = vec![
        rule("BLOCK", everybody(), any(), "ONE_TIME"),
        rule("ALLOW", json!({ "users": signers }), vault(), "*"),
        approved.clone(),
    ];
    rules.extend(by_themselves);
    // What comes in from an exchange is signed by nobody.
    let exchange = || json!({ "ids": [["*", "EXCHANGE"]] });
    rules.push(rule("ALLOW", json!({ "users": signers }), exchange(), "*"));
    let mut approved = approved.clone();
    approved["src"] = exchange();
    rules.push(approved);
    rules
}

/// What holds where a workspace has no rule of its own: everybody transfers, calls contracts and
/// approves tokens, where the destination stands on a list.
pub(super) fn usual() -> Vec<Value> {
    let rule = |kind: &str| {
        json!({
            "type": "TRANSFER",
            "transactionType": kind,
            "action": "ALLOW",
            "asset": "*",
            "amountCurrency": "USD",
            "amountScope": "SINGLE_TX",
            "amount": "0",
            "periodSec": 0,
            "operators": {"wildcard": "*"},
            "src": {"ids": [["*"]]},
            "dst": {"ids": [["*"]]},
            "dstAddressType": "WHITELISTED",
        })
    };
    ["TRANSFER", "CONTRACT_CALL", "APPROVE"].map(rule).into()
}
