//! `vestibule gate resume`: proposals are sent again.

use std::process::ExitCode;

use gate::operations::changes::Shown;
use serde_json::json;

use super::At;
use super::change::{told, waits};
use super::desk::Desk;
use crate::output::Output;

/// Send proposals again, after a transaction upstream that nobody let go has stopped them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate status                        which transaction it was, and what became of it
  vestibule gate resume --reason 'the key was out: a new API user is the Editor now'")]
pub(crate) struct Args {
    /// Why it is right; the log keeps it.
    #[arg(long)]
    reason: String,
}

pub(crate) async fn run(at: &At, args: &Args, out: Output) -> anyhow::Result<ExitCode> {
    let body = json!({"reason": args.reason});
    let change: Shown = Desk::open(at)?
        .send("POST", "/dispatch/resume", &body)
        .await?;
    waits(Some(&change));
    out.show(&change, told)?;
    Ok(ExitCode::SUCCESS)
}
