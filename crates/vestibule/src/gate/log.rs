//! `vestibule gate log`: the tamper-evident log.

use std::process::ExitCode;

use clap::Subcommand;
use gate::start::open_store;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{At, desk};
use crate::output::Output;

/// The tamper-evident log.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate log list                    the latest first
  vestibule gate log verify                  that nobody has rewritten it")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// The latest entries.
    #[command(after_help = "Examples:
  vestibule gate log list                    the latest first: who did what, and when
  vestibule --json gate log list | jq .kind  for scripts: an entry a line")]
    List,
    /// Check every entry, the tree and every signed checkpoint; also where no gate runs.
    #[command(after_help = "Examples:
  vestibule gate log verify                  exit code 1 if anything was changed or taken out
  vestibule gate --dir /srv/gate log verify  of a gate's folder elsewhere, or a copy of it")]
    Verify,
}

#[derive(Deserialize, Serialize)]
struct Entry {
    index: u64,
    at: i64,
    kind: String,
    entry: Option<Box<RawValue>>,
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    match args.command {
        Command::List => {
            let list: Vec<Entry> = desk::Desk::open(at)?.get("/log").await?;
            out.table(&list, &["INDEX", "AT", "KIND", "ENTRY"], |one| {
                let at = jiff::Timestamp::from_millisecond(one.at)
                    .map(|at| at.to_string())
                    .unwrap_or_default();
                let entry = one.entry.as_ref().map_or("(erased)", |entry| entry.get());
                vec![
                    one.index.to_string(),
                    at,
                    one.kind.clone(),
                    entry.to_owned(),
                ]
            })?;
        }
        Command::Verify => {
            let (folder, config) = desk::config(at)?;
            let store = open_store(&folder, &config).await?;
            let key = folder.log_key()?.public();
            let verified = gate::log::verify(&store, config.upstream.workspace_id, &key).await?;
            out.show(&verified, |verified| {
                format!(
                    "the log holds: {} entries, {} signed checkpoints, root {}",
                    verified.entries, verified.checkpoints, verified.root
                )
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
