//! Which crate may know which: rules over the dependencies that cargo itself reports.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::Rule;
use crate::repository;

/// The rooms, and which rooms each may know (design: arrows point down only).
const ROOMS: [(&str, &[&str]); 11] = [
    ("protocol", &[]),
    ("store", &[]),
    ("ledger", &["protocol", "store"]),
    ("wire", &["protocol"]),
    ("sync", &["protocol", "store", "ledger", "wire"]),
    ("sandbox", &["protocol", "store", "ledger", "wire"]),
    ("gate", &["protocol", "store", "ledger", "wire", "sync"]),
    (
        "connector",
        &["protocol", "store", "ledger", "wire", "sync"],
    ),
    (
        "vestibule",
        &[
            "protocol",
            "store",
            "ledger",
            "wire",
            "sync",
            "sandbox",
            "gate",
            "connector",
        ],
    ),
    (
        "bench",
        &["protocol", "store", "ledger", "wire", "sync", "gate"],
    ),
    ("xtask", &[]),
];

const NOT_IN_PROTOCOL: [&str; 8] = [
    "tokio",
    "hyper",
    "hyper-util",
    "axum",
    "reqwest",
    "rusqlite",
    "postgres",
    "sqlx",
];
const DATABASES: [&str; 5] = [
    "rusqlite",
    "libsqlite3-sys",
    "postgres",
    "tokio-postgres",
    "sqlx",
];

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    /// `dev`, `build`, or nothing.
    kind: Option<String>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    src_path: PathBuf,
}

pub fn rules() -> Result<Vec<Rule>> {
    let packages = packages()?;
    let uses = |allowed: &dyn Fn(&str, &str) -> bool| -> Vec<String> {
        let pairs = packages.iter().flat_map(|package| {
            package
                .dependencies
                .iter()
                .map(move |other| (&package.name, &other.name))
        });
        pairs
            .filter(|(package, other)| package != other && !allowed(package, other))
            .map(|(package, other)| format!("{package} depends on {other}"))
            .collect()
    };
    let rooms: BTreeMap<&str, &[&str]> = ROOMS.into_iter().collect();
    let mut strangers: Vec<String> = packages
        .iter()
        .filter(|package| !rooms.contains_key(package.name.as_str()))
        .map(|package| format!("{} is no room of the map", package.name))
        .collect();
    // A room's tests may set up what it meets in the world.
    let for_tests = |package: &str, other: &str| {
        let known = packages.iter().filter(|known| known.name == package);
        known
            .flat_map(|known| &known.dependencies)
            .filter(|dependency| dependency.name == other)
            .all(|dependency| dependency.kind.as_deref() == Some("dev"))
    };
    strangers.extend(uses(&|package, other| {
        !rooms.contains_key(other)
            || for_tests(package, other)
            || rooms
                .get(package)
                .is_some_and(|below| below.contains(&other))
    }));
    Ok(vec![
        Rule::new(
            "arrows between rooms point down; sandbox, gate and connector never know each other",
            strangers,
        ),
        Rule::new(
            "protocol has no I/O",
            uses(&|package, other| package != "protocol" || !NOT_IN_PROTOCOL.contains(&other)),
        ),
        Rule::new(
            "databases are known to store alone",
            uses(&|package, other| package == "store" || !DATABASES.contains(&other)),
        ),
        Rule::new(
            "clap is known to the programs alone",
            uses(&|package, other| {
                matches!(package, "vestibule" | "bench" | "xtask") || !other.starts_with("clap")
            }),
        ),
        Rule::new(
            "each crate opens with what it is for",
            without_opening(&packages)?,
        ),
        Rule::new(
            "each crate takes the workspace's lints",
            without_lints(&packages)?,
        ),
    ])
}

fn packages() -> Result<Vec<Package>> {
    let output = Command::new(repository::cargo())
        .args(["metadata", "--no-deps", "--format-version", "1", "--locked"])
        .current_dir(repository::root())
        .output()
        .context("cargo metadata")?;
    ensure!(
        output.status.success(),
        "cargo metadata: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    let metadata: Metadata = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    Ok(metadata.packages)
}

fn without_opening(packages: &[Package]) -> Result<Vec<String>> {
    let mut without = Vec::new();
    for package in packages {
        let roots = package.targets.iter().filter(|target| {
            target
                .kind
                .iter()
                .any(|kind| kind == "lib" || kind == "bin")
        });
        for root in roots {
            if !read(&root.src_path)?.starts_with("//!") {
                without.push(relative(&root.src_path));
            }
        }
    }
    Ok(without)
}

fn without_lints(packages: &[Package]) -> Result<Vec<String>> {
    let mut without = Vec::new();
    for package in packages {
        if !read(&package.manifest_path)?.contains("[lints]\nworkspace = true") {
            without.push(relative(&package.manifest_path));
        }
    }
    Ok(without)
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).with_context(|| relative(file))
}

fn relative(file: &Path) -> String {
    file.strip_prefix(repository::root())
        .unwrap_or(file)
        .display()
        .to_string()
}
