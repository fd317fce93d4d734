//! Every failure of fireblocks.md §4.4, through the socket.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use protocol::token::HASHES_OF_NOTHING;
use serde_json::json;

use crate::asks::Ask;
use crate::token::Token;
use crate::world::*;

const READ: &str = "/v1/vault/accounts_paged?limit=5";
const WRITE: &str = "/v1/transactions";

fn fresh() -> Token {
    Token::of(VIEWER, READ, b"")
}

/// A read that carries this token.
fn read(token: &Token) -> Ask {
    Ask::get(VIEWER, READ).token(&token.text())
}

/// The answer's code, with the failures that it counted for.
async fn refused(world: &World, ask: &Ask) -> (i64, u32) {
    let before = world.failures();
    let answer = world.ask(ask).await;
    assert_eq!(answer.status, 401, "{answer:?}");
    assert!(answer.json()["message"].is_string());
    assert_eq!(world.answered(), 0, "nothing comes through");
    let code = answer.json()["code"].as_i64().expect("a code");
    (code, world.failures() - before)
}

#[tokio::test]
async fn a_right_token_opens_the_door() {
    let world = World::new().await;
    let answer = world.ask(&read(&fresh())).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["role"], "VIEWER");
    assert!(answer.header("x-request-id").is_some() && answer.header("date").is_some());
    assert_eq!(world.failures(), 0);
}

/// Design §4: unknown key, foreign address, suspended, revoked: the same 401/-7, byte for byte.
#[tokio::test]
async fn invariant_7_whoever_may_not_come_in_hears_the_same() {
    let world = World::new().await;
    let mut heard = Vec::new();
    for user in [UNKNOWN, FOREIGN, SUSPENDED] {
        heard.push(world.ask(&Ask::get(user, READ)).await.lasting());
        // Nothing of the token is looked at: not its signature, not even its form.
        let other_key = Token::of(user, READ, b"").signed_by(&STRANGER).text();
        for token in [&other_key, "a.b.c", "no token at all"] {
            let ask = Ask::get(user, READ).token(token);
            heard.push(world.ask(&ask).await.lasting());
        }
    }
    let no_uuid = Ask::get(UNKNOWN, READ).with("x-api-key", "me");
    heard.push(world.ask(&no_uuid).await.lasting());
    assert_eq!(heard[0].verdict(), (401, Some(-7)));
    for other in &heard {
        assert_eq!(other, &heard[0]);
    }
    assert_eq!(world.answered(), 0);
}

#[tokio::test]
async fn invariant_2_each_failure_has_its_code_and_counts() {
    let world = World::new().await;
    let wrong_key = read(&fresh().signed_by(&STRANGER));
    let cases = [
        ("another key", wrong_key, -1),
        ("no sub", read(&fresh().without("sub")), -2),
        ("empty sub", read(&fresh().claim("sub", "")), -2),
        ("another uri", read(&fresh().claim("uri", "/v1/users")), -4),
        ("no uri", read(&fresh().without("uri")), -5),
        ("no nonce", read(&fresh().without("nonce")), -5),
        ("no iat", read(&fresh().without("iat")), -5),
        ("no exp", read(&fresh().without("exp")), -5),
        ("no bodyHash", read(&fresh().without("bodyHash")), -5),
        (
            "an exp that is no time",
            read(&fresh().claim("exp", "soon")),
            -5,
        ),
        (
            "a bodyHash that is none",
            read(&fresh().claim("bodyHash", "xyz")),
            -5,
        ),
        (
            "a nonce that is none",
            read(&fresh().claim("nonce", json!([1]))),
            -5,
        ),
        ("a nonce below zero", read(&fresh().claim("nonce", -1)), -5),
        ("a broken nonce", read(&fresh().claim("nonce", 1.5)), -5),
        ("an empty nonce", read(&fresh().claim("nonce", "")), -5),
        (
            "an endless nonce",
            read(&fresh().claim("nonce", "n".repeat(257))),
            -5,
        ),
        (
            "another's sub",
            read(&fresh().claim("sub", EDITOR.to_string())),
            -6,
        ),
        (
            "a sub that is no key",
            read(&fresh().claim("sub", "me")),
            -6,
        ),
        (
            "expired",
            read(&fresh().claim("iat", NOW - 56).claim("exp", NOW)),
            -10,
        ),
        (
            "from the future",
            read(&fresh().claim("iat", NOW + 6).claim("exp", NOW + 60)),
            -12,
        ),
        ("for too long", read(&fresh().claim("exp", NOW + 61)), -7),
        (
            "for no time",
            read(&fresh().claim("iat", NOW + 2).claim("exp", NOW + 2)),
            -7,
        ),
        (
            "not in three parts",
            Ask::get(VIEWER, READ).token("abc"),
            -5,
        ),
        ("not base64", Ask::get(VIEWER, READ).token("!.!.!"), -5),
        ("not JSON", Ask::get(VIEWER, READ).token("YQ.YQ.YQ"), -5),
        (
            "four parts",
            Ask::get(VIEWER, READ).token(&format!("{}.YQ", fresh().text())),
            -5,
        ),
        (
            "longer than any token",
            Ask::get(VIEWER, READ).token(&"a".repeat(33 * 1024)),
            -5,
        ),
    ];
    for (what, ask, code) in cases {
        assert_eq!(refused(&world, &ask).await, (code, 1), "{what}");
    }
}

