//! Bodies: nothing of one is read before signature and role hold; then it is limited and strict.

use wire::server::{MAX_BODY_LEN, MAX_BODY_SECONDS, MAX_JSON_DEPTH};

use crate::asks::Ask;
use crate::token::Token;
use crate::world::*;

const TARGET: &str = "/v1/transactions";

fn post(body: &[u8]) -> Ask {
    Ask::post(EDITOR, TARGET, body)
}

/// A client that waits to be told to go on sends nothing of its body until then: `100 Continue`
/// is what the server says when it begins to read.
#[tokio::test]
async fn invariant_2_nothing_of_a_body_is_read_before_signature_and_role_hold() {
    let world = World::new().await;
    let body = b"{}";
    let asks_first = |ask: Ask| ask.and("expect", "100-continue");
    let forged = Token::of(EDITOR, TARGET, body).signed_by(&STRANGER).text();
    for (what, ask, code) in [
        ("unknown", Ask::post(UNKNOWN, TARGET, body), -7),
        ("foreign", Ask::post(FOREIGN, TARGET, body), -7),
        ("suspended", Ask::post(SUSPENDED, TARGET, body), -7),
        ("wrong key", post(body).token(&forged), -1),
        ("malformed", post(body).token("a.b.c"), -5),
        ("no token", post(body).without("authorization"), -3),
        ("role", Ask::post(VIEWER, TARGET, body), -8),
    ] {
        let mut line = world.line().await;
        line.say(&asks_first(ask).head()).await;
        let answer = line.hear().await.expect("an answer");
        assert_eq!(answer.verdict(), (401, Some(code)), "{what}");
    }
    let mut line = world.line().await;
    line.say(&asks_first(Ask::post(EDITOR, "/v1/nowhere", body)).head())
        .await;
    assert_eq!(line.hear().await.expect("an answer").status, 404);

    let mut line = world.line().await;
    line.say(&asks_first(post(body)).head()).await;
    assert_eq!(
        line.hear().await.expect("a word").status,
        100,
        "now it is read"
    );
    line.say(body).await;
    assert_eq!(line.hear().await.expect("an answer").status, 200);
}

#[tokio::test]
async fn a_body_too_large_is_413() {
    let world = World::new().await;
    let fits = [b"[".as_slice(), &vec![b' '; MAX_BODY_LEN - 2], b"]"].concat();
    assert_eq!(world.ask(&post(&fits)).await.status, 200);
    let large = vec![b' '; MAX_BODY_LEN + 1];
    // Promised by its length: refused before a byte of it has come.
    let mut line = world.line().await;
    line.say(&post(&large).head()).await;
    assert_eq!(line.hear().await.expect("an answer").status, 413);
    // In chunks, without a length.
    let ask = post(&large)
        .without("content-length")
        .and("transfer-encoding", "chunked");
    let mut line = world.line().await;
    line.say(&ask.head()).await;
    for part in large.chunks(64 * 1024) {
        line.try_say(format!("{:x}\r\n", part.len()).as_bytes())
            .await;
        line.try_say(part).await;
        line.try_say(b"\r\n").await;
    }
    if let Some(answer) = line.hear().await {
        assert_eq!(answer.status, 413);
    }
    world.last();
    assert_eq!(world.answered(), 0);
}

#[tokio::test]
async fn a_chunked_body_is_a_body() {
    let world = World::new().await;
    let ask = post(br#"{"a":1}"#)
        .without("content-length")
        .and("transfer-encoding", "chunked");
    let mut line = world.line().await;
    line.say(&ask.head()).await;
    line.say(b"3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n").await;
    let answer = line.hear().await.expect("an answer");
    assert_eq!(
        (answer.status, &answer.json()["body"]["a"]),
        (200, &1.into())
    );
}

/// The time is tokio's own here, and stands still but when everybody waits.
#[tokio::test(start_paused = true)]
async fn a_body_too_slow_is_408() {
    let world = World::new().await;
    let mut line = world.line().await;
    let began = tokio::time::Instant::now();
    line.say(&post(b"{\"amount\":\"1\"}").head()).await;
    line.say(b"{").await;
    let answer = line.hear().await.expect("an answer");
    assert_eq!(answer.status, 408);
    assert!(began.elapsed().as_secs() >= MAX_BODY_SECONDS);
    assert_eq!(world.answered(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_never_ends_is_closed() {
    let world = World::new().await;
    let mut line = world.line().await;
    line.say(b"GET /v1/users HTTP/1.1\r\nhost: ga").await;
    assert_eq!(line.hear().await, None);
}

#[tokio::test]
async fn a_body_that_breaks_off_changes_nothing() {
    let world = World::new().await;
    let mut line = world.line().await;
    let ask = post(b"{\"amount\":\"1\"}");
    line.say(&ask.head()).await;
    line.say(b"{\"amount\"").await;
    line.end().await;
    let answer = line.hear().await;
    assert!(answer.is_none_or(|answer| answer.status == 400));
    assert_eq!(world.answered(), 0);
}

#[tokio::test]
async fn what_two_readers_could_take_differently_is_400() {
    let world = World::new().await;
    let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
    assert_eq!(
        world
            .ask(&post(deep(MAX_JSON_DEPTH).as_bytes()))
            .await
            .status,
        200
    );
    world.last();
    let cases = [
        ("too deep", deep(MAX_JSON_DEPTH + 1)),
        ("much too deep", deep(100_000)),
        ("not JSON", "amount=1".to_owned()),
        ("not whole", "{\"amount\":".to_owned()),
        ("two values", "{} {}".to_owned()),
        (
            "a name twice",
            r#"{"amount":"1","amount":"1000"}"#.to_owned(),
        ),
        (
            "a name twice, deeper",
            r#"{"source":{"id":"1","id":"2"}}"#.to_owned(),
        ),
        (
            "a name twice, escaped",
            r#"{"amount":"1","\u0061mount":"2"}"#.to_owned(),
        ),
        ("blanks alone", "  ".to_owned()),
    ];
    for (what, body) in cases {
        let answer = world.ask(&post(body.as_bytes())).await;
        assert_eq!(answer.status, 400, "{what}: {answer:?}");
        assert!(answer.json()["message"].is_string(), "{what}");
    }
    let no_utf8 = world.ask(&post(b"{\"note\":\"\xff\"}")).await;
    assert_eq!(no_utf8.status, 400);
    assert_eq!((world.answered(), world.failures()), (0, 0));
}

/// An amount of `1e2000000000` costs nothing to refuse: nobody calculates with it here.
#[tokio::test]
async fn an_endless_number_is_taken_as_text() {
    let world = World::new().await;
    let answer = world.ask(&post(br#"{"amount":1e2000000000}"#)).await;
    assert_eq!(answer.status, 200);
    let call = world.last();
    let amount = call.body.as_ref().expect("a body")["amount"].to_string();
    assert!(
        amount.eq_ignore_ascii_case("1e2000000000") || amount.eq_ignore_ascii_case("1e+2000000000"),
        "{amount}"
    );
}
