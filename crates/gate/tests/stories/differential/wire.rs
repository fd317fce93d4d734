//! The same comparison over real sockets: a connection that was granted all there is gets from the gate
//! what the workspace answers to its own Viewer, status, headers and body, but for [`DIFFERENCES`]. The
//! workspace changes between.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use ledger::{PartScope, Shown};
use protocol::exchange::Reply;
use protocol::ids::WalletId;
use protocol::model::transaction::{Peer, Transaction};
use protocol::operations;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::reads::{Pool, Read};
use super::reduced::transaction_in;
use super::{number, registered, still};
use crate::caller::{Answer, Caller};
use crate::provider::viewer;
use crate::reads::text;
use crate::world::{World, until};

/// All that differs by intent, as `docs/gate-access.md` has it.
const DIFFERENCES: [&str; 9] = [
    "cursors are the connection's own, and so are the URLs that carry them",
    "`Vestibule-As-Of` is a header more, and a sandbox's `X-Vestibule-Why`, which tells developers what was wrong, one less",
    "a parameter that is not valid is refused with the same status and code in other words: the workspace looks at its contract first",
    "`sourceType=ONE_TIME_ADDRESS`, `destType=UNKNOWN` and an `assetClass` of no asset, which the workspace's contract does not know, are filters like others",
    "of an asset: no notes of the workspace's people",
    "of a transaction: no `extraParameters`, `signedMessages`, descriptions of addresses, nobody else's `externalTxId`",
    "a place that no scope names (a stranger's address, a gas station, a network connection) is an unknown peer, for filters too",
    "transactions that touch no vault account are not there",
    "an asset that the workspace registered and of which no account has a wallet is not there",
];
const DOCS: &str = include_str!("../../../../../docs/gate-access.md");

/// Reads where nobody says how many.
const READS: usize = 300;
/// Reads between two changes.
const BETWEEN_CHANGES: usize = 50;
/// How often a read is repeated where the workspace changed between both answers.
const TRIES: usize = 5;
/// Kinds of places that a scope names.
const NAMED: [&str; 6] = [
    "VAULT_ACCOUNT",
    "EXTERNAL_WALLET",
    "INTERNAL_WALLET",
    "CONTRACT",
    "EXCHANGE_ACCOUNT",
    "FIAT_ACCOUNT",
];

#[test]
fn what_differs_by_intent_is_what_the_documents_say() {
    let (_, chapter) = DOCS.split_once("\n## 7. ").expect("how it is proven");
    let (chapter, _) = chapter.split_once("\n## ").expect("the next chapter");
    let mut told: Vec<String> = Vec::new();
    for line in chapter.lines() {
        match (line.strip_prefix("- "), told.last_mut()) {
            (Some(first), _) => told.push(first.to_owned()),
            (None, Some(last)) if line.starts_with("  ") => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => {}
        }
    }
    let told: Vec<_> = told
        .iter()
        .map(|line| line.trim_end_matches([';', '.']))
        .collect();
    assert_eq!(told, DIFFERENCES);
}

async fn ids(caller: &Caller, path: &str) -> Vec<String> {
    let all = caller.get(path).await.fine();
    let all = all.as_array().expect("a list").iter();
    all.map(|one| text(&one["id"]).to_owned()).collect()
}

/// Where a read goes.
pub(super) fn target(read: &Read) -> String {
    let operation = operations::by_id(read.operation).expect("an operation");
    let mut path = format!("/v1{}", operation.path);
    for (name, value) in &read.params {
        path = path.replace(&format!("{{{name}}}"), value);
    }
    format!("{path}?{}", read.query)
}

/// Whether a read is refused by the workspace's contract alone.
pub(super) fn is_beyond_the_contract(read: &Read) -> bool {
    let unknown = [
        "sourceType=ONE_TIME_ADDRESS",
        "destType=UNKNOWN",
        "assetClass=X",
    ];
    unknown.iter().any(|filter| read.query.contains(filter))
}

