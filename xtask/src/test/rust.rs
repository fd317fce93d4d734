//! The steps that cargo runs.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread;

use anyhow::{Context, Result, ensure};

use super::advisories;
use super::environment::{self, cargo_tool};
use super::outcome::Outcome;
use super::packages::runs;
use crate::postgres::{self, Postgres};
use crate::repository::{self, cargo};

/// How long each fuzz target runs.
const FUZZ_SECONDS: u32 = 10;

pub fn dependencies() -> Result<Outcome> {
    if environment::find_cargo_tool("deny").is_none() && environment::is_offline() {
        return Ok(Outcome::left_out("cargo-deny is not installed"));
    }
    let Ok(deny) = cargo_tool("deny", "0.20.2") else {
        return Ok(Outcome::left_out(
            "cargo-deny is not installed, and could not be",
        ));
    };
    let rules = ["bans", "licenses", "sources"];
    let mut outcome = Outcome::default();
    for rule in rules {
        let status = Command::new(&deny)
            .args(["--all-features", "check", rule])
            .current_dir(repository::root())
            .status();
        if status.context("cargo-deny")?.success() {
            outcome.passed += 1;
        } else {
            outcome.failed += 1;
        }
    }
    advisories::check(&deny, &mut outcome)?;
    Ok(outcome)
}

/// Unit tests and the tests of whole crates, with a PostgreSQL and the judges' programs at hand.
pub fn tests() -> Result<Outcome> {
    let postgres = Postgres::start()?;
    let venv = environment::python()?;
    let mut command = Command::new(cargo());
    command
        .env(postgres::VARIABLE, postgres.url())
        .env("PATH", path_with(&venv.join("bin"))?);
    command.current_dir(repository::root());
    if runs("cargo-nextest", &["nextest", "--version"]) {
        let junit = repository::target().join("nextest/xtask/junit.xml");
        let _ = fs::remove_file(&junit);
        command.args([
            "nextest",
            "run",
            "--workspace",
            "--locked",
            "--profile",
            "xtask",
            "--no-fail-fast",
        ]);
        let status = command.status().context("cargo nextest")?;
        let outcome = if junit.exists() {
            Outcome::from_junit(&junit)?
        } else {
            Outcome::default()
        };
        Ok(outcome.with_verdict(status.success(), "cargo nextest"))
    } else {
        println!("--- cargo-nextest is not installed; cargo test does");
        counted(
            command.args([
                "test",
                "--workspace",
                "--all-targets",
                "--locked",
                "--no-fail-fast",
            ]),
            Outcome::add_cargo_line,
        )
    }
}

pub fn doc_tests() -> Result<Outcome> {
    let mut command = Command::new(cargo());
    command
        .args(["test", "--workspace", "--doc", "--locked", "--no-fail-fast"])
        .current_dir(repository::root());
    let outcome = counted(&mut command, Outcome::add_cargo_line)?;
    // A workspace without examples is no failure.
    Ok(if outcome.note.ends_with("ran no test") {
        Outcome {
            note: "no examples yet".to_owned(),
            ..Outcome::default()
        }
    } else {
        outcome
    })
}

pub fn fuzz() -> Result<Outcome> {
    let folder = repository::root().join("crates/protocol/fuzz");
    ensure!(
        folder.join("Cargo.toml").exists(),
        "there are no fuzz targets in crates/protocol/fuzz"
    );
    let fuzz = cargo_tool("fuzz", "0.13.2")?;
    let target = repository::target().join("fuzz");
    let command = |verb: &str| {
        let mut command = Command::new(&fuzz);
        command
            .args(["fuzz", verb])
            .current_dir(&folder)
            .arg("--fuzz-dir")
            .arg(&folder);
        command
    };
    let listed = command("list").output().context("cargo fuzz list")?;
    let targets = String::from_utf8_lossy(&listed.stdout).into_owned();
    environment::run(
        command("build")
            .args(["--sanitizer", "none", "--target-dir"])
            .arg(&target),
    )?;
    // Each has one thread: as many stand side by side as there are cores.
    let cores = thread::available_parallelism()?.get();
    let names = Mutex::new(targets.lines());
    let next = || names.lock().ok()?.next();
    let worker = || {
        let fuzz = |name: &str| {
            let ended = fuzz_one(command("run"), name, &folder, &target);
            ended.inspect_err(|error| eprintln!("{name}: {error:#}"))
        };
        std::iter::from_fn(next)
            .map(|name| fuzz(name).is_ok())
            .collect()
    };
    let ended: Vec<bool> = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        let ended = workers.into_iter();
        ended
            .flat_map(|worker| worker.join().unwrap_or_else(|_| vec![false]))
            .collect()
    });
    let passed = ended.iter().filter(|held| **held).count();
    let outcome = Outcome {
        passed,
        failed: ended.len() - passed,
        ..Outcome::default()
    };
    Ok(outcome.with_verdict(listed.status.success(), "cargo fuzz"))
}

/// Runs one fuzz target for its time.
fn fuzz_one(mut run: Command, name: &str, folder: &Path, target: &Path) -> Result<()> {
    println!("--- fuzzing {name} for {FUZZ_SECONDS} s");
    // What is found goes below target/; seeds that the repository keeps are read beside it.
    let (found, seeds) = (
        target.join("corpus").join(name),
        folder.join("corpus").join(name),
    );
    let artifacts = target.join("artifacts").join(name);
    fs::create_dir_all(&found)?;
    fs::create_dir_all(&artifacts)?;
    run.args(["--sanitizer", "none", "--target-dir"])
        .arg(target)
        .arg(name)
        .arg(&found);
    if seeds.is_dir() {
        run.arg(&seeds);
    }
    run.arg("--").args([
        &format!("-max_total_time={FUZZ_SECONDS}"),
        "-verbosity=0",
        "-timeout=10",
        &format!("-artifact_prefix={}/", artifacts.display()),
    ]);
    environment::run(&mut run)
}

/// Runs a command, shows its lines as they come, and counts by them.
pub fn counted(command: &mut Command, add: impl Fn(&mut Outcome, &str)) -> Result<Outcome> {
    let name = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| name.clone())?;
    let mut outcome = Outcome::default();
    if let Some(lines) = child.stdout.take() {
        for line in BufReader::new(lines).lines() {
            let line = line?;
            println!("{line}");
            add(&mut outcome, &line);
        }
    }
    Ok(outcome.with_verdict(child.wait()?.success(), &name))
}

fn path_with(first: &Path) -> Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let all = std::iter::once(first.to_path_buf()).chain(std::env::split_paths(&path));
    std::env::join_paths(all).context("PATH")
}
