//! Request targets: compared undecoded, decoded once, never normalised.

use wire::server::Route;

use crate::asks::Ask;
use crate::token::Token;
use crate::world::*;

#[tokio::test]
async fn a_slash_in_a_path_parameter_stays_in_it() {
    let world = World::new().await;
    for (raw, text) in [
        ("a%2Fb", "a/b"),
        ("a%2fb", "a/b"),
        ("a+b", "a+b"),
        ("a%20b", "a b"),
        ("%C3%A9", "é"),
        ("100%25", "100%"),
        ("%252F", "%2F"),
        ("a;b=c", "a;b=c"),
    ] {
        let target = format!("/v1/transactions/external_tx_id/{raw}");
        let answer = world.ask(&Ask::get(VIEWER, &target)).await;
        assert_eq!(answer.status, 200, "{raw}: {answer:?}");
        assert_eq!(world.last_param("externalTxId"), text, "{raw}");
    }
    let target = "/v1/transactions/a%2Fb/cancel";
    assert_eq!(world.ask(&Ask::post(EDITOR, target, b"")).await.status, 200);
    let call = world.last();
    assert!(matches!(&call.route, Route::Operation { operation, params }
        if operation.id == "cancelTransaction" && params.get("txId") == "a/b"));
    assert_eq!(call.target, target);
}

#[tokio::test]
async fn a_path_parameter_that_cannot_be_decoded_is_400() {
    let world = World::new().await;
    for raw in ["%", "%2", "%zz", "%ff", "%00", "%0a", "%2e%2e", "..", "."] {
        let target = format!("/v1/transactions/external_tx_id/{raw}");
        let answer = world.ask(&Ask::get(VIEWER, &target)).await;
        assert_eq!(answer.status, 400, "{raw}: {answer:?}");
    }
    assert_eq!(world.answered(), 0);
}

#[tokio::test]
async fn both_blanks_of_a_query_are_read_and_neither_stands_for_the_other() {
    let world = World::new().await;
    for target in [
        "/v1/vault/accounts_paged?namePrefix=a+b",
        "/v1/vault/accounts_paged?namePrefix=a%20b",
    ] {
        assert_eq!(world.ask(&Ask::get(VIEWER, target)).await.status, 200);
        assert_eq!(world.last().query.one("namePrefix"), Some("a b"));
    }
    // What was signed is compared with what came, byte for byte.
    for (signed, sent) in [
        ("?namePrefix=a+b", "?namePrefix=a%20b"),
        ("?namePrefix=a/b", "?namePrefix=a%2Fb"),
        ("?namePrefix=%C3%A9", "?namePrefix=%c3%a9"),
        ("", "?"),
        ("?limit=1", "?limit=1&limit=2"),
    ] {
        let of = |query: &str| format!("/v1/vault/accounts_paged{query}");
        let token = Token::of(VIEWER, &of(signed), b"").text();
        let ask = Ask::get(VIEWER, &of(sent)).token(&token);
        assert_eq!(world.ask(&ask).await.verdict(), (401, Some(-4)), "{sent}");
    }
}

#[tokio::test]
async fn a_query_without_end_is_400() {
    let world = World::new().await;
    let many = (0..300).map(|n| format!("a={n}&")).collect::<String>();
    let long = format!("a={}", "x".repeat(17 * 1024));
    for query in [many, long] {
        let target = format!("/v1/vault/accounts_paged?{query}");
        assert_eq!(world.ask(&Ask::get(VIEWER, &target)).await.status, 400);
    }
}

#[tokio::test]
async fn what_is_not_there_is_404_also_by_another_method() {
    let world = World::new().await;
    for (method, target) in [
        ("GET", "/v1/nowhere"),
        ("GET", "/v1//vault/accounts_paged"),
        ("GET", "/v1/vault/accounts_paged/"),
        ("GET", "/v1/vault/%61ccounts_paged"),
        ("GET", "/v1/vault/../users"),
        ("GET", "/vestibule/v1evil"),
        ("DELETE", "/v1/vault/accounts_paged"),
        ("HEAD", "/v1/vault/accounts_paged"),
        ("OPTIONS", "/v1/vault/accounts_paged"),
        ("TRACE", "/v1/vault/accounts_paged"),
        ("BREW", "/v1/vault/accounts_paged"),
        ("get", "/v1/vault/accounts_paged"),
    ] {
        let answer = world.ask(&Ask::new(method, VIEWER, target, b"")).await;
        assert_eq!(answer.status, 404, "{method} {target}: {answer:?}");
    }
    assert_eq!(world.answered(), 0);
    // Who is not let in is not told what is there.
    for target in ["/v1/nowhere", "/v1/vault/accounts_paged"] {
        let answer = world.ask(&Ask::get(UNKNOWN, target)).await;
        assert_eq!(answer.verdict(), (401, Some(-7)), "{target}");
    }
}

/// Only origin-form has a path that a token can name (RFC 9112 §3.2).
#[tokio::test]
async fn other_forms_of_a_target_reach_nothing() {
    let world = World::new().await;
    let path = "/v1/vault/accounts_paged";
    let token = Token::of(VIEWER, path, b"");
    let absolute = format!("http://gate.example{path}");
    for (method, target) in [
        ("GET", absolute.as_str()),
        ("GET", "https://elsewhere.example/v1/vault/accounts_paged"),
        ("OPTIONS", "*"),
        ("CONNECT", "gate.example:443"),
    ] {
        for signed in [path, target] {
            let token = token.clone().claim("uri", signed);
            let ask = Ask::new(method, VIEWER, target, b"").token(&token.text());
            let answer = world.ask(&ask).await;
            assert!(
                (400..500).contains(&answer.status),
                "{method} {target}: {answer:?}"
            );
        }
    }
    assert_eq!(world.answered(), 0);
}

#[tokio::test]
async fn what_fireblocks_has_no_operation_for_has_the_same_door() {
    let world = World::new().await;
    let target = "/vestibule/v1/reports/a%2Fb?x=1";
    assert_eq!(world.ask(&Ask::get(VIEWER, target)).await.status, 200);
    assert!(matches!(&world.last().route, Route::Own { method, path }
        if method == "GET" && path == "/reports/a%2Fb"));
    let forged = Token::of(VIEWER, target, b"").signed_by(&STRANGER).text();
    let ask = Ask::get(VIEWER, target).token(&forged);
    assert_eq!(world.ask(&ask).await.verdict(), (401, Some(-1)));
}
