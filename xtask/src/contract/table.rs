//! The committed table: tab-separated, one row an operation, sorted by path and method.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context, Result, bail, ensure};

use super::document::Document;
use super::key;

const HEAD: &str =
    "method\tpath\toperationId\ttag\troles\tpaging\tidempotency\tcategory\taccess\torigin";

/// Operations that an older contract had with a slash at the end; both forms are in use.
const SLASH_TOO: [&str; 1] = ["createMultipleAccounts"];

/// Operations that change nothing although method or category suggest it.
const CHANGE_NOTHING: [&str; 1] = ["estimateTransactionFee"];

/// Which source knows an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Origin {
    /// The contract.
    Contract,
    /// Only the newest official client.
    Client,
    /// Only an older contract.
    Former,
}

/// One operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    pub method: String,
    pub path: String,
    pub operation_id: String,
    pub tag: String,
    pub roles: Option<Vec<String>>,
    pub paging: String,
    pub idempotent: bool,
    pub category: String,
    pub writes: bool,
    pub origin: Origin,
}

/// The category of an operation for which none is published.
pub fn default_category(method: &str) -> &'static str {
    if method == "GET" { "read" } else { "write" }
}

/// The contract's operations with the roles that are known, and the operations that only others know.
pub fn merge(contract: &Document, known: &[Row]) -> Result<Vec<Row>> {
    let mut rows: BTreeMap<_, Row> = known.iter().map(|row| (key(row), row.clone())).collect();
    ensure!(
        rows.len() == known.len(),
        "an operation stands twice in the table of roles"
    );
    let mut current = BTreeSet::new();
    for (method, path, operation) in contract.operations() {
        let category = operation
            .rate_category
            .clone()
            .unwrap_or_else(|| default_category(&method).to_owned());
        let asks =
            matches!(category.as_str(), "read" | "query" | "external_query") && method == "POST";
        let id = operation.operation_id.as_str();
        let mut row = Row {
            writes: method != "GET" && !asks && !CHANGE_NOTHING.contains(&id),
            idempotent: operation.takes_idempotency_key() && method != "GET" && method != "DELETE",
            method,
            path: path.strip_suffix('/').unwrap_or(path).to_owned(),
            operation_id: id.to_owned(),
            tag: operation.tags.first().context(id.to_owned())?.clone(),
            roles: None,
            paging: operation.paging().to_owned(),
            category,
            origin: Origin::Contract,
        };
        if path.ends_with('/') || SLASH_TOO.contains(&id) {
            row.path.push_str("[/]");
        }
        let slashless = Row {
            path: row.path.trim_end_matches("[/]").to_owned(),
            ..row.clone()
        };
        let before = rows
            .remove(&key(&slashless))
            .or_else(|| rows.remove(&key(&row)));
        row.roles = before.and_then(|before| before.roles);
        current.insert(key(&row));
        rows.insert(key(&row), row);
    }
    // What the contract has no longer is not forgotten: clients of that age still ask for it.
    for (key, row) in &mut rows {
        if row.origin == Origin::Contract && !current.contains(key) {
            row.origin = Origin::Former;
        }
    }
    let mut rows: Vec<Row> = rows.into_values().collect();
    rows.sort_by(|a, b| (&a.path, &a.method).cmp(&(&b.path, &b.method)));
    name_apart(&mut rows);
    Ok(rows)
}

/// Two ages gave one `operationId` to two paths: the contract's keeps it, the other gets `_2`.
fn name_apart(rows: &mut [Row]) {
    let taken: BTreeSet<String> = rows
        .iter()
        .filter(|row| row.origin == Origin::Contract)
        .map(|row| row.operation_id.clone())
        .collect();
    for row in rows.iter_mut().filter(|row| row.origin != Origin::Contract) {
        if taken.contains(&row.operation_id) {
            row.operation_id.push_str("_2");
        }
    }
}

pub fn print(rows: &[Row]) -> String {
    let mut text = format!("{HEAD}\n");
    for row in rows {
        let roles = row
            .roles
            .as_ref()
            .map_or_else(|| "-".to_owned(), |roles| roles.join(" "));
        let idempotency = if row.idempotent { "key" } else { "-" };
        let access = if row.writes { "write" } else { "read" };
        let origin = match row.origin {
            Origin::Contract => "contract",
            Origin::Client => "client",
            Origin::Former => "former",
        };
        let Row {
            method,
            path,
            operation_id,
            tag,
            paging,
            category,
            ..
        } = row;
        let _ = writeln!(
            text,
            "{method}\t{path}\t{operation_id}\t{tag}\t{roles}\t{paging}\t{idempotency}\t{category}\t{access}\t{origin}"
        );
    }
    text
}

pub fn read(text: &str) -> Result<Vec<Row>> {
    let mut lines = text.lines();
    ensure!(lines.next() == Some(HEAD), "unknown head line");
    lines
        .enumerate()
        .map(|(at, line)| read_row(line).with_context(|| format!("line {}", at + 2)))
        .collect()
}

fn read_row(line: &str) -> Result<Row> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [
        method,
        path,
        operation_id,
        tag,
        roles,
        paging,
        idempotency,
        category,
        access,
        origin,
    ] = fields[..]
    else {
        bail!("{} fields", fields.len());
    };
    Ok(Row {
        method: method.to_owned(),
        path: path.to_owned(),
        operation_id: operation_id.to_owned(),
        tag: tag.to_owned(),
        roles: (roles != "-").then(|| roles.split(' ').map(str::to_owned).collect()),
        paging: paging.to_owned(),
        idempotent: idempotency == "key",
        category: category.to_owned(),
        writes: access == "write",
        origin: match origin {
            "contract" => Origin::Contract,
            "client" => Origin::Client,
            "former" => Origin::Former,
            other => bail!("origin {other}"),
        },
    })
}

/// What is different, a line each.
pub fn differences(before: &[Row], after: &[Row]) -> Vec<String> {
    let old: BTreeMap<_, _> = before.iter().map(|row| (key(row), row)).collect();
    let new: BTreeMap<_, _> = after.iter().map(|row| (key(row), row)).collect();
    let mut lines = Vec::new();
    for (key, row) in &new {
        match old.get(key) {
            None => lines.push(format!(
                "new      {} {} ({})",
                row.method, row.path, row.operation_id
            )),
            Some(before) if before != row => {
                let (before, after) = (print(&[(*before).clone()]), print(&[(*row).clone()]));
                let fields = |text: &str| {
                    text.lines()
                        .nth(1)
                        .unwrap_or_default()
                        .split('\t')
                        .map(str::to_owned)
                        .collect::<Vec<_>>()
                };
                let changed = HEAD
                    .split('\t')
                    .zip(fields(&before))
                    .zip(fields(&after))
                    .filter(|((_, old), new)| old != new);
                let changed: Vec<String> = changed
                    .map(|((name, old), new)| format!("{name}: {old} -> {new}"))
                    .collect();
                lines.push(format!(
                    "changed  {} {} ({}): {}",
                    row.method,
                    row.path,
                    row.operation_id,
                    changed.join("; ")
                ));
            }
            Some(_) => {}
        }
    }
    for (key, row) in &old {
        if !new.contains_key(key) {
            lines.push(format!(
                "gone     {} {} ({})",
                row.method, row.path, row.operation_id
            ));
        }
    }
    lines
}
