//! Bytes by chance: requests below known paths with bodies that are no JSON, requests damaged, noise.

use proptest::prelude::*;
use proptest::sample::select;

use super::sent::{Framing, Oddity, Request, Sent};

/// A text for one segment of a path, or for a value of a query.
fn segment() -> impl Strategy<Value = String> {
    let encoded =
        |bytes: Vec<u8>| -> String { bytes.iter().map(|byte| format!("%{byte:02X}")).collect() };
    prop_oneof![
        4 => select(vec!["0", "1", "SOL", "BTC", "1f6e1a3c-8e0a-4d53-9b0a-3a5a5c1f0001", "me"]).prop_map(str::to_owned),
        3 => select(vec!["..", ".", "%2F", "%2e%2e", "%00", "%ff%fe", "%", "%zz", "+", "~", "-1", "a;b=c", "*", "{id}"]).prop_map(str::to_owned),
        2 => prop::collection::vec(any::<u8>(), 1..12).prop_map(encoded),
        2 => "[!-~&&[^?#/]]{1,30}",
        1 => (1usize..4_000).prop_map(|length| "9".repeat(length)),
    ]
}

fn query() -> impl Strategy<Value = String> {
    let name = select(vec![
        "limit",
        "pageSize",
        "after",
        "before",
        "status",
        "orderBy",
        "pageCursor",
        "next",
        "a",
        "",
    ]);
    let pair = (name, segment(), any::<bool>()).prop_map(|(name, value, equals)| {
        format!("{name}{}{value}", if equals { "=" } else { "" })
    });
    prop_oneof![
        3 => Just(String::new()),
        3 => prop::collection::vec(pair, 1..5).prop_map(|pairs| format!("?{}", pairs.join("&"))),
        1 => (1usize..3_000).prop_map(|count| format!("?{}", "a&".repeat(count))),
    ]
}

/// A target below one of these paths, or anywhere.
fn target(paths: Vec<String>) -> impl Strategy<Value = String> {
    let known = (select(paths), prop::collection::vec(segment(), 4), query());
    let known = known.prop_map(|(path, values, query)| {
        let mut values = values.into_iter().cycle();
        let parts: Vec<String> = path
            .split('/')
            .map(|part| match part.starts_with('{') {
                true => values.next().unwrap_or_default(),
                false => part.to_owned(),
            })
            .collect();
        format!("{}{query}", parts.join("/"))
    });
    let other = select(vec![
        "/",
        "//",
        "/v1",
        "/v1/",
        "/v1//vault/accounts",
        "/V1/vault/accounts",
        "*",
        "/openapi.json",
        "/downloads/x",
        "/downloads/%ff",
        "/_sandbox",
        "/_sandbox/",
        "/.well-known/jwks.json",
        "/vestibule/v1",
        "/vestibule/v1/",
        "/vestibule/v1x",
        "http://elsewhere/v1/vault/accounts",
        "elsewhere:80",
        "/v1/vault/accounts#part",
        "/v1/vault/accounts_paged?",
        "/v1/vault/accounts_paged??",
    ]);
    prop_oneof![6 => known, 1 => other.prop_map(str::to_owned)]
}

/// Bytes that are no strict JSON.
fn no_json() -> impl Strategy<Value = Vec<u8>> {
    let text = |text: &str| text.as_bytes().to_vec();
    let cut =
        ("[a-z]{1,8}", "[ -~&&[^\"\\\\]]{0,30}", any::<u16>()).prop_map(|(name, value, at)| {
            let whole = format!("{{\"{name}\":[\"{value}\",{{\"a\":1.5}},null]}}");
            let at = 1 + usize::from(at) % (whole.len() - 1);
            whole.as_bytes()[..at].to_vec()
        });
    let made = prop_oneof![
        4 => cut,
        3 => prop::collection::vec(any::<u8>(), 1..300),
        2 => (65usize..3_000).prop_map(|deep| [b"[".repeat(deep), b"]".repeat(deep)].concat()),
        1 => (65usize..3_000).prop_map(|deep| b"{\"a\":".repeat(deep)),
        1 => Just(text("{\"a\":1,\"a\":2}")),
        1 => Just(text("{\"name\":\"x\",\"na\\u006de\":\"y\"}")),
        1 => Just(b"{\"a\":\"\xff\xfe\"}".to_vec()),
        1 => Just(b"{\"a\":\"\0\"}".to_vec()),
        1 => Just(text("{\"a\":\"\\ud800\"}")),
        1 => Just(text("{\"a\":01}")),
        1 => Just(text("{\"a\":NaN}")),
        1 => Just(text("{} {}")),
        1 => Just(text("\u{feff}{}")),
        1 => Just(vec![b' '; 1_048_577]),
    ];
    made.prop_filter("it is JSON after all", |bytes| {
        bytes.len() > 1_048_576 || wire::server::strict_json(bytes).is_err()
    })
}

