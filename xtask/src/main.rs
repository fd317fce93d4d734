//! Developer commands (`cargo xtask ...`): what the repository needs beside cargo itself.
//!
//! May enter: small programs over the repository's own files, and the tools they start.
//! May not: any crate of the product. So it builds in seconds, also where the product does not.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer's command talks to a terminal"
)]

mod bench;
mod contract;
mod coverage;
mod differential;
mod fuzz_api;
mod postgres;
mod repository;

mod test;
mod tidy;

use std::process::ExitCode;

use clap::Parser;

/// Developer commands of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    /// Distil Fireblocks' OpenAPI contract into the data of `protocol::operations`.
    Contract(contract::Arguments),
    /// Check the walls between the rooms, and a few rules that no compiler knows.
    Tidy,
    /// Run every test, with all that they need; ends with a summary.
    Test(test::Arguments),
    /// Write docs/coverage.md from what the last `cargo xtask test` has seen.
    Coverage,
    /// Compare what a provider reads at a gate with a workspace that holds nothing else, read by read.
    Differential(differential::Arguments),
    /// Call the sandbox with what schemathesis makes of a contract; writes target/fuzz-api/report.json.
    FuzzApi(fuzz_api::Arguments),
    /// Measure the product beside nginx and HAProxy; writes docs/benchmarks.md.
    Bench(bench::Arguments),
    /// Start a PostgreSQL for storage tests and print how to find it.
    Postgres,
}

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Command::Contract(arguments) => contract::run(&arguments),
        Command::Tidy => tidy::run(),
        Command::Test(arguments) => test::run(&arguments),
        Command::Coverage => coverage::run(),
        Command::Differential(arguments) => differential::run(&arguments),
        Command::FuzzApi(arguments) => fuzz_api::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Postgres => postgres::run(),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
