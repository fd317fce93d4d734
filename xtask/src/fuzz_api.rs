//! `cargo xtask fuzz-api`: schemathesis at a sandbox: over Fireblocks' own contract, or over the
//! document that the sandbox serves. No status that is not declared, no answer that breaks its
//! schema, no fault of the server's.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use crate::repository;
use crate::test::environment;

/// Longest wait for a sandbox to serve.
const PATIENCE: Duration = Duration::from_secs(60);
/// The clock of every run stands there: what is told apart by time is told apart alike.
const FROZEN_AT: &str = "2026-06-01T12:00:00Z";

/// Arguments of `cargo xtask fuzz-api`.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  cargo xtask fuzz-api --contract fireblocks-openapi.yaml
  cargo xtask fuzz-api --examples 5 --only createTransaction --only getTransactions
  cargo xtask fuzz-api --contract FILE --seed 7 --users editor,viewer --minutes 30")]
pub struct Arguments {
    /// An OpenAPI document of Fireblocks'; without one, the sandbox's own /openapi.json.
    #[arg(long, value_name = "FILE")]
    contract: Option<PathBuf>,
    /// Calls by chance of each operation, beside those at the bounds of its schema.
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    examples: u32,
    /// What all chance comes from: the sandbox's, and the generator's.
    #[arg(long, value_name = "N", default_value_t = 4)]
    seed: u64,
    /// Who calls, as the ready file names them; a name given twice calls twice as often.
    #[arg(
        long,
        value_name = "NAMES",
        default_value = "admin,admin,admin,editor,viewer"
    )]
    users: String,
    /// Generate for so long; what is found by then is told.
    #[arg(long, value_name = "MINUTES", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    minutes: Option<u32>,
    /// Only this operation, by its operationId (may be given more than once).
    #[arg(long, value_name = "ID")]
    only: Vec<String>,
    /// No calls at the bounds of the schemas: only those by chance.
    #[arg(long)]
    by_chance_only: bool,
    /// Whether nothing but the document says what is called: the same calls each time.
    #[arg(skip)]
    derandomized: bool,
}

impl Arguments {
    /// The short run of the tests: our own document, the same calls each time.
    pub fn short() -> Self {
        Self {
            contract: None,
            examples: 4,
            seed: 4,
            users: "admin,admin,admin,editor,viewer".to_owned(),
            minutes: None,
            only: Vec::new(),
            by_chance_only: true,
            derandomized: true,
        }
    }
}

/// What a run has seen.
#[derive(Debug, Deserialize)]
pub struct Report {
    /// Calls made.
    pub examples: u64,
    seconds: f64,
    statuses: BTreeMap<String, u64>,
    operations: BTreeMap<String, Value>,
    failures: Vec<Failure>,
    /// What the generator itself could not do.
    errors: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Failure {
    operation: String,
    check: String,
    why: String,
    status: Option<u16>,
    answer: Option<String>,
    /// The command that sends the same call.
    again: String,
}

impl Report {
    /// How many operations were called.
    pub fn operations(&self) -> usize {
        self.operations.len()
    }

    /// How many things were wrong.
    pub fn wrong(&self) -> usize {
        self.failures.len() + self.errors.len()
    }

