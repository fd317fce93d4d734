//! What belongs to others, and what belongs to nobody but the client: by id, by list, by cursor.

use super::attempt::{Attacker, Attempt, Gets};
use super::scene::Prey;

pub fn right(by: &Attacker) -> Attempt {
    Attempt::new("a right read", by.get("/v1/vault/accounts/1"), Gets::Fine)
}

pub fn attempts(by: &Attacker, prey: &Prey) -> Vec<Attempt> {
    let mut all = reads(by, prey);
    all.extend(cursors(by, prey));
    all.extend(writes(by, prey));
    all
}

fn reads(by: &Attacker, prey: &Prey) -> Vec<Attempt> {
    let Prey {
        proposal,
        external,
        transaction,
        hash,
        account_name,
        wallet,
        ..
    } = prey;
    let cases = [
        (404, "another's account", "/v1/vault/accounts/3".to_owned()),
        (404, "another's wallet", "/v1/vault/accounts/3/ETH".to_owned()),
        (404, "another's addresses", "/v1/vault/accounts/3/ETH/addresses_paginated".to_owned()),
        (403, "another's coins", "/v1/vault/accounts/3/BTC/unspent_inputs".to_owned()),
        (404, "another's transaction", format!("/v1/transactions/{transaction}")),
        (404, "another's proposal", format!("/v1/transactions/{proposal}")),
        (404, "another's proposal by its own id", format!("/v1/transactions/external_tx_id/{external}")),
        (200, "transactions of another's hash", format!("/v1/transactions?after=0&txHash={hash}")),
        (200, "transactions from another's account", "/v1/transactions?after=0&sourceType=VAULT_ACCOUNT&sourceId=3&destType=VAULT_ACCOUNT&destId=4".to_owned()),
        (200, "accounts of another's name", format!("/v1/vault/accounts_paged?namePrefix={}", encoded(account_name))),
        (200, "accounts by SQL", "/v1/vault/accounts_paged?namePrefix=%27%20OR%201%3D1--".to_owned()),
        (200, "accounts by a wildcard", "/v1/vault/accounts_paged?namePrefix=%25".to_owned()),
        (200, "accounts by an empty name", "/v1/vault/accounts_paged?namePrefix=".to_owned()),
        (200, "wallets of everybody", "/v1/vault/asset_wallets?limit=1000".to_owned()),
        (404, "a wallet that was not granted", format!("/v1/external_wallets/{wallet}")),
        (200, "every whitelisted wallet", "/v1/external_wallets".to_owned()),
        (200, "every contract", "/v1/contracts".to_owned()),
        (200, "reports of another", "/vestibule/v1/reports".to_owned()),
    ];
    let mut all: Vec<_> = cases
        .into_iter()
        .map(|(status, name, target)| Attempt::new(name, by.get(&target), Gets::Status(status)))
        .collect();
    // Not a provider's role's, whatever the gate.
    for target in [
        "/v1/users",
        "/v1/management/users",
        "/v1/management/api_users",
        "/v1/management/user_groups",
        "/v1/audits",
        "/v1/tap/active_policy",
        "/v1/policy/active_policy",
        "/v1/webhooks",
        "/v1/exchange_accounts",
        "/v1/fiat_accounts",
        "/v1/network_connections",
        "/v1/cosigners",
        "/v1/management/workspace_status",
        "/v1/management/api_users/x/whitelist_ip_addresses",
    ] {
        let gets = Gets::Code(401, -8);
        all.push(Attempt::new(target, by.get(target), gets));
    }
    let gas = "/v1/gas_station";
    all.push(Attempt::new(gas, by.get(gas), Gets::Status(403)));
    all
}

fn cursors(by: &Attacker, prey: &Prey) -> Vec<Attempt> {
    let forged = [
        (
            "another's",
            prey.accounts_cursor.as_str(),
            prey.transactions_cursor.as_str(),
        ),
        ("no base64", "!!!", "!!!"),
        ("empty", "", ""),
        ("a number", "1", "1"),
        ("SQL", "JyBPUiAxPTE", "JyBPUiAxPTE"),
        ("JSON", "eyJpZCI6MH0", "eyJpZCI6MH0"),
        ("zeros", "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAA"),
        ("ones", "_____________________w", "_____________________w"),
    ];
    let mut all = Vec::new();
    for (name, account, transaction) in forged {
        for (list, target) in [
            (
                "accounts",
                format!("/v1/vault/accounts_paged?after={}", encoded(account)),
            ),
            (
                "accounts, backwards",
                format!("/v1/vault/accounts_paged?before={}", encoded(account)),
            ),
            (
                "wallets",
                format!("/v1/vault/asset_wallets?after={}", encoded(account)),
            ),
            (
                "transactions",
                format!("/v1/transactions?after=0&next={}", encoded(transaction)),
            ),
        ] {
            // No place is the first page; another's is what a made up one is.
            let gets = if account.is_empty() {
                Gets::Fine
            } else {
                Gets::Code(400, 1000)
            };
            let name = format!("a cursor of {list}: {name}");
            all.push(Attempt::new(name, by.get(&target), gets));
        }
    }
    let long = "A".repeat(12_000);
    let endless = by.get(&format!("/v1/vault/accounts_paged?after={long}"));
    let bad = Gets::Code(400, 1000);
    all.push(Attempt::new("an endless cursor", endless, bad));
    for (name, query) in [
        ("no rows", "limit=0"),
        ("rows below zero", "limit=-1"),
        ("rows without end", "limit=99999999999999999999"),
        ("rows that are a word", "limit=all"),
    ] {
        let request = by.get(&format!("/v1/vault/accounts_paged?{query}"));
        all.push(Attempt::new(name, request, Gets::Code(400, 1000)));
    }
    let twice = by.get("/v1/vault/accounts_paged?limit=1&limit=500");
    all.push(Attempt::new("two limits", twice, Gets::Fine));
    all
}

