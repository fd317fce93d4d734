//! Words that act where they are read: line ends, terminal escapes, HTML, formulas, text that turns round,
//! in whatever a provider controls over the wire.

use protocol::csr::CertificateSigningRequest;
use protocol::keys::{KeySize, PrivateKey};
use serde_json::json;

use super::attempt::{Attacker, Attempt, Gets};
use super::scene::Prey;
use crate::provider::transfer;

const WRITE: &str = "/v1/transactions";
const READ: &str = "/v1/vault/accounts/1";
const KEYS: &str = "/vestibule/v1/keys";

pub fn right(by: &Attacker) -> Attempt {
    let mut body = transfer(1, 2, "0.5");
    body["note"] = json!("rent <for> \"May\"");
    let request = by.post(WRITE, body.to_string().as_bytes());
    Attempt::new("a right proposal", request, Gets::Taken)
}

/// What acts, and where.
pub const EVIL: [(&str, &str); 10] = [
    ("a line end", "x\r\nlevel=ERROR forged=1"),
    ("a line feed", "x\n{\"event\":\"forged\"}"),
    ("a screen's clearing", "\u{1b}[2J\u{1b}]0;owned\u{7}"),
    ("a C1 escape", "\u{9b}31m"),
    ("a backspace", "no\u{8}\u{8}yes"),
    ("a NUL", "a\0b"),
    ("text that turns round", "\u{202e}dne\u{2066}"),
    ("text that does not show", "\u{200b}\u{feff}\u{e0041}"),
    ("HTML", "<img src=x onerror=alert(1)>"),
    ("a formula", "=cmd|'/c calc'!A1"),
];

pub fn attempts(by: &Attacker, _: &Prey) -> Vec<Attempt> {
    let mut all = vec![offer(by)];
    for (what, evil) in EVIL {
        all.extend(bodies(by, what, evil));
        all.extend(targets(by, what, evil));
        all.extend(headers(by, what, evil));
    }
    all
}

/// A right CSR, in whose place the others are: were one of them kept, it would be seen as this one is.
fn offer(by: &Attacker) -> Attempt {
    let key = PrivateKey::generate(KeySize::Rsa2048).expect("a key");
    let csr = CertificateSigningRequest::new(&key, "attacker", None).expect("a request");
    let body = json!({ "csr": csr.to_pem() }).to_string();
    let request = by.post(KEYS, body.as_bytes());
    Attempt::new("a right CSR", request, Gets::Taken)
}

fn bodies(by: &Attacker, what: &str, evil: &str) -> Vec<Attempt> {
    let ask = |field: &str, value: serde_json::Value, code| {
        let mut body = transfer(1, 2, "0.5");
        body[field] = value;
        let request = by.post(WRITE, body.to_string().as_bytes());
        let name = format!("{what} in {:.20}", field.escape_debug().to_string());
        Attempt::new(name, request, Gets::Code(400, code))
    };
    let mut all = vec![
        ask(evil, json!(1), 1409),
        ask("operation", json!(evil), 1401),
        ask("assetId", json!(evil), 1409),
        ask("destination", json!({"type": evil, "id": "1"}), 1428),
    ];
    // Text that people write may hold anything but what controls.
    if evil.contains(char::is_control) {
        all.push(ask("note", json!(evil), 1409));
    }
    let key = json!({ "csr": evil }).to_string();
    let key = by.post(KEYS, key.as_bytes());
    let name = format!("{what} in place of a CSR");
    all.push(Attempt::new(name, key, Gets::Status(400)));
    all
}

fn targets(by: &Attacker, what: &str, evil: &str) -> Vec<Attempt> {
    let encoded: String = evil.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let account = by.get(&format!("/v1/vault/accounts/{encoded}"));
    let gets = if evil.contains(char::is_control) {
        Gets::Code(400, 1000)
    } else {
        Gets::Code(404, 1004)
    };
    let mut all = vec![Attempt::new(format!("{what} in a path"), account, gets)];
    let limit = by.get(&format!("/v1/vault/accounts_paged?limit={encoded}"));
    let name = format!("{what} in a query");
    all.push(Attempt::new(name, limit, Gets::Code(400, 1000)));
    // A list's next page is named with the query that was asked, in a header.
    for pair in [format!("x={encoded}"), format!("{encoded}=x")] {
        let list = by.get(&format!("/v1/transactions?after=0&limit=1&{pair}"));
        let name = format!("{what} in what is told of the next page: {pair:.1}");
        all.push(Attempt::new(name, list, Gets::Fine).hiding(evil));
    }
    all
}

fn headers(by: &Attacker, what: &str, evil: &str) -> Vec<Attempt> {
    // What a header cannot carry is no request; what it can, no key, and no program's name that matters.
    let carried = !evil.contains(|char: char| char.is_ascii_control());
    let gets = |gets| if carried { gets } else { Gets::NoRequest };
    let mut all = Vec::new();
    let key = by.get(READ).with("X-API-Key", evil);
    let name = format!("{what} as an API key");
    all.push(Attempt::new(name, key, gets(Gets::Status(401))));
    let bearer = by.get(READ).bearing(evil);
    let name = format!("{what} as a token");
    all.push(Attempt::new(name, bearer, gets(Gets::Status(401))));
    let agent = by.get(READ).and("User-Agent", evil);
    let name = format!("{what} as a program's name");
    all.push(Attempt::new(name, agent, gets(Gets::Fine)));
    all.into_iter().map(Attempt::hanging_up).collect()
}
