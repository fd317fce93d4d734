//! Against servers on real sockets that behave well, slowly or badly.

use std::num::NonZeroU32;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::response::{Html, IntoResponse, Response};
use protocol::ids::UserId;
use protocol::keys::{KeySize, PrivateKey};
use protocol::operations::Paging;
use protocol::token::Expected;

use super::*;
use crate::clock::SystemClock;

static KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(KeySize::Rsa2048).unwrap());
const USER: UserId = UserId(Uuid::from_u128(7));

async fn upstream<F>(
    answer: impl Fn(Request) -> F + Clone + Send + Sync + 'static,
) -> (Client, String)
where
    F: Future<Output = Response> + Send + 'static,
{
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, Router::new().fallback(answer)).into_future());
    (client(&origin), origin)
}

fn client(origin: &str) -> Client {
    let many = NonZeroU32::new(60_000).unwrap();
    let budget = Budget::per_minute(many, many, Duration::from_secs(5));
    let signer = Arc::new(LocalKey::new(USER, KEY.clone()));
    Client::new(
        &format!("{origin}/v1"),
        signer,
        budget,
        Arc::new(SystemClock),
    )
    .unwrap()
}

#[tokio::test]
async fn an_exchange_takes_whatever_is_answered_and_is_sent_once() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let (client, _) = upstream(|_| async {
        CALLS.fetch_add(1, Ordering::SeqCst);
        let headers = [("retry-after", "0"), ("next-page", "elsewhere")];
        (http::StatusCode::TOO_MANY_REQUESTS, headers, "slowly").into_response()
    })
    .await;
    let answer = client.exchange(Method::GET, "/v1/x", Bytes::new(), None);
    let answer = answer.await.unwrap();
    assert_eq!((answer.status, &answer.body[..]), (429, &b"slowly"[..]));
    assert_eq!(answer.headers["next-page"], "elsewhere");
    assert_eq!(CALLS.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn what_is_sent_is_what_was_signed() {
    let (client, _) = upstream(|request: Request| async move {
        let target = request.uri().path_and_query().unwrap().as_str().to_owned();
        let headers = request.headers().clone();
        let body = axum::body::to_bytes(request.into_body(), 1_000)
            .await
            .unwrap();
        let bearer = headers["authorization"].to_str().unwrap();
        let now = SystemClock.now().seconds();
        let expected = Expected {
            user: USER,
            target: &target,
            now,
        };
        let verified = token::read(bearer)
            .unwrap()
            .verify(KEY.public(), &expected)
            .unwrap();
        verified.accept_body(&body).unwrap();
        assert_eq!(headers["x-api-key"].to_str().unwrap(), USER.to_string());
        headers
            .get("idempotency-key")
            .map_or("none", |key| key.to_str().unwrap())
            .to_owned()
            .into_response()
    })
    .await;
    let answer = client
        .get("/v1/vault/accounts_paged?namePrefix=a%20b%2Fc+d&x=%C3%A9")
        .await
        .unwrap();
    assert_eq!(&answer.body[..], b"none");
    assert!(answer.date.is_some());
    let body = Bytes::from_static(br#"{"a":1}"#);
    let answer = client
        .write(Method::POST, "/v1/transactions", body, Once::Keyed("k1"))
        .await
        .unwrap();
    assert_eq!(&answer.body[..], b"k1");
}

#[tokio::test]
async fn a_target_that_would_change_on_its_way_is_refused() {
    let client = client("http://127.0.0.1:9");
    for target in [
        "v1/x",
        "/v1/../x",
        "/v1/%2e%2e/x",
        "/v1/a b",
        "/v1/x#y",
        "@evil/",
        "/v1/é",
        "\\v1",
    ] {
        assert!(
            matches!(client.get(target).await, Err(ClientError::Target(_))),
            "{target}"
        );
    }
}

#[tokio::test]
async fn a_client_for_reading_sends_nothing_else() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let (client, _) = upstream(|_| async {
        CALLS.fetch_add(1, Ordering::SeqCst);
        "[]".into_response()
    })
    .await;
    let reading = client.reading();
    for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
        let body = Bytes::from_static(b"{}");
        let sent = reading.write(method, "/v1/x", body, Once::Keyed("k")).await;
        assert!(matches!(sent, Err(ClientError::ReadsOnly)));
    }
    assert_eq!(CALLS.load(Ordering::SeqCst), 0);
    assert!(reading.get("/v1/x").await.is_ok());
    assert_eq!(CALLS.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn reads_and_keyed_writes_are_tried_again_and_others_are_not() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let (client, _) = upstream(|_| async {
        match CALLS.fetch_add(1, Ordering::SeqCst) % 2 {
            0 => (
                http::StatusCode::BAD_GATEWAY,
                Html("<html>bad gateway</html>"),
            )
                .into_response(),
            _ => "[]".into_response(),
        }
    })
    .await;
    assert!(client.get("/v1/x").await.is_ok());
    assert_eq!(CALLS.load(Ordering::SeqCst), 2);
    let body = Bytes::from_static(b"{}");
    assert!(
        client
            .write(Method::POST, "/v1/x", body.clone(), Once::Keyed("k"))
            .await
            .is_ok()
    );
    assert_eq!(CALLS.load(Ordering::SeqCst), 4);
    for once in [Once::Unkeyed, Once::KeyedUnrepeated("k")] {
        CALLS.store(0, Ordering::SeqCst);
        let error = client
            .write(Method::POST, "/v1/x", body.clone(), once)
            .await
            .unwrap_err();
        assert!(
            matches!(&error, ClientError::Status { status: 502, message, .. } if message.contains("bad gateway"))
        );
        assert!(error.outcome_unknown());
        assert_eq!(CALLS.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_429_is_waited_out() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    let (client, _) = upstream(|_| async {
        match CALLS.fetch_add(1, Ordering::SeqCst) {
            0 => (
                http::StatusCode::TOO_MANY_REQUESTS,
                [("retry-after", "1")],
                "{}",
            )
                .into_response(),
            _ => "[]".into_response(),
        }
    })
    .await;
    let before = tokio::time::Instant::now();
    assert!(client.get("/v1/x").await.is_ok());
    assert!(before.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn errors_of_both_envelopes_and_pages_of_html_are_told_apart() {
    let (client, _) = upstream(|request: Request| async move {
        let bad = http::StatusCode::BAD_REQUEST;
        match request.uri().path() {
            "/v1/coded" => (bad, r#"{"message":"no","code":1438}"#).into_response(),
            "/v1/typed" => (bad, r#"{"error":{"type":"X","message":"typed no"}}"#).into_response(),
            "/v1/moved" => (http::StatusCode::FOUND, [("location", "/v1/coded")]).into_response(),
            _ => Html("<html>log in</html>").into_response(),
        }
    })
    .await;
    let error = client.get("/v1/coded").await.unwrap_err();
    assert_eq!((error.code(), error.outcome_unknown()), (Some(1438), false));
    assert_eq!(
        client.get("/v1/typed").await.unwrap_err().to_string(),
        "upstream answered 400: typed no"
    );
    assert!(matches!(
        client.get("/v1/moved").await,
        Err(ClientError::Status { status: 302, .. })
    ));
    let page = client
        .get("/v1/page")
        .await
        .unwrap()
        .json::<Vec<u8>>()
        .unwrap_err();
    assert!(matches!(page, ClientError::NotUnderstood { body, .. } if body.contains("log in")));
}

#[tokio::test]
async fn who_cannot_be_reached_was_sent_nothing() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = client(&origin)
        .write(
            Method::POST,
            "/v1/x",
            Bytes::from_static(b"{}"),
            Once::Unkeyed,
        )
        .await
        .unwrap_err();
    assert!(
        matches!(error, ClientError::Unreachable { sent: false, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn pages_are_followed_to_the_end_and_never_elsewhere() {
    let (client, origin) = upstream(|request: Request| async move {
        let host = request.headers()["host"].to_str().unwrap().to_owned();
        match request.uri().path_and_query().unwrap().as_str() {
            "/v1/transactions?limit=1" => (
                [(
                    "next-page",
                    format!("http://{host}/v1/transactions?limit=1&p=2"),
                )],
                "[1]",
            )
                .into_response(),
            "/v1/transactions?limit=1&p=2" => "[2]".into_response(),
            "/v1/accounts?limit=1" => r#"{"paging":{"after":"a="}}"#.into_response(),
            "/v1/accounts?limit=1&after=a%3D" => r#"{"paging":{"after":""}}"#.into_response(),
            "/v1/round?pageCursor=x" => r#"{"next":"x"}"#.into_response(),
            _ => ([("next-page", "http://elsewhere.example/v1/x")], "[]").into_response(),
        }
    })
    .await;
    for (target, paging) in [
        ("/v1/transactions?limit=1", Paging::Headers),
        ("/v1/accounts?limit=1", Paging::BeforeAfter),
    ] {
        let mut pages = client.pages(target, paging);
        assert!(pages.next().await.unwrap().is_some(), "{origin}");
        assert!(pages.next().await.unwrap().is_some());
        assert!(pages.next().await.unwrap().is_none());
    }
    let round = client
        .pages("/v1/round?pageCursor=x", Paging::PageCursor)
        .next()
        .await;
    assert!(matches!(round, Err(ClientError::Pages(_))));
    assert!(matches!(
        client.get("/v1/else").await,
        Err(ClientError::Pages(_))
    ));
}