    fn print(&self, seed: u64, at: &Path) {
        if !self.failures.is_empty() {
            println!(
                "\nto send a call again, first: vestibule sandbox --ephemeral --manual --seed {seed} --frozen-at {FROZEN_AT}\n\
                 (what a call found may hang on those before it: then the same run, or --only its operation)"
            );
        }
        for failure in &self.failures {
            let status = failure
                .status
                .map_or_else(|| "no answer".to_owned(), |status| status.to_string());
            println!("\n{}: {} ({status})", failure.operation, failure.check);
            println!("  {}", failure.why.replace('\n', "\n  "));
            if let Some(answer) = &failure.answer {
                println!(
                    "  answered: {}",
                    answer.chars().take(400).collect::<String>()
                );
            }
            println!("  again: {}", failure.again);
        }
        for error in &self.errors {
            println!("\nno calls could be made: {error}");
        }
        let statuses: Vec<_> = self
            .statuses
            .iter()
            .map(|(status, count)| format!("{status}: {count}"))
            .collect();
        println!(
            "\n{} calls of {} operations in {} s ({}); {} failures; {}",
            self.examples,
            self.operations.len(),
            self.seconds,
            statuses.join(", "),
            self.wrong(),
            at.display()
        );
    }
}

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let report = fuzz(arguments)?;
    Ok(if report.wrong() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Starts a sandbox, and schemathesis at it; tells what it found.
pub fn fuzz(arguments: &Arguments) -> Result<Report> {
    let contract = match &arguments.contract {
        None => None,
        Some(file) => {
            let found = fs::canonicalize(file);
            Some(found.with_context(|| file.display().to_string())?)
        }
    };
    let binary = environment::product()?;
    let venv = environment::schemathesis()?;
    let place = repository::target().join("fuzz-api");
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).with_context(|| place.display().to_string())?;
    let ready = place.join("ready.json");
    let sandbox = Sandbox::start(&binary, arguments.seed, &place, &ready)?;
    let told: Value = serde_json::from_str(&fs::read_to_string(&ready)?)?;
    let base = told["sandbox"]["base_url"]
        .as_str()
        .context("a ready file without a URL")?;
    let own = format!("{}/openapi.json", base.trim_end_matches("/v1"));
    let report = place.join("report.json");
    let judge = repository::root().join("judges/schemathesis");
    let mut st = Command::new(venv.join("bin/st"));
    st.arg("--config-file")
        .arg(judge.join("schemathesis.toml"))
        .arg("run")
        .arg(contract.map_or_else(|| own.into(), PathBuf::into_os_string))
        .args(["--url", base, "--workers", "1"])
        .args(["--seed", &arguments.seed.to_string()])
        .args(["--max-examples", &arguments.examples.to_string()])
        .args([
            "--phases",
            if arguments.by_chance_only {
                "fuzzing"
            } else {
                "coverage,fuzzing"
            },
        ]);
    for id in &arguments.only {
        st.args(["--include-operation-id", id]);
    }
    if arguments.derandomized {
        st.arg("--generation-deterministic");
    }
    if let Some(minutes) = arguments.minutes {
        st.args(["--max-time", &(60 * minutes).to_string()]);
    }
    let log = place.join("schemathesis.log");
    println!(
        "--- schemathesis at {base}; its own words: {}",
        log.display()
    );
    // Exit codes: 0 nothing found, 1 something found; all else is no run.
    let status = st
        .env("FUZZ_READY", &ready)
        .env("FUZZ_REPORT", &report)
        .env("FUZZ_USERS", &arguments.users)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .current_dir(&judge)
        .stdin(Stdio::null())
        .stdout(File::create(&log)?)
        .status()
        .context("schemathesis")?;
    drop(sandbox);
    ensure!(
        matches!(status.code(), Some(0 | 1)) && report.exists(),
        "schemathesis ended with {status}: {}",
        log.display()
    );
    let text = fs::read_to_string(&report)?;
    let found: Report =
        serde_json::from_str(&text).with_context(|| report.display().to_string())?;
    ensure!(found.examples > 0, "no call was made: {}", log.display());
    found.print(arguments.seed, &report);
    Ok(found)
}

/// A sandbox that ends when it is dropped.
struct Sandbox(Child);

impl Sandbox {
    fn start(binary: &Path, seed: u64, place: &Path, ready: &Path) -> Result<Self> {
        let log = place.join("sandbox.log");
        let (out, errors) = (
            File::create(&log)?,
            File::create(place.join("sandbox.err"))?,
        );
        let child = Command::new(binary)
            .args(["sandbox", "--ephemeral", "--manual"])
            .args(["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"])
            .args(["--seed", &seed.to_string(), "--frozen-at", FROZEN_AT])
            .arg("--ready-file")
            .arg(ready)
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(errors)
            .spawn()
            .with_context(|| binary.display().to_string())?;
        let mut sandbox = Self(child);
        let deadline = Instant::now() + PATIENCE;
        while !ready.exists() {
            if let Some(status) = sandbox.0.try_wait()? {
                bail!("the sandbox ended with {status}: {}", log.display());
            }
            ensure!(
                Instant::now() < deadline,
                "the sandbox does not serve: {}",
                log.display()
            );
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Ok(sandbox)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
