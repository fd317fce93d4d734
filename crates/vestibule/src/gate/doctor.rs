//! `vestibule gate doctor`: the set-up, as far as it can be seen; and with an owner's word, what the
//! workspace's policy does with a transfer.

mod probe;

use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use super::At;
use super::desk::Desk;
use crate::output::Output;

/// Check the set-up as far as it can be seen.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate doctor        each check is ok, BROKEN or unseen; exit code 1 if any is broken
  vestibule --json gate doctor for scripts
  vestibule gate doctor --probe 0.0001 --asset ETH --from 1 --to 2 --expect ID --reason 'the yearly test' --it-may-complete")]
pub(crate) struct Args {
    #[command(flatten)]
    probe: probe::Args,
}

#[derive(Deserialize, Serialize)]
struct Status {
    workspace_id: String,
    public_url: String,
    filled: bool,
    as_of: i64,
    areas: Vec<super::status::Age>,
    log_entries: u64,
    checks: Vec<Check>,
}

#[derive(Deserialize, Serialize)]
struct Check {
    what: String,
    ok: Option<bool>,
    saw: String,
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    if args.probe.is_wanted() {
        return probe::run(at, args.probe, out).await;
    }
    let status: Status = Desk::open(at)?.get("/status").await?;
    out.show(&status, |status| {
        let line = |check: &Check| {
            let mark = match check.ok {
                Some(true) => "ok     ",
                Some(false) => "BROKEN ",
                None => "unseen ",
            };
            format!("{mark} {}: {}", check.what, check.saw)
        };
        status
            .checks
            .iter()
            .map(line)
            .collect::<Vec<_>>()
            .join("\n")
    })?;
    let broken = status.checks.iter().any(|check| check.ok == Some(false));
    Ok(if broken {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
