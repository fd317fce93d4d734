//! Tokens: forged, confused, doubled, twisted.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use protocol::keys::{KeySize, PrivateKey};
use serde_json::{Value, json};

use super::attempt::{Attacker, Attempt, DENIED, Gets, HEADER};
use super::scene::Prey;

const TARGET: &str = "/v1/vault/accounts_paged";

/// A read that bears this token.
fn bearing(by: &Attacker, name: &str, token: &str) -> Attempt {
    Attempt::new(name, by.get(TARGET).bearing(token), DENIED)
}

pub fn right(by: &Attacker) -> Attempt {
    Attempt::new("a right read", by.get(TARGET), Gets::Fine)
}

pub fn attempts(by: &Attacker, _: &Prey) -> Vec<Attempt> {
    [
        algorithms(by),
        headers(by),
        claims(by),
        times(by),
        users(by),
        targets(by),
        forms(by),
        signatures(by),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn right_claims(by: &Attacker) -> String {
    Value::Object(by.claims(TARGET, b"")).to_string()
}

fn input(by: &Attacker, header: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}", part(header), part(&right_claims(by)))
}

fn algorithms(by: &Attacker) -> Vec<Attempt> {
    let alg = |alg: &str| json!({"alg": alg, "typ": "JWT"}).to_string();
    let mut all = Vec::new();
    for none in ["none", "None", "NONE", "nOnE", ""] {
        let name = format!("alg {none:?}, no signature");
        all.push(bearing(by, &name, &format!("{}.", input(by, &alg(none)))));
        let name = format!("alg {none:?}, signed all the same");
        let token = by.signed(&alg(none), &right_claims(by));
        all.push(bearing(by, &name, &token));
    }
    let (pem, der) = (
        by.key.public().spki_pem(),
        by.key.public().spki_der().to_vec(),
    );
    let macs = [
        ("HS256", hmac::HMAC_SHA256),
        ("HS384", hmac::HMAC_SHA384),
        ("HS512", hmac::HMAC_SHA512),
        ("RS256", hmac::HMAC_SHA256),
    ];
    for (word, mac) in macs {
        for (what, secret) in [("PEM", pem.as_bytes()), ("DER", &der), ("nothing", b"")] {
            let input = input(by, &alg(word));
            let tag = hmac::sign(&hmac::Key::new(mac, secret), input.as_bytes());
            let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(tag));
            let name = format!("{word}, an HMAC under the public key as {what}");
            all.push(bearing(by, &name, &token));
        }
    }
    let pair = by.key.to_pkcs8_der().expect("a key");
    let pair = RsaKeyPair::from_pkcs8(&pair).expect("a key");
    let paddings: [(&str, &'static dyn RsaEncoding); 3] = [
        ("RS384", &RSA_PKCS1_SHA384),
        ("RS512", &RSA_PKCS1_SHA512),
        ("PS256", &RSA_PSS_SHA256),
    ];
    for (word, padding) in paddings {
        for told in [word, "RS256"] {
            let input = input(by, &alg(told));
            let mut signature = vec![0; pair.public_modulus_len()];
            let signed = pair.sign(
                padding,
                &SystemRandom::new(),
                input.as_bytes(),
                &mut signature,
            );
            signed.expect("signed");
            let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature));
            all.push(bearing(by, &format!("{word}, called {told}"), &token));
        }
    }
    let es256 = input(by, &alg("ES256"));
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
    let signature = key
        .sign(&SystemRandom::new(), es256.as_bytes())
        .expect("signed");
    let token = format!("{es256}.{}", URL_SAFE_NO_PAD.encode(signature));
    all.push(bearing(by, "ES256 by a key of its own", &token));
    all
}

fn headers(by: &Attacker) -> Vec<Attempt> {
    let jwk = json!({"kty": "RSA", "n": "AQAB", "e": "AQAB"});
    let more = [
        ("an embedded jwk", json!({"jwk": jwk})),
        ("a jku", json!({"jku": "https://attacker.example/jwks"})),
        ("an x5u", json!({"x5u": "https://attacker.example/cert"})),
        ("an x5c", json!({"x5c": ["MIIB"]})),
        (
            "a kid that is a path",
            json!({"kid": "../../../../dev/null"}),
        ),
        ("a kid that is SQL", json!({"kid": "x' UNION SELECT 'k"})),
        ("a crit", json!({"crit": ["exp"]})),
        (
            "an unencoded payload",
            json!({"b64": false, "crit": ["b64"]}),
        ),
        ("a compressed payload", json!({"zip": "DEF"})),
        ("an encryption", json!({"enc": "A256GCM"})),
    ];
    let mut all = Vec::new();
    for (name, more) in more {
        let stranger = PrivateKey::generate(KeySize::Rsa2048).expect("a key");
        let stranger = Attacker {
            user: by.user,
            key: stranger,
        };
        let mut header = json!({"alg": "RS256", "typ": "JWT"});
        for (field, value) in more.as_object().expect("an object") {
            header[field] = value.clone();
        }
        // Were the header believed, the stranger's key or none would be the right one.
        let token = stranger.signed(&header.to_string(), &right_claims(by));
        all.push(bearing(by, &format!("{name} in the header"), &token));
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
        all.push(bearing(by, name, &by.signed(header, &right_claims(by))));
    }
    all
}

