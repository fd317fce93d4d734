//! The same comparison over real sockets: a connection that was granted all there is gets from the gate
//! what the workspace answers to its own Viewer, but for what is written down here:
//!
//! - cursors are the connection's own (that there is a page is the same);
//! - a parameter that is not valid is refused in other words: the workspace looks at its contract first;
//! - of a transaction: no `extraParameters`, `signedMessages`, descriptions of addresses, nobody else's
//!   `externalTxId`; a place that no scope names (an address of a stranger's, a gas station, a network
//!   connection) is an unknown peer, and so filters do not find it;
//! - transactions that touch no vault account are not there.

use std::collections::BTreeSet;

use ledger::{PartScope, Shown};
use protocol::ids::WalletId;
use protocol::model::transaction::Transaction;
use protocol::operations;
use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::number;
use super::reads::{Pool, Read};
use super::reduced::transaction_in;
use crate::caller::{Answer, Caller};
use crate::provider::viewer;
use crate::reads::text;
use crate::world::World;

/// Reads where nobody says how many.
const READS: usize = 250;
/// How often a read is repeated where the workspace changed between both answers.
const TRIES: usize = 5;

async fn ids(caller: &Caller, path: &str) -> Vec<String> {
    let all = caller.get(path).await.fine();
    let all = all.as_array().expect("a list").iter();
    all.map(|one| text(&one["id"]).to_owned()).collect()
}

fn target(read: &Read) -> String {
    let operation = operations::by_id(read.operation).expect("an operation");
    let mut path = format!("/v1{}", operation.path);
    for (name, value) in &read.params {
        path = path.replace(&format!("{{{name}}}"), value);
    }
    format!("{path}?{}", read.query)
}

/// Whether a filter asks for a side: what no scope names is not found.
fn asks_for_a_side(read: &Read) -> bool {
    ["source", "dest"]
        .iter()
        .any(|name| read.query.contains(name))
}

/// A transaction as the connection is to see it.
fn shown(value: &Value, part: &PartScope) -> Option<Value> {
    let one: Transaction = serde_json::from_value(value.clone()).expect("a transaction");
    Some(json!(transaction_in(&one, false, part)?))
}

/// An answer without what differs by intent.
fn told(answer: &Answer, of_transactions: bool, part: Option<&PartScope>) -> (u16, Value, bool) {
    let mut body = answer.json();
    for place in [
        "/paging/after",
        "/paging/before",
        "/next",
        "/nextUrl",
        "/previousUrl",
    ] {
        if let Some(cursor) = body.pointer_mut(place) {
            *cursor = json!(cursor.is_string());
        }
    }
    if let (true, 200, Some(part)) = (of_transactions, answer.status, part) {
        body = match &body {
            Value::Array(all) => all.iter().filter_map(|one| shown(one, part)).collect(),
            one => shown(one, part).unwrap_or(Value::Null),
        };
    }
    if answer.status == 400 {
        body = Value::Null;
    }
    let more = answer.header("next-page").is_some();
    (answer.status, body, more)
}

#[tokio::test]
async fn whoever_was_granted_all_reads_what_the_workspace_answers() {
    let reads = number("DIFFERENTIAL_WIRE_READS", READS);
    let mut random = StdRng::seed_from_u64(number("DIFFERENTIAL_SEED", 1));
    let mut world = World::new().await;
    let there = world.at_the_workspace("viewer");
    let admin = world.at_the_workspace("admin");
    let mut part = PartScope {
        shown: Shown {
            usd: true,
            notes: true,
            users: true,
        },
        ..PartScope::default()
    };
    let mut pool = Pool::default();
    for account in admin.pages("/v1/vault/accounts_paged", "accounts").await {
        pool.accounts.push(text(&account["id"]).to_owned());
        pool.names.push(text(&account["name"]).to_owned());
    }
    pool.assets = ids(&admin, "/v1/supported_assets").await;
    pool.internal = ids(&admin, "/v1/internal_wallets").await;
    pool.external = ids(&admin, "/v1/external_wallets").await;
    pool.contracts = ids(&admin, "/v1/contracts").await;
    let exchanges = ids(&admin, "/v1/exchange_accounts").await;
    let banks = ids(&admin, "/v1/fiat_accounts").await;
    for one in admin.transactions().await {
        pool.transactions.push(text(&one["id"]).to_owned());
        pool.hashes.push(text(&one["txHash"]).to_owned());
        pool.times.push(one["createdAt"].to_string());
    }
    part.exchange_accounts = exchanges.into_iter().collect();
    part.fiat_accounts = banks.into_iter().collect();
    let parsed = |all: &[String]| -> BTreeSet<WalletId> {
        all.iter().map(|id| id.parse().expect("an id")).collect()
    };
    part.accounts = pool
        .accounts
        .iter()
        .map(|id| id.parse().expect("an id"))
        .collect();
    for list in [&pool.internal, &pool.external, &pool.contracts] {
        part.whitelists.extend(parsed(list));
    }
    let grant = json!({"scope": {
        "accounts": part.accounts, "assets": "all", "whitelists": part.whitelists, "shown": part.shown,
        "exchange_accounts": part.exchange_accounts, "fiat_accounts": part.fiat_accounts,
    }});
    let all = world.granting("all", viewer(&[1], None), &grant).await;
    world.quiet().await;
    let (mut compared, mut fine, mut differences) = (0, 0, Vec::new());
    while compared < reads {
        let read = Read::any(&pool, &mut random);
        if asks_for_a_side(&read) {
            continue;
        }
        compared += 1;
        let target = target(&read);
        let of_transactions = read.operation.starts_with("getTransaction");
        let mut tries = 0;
        loop {
            let here = told(&all.caller.get(&target).await, of_transactions, None);
            let theirs = told(&there.get(&target).await, of_transactions, Some(&part));
            if here == theirs {
                fine += usize::from(here.0 == 200);
                break;
            }
            tries += 1;
            if tries == TRIES {
                differences.push(format!("{target}: {here:?}\nand there: {theirs:?}"));
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(fine * 3 > reads, "{fine} of {reads}");
}
