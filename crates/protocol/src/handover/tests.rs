use super::*;
use crate::csr::CertificateSigningRequest;
use crate::keys::tests::{KEY, OTHER};
use crate::signature::{Jwk, WebhookKey};
use crate::{ed25519, private_key};
use serde_json::{Value, json};
use std::sync::LazyLock;
use uuid::Uuid;

mod properties;

static CSR: LazyLock<String> = LazyLock::new(|| {
    let csr = CertificateSigningRequest::new(&KEY, "Example", None).expect("made");
    csr.to_pem()
});
static LOG_KEY: LazyLock<VerifyingKey> =
    LazyLock::new(|| ed25519::SigningKey::generate().expect("a key").public());

fn two_requests() -> String {
    let other = CertificateSigningRequest::new(&OTHER, "Example", None).expect("made");
    format!("{}{}", *CSR, other.to_pem())
}

fn handover() -> Value {
    json!({
        "version": 1, "provider": "Example Accounting", "role": "VIEWER", "csr": *CSR,
        "addresses": ["192.0.2.7", "2001:db8::/48"],
        "scope": {"vault_accounts": ["0", "7"]},
    })
}

fn handback() -> Value {
    json!({
        "version": 1, "connection": "accounting", "role": "EDITOR",
        "base_url": "https://gate.example.com/v1",
        "api_key": Uuid::from_u128(1), "workspace_id": Uuid::from_u128(2),
        "scope": {"vault_accounts": [], "assets": ["BTC"], "whitelists": [Uuid::from_u128(3)]},
        "webhooks": {
            "webhook_id": Uuid::from_u128(4),
            "jwks": serde_json::from_str::<Value>(&jwks(&["a"]).to_json()).expect("json"),
            "legacy_key_pem": KEY.public().spki_pem(),
            "sender_addresses": ["192.0.2.9"],
        },
        "log_key": *LOG_KEY,
    })
}

fn jwks(names: &[&str]) -> Jwks {
    let key = |name: &&str| -> Jwk { WebhookKey::new(*name, OTHER.clone()).public() };
    Jwks {
        keys: names.iter().map(key).collect(),
    }
}

fn read_over(value: &Value) -> Result<HandOver, HandoverError> {
    HandOver::from_json(value.to_string().as_bytes())
}

fn read_back(value: &Value) -> Result<HandBack, HandoverError> {
    HandBack::from_json(value.to_string().as_bytes())
}

/// The value with another one at a place: `/scope/assets`.
fn with(mut value: Value, at: &str, new: Value) -> Value {
    let (parent, name) = at.rsplit_once('/').expect("a path");
    let parent = value.pointer_mut(parent).expect("a parent");
    match name.parse::<usize>() {
        Ok(entry) => parent[entry] = new,
        Err(_) => parent[name] = new,
    }
    value
}

#[test]
fn a_file_written_by_hand_is_read() {
    let file = read_over(&handover()).expect("read");
    assert_eq!(file.role, ProviderRole::Viewer);
    let addresses = ["192.0.2.7/32", "2001:db8::/48"];
    assert_eq!(
        file.addresses,
        addresses.map(|net| net.parse().expect("a net"))
    );
    assert_eq!((file.legacy_signature, &file.webhook_url), (false, &None));
    assert_eq!(file.scope.assets, None);
    assert!(file.scope.vault_accounts.contains(&VaultAccountId::new(7)));
    let file = read_back(&handback()).expect("read");
    assert_eq!(file.log_key, *LOG_KEY);
    assert_eq!(file.webhooks.expect("webhooks").jwks, jwks(&["a"]));
}

#[test]
fn an_address_is_a_range_of_one() {
    for (text, range) in [
        ("127.0.0.1", "127.0.0.1/32"),
        ("2001:db8::7", "2001:db8::7/128"),
        ("203.0.113.0/24", "203.0.113.0/24"),
    ] {
        assert_eq!(parse_range(text), Ok(range.parse().expect("a net")));
    }
    for bad in ["", "localhost", "10.0.0.1/8", "::/0", "::ffff:192.0.2.7"] {
        assert!(parse_range(bad).is_err(), "{bad}");
    }
}

#[test]
fn what_is_wrong_in_a_handover_is_named() {
    let many = |count: usize| json!((0..count).map(|n| n.to_string()).collect::<Vec<_>>());
    for (at, new, place) in [
        ("/provider", json!(""), "provider"),
        ("/provider", json!("x".repeat(101)), "provider"),
        ("/provider", json!("a\nb"), "provider"),
        ("/provider", json!("a\u{202e}b"), "provider"),
        ("/role", json!("ADMIN"), "role"),
        ("/csr", json!("MIIC"), "csr"),
        ("/csr", json!(KEY.public().spki_pem()), "csr"),
        ("/csr", json!(two_requests()), "csr"),
        ("/addresses", json!([]), "addresses"),
        ("/addresses", json!(vec!["192.0.2.7"; 65]), "addresses"),
        ("/addresses/1", json!("0.0.0.0/0"), "addresses[1]"),
        ("/addresses/1", json!("::/0"), "addresses[1]"),
        ("/addresses/1", json!("10.0.0.1/8"), "addresses[1]"),
        ("/addresses/1", json!("::ffff:192.0.2.7"), "addresses[1]"),
        ("/addresses/1", json!("::ffff:0:0/96"), "addresses[1]"),
        ("/addresses/1", json!("example.com"), "addresses[1]"),
        ("/webhook_url", json!("ftp://example.com"), "webhook_url"),
        (
            "/webhook_url",
            json!("https://u:p@example.com"),
            "webhook_url",
        ),
        ("/webhook_url", json!("https://x/#y"), "webhook_url"),
        (
            "/webhook_url",
            json!("https://x/".to_owned() + &"y".repeat(2_048)),
            "webhook_url",
        ),
        (
            "/scope/vault_accounts/1",
            json!("07"),
            "scope.vault_accounts[1]",
        ),
        (
            "/scope/vault_accounts/1",
            json!("0"),
            "scope.vault_accounts",
        ),
        (
            "/scope/vault_accounts",
            many(10_001),
            "scope.vault_accounts",
        ),
        ("/scope/assets", json!(["a b"]), "scope.assets[0]"),
        ("/scope/whitelists", json!(["7"]), "scope.whitelists[0]"),
    ] {
        let Err(HandoverError::Value { place: found, .. }) =
            read_over(&with(handover(), at, new.clone()))
        else {
            panic!("{at} = {new} was read");
        };
        assert_eq!(found.to_string(), place);
    }
    let full = with(handover(), "/scope/vault_accounts", many(10_000));
    assert!(read_over(&full).is_ok());
}