/// The page after an answer, or the one before, where it names one.
pub(super) fn next(read: &Read, answer: &Answer) -> Option<String> {
    let paging = ["next-page", "prev-page"];
    let headers = paging.into_iter().filter_map(|name| {
        let url = answer.header(name)?;
        Some((name, url.to_owned()))
    });
    let reply = Reply {
        status: answer.status,
        headers: headers.collect(),
        body: Bytes::from(answer.body.clone()),
        rows: None,
    };
    read.onward(&reply).map(|next| target(&next))
}

/// A URL of another page, without what carries the place.
fn own_query(url: &str) -> Vec<(String, String)> {
    let (path, query) = url.split_once('?').unwrap_or_default();
    // Of transactions `after` and `before` are times that are asked for.
    let carries: &[&str] = if path.ends_with("/v1/transactions") {
        &["next", "prev"]
    } else {
        &["after", "before", "pageCursor"]
    };
    form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| {
            let value = if carries.contains(&name.as_ref()) {
                String::new()
            } else {
                value.into_owned()
            };
            (name.into_owned(), value)
        })
        .collect()
}

/// An answer without what differs whoever is asked: status, headers, body.
pub(super) fn comparable(answer: &Answer) -> (u16, BTreeMap<String, Value>, Value) {
    let passing = [
        "date",
        "x-request-id",
        "content-length",
        "vestibule-as-of",
        "x-vestibule-why",
    ];
    let headers = answer.headers.iter();
    let headers = headers.filter(|(name, _)| !passing.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| match name.as_str() {
        "next-page" | "prev-page" => (name.clone(), json!(own_query(value))),
        _ => (name.clone(), json!(value)),
    });
    let mut body = answer.json();
    for place in ["/paging/after", "/paging/before", "/next"] {
        if let Some(cursor) = body.pointer_mut(place) {
            *cursor = json!(cursor.is_string());
        }
    }
    for place in ["/nextUrl", "/previousUrl"] {
        if let Some(url) = body.pointer_mut(place) {
            *url = json!(own_query(url.as_str().unwrap_or_default()));
        }
    }
    if answer.status == 400 {
        body = json!({"code": body["code"], "told": body["message"].is_string()});
    }
    (answer.status, headers.collect(), body)
}

/// A transaction as the connection is to see it.
fn shown(value: &Value, part: &PartScope) -> Option<Value> {
    let one: Transaction = serde_json::from_value(value.clone()).expect("a transaction");
    Some(json!(transaction_in(&one, false, part)?))
}

/// What a query asks of the sides: what no scope names is asked of what is seen.
fn of_sides(read: &Read) -> Vec<(String, String)> {
    let pairs = form_urlencoded::parse(read.query.as_bytes()).into_owned();
    let sides = ["sourceType", "sourceId", "destType", "destId"];
    pairs
        .filter(|(name, _)| sides.contains(&name.as_str()))
        .collect()
}

/// Whether the sides that are asked for are seen as they are.
fn is_named(read: &Read, part: &PartScope) -> bool {
    of_sides(read).iter().all(|(name, value)| {
        if name.ends_with("Type") {
            return NAMED.contains(&value.as_str());
        }
        let id = value.parse::<WalletId>();
        value.parse().is_ok_and(|id| part.accounts.contains(&id))
            || id.is_ok_and(|id| part.whitelists.contains(&id))
            || part.exchange_accounts.contains(value)
            || part.fiat_accounts.contains(value)
    })
}

fn has_side(peer: &Peer, kind: Option<&str>, id: Option<&str>) -> bool {
    let of_kind = |kind: &str| json!(peer.kind) == json!(kind);
    kind.is_none_or(of_kind) && id.is_none_or(|id| peer.id.as_deref() == Some(id))
}

