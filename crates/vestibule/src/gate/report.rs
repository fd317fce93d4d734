//! `vestibule gate report`: reports for providers.

use std::process::ExitCode;

use clap::Subcommand;
use ledger::reports::Kind;
use serde_json::{Value, json};

use super::At;
use super::desk::Desk;
use crate::output::Output;

/// Balance, address and transaction reports for providers.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate report create --connection acme --kind balances
  vestibule gate report create --connection acme --kind transactions")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a report from the gate's own books; the provider fetches it with its key.
    #[command(after_help = "Examples:
  vestibule gate report create --connection acme --kind balances
  vestibule gate report create --connection acme --kind addresses")]
    Create {
        /// For whom.
        #[arg(long, value_name = "NAME")]
        connection: String,
        /// balances, addresses or transactions.
        #[arg(long)]
        kind: Kind,
    },
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let Command::Create { connection, kind } = args.command;
    let made: Value = Desk::open(at)?
        .send(
            "POST",
            "/reports",
            &json!({"connection": connection, "kind": kind}),
        )
        .await?;
    out.show(&made, |made| {
        format!(
            "report {} of {kind}: {} rows at position {}; {connection} can fetch it now",
            made["id"].as_str().unwrap_or_default(),
            made["rows"],
            made["position"]
        )
    })?;
    Ok(ExitCode::SUCCESS)
}