/// Claims that are twisted, under a right signature.
fn claims(by: &Attacker) -> Vec<Attempt> {
    let right = right_claims(by);
    let open = right.trim_end_matches('}');
    let doubled = |more: &str| format!("{open},{more}}}");
    let mut all = Vec::new();
    for (name, text) in [
        ("sub twice", doubled(&format!("\"sub\":\"{}\"", by.user))),
        ("uri twice", doubled(&format!("\"uri\":\"{TARGET}\""))),
        ("exp twice", doubled("\"exp\":99999999999")),
        ("iat twice", doubled("\"iat\":1")),
        ("nonce twice", doubled("\"nonce\":\"another\"")),
        (
            "a claim twice, once escaped",
            doubled("\"\\u0065xp\":99999999999"),
        ),
        ("claims that are a list", format!("[{right}]")),
        ("claims that are text", json!(right).to_string()),
        ("claims that are null", "null".to_owned()),
        ("two values", format!("{right}{right}")),
        ("a comment", format!("/* */{right}")),
        ("a comma too many", format!("{open},}}")),
        ("a byte order mark", format!("\u{feff}{right}")),
        ("claims without end", open.to_owned()),
        (
            "a nonce that is very deep",
            right.replacen(
                "\"nonce\":",
                &format!(
                    "\"nonce\":{}{},\"x\":",
                    "[".repeat(5_000),
                    "]".repeat(5_000)
                ),
                1,
            ),
        ),
    ] {
        all.push(bearing(by, name, &by.signed(HEADER, &text)));
    }
    for name in ["uri", "nonce", "iat", "exp", "sub", "bodyHash"] {
        let mut without = by.claims(TARGET, b"");
        without.shift_remove(name);
        let token = by.signed(HEADER, &Value::Object(without).to_string());
        all.push(bearing(by, &format!("no {name}"), &token));
        for (what, value) in [
            ("null", Value::Null),
            ("a list", json!([])),
            ("true", json!(true)),
        ] {
            let name = format!("{name} that is {what}");
            all.push(twisted(
                by,
                &name,
                &[(name.split(' ').next().expect("it"), value)],
            ));
        }
    }
    all.push(twisted(
        by,
        "bodyHash of another body",
        &[("bodyHash", json!("0".repeat(64)))],
    ));
    all.push(twisted(
        by,
        "bodyHash too short",
        &[("bodyHash", json!("e3b0"))],
    ));
    all.push(twisted(
        by,
        "an endless nonce",
        &[("nonce", json!("n".repeat(10_000)))],
    ));
    all
}

fn twisted(by: &Attacker, name: &str, with: &[(&str, Value)]) -> Attempt {
    let mut claims = by.claims(TARGET, b"");
    for (claim, value) in with {
        claims.insert((*claim).to_owned(), value.clone());
    }
    bearing(
        by,
        name,
        &by.signed(HEADER, &Value::Object(claims).to_string()),
    )
}

fn times(by: &Attacker) -> Vec<Attempt> {
    let now = by.claims(TARGET, b"")["iat"].as_i64().expect("a time");
    let raw = |name: &str, iat: &str, exp: &str| {
        let mut claims = by.claims(TARGET, b"");
        for (claim, text) in [("iat", iat), ("exp", exp)] {
            let value = serde_json::from_str(text).expect("JSON");
            claims.insert(claim.to_owned(), value);
        }
        bearing(
            by,
            name,
            &by.signed(HEADER, &Value::Object(claims).to_string()),
        )
    };
    let text = |number: i64| number.to_string();
    vec![
        raw("expired", &text(now - 56), &text(now - 1)),
        raw("from the future", &text(now + 3_600), &text(now + 3_650)),
        raw("for a year", &text(now), &text(now + 31_536_000)),
        raw("times turned round", &text(now + 3), &text(now - 20)),
        raw(
            "in milliseconds",
            &text(now * 1_000),
            &text(now * 1_000 + 55_000),
        ),
        raw("below zero", "-9223372036854775808", &text(now + 55)),
        raw("iat as text", &format!("\"{now}\""), &text(now + 55)),
        raw("exp as text", &text(now), &format!("\"{}\"", now + 55)),
        raw("exp beyond any number", &text(now), "9223372036854775807"),
        raw("exp beyond 64 bits", &text(now), "18446744073709551616"),
        raw("an exponent without end", &text(now), "1e400000000"),
        raw(
            "an exponent of a million digits",
            &text(now),
            &format!("1e{}", "9".repeat(10_000)),
        ),
        raw("exp that is a word", &text(now), "\"Infinity\""),
    ]
}

