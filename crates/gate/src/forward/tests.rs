use bytes::Bytes;
use http::Method;
use protocol::exchange::{Params, Query};
use protocol::operations::by_id;
use serde_json::{Value, json};
use wire::client::{LocalKey, Once};
use wire::clock::SystemClock;

use super::*;
use crate::testing::{KEY, OWNER};

fn question(
    operation: &str,
    params: &[(&'static str, &str)],
    query: &str,
) -> Result<Question, ApiError> {
    let params: Params = params
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    let query = Query::parse(query).expect("a query");
    Question::of(operation, &params, &query)
}

const WALLET: [(&str, &str); 2] = [("vaultAccountId", "1"), ("assetId", "BTC")];

/// What goes up is made from what was read: nothing of the provider's own bytes is in it.
#[test]
fn invariant_2_nothing_travels_that_was_not_read() {
    let target = |operation, params: &[(&'static str, &str)], query| {
        let question = question(operation, params, query).expect("a question");
        question.target().expect("a target")
    };
    assert_eq!(
        target("estimateNetworkFee", &[], "assetId=ETH&evil=1&assetId=BTC"),
        "/v1/estimate_network_fee?assetId=ETH"
    );
    assert_eq!(
        target(
            "validateAddress",
            &[("assetId", "BTC"), ("address", "Name*x.org:~a+b=@-_")],
            "x=y"
        ),
        "/v1/transactions/validate_address/BTC/Name*x.org:~a+b=@-_"
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
}

#[test]
fn what_cannot_be_read_is_refused_by_name() {
    let refused = |operation, params: &[(&'static str, &str)], query: &str| {
        let error = question(operation, params, query).expect_err("refused");
        error.message().to_owned()
    };
    for (address, query) in [
        ("", ""),
        ("..", ""),
        ("a b", ""),
        ("a\u{0}", ""),
        ("\u{fc}", ""),
        ("a/../b", ""),
        ("a\\b", ""),
        ("a%2fb", ""),
        ("a?b", ""),
        ("a#b", ""),
        ("a;b", ""),
        (&"a".repeat(257), ""),
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
    // Dots are another path.
    for dots in [".", ".."] {
        let params = [("assetId", dots), ("address", "a")];
        assert!(question("validateAddress", &params, "").is_err(), "{dots}");
    }
    // What is not written here is not asked, whatever a table says.
    for unwritten in ["createTransaction", "estimateTransactionFee", ""] {
        assert!(question(unwritten, &WALLET, "").is_err(), "{unwritten}");
    }
}

/// A workspace's own words could stand in a field that a newer contract adds.
#[test]
fn invariant_7_a_field_that_is_not_known_is_dropped() {
    let asked = question("getUnspentInputs", &WALLET, "").expect("a question");
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

/// Who asks can sign nothing but a GET, and is the Viewer wherever the contract lets it ask.
#[tokio::test]
async fn invariant_1_whoever_asks_upstream_signs_nothing_but_a_get() {
    let client = || {
        let signer = Arc::new(LocalKey::new(OWNER, KEY.clone()));
        let one = NonZeroU32::MIN;
        let budget = Budget::per_minute(one, one, Duration::ZERO);
        let client = Client::new("http://127.0.0.1:9", signer, budget, Arc::new(SystemClock));
        Some(client.expect("a client"))
    };
    for id in SERVED {
        let operation = by_id(id).expect("an operation");
        let of_viewer = operation.roles.contains(Role::Viewer);
        let (viewer, editor) = (
            who(operation, client(), None),
            who(operation, None, client()),
        );
        assert_eq!(viewer.is_some(), of_viewer, "{id}");
        assert_eq!(editor.is_some(), !of_viewer, "nobody steps in: {id}");
        for asks in [viewer, editor, who(operation, client(), client())] {
            let Some(asks) = asks else { continue };
            let body = Bytes::from_static(b"{}");
            let posted = asks
                .write(Method::POST, "/v1/transactions", body, Once::Unkeyed)
                .await;
            assert!(matches!(posted, Err(ClientError::ReadsOnly)), "{id}");
        }
    }
}
