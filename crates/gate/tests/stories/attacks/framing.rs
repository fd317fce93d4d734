//! Requests whose end two readers could see in different places, and what is no HTTP at all.

use super::attempt::{Attacker, Attempt, DENIED, Gets};
use super::scene::Prey;
use crate::provider::transfer;

const WRITE: &str = "/v1/transactions";

pub fn right(by: &Attacker) -> Attempt {
    let length = format!("Content-Length: {}\r\nConnection: close", body().len());
    let request = framed(by, &length, &body());
    Attempt::new("a right proposal", request, Gets::Taken)
}

pub fn attempts(by: &Attacker, _: &Prey) -> Vec<Attempt> {
    let mut all = lengths(by);
    all.extend(heads(by));
    all.extend(hidden(by));
    all
}

/// A proposal whose body is the right one, as its token says: with these framing headers, and what
/// follows them. Were the end seen where it is not, it would be taken.
fn framed(by: &Attacker, headers: &str, rest: &str) -> Vec<u8> {
    let token = by.token(WRITE, body().as_bytes());
    format!(
        "POST {WRITE} HTTP/1.1\r\nHost: gate.example\r\nX-API-Key: {}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n{headers}\r\n\r\n{rest}",
        by.user
    )
    .into_bytes()
}

fn body() -> String {
    transfer(1, 2, "0.5").to_string()
}

/// The body as a chunk, and a request behind its end.
fn chunked(body: &str) -> String {
    let (length, hidden) = (body.len(), "GET /v1/users HTTP/1.1\r\nHost: x\r\n\r\n");
    format!("{length:x}\r\n{body}\r\n0\r\n\r\n{hidden}")
}

fn lengths(by: &Attacker) -> Vec<Attempt> {
    let body = body();
    let length = body.len();
    let no_lengths = [
        (
            "two lengths",
            format!("{length}\r\nContent-Length: {}", length + 18),
        ),
        ("two lengths in one", format!("{length}, {}", length + 18)),
        ("a length below zero", format!("-{length}")),
        ("a length with a plus", format!("+{length}")),
        ("a length in hexadecimal", format!("0x{length:x}")),
        ("a length with a point", format!("{length}.0")),
        (
            "a length beyond any number",
            "99999999999999999999".to_owned(),
        ),
        ("a length that is a word", "two".to_owned()),
        ("an empty length", String::new()),
    ];
    let mut all = Vec::new();
    for (name, value) in no_lengths {
        let request = framed(by, &format!("Content-Length: {value}"), &body);
        all.push(Attempt::new(name, request, Gets::NoRequest).hanging_up());
    }
    // Chunks rule, and nothing is read behind them (RFC 9112, 6.3).
    for (name, headers) in [
        (
            "length and chunks",
            "Content-Length: 4\r\nTransfer-Encoding: chunked",
        ),
        (
            "chunks and length",
            "Transfer-Encoding: chunked\r\nContent-Length: 4",
        ),
        (
            "chunks with a tab, and a length",
            "Transfer-Encoding:\tchunked\r\nContent-Length: 2",
        ),
    ] {
        let request = framed(by, headers, &chunked(&body));
        all.push(Attempt::new(name, request, Gets::Taken));
    }
    for (name, headers) in [
        ("chunks that are none", "Transfer-Encoding: xchunked"),
        ("chunks within gzip", "Transfer-Encoding: chunked, gzip"),
        ("gzip within chunks", "Transfer-Encoding: gzip, chunked"),
        (
            "chunks, said once more",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        ),
        (
            "another host beside",
            "Host: other.example\r\nTransfer-Encoding: chunked",
        ),
        ("identity", "Transfer-Encoding: identity"),
        (
            "chunks, twice said",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        ),
        ("chunks behind a blank", "Transfer-Encoding : chunked"),
        ("chunks on a folded line", "Transfer-Encoding:\r\n chunked"),
        ("chunks in quotes", "Transfer-Encoding: \"chunked\""),
    ] {
        let request = framed(by, headers, &chunked(&body));
        all.push(Attempt::new(name, request, Gets::NoRequest).hanging_up());
    }
    let right = chunked(&body);
    let size = format!("{length:x}\r\n");
    for (name, rest) in [
        (
            "a chunk's size below zero",
            right.replacen(&size, &format!("-{size}"), 1),
        ),
        (
            "a chunk's size beyond any number",
            right.replacen(&size, &format!("fffffffffffffff0{size}"), 1),
        ),
        (
            "a chunk's size that is a word",
            right.replacen(&size, "zz\r\n", 1),
        ),
        (
            "a chunk longer than it says",
            right.replacen("}\r\n0", "}GET / HTTP/1.1\r\n0", 1),
        ),
        (
            "endless extensions of a chunk",
            right.replacen(
                &size,
                &format!("{length:x};{}\r\n", "x=y;".repeat(50_000)),
                1,
            ),
        ),
    ] {
        let request = framed(by, "Transfer-Encoding: chunked", &rest);
        all.push(Attempt::new(name, request, Gets::NoRequest).hanging_up());
    }
    let short = framed(by, &format!("Content-Length: {}", length + 1), &body);
    all.push(Attempt::new("a body that breaks off", short, Gets::NoRequest).hanging_up());
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
        (
            "no host",
            format!("GET /v1/users HTTP/1.1\r\nX-API-Key: {key}\r\n\r\n"),
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
        .map(|(name, text)| Attempt::new(name, text, Gets::NoRequest).hanging_up())
        .collect();
    let upgrade = by
        .get("/v1/vault/accounts/3")
        .with("Connection", "Upgrade, HTTP2-Settings")
        .and("Upgrade", "h2c")
        .and("HTTP2-Settings", "AAMAAABkAAQCAAAAAAIAAAAA");
    let text = Vec::from(upgrade);
    let upgrade = Attempt::new("an upgrade to HTTP/2", text, Gets::Code(404, 1004));
    all.push(upgrade.hiding("101 ").hanging_up());
    all
}

/// A whole request that is right hides in the body of one that is refused.
fn hidden(by: &Attacker) -> Vec<Attempt> {
    let inner = Vec::from(by.post(WRITE, body().as_bytes()));
    let length = inner.len();
    let outer = |line: &str| {
        let head = format!(
            "{line} HTTP/1.1\r\nHost: gate.example\r\nX-API-Key: 00000000-0000-4000-8000-000000000000\r\nAuthorization: Bearer a.b.c\r\nContent-Length: {length}\r\n\r\n"
        );
        [head.into_bytes(), inner.clone()].concat()
    };
    let get = {
        let head = "GET /v1/users HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
        [head.as_bytes(), &inner].concat()
    };
    let mut all: Vec<_> = ["POST /v1/transactions", "GET /v1/users", "TRACE /v1/users"]
        .into_iter()
        .map(|line| {
            let name = format!("a proposal in a refused {line}");
            Attempt::new(name, outer(line), Gets::Code(401, -7)).hanging_up()
        })
        .collect();
    let behind = Attempt::new("a proposal behind two framings", get, DENIED);
    all.push(behind.hanging_up());
    all
}
