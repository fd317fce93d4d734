//! Targets that two readers could take differently. Each is signed as it is sent.

use super::attempt::{Attacker, Attempt, Gets};
use super::scene::Prey;

pub fn right(by: &Attacker) -> Attempt {
    Attempt::new("a right read", by.get("/v1/vault/accounts/1"), Gets::Fine)
}

pub fn attempts(by: &Attacker, prey: &Prey) -> Vec<Attempt> {
    let mut all = Vec::new();
    // What lies behind these must not be told, and nothing may be done there.
    for target in [
        "//v1/vault/accounts/3",
        "/v1//vault/accounts/3",
        "/v1/vault//accounts/3",
        "/v1/vault/accounts/3/",
        "/v1/vault/accounts/1/../3",
        "/v1/vault/accounts/1/..%2f3",
        "/v1/vault/accounts/%2e%2e/accounts/3",
        "/v1/vault/accounts/1%2f..%2f3",
        "/v1/vault/accounts/1;/3",
        "/v1/vault/accounts/3;jsessionid=1",
        "/v1/vault/accounts/%33%20",
        "/v1/vault/accounts/%EF%BC%93",
        "/v1/vault/accounts/03",
        "/v1/vault/accounts/+3",
        "/v1/vault/accounts/3.0",
        "/v1/vault/accounts/0x3",
        "/v1/vault/accounts/3e0",
        "/v1/vault/accounts/-3",
        "/v1/vault/accounts/4294967299",
        "/v1/vault/accounts/18446744073709551619",
        "/v1/vault/accounts/3?vaultAccountId=1",
        "/v1/vault/accounts/3%3FvaultAccountId=1",
        "/v1/vault/accounts/3%23",
        "/v1/vault/accounts/1,3",
        "/v1/vault/accounts/*",
        "/V1/vault/accounts/3",
        "/v1/VAULT/ACCOUNTS/3",
        "/v1\\vault\\accounts\\3",
        "/v2/vault/accounts/3",
        "/v1/./vault/accounts/3",
        "/./v1/vault/accounts/3",
        "/x/../v1/vault/accounts/3",
    ] {
        all.push(Attempt::new(target, by.get(target), Gets::Status(404)));
    }
    for target in [
        "/v1/vault/accounts/3%00",
        "/v1/vault/accounts/1%00/3",
        "/v1/vault/accounts/%c0%b3",
        "/v1/vault/accounts/%e0%80%b3",
    ] {
        let gets = Gets::Code(400, 1000);
        all.push(Attempt::new(target, by.get(target), gets));
    }
    for target in [
        "/_sandbox/workspaces",
        "/vestibule/v1/status",
        "/vestibule/v1/connections",
        "/vestibule/v1/proposals",
        "/vestibule/v1/../v1/users",
        "/vestibule/v1/log",
        "/vestibule/v1/posture",
        "/vestibule/v1/upstream",
        "/.git/config",
        "/etc/passwd",
    ] {
        let name = format!("{target}, which is not a provider's");
        all.push(Attempt::new(name, by.get(target), Gets::Status(404)));
    }
    let hooks = by.get("/webhooks/upstream");
    all.push(Attempt::new("a read of events", hooks, Gets::Status(405)));
    let approve = format!("/vestibule/v1/proposals/{}/approve", prey.proposal);
    for target in [
        approve.as_str(),
        "/vestibule/v1/connections",
        "/vestibule/v1/refresh",
    ] {
        let request = by.post(target, b"{}");
        let name = format!("POST {}", target.replace(&prey.proposal, "ID"));
        all.push(Attempt::new(name, request, Gets::Status(404)));
    }
    let absolute = "http://gate.example/v1/vault/accounts/3";
    all.push(Attempt::new(
        "absolute form",
        by.get(absolute),
        Gets::Status(404),
    ));
    let signed = by.get("/v1/vault/accounts/1").to(absolute);
    all.push(Attempt::new(
        "absolute form, signed for another",
        signed,
        Gets::Status(404),
    ));
    let connect = by.request("CONNECT", "gate.example:443", b"");
    all.push(Attempt::new("CONNECT", connect, Gets::Status(404)));
    let asterisk = by.request("OPTIONS", "*", b"");
    all.push(Attempt::new("an asterisk", asterisk, Gets::Status(404)));
    let long = format!("/v1/vault/accounts/{}", "3".repeat(100_000));
    all.push(Attempt::new(
        "a target without end",
        by.get(&long),
        Gets::Status(431),
    ));
    let many = format!("/v1/transactions?{}", "a=1&".repeat(20_000));
    all.push(Attempt::new(
        "a query without end",
        by.get(&many),
        Gets::Status(431),
    ));
    all
}
