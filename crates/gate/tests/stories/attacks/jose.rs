//! What stands in a token's header beside its algorithm: keys that it brings along, and what would have
//! to be understood.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use protocol::keys::{KeySize, PrivateKey};
use protocol::token::TokenError;
use serde_json::{Value, json};

use super::attempt::{Attacker, Attempt};
use super::tokens::{input, refused, right_claims, unread};

pub fn attempts(by: &Attacker) -> Vec<Attempt> {
    let mut all = strangers(by);
    // Under a right signature: only that they are not understood keeps these out.
    for (name, more) in [
        ("a jwk of one's own", json!({"jwk": jwk(&by.key)})),
        ("a jku", json!({"jku": "https://attacker.example/jwks"})),
        ("an x5u", json!({"x5u": "https://attacker.example/cert"})),
        (
            "an x5c of one's own",
            json!({"x5c": [certificate(&by.key)]}),
        ),
        ("an x5t", json!({"x5t": "AQAB"})),
        ("a content type", json!({"cty": "JWT"})),
        ("a crit", json!({"crit": ["exp"]})),
        ("an empty crit", json!({"crit": []})),
        ("an unencoded payload", json!({"b64": false})),
        (
            "an unencoded payload that is critical",
            json!({"b64": false, "crit": ["b64"]}),
        ),
        ("a compressed payload", json!({"zip": "DEF"})),
        ("an encryption", json!({"enc": "A256GCM"})),
        ("a kid that is no text", json!({"kid": ["x"]})),
        ("what nobody knows", json!({"x": "y"})),
    ] {
        let token = by.signed(&header(&more), &right_claims(by));
        all.push(unread(by, &format!("{name} in the header"), &token));
    }
    for (name, header) in [
        ("no alg", r#"{"typ":"JWT"}"#),
        ("an alg that is a number", r#"{"alg":256}"#),
        ("an alg that is a list", r#"{"alg":["RS256"]}"#),
        ("an alg that is null", r#"{"alg":null}"#),
        ("alg twice, RS256 last", r#"{"alg":"none","alg":"RS256"}"#),
        ("alg twice, none last", r#"{"alg":"RS256","alg":"none"}"#),
        ("alg in small letters", r#"{"alg":"rs256"}"#),
        ("alg with a blank", r#"{"alg":"RS256 "}"#),
        ("another typ", r#"{"alg":"RS256","typ":"JWE"}"#),
        ("a header that is a list", r#"["RS256"]"#),
        ("a header that is empty", "{}"),
        ("a header that is nothing", ""),
    ] {
        all.push(unread(by, name, &by.signed(header, &right_claims(by))));
    }
    all
}

/// Signed with a key that the header brings along or leads to: were it believed, it would be the right one.
fn strangers(by: &Attacker) -> Vec<Attempt> {
    let stranger = Attacker {
        user: by.user,
        key: PrivateKey::generate(KeySize::Rsa2048).expect("a key"),
    };
    let spki = stranger.key.public().spki_pem();
    let sql = format!("x' UNION SELECT '{spki}");
    let mut all = Vec::new();
    for (name, more, why) in [
        (
            "a stranger's jwk",
            json!({"jwk": jwk(&stranger.key)}),
            TokenError::Form,
        ),
        (
            "a stranger's x5c",
            json!({"x5c": [certificate(&stranger.key)]}),
            TokenError::Form,
        ),
        // A kid is not looked at: the key is the API user's.
        (
            "a kid that is SQL",
            json!({"kid": sql}),
            TokenError::Signature,
        ),
        (
            "a kid that is a key",
            json!({"kid": spki}),
            TokenError::Signature,
        ),
    ] {
        let token = stranger.signed(&header(&more), &right_claims(by));
        all.push(refused(by, &format!("{name} in the header"), &token, why));
    }
    // What is in that file is a secret of no bytes.
    let path = json!({"alg": "HS256", "kid": "../../../../dev/null"});
    let input = input(by, &header(&path));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b""), input.as_bytes());
    let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag));
    all.push(unread(by, "a kid that is a path in the header", &token));
    all
}

/// A right header, and more.
fn header(more: &Value) -> String {
    let mut header = json!({"alg": "RS256", "typ": "JWT"});
    for (field, value) in more.as_object().expect("an object") {
        header[field] = value.clone();
    }
    header.to_string()
}

/// A key as a header brings it along.
fn jwk(key: &PrivateKey) -> Value {
    let key = key.public();
    let [n, e] = [key.modulus(), key.exponent()].map(|part| URL_SAFE_NO_PAD.encode(part));
    json!({"kty": "RSA", "n": n, "e": e})
}

/// A certificate of a key by itself, as a header brings it along.
fn certificate(key: &PrivateKey) -> String {
    let pair = key.to_pkcs8_der().expect("a key");
    let pair = rcgen::KeyPair::try_from(pair.as_slice()).expect("a key");
    let params = rcgen::CertificateParams::new(["attacker.example".to_owned()]);
    let made = params.expect("a name").self_signed(&pair);
    STANDARD.encode(made.expect("a certificate").der())
}
