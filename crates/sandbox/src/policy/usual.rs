//! Fireblocks' own policy, for workspaces that have none.

use serde_json::{Value, json};

/// What holds where a workspace has no rule of its own: everybody transfers, calls contracts and
/// approves tokens, where the destination stands on a list.
pub(crate) fn usual() -> Vec<Value> {
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
