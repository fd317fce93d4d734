//! Other people's code as our judge: the official clients, and receivers built as Fireblocks'
//! documentation tells people to. Each suite starts the `vestibule` binary itself.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};

use super::environment;
use super::outcome::Outcome;
use super::rust::counted;
use crate::repository::{self, cargo};
use crate::{coverage, fuzz_api};

/// Where the suites find the binary.
pub const BINARY: &str = "VESTIBULE_BIN";
/// Where their sandboxes write down who called what.
const CALL_LOGS: &str = "VESTIBULE_CALL_LOGS";

pub fn python() -> Result<Outcome> {
    let binary = environment::product()?;
    let venv = environment::python()?;
    let junit = repository::target().join("judges/python.xml");
    let _ = fs::remove_file(&junit);
    let mut report = std::ffi::OsString::from("--junitxml=");
    report.push(&junit);
    let status = Command::new(venv.join("bin/python"))
        .args(["-m", "pytest", "-p", "no:cacheprovider", "--durations=5"])
        // Most of a story is waiting: two stand side by side. One file's tests stay together.
        .args(["--numprocesses=2", "--dist=loadfile"])
        .arg(report)
        .arg(repository::root().join("judges/python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env(CALL_LOGS, coverage::calls("python")?)
        .env(BINARY, binary)
        .status()
        .context("pytest")?;
    let outcome = if junit.exists() {
        Outcome::from_junit(&junit)?
    } else {
        Outcome::default()
    };
    Ok(outcome.with_verdict(status.success(), "pytest"))
}

/// schemathesis over the sandbox's own document: the short run.
pub fn fuzz_api() -> Result<Outcome> {
    let report = fuzz_api::fuzz(&fuzz_api::Arguments::short())?;
    Ok(Outcome {
        passed: report.operations(),
        failed: report.wrong(),
        ..Outcome::default()
    })
}

pub fn node() -> Result<Outcome> {
    let binary = environment::product()?;
    let place = environment::node()?;
    let mut tests: Vec<PathBuf> = fs::read_dir(&place)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    tests.retain(|path| path.to_string_lossy().ends_with(".test.mjs"));
    tests.sort();
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=tap"])
        .args(tests)
        .current_dir(&place)
        .env(CALL_LOGS, coverage::calls("node")?)
        .env(BINARY, binary);
    counted(&mut node, Outcome::add_tap_line)
}

/// A project of its own: its many models are built once, below `target/`.
pub fn rust() -> Result<Outcome> {
    let binary = environment::product()?;
    let mut test = cargo_project("judges/rust");
    test.env(CALL_LOGS, coverage::calls("rust")?)
        .env(BINARY, binary);
    counted(&mut test, Outcome::add_cargo_line)
}

/// The tests of a cargo project outside of the workspace.
pub fn cargo_project(folder: &str) -> Command {
    let mut test = Command::new(cargo());
    test.args(["test", "--locked", "--no-fail-fast", "--target-dir"])
        .arg(repository::target().join("judges/rust"))
        .current_dir(repository::root().join(folder));
    test
}
