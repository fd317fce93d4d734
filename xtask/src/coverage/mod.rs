//! `cargo xtask coverage`: what the sandbox serves, and who has called it, in `docs/coverage.md` and
//! `docs/coverage.json`: from the operations table, the sandbox's own document, the variants of its
//! contract judge, and the calls that the suites of the clients really made.

mod offers;
mod unreached;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::repository;

/// Clients: a short name, how their `User-Agent` begins, and what they are.
const CLIENTS: [(&str, &str, &str); 4] = [
    (
        "python",
        "fireblocks/sdk/python/",
        "official Python, `fireblocks`",
    ),
    (
        "typescript",
        "fireblocks/sdk/typescript/",
        "official TypeScript, `@fireblocks/ts-sdk`",
    ),
    (
        "legacy",
        "fireblocks-sdk-py/",
        "legacy Python, `fireblocks-sdk` of PyPI",
    ),
    (
        "rust",
        "fireblocks-sdk-rs ",
        "community Rust, `fireblocks-sdk` of crates.io",
    ),
];
/// What is answered with 501.
const NOT_SERVED: &str = "not served";
/// What the last runs of the tests have left.
const DOCUMENT: &str = "document.json";
const VARIANTS: &str = "variants.json";
const CALLS: &str = "calls";
/// Operations of which no variant is accepted.
const NEVER: &str = "crates/sandbox/tests/variants/never_accepted.txt";
/// What is written.
const PAGE: &str = "docs/coverage.md";
const DATA: &str = "docs/coverage.json";

/// One operation.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
struct Row {
    operation: String,
    method: String,
    path: String,
    area: String,
    /// `stateful`, `seeded` or `not served`.
    service: String,
    /// Variants of its contract, all of them judged.
    variants: usize,
    /// Whether at least one of them was accepted.
    accepts: bool,
    exceptions: Vec<String>,
    /// The official clients that have a method for it.
    offered_by: BTreeSet<String>,
    /// The clients that it answered.
    reached_by: BTreeSet<String>,
    differences: Vec<String>,
}

#[derive(Deserialize)]
struct Variants {
    variants: usize,
    accepted: usize,
    exceptions: Vec<String>,
}

#[derive(Deserialize)]
struct Call {
    operation: Option<String>,
    status: Option<u16>,
    user_agent: Option<String>,
}

/// Where the tests leave what they have seen.
pub fn folder() -> PathBuf {
    repository::target().join("coverage")
}

/// A folder for call logs, empty, of one suite.
pub fn calls(suite: &str) -> Result<PathBuf> {
    let folder = folder().join(CALLS).join(suite);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    Ok(folder)
}

/// Writes the page and the data.
pub fn run() -> Result<ExitCode> {
    let rows = rows()?;
    for (path, text) in [(PAGE, page(&rows)), (DATA, data(&rows)?)] {
        let file = repository::root().join(path);
        fs::write(&file, text).with_context(|| file.display().to_string())?;
        println!("{path}");
    }
    Ok(ExitCode::SUCCESS)
}

/// Which of the two files is no longer what the tests have seen.
pub fn stale() -> Result<Vec<&'static str>> {
    let rows = rows()?;
    let mut stale = Vec::new();
    for (path, text) in [(PAGE, page(&rows)), (DATA, data(&rows)?)] {
        if fs::read_to_string(repository::root().join(path)).ok() != Some(text) {
            stale.push(path);
        }
    }
    Ok(stale)
}

/// Operations that a client has a method for and no suite called.
pub fn unreached() -> Result<Vec<String>> {
    unreached::faults(&rows()?)
}

fn json<T: serde::de::DeserializeOwned>(name: &str) -> Result<T> {
    let file = folder().join(name);
    let text = fs::read_to_string(&file).with_context(|| {
        format!(
            "{} is missing: cargo xtask test --only rust",
            file.display()
        )
    })?;
    serde_json::from_str(&text).with_context(|| file.display().to_string())
}