/// The workspace's answer as the connection is to see it. Where a filter asks for what no scope names, it
/// is asked without it, for as much as there can be, and what is seen is filtered here. So is the token that
/// no account holds.
async fn theirs(there: &Caller, read: &Read, part: &PartScope, unheld: &str) -> Comparable {
    let of_transactions = read.operation.starts_with("getTransaction");
    if !of_transactions {
        let (status, headers, mut body) = comparable(&there.get(&target(read)).await);
        let is_it = |one: &Value| one["id"] == unheld || one["legacyId"] == unheld;
        let list = match &mut body {
            Value::Object(fields) => fields.get_mut("data"),
            list => Some(list),
        };
        if let Some(Value::Array(all)) = list {
            all.retain(|one| !is_it(one));
            for one in all {
                if let Some(asset) = one.get_mut("metadata").and_then(Value::as_object_mut) {
                    asset.remove("note");
                }
            }
        }
        return (status, headers, body);
    }
    if is_named(read, part) {
        let (status, headers, body) = comparable(&there.get(&target(read)).await);
        let body = match &body {
            _ if status != 200 => body,
            Value::Array(all) => all.iter().filter_map(|one| shown(one, part)).collect(),
            one => shown(one, part).unwrap_or(Value::Null),
        };
        return (status, headers, body);
    }
    let asked = there.get(&target(read)).await;
    let (status, mut headers, body) = comparable(&asked);
    if status != 200 {
        return (status, headers, body);
    }
    let sides: BTreeMap<_, _> = of_sides(read).into_iter().collect();
    let pairs = form_urlencoded::parse(read.query.as_bytes()).into_owned();
    let pairs: Vec<_> = pairs.collect();
    let of = |name: &str| {
        let found = pairs.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs.iter() {
        if !sides.contains_key(name) && name != "limit" {
            query.append_pair(name, value);
        }
    }
    query.append_pair("limit", "500");
    let mut whole = Vec::new();
    let mut page = Some(format!("/v1/transactions?{}", query.finish()));
    while let Some(target) = page {
        let answer = there.get(&target).await;
        let next = answer.header("next-page");
        page = next.and_then(|url| Some(url.strip_prefix(&there.origin)?.to_owned()));
        whole.extend(answer.fine().as_array().expect("a list").clone());
    }
    let side = |name: &str| sides.get(name).map(String::as_str);
    let all = whole.iter();
    let seen: Vec<Value> = all
        .filter_map(|one| {
            let one: Transaction = serde_json::from_value(one.clone()).expect("a transaction");
            let seen = transaction_in(&one, false, part)?;
            let mut ends = seen.destinations.iter().map(|end| &end.destination);
            let takes = |end: &Peer| has_side(end, side("destType"), side("destId"));
            let goes = takes(&seen.destination) || ends.any(takes);
            let comes = has_side(&seen.source, side("sourceType"), side("sourceId"));
            (goes && comes).then(|| json!(seen))
        })
        .collect();
    let limit = of("limit").map_or(200, |limit| limit.parse().expect("a number"));
    headers.remove("next-page");
    if seen.len() > limit {
        let mut own = pairs.clone();
        own.push(("next".to_owned(), String::new()));
        headers.insert("next-page".to_owned(), json!(own));
    }
    (200, headers, seen.into_iter().take(limit).collect())
}

type Comparable = (u16, BTreeMap<String, Value>, Value);

/// All that there is, and what reads can be made of.
async fn everything(admin: &Caller) -> (Pool, PartScope) {
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
        let id = text(&account["id"]);
        pool.accounts.push(id.to_owned());
        part.accounts.insert(id.parse().expect("an id"));
        pool.names.push(text(&account["name"]).to_owned());
    }
    pool.assets = ids(admin, "/v1/supported_assets").await;
    pool.internal = ids(admin, "/v1/internal_wallets").await;
    pool.external = ids(admin, "/v1/external_wallets").await;
    pool.contracts = ids(admin, "/v1/contracts").await;
    let exchanges = ids(admin, "/v1/exchange_accounts").await;
    let banks = ids(admin, "/v1/fiat_accounts").await;
    for one in admin.transactions().await {
        pool.transactions.push(text(&one["id"]).to_owned());
        pool.hashes.push(text(&one["txHash"]).to_owned());
        pool.times.push(one["createdAt"].to_string());
        for side in [&one["source"], &one["destination"]] {
            pool.places.extend(side["id"].as_str().map(str::to_owned));
        }
    }
    part.exchange_accounts = exchanges.into_iter().collect();
    part.fiat_accounts = banks.into_iter().collect();
    let parsed = |all: &[String]| -> BTreeSet<WalletId> {
        all.iter().map(|id| id.parse().expect("an id")).collect()
    };
    for list in [&pool.internal, &pool.external, &pool.contracts] {
        part.whitelists.extend(parsed(list));
    }
    (pool, part)
}