/// What is missing before anybody is named counts for nobody.
#[tokio::test]
async fn missing_and_doubled_headers_are_nobodys() {
    let world = World::new().await;
    let ask = || read(&fresh());
    let another = format!("Bearer {}", fresh().text());
    let cases = [
        ("no key", ask().without("x-api-key"), -2),
        ("an empty key", ask().with("x-api-key", ""), -2),
        ("no token", ask().without("authorization"), -3),
        ("an empty token", ask().with("authorization", "Bearer "), -3),
        ("two keys", ask().and("x-api-key", &EDITOR.to_string()), -5),
        (
            "the same key twice",
            ask().and("X-Api-Key", &VIEWER.to_string()),
            -5,
        ),
        ("two tokens", ask().and("authorization", &another), -5),
    ];
    for (what, ask, code) in cases {
        assert_eq!(refused(&world, &ask).await.0, code, "{what}");
    }
    let basic = ask().with("authorization", "Basic dXNlcjpwYXNz");
    assert_eq!(refused(&world, &basic).await.0, -3);
}

#[tokio::test]
async fn only_rs256_is_a_signature() {
    let world = World::new().await;
    let spki = KEY.public().spki_der();
    let pem = KEY.public().spki_pem();
    let with_alg = |alg: &str| fresh().header(json!({"alg": alg, "typ": "JWT"}));
    let none = with_alg("none");
    let es256 = {
        let input = with_alg("ES256").signing_input();
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key");
        let signature = key.sign(&SystemRandom::new(), input.as_bytes());
        let signature = URL_SAFE_NO_PAD.encode(signature.expect("signed"));
        format!("{input}.{signature}")
    };
    let cases = [
        ("none", format!("{}.", none.signing_input())),
        ("none, signed all the same", none.text()),
        ("None", with_alg("None").text()),
        (
            "HS256 with the public key, PEM",
            with_alg("HS256").text_hs256(pem.as_bytes()),
        ),
        (
            "HS256 with the public key, DER",
            with_alg("HS256").text_hs256(spki),
        ),
        ("ES256", es256),
        ("RS512", with_alg("RS512").text()),
        ("rs256", with_alg("rs256").text()),
        ("no alg", fresh().header(json!({"typ": "JWT"})).text()),
        (
            "crit",
            fresh()
                .header(json!({"alg": "RS256", "crit": ["x"], "x": 1}))
                .text(),
        ),
        (
            "a key of its own",
            fresh()
                .header(json!({"alg": "RS256", "jwk": {"kty": "RSA"}}))
                .text(),
        ),
        (
            "another typ",
            fresh()
                .header(json!({"alg": "RS256", "typ": "at+jwt"}))
                .text(),
        ),
    ];
    for (what, token) in cases {
        let ask = Ask::get(VIEWER, READ).token(&token);
        assert_eq!(refused(&world, &ask).await, (-5, 1), "{what}");
    }
    // The right header, but an HMAC under it: that is a wrong signature.
    let ask = Ask::get(VIEWER, READ).token(&fresh().text_hs256(pem.as_bytes()));
    assert_eq!(refused(&world, &ask).await, (-1, 1));
}

