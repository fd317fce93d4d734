//! Developer commands (`cargo xtask ...`): what the repository needs beside cargo itself.
//!
//! May enter: small programs over the repository's own files, and the tools they start.
//! May not: any crate of the product. So it builds in seconds, also where the product does not.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer's command talks to a terminal"
)]

mod contract;
mod repository;

use std::process::ExitCode;

use clap::Parser;

/// Developer commands of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    /// Distil Fireblocks' OpenAPI contract into the data of `protocol::operations`.
    Contract(contract::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Command::Contract(arguments) => contract::run(&arguments),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
