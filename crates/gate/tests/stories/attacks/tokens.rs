//! Tokens: forged, confused, doubled, twisted.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use protocol::token::{MAX_TOKEN_LEN, TokenError};
use serde_json::{Value, json};

use super::attempt::{Attacker, Attempt, Gets, HEADER};
use super::jose;
use super::scene::Prey;

const TARGET: &str = "/v1/vault/accounts_paged";

/// A read that bears this token, and is refused for this reason and no other.
pub fn refused(by: &Attacker, name: &str, token: &str, why: TokenError) -> Attempt {
    let gets = Gets::Code(401, why.code().into());
    Attempt::new(name, by.get(TARGET).bearing(token), gets)
}

/// The same, of a token that cannot be read.
pub fn unread(by: &Attacker, name: &str, token: &str) -> Attempt {
    refused(by, name, token, TokenError::Form)
}

pub fn right(by: &Attacker) -> Attempt {
    Attempt::new("a right read", by.get(TARGET), Gets::Fine)
}

pub fn attempts(by: &Attacker, _: &Prey) -> Vec<Attempt> {
    [
        algorithms(by),
        jose::attempts(by),
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

pub fn right_claims(by: &Attacker) -> String {
    Value::Object(by.claims(TARGET, b"")).to_string()
}

pub fn input(by: &Attacker, header: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}", part(header), part(&right_claims(by)))
}

fn algorithms(by: &Attacker) -> Vec<Attempt> {
    let alg = |alg: &str| json!({"alg": alg, "typ": "JWT"}).to_string();
    let mut all = Vec::new();
    for none in ["none", "None", "NONE", "nOnE", ""] {
        let name = format!("alg {none:?}, no signature");
        all.push(unread(by, &name, &format!("{}.", input(by, &alg(none)))));
        let name = format!("alg {none:?}, signed all the same");
        let token = by.signed(&alg(none), &right_claims(by));
        all.push(unread(by, &name, &token));
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
            all.push(refused(by, &name, &token, not_made_with(word)));
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
            let name = format!("{word}, called {told}");
            all.push(refused(by, &name, &token, not_made_with(told)));
        }
    }
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
    // Behind the byte that says so, x and y.
    let (x, y) = key.public_key().as_ref()[1..].split_at(32);
    let [x, y] = [x, y].map(|part| URL_SAFE_NO_PAD.encode(part));
    let jwk = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y});
    let header = json!({"alg": "ES256", "typ": "JWT", "jwk": jwk});
    let es256 = input(by, &header.to_string());
    let signature = key
        .sign(&SystemRandom::new(), es256.as_bytes())
        .expect("signed");
    let token = format!("{es256}.{}", URL_SAFE_NO_PAD.encode(signature));
    all.push(unread(by, "ES256 by a key of its own", &token));
    all
}

/// Why a signature that is not RS256's is refused under this word.
fn not_made_with(word: &str) -> TokenError {
    if word == "RS256" {
        TokenError::Signature
    } else {
        TokenError::Form
    }
}

/// Claims that are twisted, under a right signature.
fn claims(by: &Attacker) -> Vec<Attempt> {
    let right = right_claims(by);
    let whole = by.claims(TARGET, b"");
    let names = ["uri", "nonce", "iat", "exp", "sub", "bodyHash"];
    let in_order: Value = names.map(|name| whole[name].clone()).to_vec().into();
    let open = right.trim_end_matches('}');
    let doubled = |more: &str| format!("{open},{more}}}");
    let now = by.claims(TARGET, b"")["iat"].as_i64().expect("a time");
    let mut all = Vec::new();
    // Whichever of the two counts, it is a right one.
    for (name, text) in [
        ("sub twice", doubled(&format!("\"sub\":\"{}\"", by.user))),
        ("uri twice", doubled(&format!("\"uri\":\"{TARGET}\""))),
        ("exp twice", doubled(&format!("\"exp\":{}", now + 54))),
        ("iat twice", doubled(&format!("\"iat\":{}", now - 1))),
        ("nonce twice", doubled("\"nonce\":\"another\"")),
        (
            "a claim twice, once escaped",
            doubled(&format!("\"\\u0065xp\":{}", now + 54)),
        ),
        ("claims that are a list", format!("[{right}]")),
        ("claims without their names", in_order.to_string()),
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
        all.push(unread(by, name, &by.signed(HEADER, &text)));
    }
    for name in ["uri", "nonce", "iat", "exp", "sub", "bodyHash"] {
        let mut without = by.claims(TARGET, b"");
        without.shift_remove(name);
        let token = by.signed(HEADER, &Value::Object(without).to_string());
        let nobody = |is: bool| {
            if is && name == "sub" {
                TokenError::NoUser
            } else {
                TokenError::Form
            }
        };
        all.push(refused(by, &format!("no {name}"), &token, nobody(true)));
        for (what, value) in [
            ("null", Value::Null),
            ("a list", json!([])),
            ("true", json!(true)),
        ] {
            let why = nobody(value.is_null());
            let told = format!("{name} that is {what}");
            all.push(twisted(by, &told, &[(name, value)], why));
        }
    }
    all.push(twisted(
        by,
        "bodyHash of another body",
        &[("bodyHash", json!("0".repeat(64)))],
        TokenError::NotAccepted,
    ));
    all.push(twisted(
        by,
        "bodyHash too short",
        &[("bodyHash", json!("e3b0"))],
        TokenError::Form,
    ));
    all.push(twisted(
        by,
        "an endless nonce",
        &[("nonce", json!("n".repeat(10_000)))],
        TokenError::Form,
    ));
    all
}

