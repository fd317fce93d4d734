//! Requests whose end two readers could see in different places, and what is no HTTP at all.

use super::attempt::{Attacker, Attempt, Gets};
use super::scene::Prey;
use crate::provider::transfer;

const WRITE: &str = "/v1/transactions";

pub fn attempts(by: &Attacker, _: &Prey) -> Vec<Attempt> {
    let mut all = lengths(by);
    all.extend(heads(by));
    all.extend(hidden(by));
    all
}

/// A write with a right token, whose framing headers are these.
fn framed(by: &Attacker, headers: &str, rest: &str) -> Vec<u8> {
    let token = by.token(WRITE, b"{}");
    format!(
        "POST {WRITE} HTTP/1.1\r\nHost: gate.example\r\nX-API-Key: {}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n{headers}\r\n\r\n{rest}",
        by.user
    )
    .into_bytes()
}

fn lengths(by: &Attacker) -> Vec<Attempt> {
    let hidden = "0\r\n\r\nGET /v1/users HTTP/1.1\r\nHost: x\r\n\r\n";
    let cases = [
        (
            "two lengths",
            "Content-Length: 2\r\nContent-Length: 20",
            "{}",
        ),
        ("two lengths in one", "Content-Length: 2, 20", "{}"),
        ("a length below zero", "Content-Length: -2", "{}"),
        ("a length with a plus", "Content-Length: +2", "{}"),
        ("a length in hexadecimal", "Content-Length: 0x2", "{}"),
        (
            "a length beyond any number",
            "Content-Length: 99999999999999999999",
            "{}",
        ),
        ("a length that is a word", "Content-Length: two", "{}"),
        ("an empty length", "Content-Length: ", "{}"),
        (
            "length and chunks",
            "Content-Length: 4\r\nTransfer-Encoding: chunked",
            hidden,
        ),
        (
            "chunks and length",
            "Transfer-Encoding: chunked\r\nContent-Length: 4",
            hidden,
        ),
        (
            "chunks that are none",
            "Transfer-Encoding: xchunked",
            hidden,
        ),
        (
            "chunks within gzip",
            "Transfer-Encoding: chunked, gzip",
            hidden,
        ),
        ("identity", "Transfer-Encoding: identity", hidden),
        (
            "chunks, twice said",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            hidden,
        ),
        (
            "chunks with a tab",
            "Transfer-Encoding:\tchunked\r\nContent-Length: 2",
            hidden,
        ),
        (
            "chunks behind a blank",
            "Transfer-Encoding : chunked",
            hidden,
        ),
        (
            "chunks on a folded line",
            "Transfer-Encoding:\r\n chunked",
            hidden,
        ),
        ("chunks in quotes", "Transfer-Encoding: \"chunked\"", hidden),
        (
            "a chunk's size below zero",
            "Transfer-Encoding: chunked",
            "-2\r\n{}\r\n0\r\n\r\n",
        ),
        (
            "a chunk's size beyond any number",
            "Transfer-Encoding: chunked",
            "ffffffffffffffff2\r\n{}\r\n0\r\n\r\n",
        ),
        (
            "a chunk's size that is a word",
            "Transfer-Encoding: chunked",
            "zz\r\n{}\r\n0\r\n\r\n",
        ),
        (
            "a chunk longer than it says",
            "Transfer-Encoding: chunked",
            "2\r\n{}GET / HTTP/1.1\r\n0\r\n\r\n",
        ),
    ];
    let mut all: Vec<_> = cases
        .into_iter()
        .map(|(name, headers, rest)| {
            Attempt::new(name, framed(by, headers, rest), Gets::Refused).hanging_up()
        })
        .collect();
    let extensions = format!("2;{}\r\n{{}}\r\n0\r\n\r\n", "x=y;".repeat(50_000));
    let long = framed(by, "Transfer-Encoding: chunked", &extensions);
    all.push(Attempt::new("endless extensions of a chunk", long, Gets::Refused).hanging_up());
    let short = framed(by, "Content-Length: 500", "{}");
    all.push(Attempt::new("a body that breaks off", short, Gets::Refused).hanging_up());
    all
}

