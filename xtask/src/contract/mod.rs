//! `cargo xtask contract FILE`: from Fireblocks' OpenAPI document to compact facts, no prose.
//!
//! Without `--roles`, roles and the operations that only other sources know are kept as committed,
//! so a newer contract can be taken in with that file alone.

mod classes;
mod document;
mod drift;
mod roles;
mod schemas;
mod table;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::repository;
use document::Document;
use table::Row;

const TABLE: &str = "crates/protocol/src/operations/data/operations.tsv";
const SHAPES: &str = "crates/protocol/src/contract/data/contract.json";

/// Arguments of `cargo xtask contract`.
#[derive(clap::Args)]
pub struct Arguments {
    /// The contract (OpenAPI 3, YAML).
    file: PathBuf,
    /// A table of roles by operation (CSV: method, path, tag, operationId, roles, source, note).
    #[arg(long)]
    roles: Option<PathBuf>,
    /// Change nothing; say what this contract would change, with exit code 1 if anything.
    #[arg(long)]
    check: bool,
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let text = fs::read_to_string(&arguments.file)
        .with_context(|| arguments.file.display().to_string())?;
    let whole: serde_json::Value =
        serde_yaml_ng::from_str(&text).with_context(|| arguments.file.display().to_string())?;
    let shapes = schemas::distil(&whole)?;
    let contract: Document = serde_json::from_value(whole)?;
    let at = repository::root().join(TABLE);
    let committed = match fs::read_to_string(&at) {
        Ok(text) => table::read(&text).with_context(|| TABLE.to_owned())?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error).context(TABLE),
    };
    let known = match &arguments.roles {
        Some(file) => roles::read(file).with_context(|| file.display().to_string())?,
        None => committed.clone(),
    };
    let rows = table::merge(&contract, &known)?;
    let mut changes = table::differences(&committed, &rows);
    let shapes_at = repository::root().join(SHAPES);
    let known_shapes = fs::read_to_string(&shapes_at).unwrap_or_default();
    let known_shapes = serde_json::from_str(&known_shapes).unwrap_or_default();
    changes.extend(schemas::differences(&known_shapes, &shapes));
    changes.extend(classes::differences(&rows)?);
    for change in &changes {
        println!("{change}");
    }
    println!(
        "{} operations, {} in this contract; {} differences",
        rows.len(),
        contract.operations().count(),
        changes.len()
    );
    if arguments.check {
        return Ok(if changes.is_empty() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    fs::write(&at, table::print(&rows)).with_context(|| TABLE.to_owned())?;
    fs::write(&shapes_at, schemas::print(&shapes)).with_context(|| SHAPES.to_owned())?;
    println!("written: {TABLE}, {SHAPES}");
    Ok(ExitCode::SUCCESS)
}

/// The key of a row: method, and path with nameless parameters.
fn key(row: &Row) -> (String, String) {
    let nameless = row
        .path
        .split('/')
        .map(|part| if part.starts_with('{') { "{}" } else { part });
    (row.method.clone(), nameless.collect::<Vec<_>>().join("/"))
}