#[tokio::test]
async fn a_token_works_once() {
    let world = World::new().await;
    let token = fresh();
    assert_eq!(world.ask(&read(&token)).await.status, 200);
    world.last();
    assert_eq!(refused(&world, &read(&token)).await, (-7, 1));
    // The same nonce in another token, also for another target.
    let same = Token::of(VIEWER, WRITE, b"").claim("nonce", nonce(&token));
    let ask = Ask::get(VIEWER, WRITE).token(&same.text());
    assert_eq!(refused(&world, &ask).await, (-7, 1));
    // Nonces are each key's own.
    let other = Token::of(EDITOR, READ, b"").claim("nonce", nonce(&token));
    let ask = Ask::get(EDITOR, READ).token(&other.text());
    assert_eq!(world.ask(&ask).await.status, 200);
}

fn nonce(token: &Token) -> String {
    let claims = token.signing_input();
    let claims = claims.split('.').nth(1).expect("claims");
    let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64");
    let claims: serde_json::Value = serde_json::from_slice(&claims).expect("JSON");
    claims["nonce"].as_str().expect("text").to_owned()
}

#[tokio::test]
async fn a_nonce_is_a_string_or_a_number() {
    let world = World::new().await;
    for nonce in [json!("n-1"), json!(0), json!(u64::MAX), json!("ü")] {
        let answer = world.ask(&read(&fresh().claim("nonce", nonce))).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        world.last();
    }
    // A number and the text of its digits are the same nonce.
    let again = read(&fresh().claim("nonce", u64::MAX.to_string()));
    assert_eq!(refused(&world, &again).await, (-7, 1));
}

/// A guess that fails costs no nonce: nobody can use another's up.
#[tokio::test]
async fn a_nonce_is_used_up_by_a_right_signature_alone() {
    let world = World::new().await;
    let token = fresh();
    let forged = read(&token.clone().signed_by(&STRANGER));
    assert_eq!(refused(&world, &forged).await.0, -1);
    assert_eq!(world.ask(&read(&token)).await.status, 200);
}

#[tokio::test]
async fn the_times_that_clients_send_are_taken() {
    let world = World::new().await;
    for (iat, exp) in [(0, 55), (0, 60), (0, 30), (-54, 1), (5, 60)] {
        let token = fresh().claim("iat", NOW + iat).claim("exp", NOW + exp);
        let answer = world.ask(&read(&token)).await;
        assert_eq!(answer.status, 200, "{iat} {exp}: {answer:?}");
    }
}

#[tokio::test]
async fn a_token_that_was_right_expires() {
    let world = World::new().await;
    let token = fresh();
    world.clock.advance(54_999);
    assert_eq!(world.ask(&read(&token)).await.status, 200);
    world.last();
    let late = fresh();
    world.clock.advance(1);
    assert_eq!(refused(&world, &read(&late)).await, (-10, 1));
    // Used and forgotten, it is still no way in.
    assert_eq!(refused(&world, &read(&token)).await, (-10, 1));
}

/// Its nonce is forgotten by then, but the clock does not follow.
#[tokio::test]
async fn invariant_2_a_clock_that_is_set_back_makes_no_used_token_fresh() {
    let world = World::new().await;
    let used = fresh();
    assert_eq!(world.ask(&read(&used)).await.status, 200);
    world.last();
    world.clock.advance(300_000);
    let later = fresh().claim("iat", NOW + 300).claim("exp", NOW + 355);
    assert_eq!(world.ask(&read(&later)).await.status, 200);
    world.last();
    world.clock.advance(-300_000);
    assert_eq!(refused(&world, &read(&used)).await, (-10, 1));
}

