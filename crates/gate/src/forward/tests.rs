use protocol::exchange::{Params, Query};
use serde_json::{Value, json};

use super::*;

fn question(
    operation: &str,
    params: &[(&'static str, &str)],
    query: &str,
    body: Option<&Value>,
) -> Result<Question, ApiError> {
    let params: Params = params
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    let query = Query::parse(query).expect("a query");
    Question::of(operation, &params, &query, body)
}

const WALLET: [(&str, &str); 2] = [("vaultAccountId", "1"), ("assetId", "BTC")];

/// What goes up is made from what was read: nothing of the provider's own bytes is in it.
#[test]
fn invariant_2_nothing_travels_that_was_not_read() {
    let target = |operation, params: &[(&'static str, &str)], query| {
        let question = question(operation, params, query, None).expect("a question");
        assert_eq!(question.body().expect("a body"), None);
        question.target().expect("a target")
    };
    assert_eq!(
        target("estimateNetworkFee", &[], "assetId=ETH&evil=1&assetId=BTC"),
        "/v1/estimate_network_fee?assetId=ETH"
    );
    assert_eq!(
        target(
            "validateAddress",
            &[("assetId", "BTC"), ("address", "a/../b?c#d%2e")],
            "x=y"
        ),
        "/v1/transactions/validate_address/BTC/a%2F..%2Fb%3Fc%23d%252e"
    );
    assert_eq!(target("getChains", &[], "x=y"), "/v1/staking/chains");
    assert_eq!(
        target("getUnspentInputs", &WALLET, "x=y"),
        "/v1/vault/accounts/1/BTC/unspent_inputs"
    );
    assert_eq!(
        target(
            "getMaxSpendableAmount",
            &WALLET,
            "minAmount=01.50&manualSignging=true&x=y"
        ),
        "/v1/vault/accounts/1/BTC/max_spendable_amount?minAmount=1.5"
    );
    let transfer = json!({
        "assetId": "ETH", "amount": "1", "note": "to read", "externalTxId": "mine",
        "source": {"type": "VAULT_ACCOUNT", "id": "1"},
        "destination": {"type": "VAULT_ACCOUNT", "id": "2"},
    });
    let asked = question("estimateTransactionFee", &[], "x=y", Some(&transfer));
    let asked = asked.expect("a question");
    assert_eq!(
        asked.target().expect("a target"),
        "/v1/transactions/estimate_fee"
    );
    let body = asked.body().expect("a body").expect("a body");
    let body = String::from_utf8(body).expect("text");
    assert!(
        !body.contains("to read") && !body.contains("mine"),
        "{body}"
    );
}

#[test]
fn what_cannot_be_read_is_refused_by_name() {
    let refused = |operation, params: &[(&'static str, &str)], query: &str| {
        let error = question(operation, params, query, None).expect_err("refused");
        error.message().to_owned()
    };
    for (address, query) in [
        ("", ""),
        ("..", ""),
        ("a b", ""),
        ("a\u{0}", ""),
        ("\u{fc}", ""),
    ] {
        let params = [("assetId", "BTC"), ("address", address)];
        assert!(refused("validateAddress", &params, query).starts_with("address is not valid"));
    }
    for label in ["includeAllLabels", "includeAnyLabels", "excludeAnyLabels"] {
        let said = refused("getMaxSpendableAmount", &WALLET, &format!("{label}=secret"));
        assert_eq!(
            said,
            format!("{label} is not valid: not offered by this gate")
        );
    }
    assert!(refused("getMaxSpendableAmount", &WALLET, "maxAmount=much").starts_with("maxAmount"));
    for raw in [
        json!({"operation": "RAW"}),
        json!({"extraParameters": {}}),
        json!([]),
    ] {
        assert!(
            question("estimateTransactionFee", &[], "", Some(&raw)).is_err(),
            "{raw}"
        );
    }
    // What is not written here is not asked, whatever a table says.
    assert!(question("createTransaction", &[], "", None).is_err());
}

/// A workspace's own words could stand in a field that a newer contract adds.
#[test]
fn invariant_7_a_field_that_is_not_known_is_dropped() {
    let asked = question("getUnspentInputs", &WALLET, "", None).expect("a question");
    let said = json!([{"input": {"txHash": "ab", "index": 1, "secret": 1}, "address": "c", "amount": "1",
        "confirmations": 3, "status": "CONFIRMED", "labels": ["secret"], "fbTxId": "secret"}]);
    let reply = answer::read(&asked, said.to_string().as_bytes()).expect("an answer");
    let told: Value = serde_json::from_slice(&reply.body).expect("JSON");
    assert_eq!(
        told,
        json!([{"input": {"txHash": "ab", "index": 1}, "address": "c", "amount": "1",
            "confirmations": 3, "status": "CONFIRMED"}])
    );
    for strange in ["{}", "<html>", "[{}]", ""] {
        let told = answer::read(&asked, strange.as_bytes()).expect_err("not an answer");
        assert_eq!(told.status(), 502);
    }
}

/// Upstream's words may name anything.
#[test]
fn invariant_7_upstreams_words_are_not_told() {
    let said = |status, code| ClientError::Status {
        status,
        code,
        message: "of vault 9".to_owned(),
    };
    for (error, verdict) in [
        (said(400, Some(1429)), (400, Some(1429))),
        (said(404, None), (404, None)),
        (said(401, Some(-8)), (503, None)),
        (said(403, None), (503, None)),
        (said(500, None), (503, None)),
        (said(429, None), (429, None)),
        (ClientError::TooLarge, (502, None)),
    ] {
        let told = told(&error);
        assert_eq!((told.status(), told.code()), verdict);
        assert!(!told.message().contains('9'), "{told}");
    }
}