#[test]
fn what_is_wrong_in_a_handback_is_named() {
    let small = json!({"keys": [{"kty": "EC", "kid": "x"}]});
    for (at, new, place) in [
        ("/connection", json!(" x"), "connection"),
        ("/role", json!("SIGNER"), "role"),
        ("/base_url", json!("https://gate.example.com/"), "base_url"),
        (
            "/base_url",
            json!("https://gate.example.com/v1?x=/v1"),
            "base_url",
        ),
        (
            "/api_key",
            json!("6ba7b8109dad11d180b400c04fd430c8"),
            "api_key",
        ),
        ("/workspace_id", json!("x"), "workspace_id"),
        ("/webhooks/webhook_id", json!("x"), "webhooks.webhook_id"),
        ("/webhooks/jwks", small, "webhooks.jwks"),
        ("/webhooks/jwks", json!([]), "webhooks.jwks"),
        ("/webhooks/jwks_url", json!("x"), "webhooks.jwks_url"),
        (
            "/webhooks/legacy_key_pem",
            json!("x"),
            "webhooks.legacy_key_pem",
        ),
        (
            "/webhooks/sender_addresses",
            json!(["10.0.0.0/8"]),
            "webhooks.sender_addresses[0]",
        ),
        ("/log_key", json!("AAAA"), "log_key"),
    ] {
        let Err(HandoverError::Value { place: found, .. }) =
            read_back(&with(handback(), at, new.clone()))
        else {
            panic!("{at} = {new} was read");
        };
        assert_eq!(found.to_string(), place);
    }
}

#[test]
fn the_shape_is_strict() {
    let told = |value: &str| {
        HandOver::from_json(value.as_bytes())
            .expect_err("refused")
            .to_string()
    };
    let good = handover().to_string();
    let twice = good.replacen('{', "{\"version\":1,", 1);
    assert!(told(&twice).ends_with(": the field 'version' is there twice"));
    let unknown = good.replacen('{', "{\"signer\":1,", 1);
    assert!(told(&unknown).ends_with(": no field is called 'signer'"));
    let missing = good.replace("\"role\":\"VIEWER\",", "");
    assert!(told(&missing).ends_with(": the field 'role' is missing"));
    let nested = with(handover(), "/scope/everything", json!(true));
    assert!(told(&nested.to_string()).ends_with(": no field is called 'everything'"));
    let newer = with(handover(), "/version", json!(2));
    assert_eq!(read_over(&newer), Err(HandoverError::Version(2)));
    let newer = with(newer, "/something", json!("new"));
    assert_eq!(read_over(&newer), Err(HandoverError::Version(2)));
    assert!(told("{").ends_with(": the JSON ends too early"));
    assert!(told("nonsense").ends_with(": this is not JSON"));
    assert!(told(&(good.clone() + "x")).ends_with(": this is not JSON"));
    let padded = good + &" ".repeat(MAX_LEN);
    assert_eq!(
        HandOver::from_json(padded.as_bytes()),
        Err(HandoverError::TooLarge)
    );
}

/// Invariant 8: secrets never show in errors.
#[test]
fn invariant_8_a_secret_in_the_wrong_field_is_not_repeated() {
    let secret = KEY.to_pkcs8_pem().expect("pem");
    let body = secret.lines().nth(3).expect("a line");
    for at in [
        "/provider",
        "/csr",
        "/role",
        "/version",
        "/addresses/0",
        "/scope/assets",
        "/webhook_url",
    ] {
        let error = read_over(&with(handover(), at, json!(secret.as_str()))).expect_err("refused");
        assert!(
            !format!("{error} {error:?}").contains(&body[..8]),
            "{error:?}"
        );
    }
    let file = handover().to_string().replacen("provider", body, 1);
    let error = HandOver::from_json(file.as_bytes()).expect_err("refused");
    assert!(
        !format!("{error} {error:?}").contains(&body[..8]),
        "{error:?}"
    );
}

#[test]
fn neither_file_looks_like_a_private_key() {
    let over = read_over(&handover()).expect("read").to_json();
    let back = read_back(&handback()).expect("read").to_json();
    assert_eq!(private_key::find(over.as_bytes()), None);
    assert_eq!(private_key::find(back.as_bytes()), None);
}