/// Nonces of before a start are not remembered, so tokens of then are refused; and count.
#[tokio::test]
async fn a_token_from_before_the_start_is_refused_and_counts() {
    let world = World::just_started().await;
    let before = read(&fresh().claim("iat", NOW - 1).claim("exp", NOW + 54));
    assert_eq!(refused(&world, &before).await, (-7, 1));
    assert_eq!(world.ask(&read(&fresh())).await.status, 200);
}

#[tokio::test]
async fn what_the_role_may_not_is_minus_8_and_no_failed_check() {
    let world = World::new().await;
    let body = br#"{"assetId":"ETH"}"#;
    let viewer = Ask::post(VIEWER, WRITE, body);
    assert_eq!(refused(&world, &viewer).await, (-8, 0));
    let editor = world.ask(&Ask::post(EDITOR, WRITE, body)).await;
    assert_eq!(editor.status, 200);
    assert_eq!(editor.json()["body"]["assetId"], "ETH");
}

#[tokio::test]
async fn a_wrong_body_hash_is_refused_and_counts() {
    let world = World::new().await;
    let ask = |promised: &[u8], sent: &[u8]| {
        let token = Token::of(EDITOR, WRITE, promised).text();
        Ask::post(EDITOR, WRITE, sent).token(&token)
    };
    let cases: [(&str, &[u8], &[u8]); 4] = [
        ("another body", b"{}", br#"{"amount":"1"}"#),
        ("a blank more", b"{}", b"{} "),
        ("a body for none", b"", b"{}"),
        ("none for a body", b"{}", b""),
    ];
    for (what, promised, sent) in cases {
        assert_eq!(
            refused(&world, &ask(promised, sent)).await,
            (-7, 1),
            "{what}"
        );
    }
    // A hash is checked before the body is read as JSON: a forged one is never parsed.
    let forged = ask(b"{}", b"no JSON");
    assert_eq!(refused(&world, &forged).await, (-7, 1));
    // The hashes that stand for no body do not stand for one.
    for hash in HASHES_OF_NOTHING {
        let token = Token::of(EDITOR, WRITE, b"{}").claim("bodyHash", hash);
        let ask = Ask::post(EDITOR, WRITE, b"{}").token(&token.text());
        assert_eq!(refused(&world, &ask).await, (-7, 1), "{hash}");
    }
}

#[tokio::test]
async fn without_a_body_the_three_known_hashes_are_taken() {
    let world = World::new().await;
    for hash in HASHES_OF_NOTHING {
        let answer = world.ask(&read(&fresh().claim("bodyHash", hash))).await;
        assert_eq!(answer.status, 200, "{hash}");
        let target = "/v1/transactions/x/cancel";
        let token = Token::of(EDITOR, target, b"").claim("bodyHash", hash);
        let ask = Ask::post(EDITOR, target, b"").token(&token.text());
        assert_eq!(world.ask(&ask).await.status, 200, "{hash}");
    }
    // `{}` is a body, and nothing is not `{}`.
    let of_object = Token::of(VIEWER, READ, b"{}");
    world.house.calls.lock().expect("a lock").clear();
    assert_eq!(refused(&world, &read(&of_object)).await, (-7, 1));
}

#[tokio::test]
async fn a_key_that_is_no_ascii_is_no_key() {
    let world = World::new().await;
    let mut bytes = read(&fresh()).without("x-api-key").head();
    bytes.truncate(bytes.len() - 2);
    bytes.extend_from_slice(b"x-api-key: \xff\xfe\r\n\r\n");
    let mut line = world.line().await;
    line.say(&bytes).await;
    assert_eq!(
        line.hear().await.expect("an answer").verdict(),
        (401, Some(-5))
    );
}
