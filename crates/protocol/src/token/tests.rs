use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::keys::PrivateKey;
use crate::keys::tests::{KEY, OTHER};

const USER: &str = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";
const TARGET: &str = "/v1/transactions?limit=200&name=a%20b";
const NOW: i64 = 1_790_000_000;

fn expected(target: &str) -> Expected<'_> {
    Expected {
        user: USER.parse().expect("an id"),
        target,
        now: NOW,
    }
}

fn claims() -> Value {
    json!({"uri": TARGET, "nonce": "n-1", "iat": NOW, "exp": NOW + 55, "sub": USER, "bodyHash": HASHES_OF_NOTHING[0]})
}

fn with(field: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[field] = value;
    claims
}

fn without(field: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().expect("an object").remove(field);
    claims
}

fn signed(header: &str, claims: &str, key: &PrivateKey) -> String {
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = key.sign_rs256(input.as_bytes()).expect("a signature");
    format!("Bearer {}", finish(&input, &signature))
}

const HEADER: &str = r#"{"alg":"RS256","typ":"JWT"}"#;

fn outcome(header: &str, claims: &str) -> Result<VerifiedToken, TokenError> {
    read(&signed(header, claims, &KEY))?.verify(KEY.public(), &expected(TARGET))
}

#[test]
fn what_is_wrong_has_its_code() {
    let table = [
        (without("sub"), TokenError::NoUser),
        (with("sub", json!("")), TokenError::NoUser),
        (
            with("sub", json!("6ba7b810-9dad-41d1-80b4-00c04fd430c9")),
            TokenError::User,
        ),
        (
            with("uri", json!("/v1/transactions?limit=200&name=a+b")),
            TokenError::Target,
        ),
        (with("uri", json!("/v1/transactions")), TokenError::Target),
        (with("iat", json!(NOW + MAX_SKEW + 1)), TokenError::Future),
        (with("exp", json!(NOW)), TokenError::Expired),
        (
            with("exp", json!(NOW + MAX_LIFETIME + 1)),
            TokenError::NotAccepted,
        ),
        (with("iat", json!(NOW - 120)), TokenError::NotAccepted),
        (with("iat", json!("1790000000")), TokenError::Form),
        (with("exp", json!(1.5)), TokenError::Form),
        (with("exp", json!(1e300)), TokenError::Form),
        (with("nonce", json!("")), TokenError::Form),
        (with("nonce", json!(-1)), TokenError::Form),
        (with("nonce", json!("n".repeat(257))), TokenError::Form),
        (without("nonce"), TokenError::Form),
        (without("bodyHash"), TokenError::Form),
        (with("bodyHash", json!("E3".repeat(32))), TokenError::Form),
        (with("uri", json!(["/v1"])), TokenError::Form),
    ];
    for (claims, error) in table {
        assert_eq!(
            outcome(HEADER, &claims.to_string()).map(|_| ()),
            Err(error),
            "{claims}"
        );
    }
}

#[test]
fn only_rs256_is_read() {
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"alg":"ES256"}"#,
        r#"{"alg":"RS512"}"#,
        r#"{"alg":"rs256"}"#,
        r#"{"typ":"JWT"}"#,
        r#"{"alg":"none","alg":"RS256"}"#,
        r#"{"alg":"RS256","alg":"RS256"}"#,
        r#"{"alg":"RS256","typ":"JWT","typ":"other"}"#,
        r#"{"alg":"RS256","typ":null}"#,
        r#"{"alg":"RS256","kid":7}"#,
        r#"{"alg":"RS256","crit":["b64"],"b64":false}"#,
        r#"{"alg":"RS256","jwk":{}}"#,
        r#"{"alg":"RS256","typ":"at+jwt"}"#,
        "[]",
        "",
    ] {
        assert_eq!(
            outcome(header, &claims().to_string()).map(|_| ()),
            Err(TokenError::Form),
            "{header}"
        );
    }
    let twice = format!(r#"{{"uri":"/v1/other",{}"#, &claims().to_string()[1..]);
    assert_eq!(
        outcome(HEADER, &twice).map(|_| ()),
        Err(TokenError::Form),
        "a claim that stands twice"
    );
}

#[test]
fn the_public_key_is_no_shared_secret() {
    let input = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#),
        URL_SAFE_NO_PAD.encode(claims().to_string())
    );
    let secret = aws_lc_rs::hmac::Key::new(
        aws_lc_rs::hmac::HMAC_SHA256,
        KEY.public().spki_pem().as_bytes(),
    );
    let token = format!(
        "Bearer {}",
        finish(
            &input,
            aws_lc_rs::hmac::sign(&secret, input.as_bytes()).as_ref()
        )
    );
    assert_eq!(read(&token).map(|_| ()), Err(TokenError::Form));
}

#[test]
fn another_key_or_a_changed_byte_does_not_open() {
    let token = signed(HEADER, &claims().to_string(), &OTHER);
    let verified = read(&token)
        .expect("it reads")
        .verify(KEY.public(), &expected(TARGET));
    assert_eq!(verified.map(|_| ()), Err(TokenError::Signature));
}

