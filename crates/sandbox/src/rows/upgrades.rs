//! A file of an older release opens, and is right: for every migration, what a release wrote that
//! knew none after it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use store::{Location, Query, Room, Row, Store, StoreError, Value, Writing, once, params};
use tokio_util::sync::CancellationToken;

use super::ROOM;
use crate::chain;
use crate::hall::Hall;
use crate::histories::Visitor;
use crate::start::{Config, Running, start};

/// The migration that moved webhooks to the shelf.
const WEBHOOKS: i64 = 8;
/// What flights knew before they had lanes.
const FIRST_FLIGHTS: [&str; 6] = [
    "fee",
    "fee_asset",
    "initiator_signs",
    "source_address",
    "destination_address",
    "destination_tag",
];

/// A table: its columns, each with its type, and its rows.
struct Table {
    name: String,
    columns: Vec<(String, String)>,
    rows: Vec<Vec<Value>>,
}

fn tables(query: &mut impl Query, with_rows: bool) -> Result<Vec<Table>, StoreError> {
    let sql = "SELECT m.name, c.name, c.type FROM sqlite_master m, pragma_table_info(m.name) c
        WHERE m.type = 'table' AND m.name <> 'schema_migrations' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid";
    let mut all: Vec<Table> = Vec::new();
    for row in query.rows(sql, &[])? {
        let name = row.text(0)?.to_owned();
        if all.last().is_none_or(|table| table.name != name) {
            let (columns, rows) = (Vec::new(), Vec::new());
            all.push(Table {
                name,
                columns,
                rows,
            });
        }
        let column = (row.text(1)?.to_owned(), row.text(2)?.to_owned());
        all.last_mut().expect("a table").columns.push(column);
    }
    for table in all.iter_mut().filter(|_| with_rows) {
        let names: Vec<_> = table
            .columns
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let sql = format!("SELECT {} FROM {}", names.join(", "), table.name);
        for row in query.rows(&sql, &[])? {
            let cells = table.columns.iter().enumerate();
            let cells = cells.map(|(at, (_, kind))| cell(&row, at, kind));
            table.rows.push(cells.collect::<Result<_, _>>()?);
        }
    }
    Ok(all)
}

fn cell(row: &Row, at: usize, kind: &str) -> Result<Value, StoreError> {
    Ok(match kind {
        "BIGINT" | "INTEGER" => row.opt_int(at)?.into(),
        "BYTEA" => row.opt_bytes(at)?.map(<[u8]>::to_vec).into(),
        _ => row.opt_text(at)?.into(),
    })
}

impl Table {
    fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|(name, _)| name == column)
    }

    fn text<'r>(&self, row: &'r [Value], column: &str) -> &'r str {
        match self.place(column).and_then(|at| row.get(at)) {
            Some(Value::Text(text)) => text,
            other => panic!("{}.{column} is {other:?}", self.name),
        }
    }
}

/// A row as a release wrote it that knew so many migrations; nothing: it had no such thing.
fn as_written(table: &Table, mut row: Vec<Value>, known: i64) -> Option<Vec<Value>> {
    if table.name == "things" && known < WEBHOOKS && table.text(&row, "kind") == "webhook" {
        return None;
    }
    if table.name == "flights" && known < 5 {
        let flight: Json = serde_json::from_str(table.text(&row, "doc")).expect("JSON");
        let mut first = json!({ "signer": flight["signers"].get(0) });
        for name in FIRST_FLIGHTS {
            first[name] = flight[name].clone();
        }
        row[table.place("doc")?] = first.to_string().into();
    }
    Some(row)
}

