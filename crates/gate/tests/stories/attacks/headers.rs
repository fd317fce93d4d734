//! Headers that claim to be somebody else, from somewhere else, or to mean something else.

use super::attempt::{Attacker, Attempt, DENIED, Gets};
use super::scene::Prey;

const READ: &str = "/v1/vault/accounts/1";

pub fn right(by: &Attacker) -> Attempt {
    Attempt::new("a right read", by.get(READ), Gets::Fine)
}

pub fn attempts(by: &Attacker, prey: &Prey) -> Vec<Attempt> {
    let mut all = Vec::new();
    // From an address that is not on the list, with a header that says it is.
    for (name, value) in [
        ("X-Forwarded-For", "127.0.0.1"),
        ("X-Forwarded-For", "127.0.0.1, 127.0.0.1"),
        ("Forwarded", "for=127.0.0.1"),
        ("X-Real-IP", "127.0.0.1"),
        ("X-Client-IP", "127.0.0.1"),
        ("True-Client-IP", "127.0.0.1"),
        ("CF-Connecting-IP", "127.0.0.1"),
        ("X-Originating-IP", "127.0.0.1"),
        ("Via", "1.1 gate.example"),
    ] {
        let request = by.get(READ).and(name, value);
        let name = format!("{name}: {value}, from elsewhere");
        all.push(Attempt::new(name, request, Gets::Code(401, -7)).elsewhere());
    }
    let elsewhere = Attempt::new("from elsewhere", by.get(READ), Gets::Code(401, -7));
    all.push(elsewhere.elsewhere());
    // A right token of one's own, and another's name beside it.
    let own = by.user.to_string();
    for (name, request) in [
        ("two API keys", by.get(READ).and("X-API-Key", &prey.user)),
        (
            "two API keys, the other first",
            by.get(READ)
                .with("X-API-Key", &prey.user)
                .and("X-API-Key", &own),
        ),
        (
            "two API keys in one",
            by.get(READ)
                .with("X-API-Key", &format!("{own}, {}", prey.user)),
        ),
        (
            "two tokens",
            by.get(READ)
                .and("Authorization", &format!("Bearer {}", by.token(READ, b""))),
        ),
        (
            "the other provider's API key",
            by.get(READ).with("X-API-Key", &prey.user),
        ),
        (
            "an API key with a blank within",
            by.get(READ).with("X-API-Key", &own.replacen('-', " ", 1)),
        ),
        (
            "an API key that is SQL",
            by.get(READ).with("X-API-Key", "' OR '1'='1"),
        ),
        (
            "an API key with a path",
            by.get(READ).with("X-API-Key", &format!("../{own}")),
        ),
        ("no API key", by.get(READ).without("X-API-Key")),
        ("an empty API key", by.get(READ).with("X-API-Key", "")),
        ("no token", by.get(READ).without("Authorization")),
        (
            "a token in a cookie",
            by.get(READ)
                .without("Authorization")
                .and("Cookie", &format!("token={}", by.token(READ, b""))),
        ),
        ("Basic", by.get(READ).with("Authorization", "Basic YTpi")),
        (
            "a token without its scheme",
            by.get(READ).with("Authorization", &by.token(READ, b"")),
        ),
    ] {
        all.push(Attempt::new(name, request, DENIED));
    }
    // A read of one's own, and a header that means something else to some servers.
    for (name, value) in [
        ("X-Original-URL", "/v1/vault/accounts/3"),
        ("X-Rewrite-URL", "/v1/vault/accounts/3"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Method-Override", "PUT"),
        ("X-Forwarded-Prefix", "/v1/vault/accounts/3"),
        ("X-Forwarded-Host", "attacker.example"),
        ("Range", "bytes=0-999999"),
        ("Accept-Encoding", "gzip;q=1e400"),
        (
            "X-End-User-Wallet-Id",
            "00000000-0000-4000-8000-000000000000",
        ),
        ("X-API-User", "admin"),
        ("X-User-Role", "ADMIN"),
    ] {
        let request = by.get(READ).and(name, value);
        let name = format!("{name}: {value}");
        let fine = Attempt::new(name, request, Gets::Fine);
        all.push(fine.hiding("attacker.example"));
    }
    all
}
