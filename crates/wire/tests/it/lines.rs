//! Connections: they outlive an error, and nobody's body becomes somebody's request.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::asks::Ask;
use crate::token::Token;
use crate::world::*;

const READ: &str = "/v1/vault/accounts_paged";

#[tokio::test]
async fn a_connection_goes_on_after_an_error() {
    let world = World::new().await;
    let mut line = world.line().await;
    let forged = Token::of(VIEWER, READ, b"").signed_by(&STRANGER).text();
    for (ask, status) in [
        (Ask::get(VIEWER, READ).token(&forged), 401),
        (Ask::get(VIEWER, "/v1/nowhere"), 404),
        (Ask::post(EDITOR, "/v1/transactions", b"no JSON"), 400),
        (Ask::get(UNKNOWN, READ), 401),
        (Ask::get(VIEWER, READ), 200),
    ] {
        line.say(&ask.bytes()).await;
        let answer = line.hear().await.expect("an answer on the same connection");
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(
            answer.header("cache-control"),
            Some("no-store"),
            "{answer:?}"
        );
    }
}

#[tokio::test]
async fn requests_one_behind_the_other_are_answered_in_turn() {
    let world = World::new().await;
    let mut line = world.line().await;
    let both = [
        Ask::get(VIEWER, READ).bytes(),
        Ask::get(UNKNOWN, READ).bytes(),
    ]
    .concat();
    line.say(&both).await;
    assert_eq!(line.hear().await.expect("the first").status, 200);
    assert_eq!(line.hear().await.expect("the second").status, 401);
}

/// Whoever hangs up takes nothing back: what was begun is done, with all that follows from it.
#[tokio::test]
async fn invariant_2_a_change_is_done_also_when_the_caller_hangs_up() {
    let world = World::new().await;
    let held = world.house.held.lock().await;
    let mut line = world.line().await;
    line.say(&Ask::post(EDITOR, "/v1/transactions", b"{}").bytes())
        .await;
    until(|| world.house.begun.load(Ordering::SeqCst) == 1).await;
    drop(line);
    // One whole exchange later the server has seen the end of that connection.
    let elsewhere = world.ask(&Ask::get(UNKNOWN, READ)).await;
    assert_eq!(elsewhere.status, 401);
    drop(held);
    until(|| world.answered() == 1).await;
}

async fn until(done: impl Fn() -> bool) {
    let wait = async {
        while !done() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait)
        .await
        .expect("in time");
}

/// A refused request's body is never taken for the next request.
#[tokio::test]
async fn a_body_that_was_not_read_is_no_request() {
    let world = World::new().await;
    let hidden = Ask::get(VIEWER, READ).bytes();
    for refused in [
        Ask::post(UNKNOWN, "/v1/transactions", &hidden),
        Ask::post(VIEWER, "/v1/transactions", &hidden),
        Ask::post(EDITOR, "/v1/nowhere", &hidden),
    ] {
        let mut line = world.line().await;
        line.say(&refused.bytes()).await;
        assert!(line.hear().await.expect("an answer").status >= 400);
        line.try_say(&Ask::get(UNKNOWN, READ).bytes()).await;
        if let Some(next) = line.hear().await {
            assert_eq!(next.status, 401, "the next request, not what was hidden");
        }
    }
    assert_eq!(world.answered(), 0);
}

#[tokio::test]
async fn what_is_no_http_is_400_or_closed() {
    let world = World::new().await;
    let key = VIEWER.to_string();
    for bytes in [
        b"\x16\x03\x01\x02\x00\x01\x00".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET /v1/users HTTP/9.9\r\n\r\n".to_vec(),
        format!("GET /v1/users HTTP/1.1\r\nx-api-key : {key}\r\n\r\n").into_bytes(),
        format!("GET /v1/users HTTP/1.1\r\nx-api-key: {key}\r\n folded\r\n\r\n").into_bytes(),
        b"POST /v1/users HTTP/1.1\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef".to_vec(),
        b"POST /v1/users HTTP/1.1\r\ncontent-length: -1\r\n\r\n".to_vec(),
        b"POST /v1/users HTTP/1.1\r\ntransfer-encoding: gzip\r\n\r\n".to_vec(),
    ] {
        let mut line = world.line().await;
        line.say(&bytes).await;
        line.end().await;
        let told = String::from_utf8_lossy(&bytes).into_owned();
        if let Some(answer) = line.hear().await {
            assert!((400..=505).contains(&answer.status), "{told}: {answer:?}");
        }
    }
    let mut line = world.line().await;
    let endless = format!(
        "GET {READ} HTTP/1.1\r\nx-filler: {}",
        "f".repeat(200 * 1024)
    );
    line.try_say(endless.as_bytes()).await;
    assert!(line.hear().await.is_none_or(|answer| answer.status == 431));
    assert_eq!(world.answered(), 0);
}

#[tokio::test]
async fn the_end_lets_requests_under_way_finish() {
    let world = World::new().await;
    let mut line = world.line().await;
    let ask = Ask::post(EDITOR, "/v1/transactions", b"{}").and("expect", "100-continue");
    line.say(&ask.head()).await;
    assert_eq!(line.hear().await.expect("a word").status, 100);
    world.shutdown.cancel();
    line.say(b"{}").await;
    assert_eq!(line.hear().await.expect("an answer").status, 200);
    world.running.done.await.expect("it ended");
}