/// Fills an older file's tables from a newer one's.
fn fill(writing: &mut Writing<'_>, from: &[Table], known: i64) -> Result<(), StoreError> {
    for older in tables(writing, false)? {
        let Some(newer) = from.iter().find(|table| table.name == older.name) else {
            continue;
        };
        let both = older.columns.iter();
        let both: Vec<_> = both
            .filter_map(|(name, _)| Some((name.as_str(), newer.place(name)?)))
            .collect();
        let names: Vec<_> = both.iter().map(|(name, _)| *name).collect();
        let marks: Vec<_> = (1..=both.len()).map(|at| format!("${at}")).collect();
        let sql = format!(
            "INSERT INTO {} ({}) VALUES ({})",
            older.name,
            names.join(", "),
            marks.join(", ")
        );
        for row in &newer.rows {
            let Some(row) = as_written(newer, row.clone(), known) else {
                continue;
            };
            let cells: Vec<_> = both.iter().map(|(_, at)| row[*at].clone()).collect();
            writing.execute(&sql, &cells)?;
        }
    }
    if known < WEBHOOKS {
        let things = from.iter().find(|table| table.name == "things");
        let things = things.expect("things");
        for row in &things.rows {
            if things.text(row, "kind") == "webhook" {
                let doc: Json = serde_json::from_str(things.text(row, "doc")).expect("JSON");
                let sql =
                    "INSERT INTO webhooks (workspace, id, doc, drop_next) VALUES ($1, $2, $3, 0)";
                let (workspace, id) = (things.text(row, "workspace"), things.text(row, "id"));
                let row = params![workspace, id, doc["webhook"].to_string()];
                writing.execute(sql, &row)?;
            }
        }
    }
    Ok(())
}

async fn older_file(from: &Path, to: &Path, known: usize) {
    let at = |path: &Path| Location::SqliteFile(path.to_owned());
    let newest = Store::open(&at(from), &[ledger::ROOM, once::ROOM, ROOM]).await;
    let read = newest.expect("a store");
    let read = read.read(|reading| tables(reading, true)).await;
    let read = Arc::new(read.expect("tables"));
    let room = Room {
        name: ROOM.name,
        migrations: &ROOM.migrations[..known],
    };
    let older = Store::open(&at(to), &[ledger::ROOM, once::ROOM, room]).await;
    let older = older.expect("an older store");
    let known = i64::try_from(known).expect("few");
    let filled = older
        .write(move |writing| fill(writing, &read, known))
        .await;
    filled.expect("it is filled");
}

async fn running(data: &Path) -> (Running, Arc<Hall>, CancellationToken) {
    let any = ([127, 0, 0, 1], 0).into();
    let config = Config {
        seed: Some(1),
        manual: true,
        data: Some(PathBuf::from(data)),
        ..Config::new(any, any)
    };
    let shutdown = CancellationToken::new();
    let running = start(config, shutdown.clone()).await.expect("it opens");
    let hall = running.halls().get(running.workspaces[0].0);
    (running, hall.expect("a workspace"), shutdown)
}

/// What every release showed: accounts with their wallets, webhooks, how far transactions are.
async fn shown(hall: &Arc<Hall>, transactions: &[String]) -> Json {
    let admin = Visitor::named(hall, "admin");
    let mut statuses = Vec::new();
    for id in transactions {
        let told = admin.get(&format!("/transactions/{id}")).await;
        statuses.push(json!([
            told["id"],
            told["status"],
            told["subStatus"],
            told["amountInfo"]
        ]));
    }
    let mut webhooks = admin.get("/webhooks").await;
    for webhook in webhooks["data"].as_array_mut().expect("a list") {
        webhook
            .as_object_mut()
            .expect("a webhook")
            .retain(|name, _| {
                ["id", "url", "events", "status", "description"].contains(&name.as_str())
            });
    }
    json!({
        "accounts": admin.get("/vault/accounts_paged?limit=500").await["accounts"],
        "webhooks": webhooks,
        "transactions": statuses,
    })
}

async fn asked(user: &Visitor, asset: &str, amount: &str) -> String {
    let body = json!({
        "assetId": asset,
        "amount": amount,
        "source": {"type": "VAULT_ACCOUNT", "id": "0"},
        "destination": {"type": "VAULT_ACCOUNT", "id": "1"},
    });
    let (status, told) = user.post("/transactions", body).await;
    assert_eq!(status, 200, "{told}");
    told["id"].as_str().expect("an id").to_owned()
}

async fn sign(hall: &Arc<Hall>, id: &str) {
    let id = id.parse().expect("an id");
    let signed = hall.deed(move |deed| chain::sign(deed, id, None)).await;
    signed.expect("signed");
}

