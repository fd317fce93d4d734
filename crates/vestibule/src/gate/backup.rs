//! `vestibule gate backup`, `restore` and `release`: a copy of the store, put back, and let serve again.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use serde::{Deserialize, Serialize};
use serde_json::json;
use wire::clock::SystemClock;

use super::{At, desk};
use crate::output::Output;
use gate::operations::changes::Shown;

/// Copy the store of the running gate into a file.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  vestibule gate backup gate-$(date +%F).db    the store alone: keep keys/ and gate.toml once, elsewhere")]
pub(crate) struct Backup {
    /// A file that is not there yet.
    file: PathBuf,
}

/// Put a copy of the store back, where no gate runs. It serves once it is released.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  vestibule gate restore gate-2026-11-26.db    then: vestibule gate run, and vestibule gate release
  vestibule gate restore --adopt               of a PostgreSQL that its own means have put back")]
pub(crate) struct Restore {
    /// The copy.
    #[arg(required_unless_present = "adopt")]
    file: Option<PathBuf>,
    /// The PostgreSQL was put back by its own means: take it for a copy. Run it at each machine that has
    /// a gate over it.
    #[arg(long, conflicts_with = "file")]
    adopt: bool,
}

/// Let a store that was put back serve again.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate release --checkpoint kept.checkpoint --reason 'the disk failed'
  vestibule gate release --checkpoint kept.checkpoint --accept-lost 12 --reason 'looked at in the SIEM'")]
pub(crate) struct Release {
    /// The newest signed checkpoint that was kept elsewhere.
    #[arg(long, value_name = "FILE")]
    checkpoint: PathBuf,
    /// How many entries are lost.
    #[arg(long, value_name = "ENTRIES")]
    accept_lost: Option<u64>,
    /// Why it is right; the log keeps it.
    #[arg(long)]
    reason: String,
}

#[derive(Deserialize, Serialize)]
struct Copied {
    file: PathBuf,
    entries: u64,
    bytes: u64,
}

#[derive(Deserialize, Serialize)]
struct Released {
    kept: u64,
    checkpoint: u64,
    lost: u64,
    looked_up: Vec<LookedUp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    change: Option<Shown>,
}

#[derive(Deserialize, Serialize)]
struct LookedUp {
    proposal: String,
    upstream: Option<String>,
}

pub(crate) async fn backup(at: &At, args: &Backup, out: Output) -> anyhow::Result<ExitCode> {
    let file = std::path::absolute(&args.file)?;
    let desk = desk::Desk::open(at)?;
    let copied: Copied = desk
        .send("POST", "/backups", &json!({ "file": file }))
        .await?;
    out.show(&copied, |copied| {
        format!(
            "{}: {} bytes, a log of {} entries",
            copied.file.display(),
            copied.bytes,
            copied.entries
        )
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn restore(at: &At, args: &Restore, out: Output) -> anyhow::Result<ExitCode> {
    let (folder, config) = desk::config(at)?;
    let back = match &args.file {
        Some(file) => gate::restore::restore(&folder, &config, file, &SystemClock).await?,
        None => gate::restore::adopt(&folder, &config, &SystemClock).await?,
    };
    out.show(&back, |back| {
        let mut text = format!("the store is back, with a log of {} entries, in quarantine", back.entries);
        if let Some(before) = &back.before {
            text += &format!("\nthe one of before is {}", before.display());
        }
        if let Some(checkpoint) = &back.checkpoint {
            text += &format!(
                "\nthe newest checkpoint that this machine knew is {}; better is one that was kept elsewhere",
                checkpoint.display()
            );
        }
        text + "\nnow: vestibule gate run, and vestibule gate release --checkpoint FILE --reason WHY"
    })?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) async fn release(at: &At, args: &Release, out: Output) -> anyhow::Result<ExitCode> {
    let note = std::fs::read_to_string(&args.checkpoint)
        .with_context(|| format!("{} cannot be read", args.checkpoint.display()))?;
    let body = json!({"checkpoint": note, "accept_lost": args.accept_lost, "reason": args.reason});
    let released: Released = desk::Desk::open(at)?
        .send("POST", "/release", &body)
        .await?;
    super::change::waits(released.change.as_ref());
    out.show(&released, |released| {
        let serves = match &released.change {
            None => "the gate serves again",
            Some(_) => "the gate serves again once that is signed",
        };
        let mut lines = vec![format!(
            "{serves}; of {} entries, {} are lost",
            released.checkpoint, released.lost
        )];
        lines.extend(released.looked_up.iter().map(|one| {
            let found = one.upstream.as_deref().map_or_else(
                || "not there: it is sent then".to_owned(),
                |id| format!("transaction {id}"),
            );
            format!("proposal {} upstream: {found}", one.proposal)
        }));
        lines.join("\n")
    })?;
    Ok(ExitCode::SUCCESS)
}
