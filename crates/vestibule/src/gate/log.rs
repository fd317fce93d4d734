//! `vestibule gate log`: the tamper-evident log.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use gate::log::Verified;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use wire::clock::{SystemClock, WallClock};

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
  vestibule gate --dir /srv/gate log verify  of a gate's folder elsewhere, or a copy of it
  vestibule gate log verify --checkpoint kept.checkpoint    against one that an auditor kept")]
    Verify {
        /// A checkpoint that was kept elsewhere, such as an auditor's copy of the gate's log.checkpoint.
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
    },
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
            let list: Vec<Entry> = desk::Desk::open(at)?.list("/log").await?;
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
        Command::Verify { checkpoint } => {
            let (folder, config) = desk::config(at)?;
            let verified = gate::log::audit(&folder, &config, checkpoint.as_deref()).await?;
            out.show(&verified, |verified| told(verified, SystemClock.now()))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn told(verified: &Verified, now: Millis) -> String {
    let newest = verified.newest;
    let age = newest.at.map_or_else(
        || "it does not tell when".to_owned(),
        |at| format!("{} s ago", (now.0 - at.0).max(0) / Millis::SECOND),
    );
    let mut text = format!(
        "the log holds: {} entries, {} erased, {} signed checkpoints, root {}\nnewest signed checkpoint: {} entries, signed {age}",
        verified.entries, verified.erased, verified.checkpoints, verified.root, newest.size
    );
    if verified.uncovered > 0 {
        text += &format!(
            "\n{} newer entries are in no signed checkpoint yet; the gate that runs signs them in a moment",
            verified.uncovered
        );
    }
    text
}