/// Something happens in the workspace; it is over when the gate knows of it.
pub(super) async fn happens(world: &World, here: &Caller, random: &mut StdRng) {
    let places = [(1, "ETH"), (1, "BTC"), (2, "BTC"), (3, "ETH")];
    let (account, asset) = places[random.random_range(0..places.len())];
    let paid = world.sandbox.pay_in(account, asset, "0.125").await;
    if random.random_bool(0.5) {
        world.sandbox.act("/mine", &json!({})).await;
    }
    let target = format!("/v1/transactions/{paid}");
    until("the gate knows of it", || async {
        let (here, there) = (here.get(&target).await, world.admin.get(&target).await);
        let (here, there) = (here.json(), there.json());
        let fields = ["status", "lastUpdated", "numOfConfirmations"];
        there["status"].is_string() && fields.iter().all(|field| here[field] == there[field])
    })
    .await;
}

#[tokio::test]
async fn whoever_was_granted_all_reads_what_the_workspace_answers() {
    let reads = number("DIFFERENTIAL_WIRE_READS", READS);
    let mut random = StdRng::seed_from_u64(number("DIFFERENTIAL_SEED", 1));
    let mut world = still().await;
    let there = world.at_the_workspace("viewer");
    let admin = world.at_the_workspace("admin");
    registered(&world, "TKNA", Some(1)).await;
    let unheld = registered(&world, "TKNB", None).await;
    let named = json!({"name": "Noted", "customerRefId": "the-customer"});
    world
        .admin
        .post("/v1/internal_wallets", &named)
        .await
        .fine();
    let note = json!({"metadata": {"note": {"text": "the-note"}}});
    let noted = world
        .admin
        .send("PATCH", "/v1/assets/BTC", Some(&note), &[]);
    noted.await.fine();
    world.quiet().await;
    let (mut pool, part) = everything(&admin).await;
    let grant = json!({"scope": {
        "accounts": part.accounts, "assets": "all", "whitelists": part.whitelists, "shown": part.shown,
        "exchange_accounts": part.exchange_accounts, "fiat_accounts": part.fiat_accounts,
    }});
    let all = world.granting("all", viewer(&[1], None), &grant).await;
    let all = all.caller;
    let (mut fine, mut refused, mut sides, mut differences) = (0, 0, 0, Vec::new());
    for compared in 0..reads {
        if compared % BETWEEN_CHANGES == 0 {
            happens(&world, &all, &mut random).await;
            world.quiet().await;
            pool = everything(&admin).await.0;
            pool.assets.retain(|id| *id != unheld);
        }
        let read = Read::any(&pool, &mut random);
        if is_beyond_the_contract(&read) {
            continue;
        }
        let mut tries = 0;
        loop {
            let here = all.get(&target(&read)).await;
            if here.status == 200 {
                assert!(here.header("vestibule-as-of").is_some());
            }
            let (here, theirs) = (
                comparable(&here),
                theirs(&there, &read, &part, &unheld).await,
            );
            if here == theirs {
                fine += usize::from(here.0 == 200);
                refused += usize::from(here.0 == 400);
                sides += usize::from(here.0 == 200 && !of_sides(&read).is_empty());
                break;
            }
            tries += 1;
            if tries == TRIES {
                let target = target(&read);
                differences.push(format!("{target}: {here:?}\nand there: {theirs:?}"));
                break;
            }
            world.quiet().await;
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    assert!(fine * 3 > reads, "{fine} of {reads}");
    assert!(
        refused * 30 > reads && sides * 30 > reads,
        "{refused}, {sides} of {reads}"
    );
}