/// What the newest release wrote: something of everything under way. The ids of the transactions.
async fn lived(hall: &Arc<Hall>) -> Vec<String> {
    let [signer, editor, admin] =
        ["signer", "editor", "admin"].map(|name| Visitor::named(hall, name));
    let webhook = json!({
        "url": "https://hooks.example.com/here",
        "description": "ours",
        "events": ["transaction.created", "transaction.status.updated"],
    });
    let (status, told) = admin.post("/webhooks", webhook).await;
    assert_eq!(status, 201, "{told}");
    let waits = asked(&editor, "XRP", "5").await;
    let to_sign = asked(&signer, "SOL", "0.25").await;
    let sent = asked(&signer, "ETH", "0.125").await;
    sign(hall, &sent).await;
    let queued = asked(&signer, "USDC", "7").await;
    let account = "2".parse().expect("an account");
    let (asset, amount) = (
        "SOL".parse().expect("an id"),
        "3".parse().expect("an amount"),
    );
    let arrived = crate::operations::incoming(hall, account, asset, amount, None).await;
    let arrived = arrived.expect("it arrives").id.to_string();
    vec![waits, to_sign, sent, queued, arrived]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_every_older_release_opens_and_is_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let newest = folder.path().join("newest.db");
    let (own, hall, shutdown) = running(&newest).await;
    let transactions = lived(&hall).await;
    let before = shown(&hall, &transactions).await;
    let statuses: Vec<_> = before["transactions"]
        .as_array()
        .expect("a list")
        .iter()
        .collect();
    let statuses: Vec<_> = statuses
        .iter()
        .map(|one| one[1].as_str().expect("one"))
        .collect();
    let expected = [
        "PENDING_AUTHORIZATION",
        "PENDING_SIGNATURE",
        "BROADCASTING",
        "QUEUED",
        "CONFIRMING",
    ];
    assert_eq!(statuses, expected);
    shutdown.cancel();
    drop(hall);
    own.done().await;
    for known in 1..=ROOM.migrations.len() {
        let file = folder.path().join(format!("{known}.db"));
        older_file(&newest, &file, known).await;
        let (own, hall, shutdown) = running(&file).await;
        let mut expected = before.clone();
        if known < 5 {
            // Nobody queued yet: what waited for its turn has it.
            expected["transactions"][3][1] = "PENDING_SIGNATURE".into();
        }
        assert_eq!(shown(&hall, &transactions).await, expected, "after {known}");
        goes_on(&hall, &transactions, known).await;
        shutdown.cancel();
        drop(hall);
        own.done().await;
    }
}

/// What was under way comes to its end, and a webhook hears of it.
async fn goes_on(hall: &Arc<Hall>, transactions: &[String], known: usize) {
    let admin = Visitor::named(hall, "admin");
    let first = transactions[0].parse().expect("an id");
    let approved = hall
        .deed(move |deed| chain::approve(deed, first, None))
        .await;
    approved.expect("approved");
    for _ in 0..8 {
        for id in transactions {
            let told = admin.get(&format!("/transactions/{id}")).await;
            if told["status"] == "PENDING_SIGNATURE" {
                sign(hall, id).await;
            }
        }
        hall.deed(chain::mine).await.expect("a block");
    }
    for id in transactions {
        let told = admin.get(&format!("/transactions/{id}")).await;
        assert_eq!(told["status"], "COMPLETED", "after {known}: {told}");
    }
    let webhooks = admin.get("/webhooks").await;
    let id = webhooks["data"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let heard = admin
        .get(&format!("/webhooks/{id}/notifications?pageSize=100"))
        .await;
    let heard = heard["data"].as_array().expect("a list").iter();
    let ends = heard.filter(|one| {
        transactions
            .iter()
            .any(|id| one["resourceId"] == id.as_str())
    });
    assert!(ends.count() >= 12, "after {known}");
    let (status, told) = admin
        .post(
            "/webhooks",
            json!({"url": "https://hooks.example.com/new", "events": ["transaction.created"]}),
        )
        .await;
    assert_eq!(status, 201, "after {known}: {told}");
}
