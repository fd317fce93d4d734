//! `vestibule connector run`: webhooks in, books kept, reconciled.

use std::path::PathBuf;
use std::process::ExitCode;

use connector::operations::run::{Run, run as start};
use serde_json::json;

use super::At;
use crate::output::{Output, note};
use crate::{ready, shutdown};

/// Receive webhooks, keep the books, reconcile.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule connector run
  vestibule connector run --no-first-sync             books begin with `import`
  vestibule connector run --ready-file ready.json     for scripts: written once everything serves")]
pub(crate) struct Args {
    /// Do not fill books by itself: events wait for `import` or `sync`.
    #[arg(long)]
    no_first_sync: bool,
    /// Write this file once everything serves.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let connector = at.open().await?;
    let ready_file = ready::File::cleared(args.ready_file)?;
    let shutdown = shutdown::on_signal();
    let running = start(
        &connector,
        Run {
            shutdown: shutdown.clone(),
            first_sync: !args.no_first_sync,
        },
    )
    .await?;
    out.show(&running.ready, |ready| {
        format!(
            "webhooks come in at http://{}\nCtrl-C ends it.",
            ready.address
        )
    })?;
    ready_file.write(&json!({"connectors": [running.ready]}))?;
    shutdown.cancelled().await;
    note("finishing what is under way; once more stops at once");
    running.done.await?;
    Ok(ExitCode::SUCCESS)
}