fn heads(by: &Attacker) -> Vec<Attempt> {
    let key = by.user;
    let with = |line: &str| format!("GET /v1/users HTTP/1.1\r\nHost: x\r\n{line}\r\n\r\n");
    let cases = [
        ("a NUL in a name", with(&format!("X-API\0-Key: {key}"))),
        ("a NUL in a value", with("X-API-Key: a\0b")),
        (
            "a blank before the colon",
            with(&format!("X-API-Key : {key}")),
        ),
        ("a folded line", with(&format!("X-API-Key:\r\n {key}"))),
        ("no colon", with("X-API-Key")),
        ("no name", with(": value")),
        ("a carriage return alone", with("X: a\rX-API-Key: b")),
        (
            "another version",
            "GET /v1/users HTTP/9.9\r\n\r\n".to_owned(),
        ),
        ("no version", "GET /v1/users\r\n\r\n".to_owned()),
        (
            "a blank too many",
            "GET  /v1/users HTTP/1.1\r\n\r\n".to_owned(),
        ),
        (
            "a method that is none",
            "G@T /v1/users HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        ),
        (
            "a line feed in the target",
            "GET /v1/us\ners HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        ),
        (
            "HTTP/2 in clear",
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        ),
        ("TLS", "\u{16}\u{3}\u{1}\0\u{5}hello".to_owned()),
        ("a mail", "EHLO gate.example\r\n".to_owned()),
        ("nothing but line ends", "\r\n".repeat(2_000)),
        (
            "a proxy's first line",
            "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\nGET /v1/users HTTP/1.1\r\nHost: x\r\n\r\n"
                .to_owned(),
        ),
        ("too many headers", with(&"X: y\r\n".repeat(5_000))),
        (
            "a header without end",
            with(&format!("X: {}", "y".repeat(1_000_000))),
        ),
    ];
    let mut all: Vec<_> = cases
        .into_iter()
        .map(|(name, text)| Attempt::new(name, text, Gets::Refused).hanging_up())
        .collect();
    let upgrade = by
        .get("/v1/vault/accounts/3")
        .with("Connection", "Upgrade, HTTP2-Settings")
        .and("Upgrade", "h2c")
        .and("HTTP2-Settings", "AAMAAABkAAQCAAAAAAIAAAAA");
    let text = Vec::from(upgrade);
    all.push(
        Attempt::new(
            "an upgrade to HTTP/2",
            text,
            Gets::Hides(vec!["101 ".to_owned()]),
        )
        .hanging_up(),
    );
    all
}

/// A whole request that is right hides in the body of one that is refused.
fn hidden(by: &Attacker) -> Vec<Attempt> {
    let body = transfer(1, 2, "0.5").to_string();
    let inner = Vec::from(by.post(WRITE, body.as_bytes()));
    let length = inner.len();
    let outer = |line: &str| {
        let head = format!(
            "{line} HTTP/1.1\r\nHost: gate.example\r\nX-API-Key: 00000000-0000-4000-8000-000000000000\r\nContent-Length: {length}\r\n\r\n"
        );
        [head.into_bytes(), inner.clone()].concat()
    };
    let get = {
        let head = "GET /v1/users HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
        [head.as_bytes(), &inner].concat()
    };
    vec![
        Attempt::new(
            "a proposal in a refused POST",
            outer("POST /v1/transactions"),
            Gets::Refused,
        )
        .hanging_up(),
        Attempt::new(
            "a proposal in a refused GET",
            outer("GET /v1/users"),
            Gets::Refused,
        )
        .hanging_up(),
        Attempt::new(
            "a proposal in a refused TRACE",
            outer("TRACE /v1/users"),
            Gets::Refused,
        )
        .hanging_up(),
        Attempt::new("a proposal behind two framings", get, Gets::Refused).hanging_up(),
    ]
}