fn framing() -> impl Strategy<Value = Framing> {
    let lengths = select(vec![
        "-1",
        "+5",
        "5, 5",
        "99999999999999999999",
        "0x5",
        "",
        " ",
        "5 5",
        "1e3",
    ]);
    let oddities = select(vec![
        Oddity::None,
        Oddity::Unending,
        Oddity::BadSize,
        Oddity::HugeSize,
        Oddity::Extension,
        Oddity::Trailer,
        Oddity::BareNewline,
    ]);
    let encodings = select(vec![
        "gzip, chunked",
        "identity",
        "chunked, chunked",
        "chunked;q=1",
        "x",
    ]);
    prop_oneof![
        6 => Just(Framing::Exact),
        1 => (-20i64..20).prop_map(Framing::Off),
        1 => lengths.prop_map(|text| Framing::Length(text.to_owned())),
        1 => (0usize..9).prop_map(Framing::TwoLengths),
        2 => (1usize..300, oddities).prop_map(|(size, oddity)| Framing::Chunked(size, oddity)),
        1 => (0usize..9).prop_map(Framing::Both),
        1 => encodings.prop_map(Framing::Encoding),
    ]
}

fn headers() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let name = select(vec![
        "Content-Type",
        "Idempotency-Key",
        "X-Api-Key",
        "Authorization",
        "Expect",
        "Upgrade",
        "Cookie",
        "Range",
        "X-HTTP-Method-Override",
        "Accept",
        "If-None-Match",
        "X-Forwarded-For",
        "X-End-User-Wallet-Id",
    ]);
    let value = prop_oneof![
        3 => select(vec![
            "application/json", "text/plain", "application/xml", "multipart/form-data; boundary=x", "*/*",
            "application/json; charset=utf-16", "100-continue", "h2c", "Bearer ", "Bearer a.b.c", "bytes=0-1",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        2 => prop::collection::vec((32u8..=255).prop_filter("DEL", |byte| *byte != 127), 0..80),
        1 => (1usize..3_000).prop_map(|length| b"x".repeat(length)),
    ];
    let one = (name, value).prop_map(|(name, value)| (name.to_owned(), value));
    prop::collection::vec(one, 0..4)
}

fn request(paths: Vec<String>) -> impl Strategy<Value = Request> {
    let methods = select(vec![
        "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT", "BREW",
    ]);
    let versions = select(vec!["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0"]);
    let parts = (
        methods,
        target(paths),
        versions,
        headers(),
        no_json(),
        framing(),
        any::<bool>(),
    );
    parts.prop_map(
        |(method, target, version, headers, body, framing, signed)| {
            // With its token only a body that is surely wrong keeps it from being done.
            let signed = signed && matches!(framing, Framing::Exact);
            let body = if method == "GET" && !signed {
                Vec::new()
            } else {
                body
            };
            Request {
                method: method.to_owned(),
                target,
                version,
                headers,
                body,
                framing,
                signed,
            }
        },
    )
}

/// Anything that may come over a connection.
pub(super) fn anything(paths: Vec<String>) -> impl Strategy<Value = Sent> {
    let damage = prop::collection::vec((any::<u16>(), any::<u8>()), 1..6);
    let head = select(vec![
        &b"GET "[..],
        b"POST /v1/",
        b"\x16\x03\x01\x02\x00\x01",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"",
    ]);
    let bytes = (head, prop::collection::vec(any::<u8>(), 0..3_000));
    let long = (60_000usize..90_000, any::<bool>()).prop_map(|(length, in_target)| {
        let long = "x".repeat(length);
        let (target, header) = if in_target {
            (long.as_str(), "")
        } else {
            ("", long.as_str())
        };
        format!("GET /v1/{target} HTTP/1.1\r\nHost: a\r\nA: {header}\r\n\r\n").into_bytes()
    });
    prop_oneof![
        8 => request(paths.clone()).prop_map(Sent::Request),
        3 => (request(paths), damage).prop_map(|(request, damage)| Sent::Damaged(request, damage)),
        2 => bytes.prop_map(|(head, rest)| Sent::Bytes([head, &rest].concat())),
        1 => long.prop_map(Sent::Bytes),
    ]
}
