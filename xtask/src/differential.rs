//! `cargo xtask differential`: the long form of the tests that compare what a gate's reader sees with a
//! workspace that holds nothing else: books beside books, then a gate's process beside a sandbox's.

use std::process::{Command, ExitCode};

use anyhow::{Context, Result};

use crate::repository;

/// Arguments of `cargo xtask differential`.
#[derive(clap::Args)]
pub struct Arguments {
    /// How many reads are compared.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    reads: u64,
    /// How many of them go over sockets, each way: gate and sandbox as processes of their own.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    wire_reads: u64,
    /// What books, scopes and reads are drawn from; a failure is repeated with its seed.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What is run.
const TESTS: [&str; 3] = [
    "differential::invariant_7_a_scope_is_read_as_a_workspace_that_holds_nothing_else",
    "differential::narrow::invariant_7_over_sockets_a_scope_is_read_as_a_workspace_that_holds_nothing_else",
    "differential::wire::whoever_was_granted_all_reads_what_the_workspace_answers",
];

/// Runs the command.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let status = Command::new(repository::cargo())
        .args([
            "test",
            "--release",
            "--package",
            "gate",
            "--test",
            "stories",
            "--",
        ])
        .arg("--exact")
        .args(TESTS)
        .arg("--nocapture")
        .env("DIFFERENTIAL_READS", arguments.reads.to_string())
        .env("DIFFERENTIAL_WIRE_READS", arguments.wire_reads.to_string())
        .env("DIFFERENTIAL_SEED", arguments.seed.to_string())
        .current_dir(repository::root())
        .status()
        .context("cargo test")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