fn twisted(by: &Attacker, name: &str, with: &[(&str, Value)], why: TokenError) -> Attempt {
    let mut claims = by.claims(TARGET, b"");
    for (claim, value) in with {
        claims.insert((*claim).to_owned(), value.clone());
    }
    let token = by.signed(HEADER, &Value::Object(claims).to_string());
    refused(by, name, &token, why)
}

fn times(by: &Attacker) -> Vec<Attempt> {
    use TokenError::{Expired, Form, Future, NotAccepted};
    let now = by.claims(TARGET, b"")["iat"].as_i64().expect("a time");
    let raw = |name: &str, iat: &str, exp: &str, why: TokenError| {
        let read = |text| serde_json::from_str(text).expect("JSON");
        twisted(by, name, &[("iat", read(iat)), ("exp", read(exp))], why)
    };
    let at = |name: &str, iat: i64, exp: i64, why: TokenError| {
        raw(name, &iat.to_string(), &exp.to_string(), why)
    };
    let form = |name: &str, exp: &str| raw(name, &now.to_string(), exp, Form);
    vec![
        at("expired", now - 56, now - 1, Expired),
        at("from the future", now + 3_600, now + 3_650, Future),
        at("for a year", now, now + 31_536_000, NotAccepted),
        at("times turned round", now + 3, now - 20, Expired),
        at("in milliseconds", now * 1_000, now * 1_000 + 55_000, Future),
        at("below zero", i64::MIN, now + 55, NotAccepted),
        at("exp beyond any number", now, i64::MAX, NotAccepted),
        raw(
            "iat as text",
            &format!("\"{now}\""),
            &(now + 55).to_string(),
            Form,
        ),
        form("exp as text", &format!("\"{}\"", now + 55)),
        form("exp with a fraction", &format!("{}.5", now + 55)),
        form("exp beyond 64 bits", "18446744073709551616"),
        form("an exponent without end", "1e400000000"),
        form(
            "an exponent of a million digits",
            &format!("1e{}", "9".repeat(10_000)),
        ),
        form("exp that is a word", "\"Infinity\""),
    ]
}

fn users(by: &Attacker) -> Vec<Attempt> {
    let own = by.user.to_string();
    let sub = |name: &str, sub: Value, why| twisted(by, name, &[("sub", sub)], why);
    let nobody = "00000000-0000-4000-8000-000000000000";
    vec![
        sub("nobody's sub", json!(nobody), TokenError::User),
        sub(
            "sub with a NUL",
            json!(format!("{own}\0")),
            TokenError::User,
        ),
        sub(
            "sub with a letter that looks alike",
            json!(own.replace('-', "\u{2010}")),
            TokenError::User,
        ),
        sub("sub in a list", json!([own]), TokenError::Form),
        sub("sub that is empty", json!(""), TokenError::NoUser),
    ]
}

fn targets(by: &Attacker) -> Vec<Attempt> {
    let uri = |name: &str, uri: &str| twisted(by, name, &[("uri", json!(uri))], TokenError::Target);
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
    // What is signed is what is sent: only how it is written keeps these out.
    let written = |parts: [String; 2]| {
        let input = parts.join(".");
        let signature = by.key.sign_rs256(input.as_bytes()).expect("signed");
        (input, signature)
    };
    let unpadded = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let spoilt = |header: String| {
        let (input, signature) = written([header, unpadded(&right_claims(by))]);
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    };
    // With the blank it has a length that is padded.
    let padded_header = spoilt(URL_SAFE.encode(format!("{HEADER} ")));
    let padded_signature = {
        let (input, signature) = written([unpadded(HEADER), unpadded(&right_claims(by))]);
        format!("{input}.{}", URL_SAFE.encode(signature))
    };
    let blank = spoilt(format!("{} ", unpadded(HEADER)));
    let tab = spoilt(format!("{}\t", unpadded(HEADER)));
    let differs = |token: &String| {
        let (_, signature) = token.rsplit_once('.').expect("three parts");
        signature.contains(['-', '_'])
    };
    let standard = std::iter::repeat_with(right).find(differs).expect("one");
    let (input, signature) = standard.rsplit_once('.').expect("three parts");
    let standard = format!("{input}.{}", signature.replace('-', "+").replace('_', "/"));
    let long = {
        let mut claims = by.claims(TARGET, b"");
        claims.insert("more".to_owned(), json!("x".repeat(MAX_TOKEN_LEN * 3 / 4)));
        by.signed(HEADER, &Value::Object(claims).to_string())
    };
    let nested = URL_SAFE_NO_PAD.encode(right());
    vec![
        unread(by, "not in three parts", "abc"),
        unread(by, "five parts", &format!("{}.a.b", right())),
        unread(by, "a dot at the end", &format!("{}.", right())),
        unread(by, "a dot at the beginning", &format!(".{}", right())),
        unread(by, "a padded header", &padded_header),
        unread(by, "a padded signature", &padded_signature),
        unread(by, "base64 of the other alphabet", &standard),
        unread(by, "a token in a token", &nested),
        unread(by, "a blank within", &blank),
        unread(by, "a tab within", &tab),
        unread(by, "two tokens", &format!("{} {}", right(), right())),
        unread(
            by,
            "two tokens with a comma",
            &format!("{},{}", right(), right()),
        ),
        unread(by, "longer than any token", &long),
        unread(
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
        refused(by, name, &token, TokenError::Signature)
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
        refused(
            by,
            "another token's signature",
            &claims_changed,
            TokenError::Signature,
        ),
    ]
}