fn writes(by: &Attacker, prey: &Prey) -> Vec<Attempt> {
    let Prey {
        proposal,
        transaction,
        wallet,
        ..
    } = prey;
    let cases = [
        (
            Gets::Status(403),
            "another's proposal is cancelled",
            "POST",
            format!("/v1/transactions/{proposal}/cancel"),
            "{}",
        ),
        (
            Gets::Status(403),
            "another's transaction is cancelled",
            "POST",
            format!("/v1/transactions/{transaction}/cancel"),
            "{}",
        ),
        (
            Gets::Code(401, -8),
            "a transaction is frozen",
            "POST",
            format!("/v1/transactions/{transaction}/freeze"),
            "{}",
        ),
        (
            Gets::Status(403),
            "a transaction is dropped",
            "POST",
            format!("/v1/transactions/{transaction}/drop"),
            "{}",
        ),
        (
            Gets::Status(403),
            "an account is made",
            "POST",
            "/v1/vault/accounts".to_owned(),
            "{\"name\":\"mine\"}",
        ),
        (
            Gets::Code(401, -8),
            "an account is renamed",
            "PUT",
            "/v1/vault/accounts/1".to_owned(),
            "{\"name\":\"mine\"}",
        ),
        (
            Gets::Status(403),
            "an account is hidden",
            "POST",
            "/v1/vault/accounts/1/hide".to_owned(),
            "{}",
        ),
        (
            Gets::Code(401, -8),
            "an address is made",
            "POST",
            "/v1/vault/accounts/1/ETH/addresses".to_owned(),
            "{}",
        ),
        (
            Gets::Status(403),
            "a wallet is whitelisted",
            "POST",
            "/v1/external_wallets".to_owned(),
            "{\"name\":\"mine\"}",
        ),
        (
            Gets::Status(403),
            "a whitelisted wallet gets an address",
            "POST",
            format!("/v1/external_wallets/{wallet}/ETH"),
            "{\"address\":\"0x0000000000000000000000000000000000000001\"}",
        ),
        (
            Gets::Status(403),
            "a whitelisted wallet is taken away",
            "DELETE",
            format!("/v1/external_wallets/{wallet}"),
            "",
        ),
        (
            Gets::Code(401, -8),
            "a webhook is made",
            "POST",
            "/v1/webhooks".to_owned(),
            "{\"url\":\"http://169.254.169.254/\",\"events\":[\"*\"]}",
        ),
        (
            Gets::Code(401, -8),
            "an API user is made",
            "POST",
            "/v1/management/api_users".to_owned(),
            "{\"role\":\"ADMIN\",\"name\":\"me\"}",
        ),
        (
            Gets::Code(401, -8),
            "the policy is published",
            "POST",
            "/v1/tap/publish".to_owned(),
            "{}",
        ),
        (
            Gets::Code(401, -8),
            "the quorum is lowered",
            "PUT",
            "/v1/admin_quorum".to_owned(),
            "{\"threshold\":1}",
        ),
        (
            Gets::Code(401, -8),
            "the workspace is frozen",
            "POST",
            "/v1/workspace/freeze".to_owned(),
            "{}",
        ),
        (
            Gets::Status(403),
            "a gas station is set",
            "PUT",
            "/v1/gas_station/configuration".to_owned(),
            "{\"gasCap\":\"1\"}",
        ),
        (
            Gets::Status(403),
            "a job is started",
            "POST",
            "/v1/vault/accounts/bulk".to_owned(),
            "{\"count\":1000}",
        ),
    ];
    cases
        .into_iter()
        .map(|(gets, name, method, target, body)| {
            let request = by.request(method, &target, body.as_bytes());
            Attempt::new(name, request, gets)
        })
        .collect()
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