#[test]
fn what_is_no_token_is_told_apart() {
    assert_eq!(read("").map(|_| ()), Err(TokenError::Missing));
    assert_eq!(read("Bearer ").map(|_| ()), Err(TokenError::Missing));
    assert_eq!(read("Basic abc").map(|_| ()), Err(TokenError::Missing));
    for token in [
        "Bearer x",
        "Bearer a.b",
        "Bearer a.b.c.d",
        "Bearer ..",
        "Bearer ü.ü.ü",
    ] {
        assert_eq!(read(token).map(|_| ()), Err(TokenError::Form), "{token}");
    }
    let long = format!("Bearer {}", "a".repeat(MAX_TOKEN_LEN + 1));
    assert_eq!(read(&long).map(|_| ()), Err(TokenError::Form));
}

#[test]
fn bodies_are_strict_where_there_is_one() {
    let body = br#"{"amount":"1"}"#;
    let token = outcome(
        HEADER,
        &with("bodyHash", json!(body_hash(body))).to_string(),
    )
    .expect("it holds");
    assert_eq!(token.accept_body(body), Ok(()));
    assert_eq!(
        token.accept_body(br#"{"amount":"2"}"#),
        Err(TokenError::NotAccepted)
    );
    assert_eq!(token.accept_body(b""), Err(TokenError::NotAccepted));
    for hash in HASHES_OF_NOTHING {
        let token = outcome(HEADER, &with("bodyHash", json!(hash)).to_string()).expect("it holds");
        assert_eq!(token.accept_body(b""), Ok(()), "{hash}");
    }
    let legacy = outcome(
        HEADER,
        &with("bodyHash", json!(body_hash(b"{}"))).to_string(),
    )
    .expect("it holds");
    assert_eq!(legacy.accept_body(b"{}"), Ok(()));
    assert_eq!(legacy.accept_body(b""), Err(TokenError::NotAccepted));
}

#[test]
fn a_nonce_is_a_string_or_a_number() {
    for (nonce, text) in [
        (json!("a"), "a"),
        (json!(u64::MAX), "18446744073709551615"),
        (json!(0), "0"),
    ] {
        let token = outcome(HEADER, &with("nonce", nonce).to_string()).expect("it holds");
        assert_eq!(token.nonce().as_str(), text);
    }
    let spelt = |nonce: &str| {
        let claims = claims().to_string();
        let spelt = claims.replace(r#""nonce":"n-1""#, &format!(r#""nonce":{nonce}"#));
        assert_ne!(spelt, claims);
        outcome(HEADER, &spelt).map(|token| token.nonce().as_str().to_owned())
    };
    // However it is spelt, it is used once.
    for (nonce, text) in [(r#""n\u002d1""#, "n-1"), (r#""\u0035""#, "5"), ("5", "5")] {
        assert_eq!(spelt(nonce).as_deref(), Ok(text), "{nonce}");
    }
    for bad in [
        r#""\ud800""#,
        "1e3",
        "1.0",
        "-0",
        "18446744073709551616",
        "[5]",
        r#"{"a":5}"#,
        "true",
        "null",
    ] {
        assert_eq!(spelt(bad), Err(TokenError::Form), "{bad}");
    }
}

#[test]
fn what_is_escaped_is_read_as_what_it_means() {
    let header = r#"{"\u0061lg":"RS\u0032\u0035\u0036","typ":"\u004aWT"}"#;
    let escaped = claims().to_string();
    let escaped = escaped.replace(r#""sub":"6ba7"#, r#""sub":"\u0036ba7"#);
    let escaped = escaped.replace(r#""bodyHash":"e3b0"#, r#""bodyHash":"\u0065\u0033b0"#);
    assert_eq!(escaped.matches(r"\u00").count(), 3);
    let token = outcome(header, &escaped).expect("it holds");
    assert_eq!(token.accept_body(b""), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_draft_round_trips(target in "/v1/[!-~]{0,60}", nonce in ".{1,40}", body in proptest::collection::vec(any::<u8>(), 0..80)) {
        let user = USER.parse().expect("an id");
        let draft = TokenDraft { user, target: &target, nonce: &nonce, issued_at: NOW, lifetime: LIFETIME, body: &body };
        let input = draft.signing_input();
        let token = format!("Bearer {}", finish(&input, &KEY.sign_rs256(input.as_bytes()).expect("a signature")));
        let verified = read(&token).expect("it reads").verify(KEY.public(), &expected(&target)).expect("it holds");
        prop_assert_eq!(verified.nonce().as_str(), nonce.as_str());
        prop_assert_eq!(verified.accept_body(&body), Ok(()));
    }

    #[test]
    fn any_bytes_are_survived(text in ".{0,200}") {
        let _ = read(&text);
        let _ = read(&format!("Bearer {text}"));
    }
}