fn rows() -> Result<Vec<Row>> {
    let document: Value = json(DOCUMENT)?;
    let variants: BTreeMap<String, Variants> = json(VARIANTS)?;
    let reached = reached(&folder().join(CALLS))?;
    let offers = offers::all()?;
    let never = never()?;
    ensure!(
        !reached.is_empty(),
        "no call of any client is known: cargo xtask test"
    );
    let mut served: BTreeMap<&str, &Value> = BTreeMap::new();
    let paths = document["paths"].as_object().context("no paths")?;
    for told in paths
        .values()
        .filter_map(Value::as_object)
        .flat_map(|one| one.values())
    {
        served.insert(told["operationId"].as_str().unwrap_or_default(), told);
    }
    let table = repository::root().join("crates/protocol/src/operations/data/operations.tsv");
    let mut table = csv::ReaderBuilder::new()
        .delimiter(b'\t')
        .from_path(table)?;
    let mut rows = Vec::new();
    for record in table.records() {
        let record = record?;
        let column = |at: usize| record.get(at).unwrap_or_default().to_owned();
        let operation = column(2);
        let told = served.get(operation.as_str());
        let judged = variants.get(&operation);
        let texts = |value: &Value| -> Vec<String> {
            let list = value.as_array().into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        rows.push(Row {
            service: told
                .map_or(NOT_SERVED, |told| {
                    told["x-service"].as_str().unwrap_or("stateful")
                })
                .to_owned(),
            variants: judged.map_or(0, |judged| judged.variants),
            accepts: judged.is_some_and(|judged| judged.accepted > 0),
            exceptions: judged
                .map(|judged| judged.exceptions.clone())
                .unwrap_or_default(),
            offered_by: offers
                .iter()
                .filter(|(_, places)| places.contains(&offers::place(&column(0), &column(1))))
                .map(|(client, _)| (*client).to_owned())
                .collect(),
            reached_by: reached.get(&operation).cloned().unwrap_or_default(),
            differences: told
                .map(|told| texts(&told["x-differences"]))
                .into_iter()
                .flatten()
                .chain(
                    never
                        .get(&operation)
                        .map(|why| format!("no variant is accepted: {why}")),
                )
                .collect(),
            method: column(0),
            path: column(1),
            area: column(3),
            operation,
        });
    }
    rows.sort_by(|a, b| (&a.area, &a.operation).cmp(&(&b.area, &b.operation)));
    Ok(rows)
}

/// The operations of which no variant is accepted, and why.
fn never() -> Result<BTreeMap<String, String>> {
    let file = repository::root().join(NEVER);
    let text = fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    let told = text.lines().filter(|line| !line.starts_with('#'));
    let rows = told.filter_map(|line| line.split_once(' '));
    Ok(rows
        .map(|(id, why)| (id.to_owned(), why.to_owned()))
        .collect())
}

/// The operations that each client was really answered by.
fn reached(folder: &Path) -> Result<BTreeMap<String, BTreeSet<String>>> {
    let mut reached: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let Ok(suites) = fs::read_dir(folder) else {
        return Ok(reached);
    };
    for suite in suites {
        for log in fs::read_dir(suite?.path())? {
            for line in fs::read_to_string(log?.path())?.lines() {
                // A sandbox that was killed has left half a line.
                let Ok(call) = serde_json::from_str::<Call>(line) else {
                    continue;
                };
                let agent = call.user_agent.unwrap_or_default();
                let client = CLIENTS.iter().find(|(_, head, _)| agent.starts_with(head));
                let answered = call
                    .status
                    .is_some_and(|status| (200..300).contains(&status));
                if let (Some(operation), Some((client, ..)), true) =
                    (call.operation, client, answered)
                {
                    reached
                        .entry(operation)
                        .or_default()
                        .insert((*client).to_owned());
                }
            }
        }
    }
    Ok(reached)
}

fn data(rows: &[Row]) -> Result<String> {
    Ok(serde_json::to_string_pretty(rows)? + "\n")
}

fn page(rows: &[Row]) -> String {
    let count = |service: &str| rows.iter().filter(|row| row.service == service).count();
    let served: Vec<_> = rows
        .iter()
        .filter(|row| row.service != NOT_SERVED)
        .collect();
    let variants: usize = served.iter().map(|row| row.variants).sum();
    let accepting = served.iter().filter(|row| row.accepts).count();
    let exceptions: usize = served.iter().map(|row| row.exceptions.len()).sum();
    let mut page = format!(
        "# What the sandbox serves\n\n\
        Written by `cargo xtask coverage` from the operations table, the sandbox's own document and what the\n\
        suites really called; `cargo xtask test` compares it. The same as JSON: `docs/coverage.json`.\n\n\
        | | operations |\n|---|---:|\n\
        | known, of three ages of the contract | {} |\n\
        | **stateful**: a change is seen by every other operation | {} |\n\
        | **seeded**: what a seed has made is read | {} |\n\
        | not served: 501, with where to look | {} |\n\n\
        {}\n\
        Where an official client is not named below, it has no method for the operation: the tests see to it.\n\n\
        Variants of the contract, each answer checked against status and schema: {variants}, {exceptions} of them exceptions.\n\
        Operations that accept at least one of theirs: {accepting} of {}; why the others do not stands beside them.\n\
        Which role may call what: `crates/sandbox/tests/variants/roles.tsv`, made by asking the running server.\n",
        rows.len(),
        count("stateful"),
        count("seeded"),
        count(NOT_SERVED),
        clients(&served),
        served.len(),
    );
    let mut area = "";
    for row in &served {
        if row.area != area {
            area = &row.area;
            let _ = write!(
                page,
                "\n## {area}\n\n| operation | | served | variants | reached by | known differences |\n|---|---|---|---:|---|---|\n"
            );
        }
        let reached: Vec<_> = row.reached_by.iter().map(String::as_str).collect();
        let mut differences = row.differences.clone();
        differences.extend(row.exceptions.iter().map(|one| format!("exception: {one}")));
        let _ = writeln!(
            page,
            "| `{}` | `{} {}` | {} | {} | {} | {} |",
            row.operation,
            row.method,
            row.path,
            row.service,
            row.variants,
            reached.join(", "),
            differences.join("; ")
        );
    }
    page.push_str("\n## Not served\n\n| area | operations |\n|---|---|\n");
    let mut others: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.service == NOT_SERVED) {
        others
            .entry(&row.area)
            .or_default()
            .push(format!("`{}`", row.operation));
    }
    for (area, operations) in others {
        let _ = writeln!(page, "| {area} | {} |", operations.join(", "));
    }
    page
}

/// How far each client came. An official one has come to all that it has a method for.
fn clients(served: &[&Row]) -> String {
    let mut table =
        "| client | of these it has methods for | answered it |\n|---|---:|---:|\n".to_owned();
    for (client, _, what) in CLIENTS {
        let of = |names: fn(&Row) -> &BTreeSet<String>| {
            let those = served.iter().filter(|row| names(row).contains(client));
            those.count()
        };
        let offered = match of(|row| &row.offered_by) {
            0 => String::new(),
            offered => offered.to_string(),
        };
        let reached = of(|row| &row.reached_by);
        let _ = writeln!(table, "| {what} | {offered} | {reached} |");
    }
    table
}