fn users(by: &Attacker) -> Vec<Attempt> {
    let sub = by.user.to_string();
    vec![
        twisted(
            by,
            "nobody's sub",
            &[("sub", json!("00000000-0000-4000-8000-000000000000"))],
        ),
        twisted(by, "sub with a NUL", &[("sub", json!(format!("{sub}\0")))]),
        twisted(
            by,
            "sub with a letter that looks alike",
            &[("sub", json!(sub.replace('-', "\u{2010}")))],
        ),
        twisted(by, "sub in a list", &[("sub", json!([sub]))]),
        twisted(by, "sub that is empty", &[("sub", json!(""))]),
    ]
}

fn targets(by: &Attacker) -> Vec<Attempt> {
    let uri = |name: &str, uri: &str| twisted(by, name, &[("uri", json!(uri))]);
    vec![
        uri("the uri of another read", "/v1/transactions"),
        uri("the uri with a query", "/v1/vault/accounts_paged?limit=1"),
        uri("the uri with a fragment", "/v1/vault/accounts_paged#x"),
        uri("a part of the uri", "/v1/vault"),
        uri(
            "the uri of the whole host",
            "http://gate.example/v1/vault/accounts_paged",
        ),
        uri("the uri in capitals", "/V1/VAULT/ACCOUNTS_PAGED"),
        uri("the uri encoded", "/v1/vault%2Faccounts_paged"),
        uri("the uri in full-width letters", "/v1/vault/ａccounts_paged"),
        uri("the uri with a blank", "/v1/vault/accounts_paged "),
        uri("an empty uri", ""),
    ]
}

fn forms(by: &Attacker) -> Vec<Attempt> {
    let right = || by.token(TARGET, b"");
    let parts = |token: &str| -> Vec<String> { token.split('.').map(str::to_owned).collect() };
    let token = right();
    let recoded = parts(&token)
        .iter()
        .map(|part| URL_SAFE.encode(URL_SAFE_NO_PAD.decode(part).expect("base64")))
        .collect::<Vec<_>>()
        .join(".");
    let standard = parts(&right())
        .iter()
        .map(|part| STANDARD.encode(URL_SAFE_NO_PAD.decode(part).expect("base64")))
        .collect::<Vec<_>>()
        .join(".");
    let nested = URL_SAFE_NO_PAD.encode(right());
    vec![
        bearing(by, "not in three parts", "abc"),
        bearing(by, "five parts", &format!("{}.a.b", right())),
        bearing(by, "a dot at the end", &format!("{}.", right())),
        bearing(by, "a dot at the beginning", &format!(".{}", right())),
        bearing(by, "padded base64", &recoded),
        bearing(by, "base64 of the other alphabet", &format!("{standard}=")),
        bearing(by, "a token in a token", &nested),
        bearing(by, "a blank within", &right().replacen('.', " .", 1)),
        bearing(by, "a tab within", &right().replacen('.', "\t.", 1)),
        bearing(by, "two tokens", &format!("{} {}", right(), right())),
        bearing(
            by,
            "two tokens with a comma",
            &format!("{},{}", right(), right()),
        ),
        bearing(by, "longer than any token", &"a".repeat(40_000)),
        bearing(
            by,
            "JSON in place of a token",
            &format!("{{\"token\":\"{}\"}}", right()),
        ),
    ]
}

fn signatures(by: &Attacker) -> Vec<Attempt> {
    let changed = |name: &str, change: &dyn Fn(&mut Vec<u8>)| {
        let token = by.token(TARGET, b"");
        let (input, signature) = token.rsplit_once('.').expect("three parts");
        let mut signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
        change(&mut signature);
        let token = format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature));
        bearing(by, name, &token)
    };
    let claims_changed = {
        let token = by.token(TARGET, b"");
        let (_, signature) = token.rsplit_once('.').expect("three parts");
        format!("{}.{signature}", input(by, HEADER))
    };
    vec![
        changed("one bit of the signature", &|bytes| bytes[40] ^= 1),
        changed("the signature turned by a byte", &|bytes| {
            bytes.rotate_left(1)
        }),
        changed("the signature's last byte gone", &|bytes| {
            bytes.truncate(255)
        }),
        changed("a zero before the signature", &|bytes| bytes.insert(0, 0)),
        changed("a zero behind the signature", &|bytes| bytes.push(0)),
        changed("a signature of zeros", &|bytes| bytes.fill(0)),
        changed("a signature of ones", &|bytes| bytes.fill(0xff)),
        changed("a signature of one", &|bytes| {
            bytes.fill(0);
            bytes[255] = 1;
        }),
        changed("no signature", &|bytes| bytes.clear()),
        changed("the signature twice", &|bytes| bytes.extend_from_within(..)),
        bearing(by, "another token's signature", &claims_changed),
    ]
}
