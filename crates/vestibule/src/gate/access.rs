//! `vestibule gate access`: what was read, by whom, from where.

use std::process::ExitCode;

use gate::records::{Found, Wanted, find};
use protocol::time::Millis;

use super::{At, desk, shown};
use crate::output::Output;

/// What was read, by whom, from where.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule gate access --connection acme --since 2026-11-01T00:00:00Z     what did it see?
  vestibule --json gate access --connection acme | jq -r .target           each read, a line")]
pub(crate) struct Args {
    /// Over this connection.
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    /// Not before.
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    since: Option<Millis>,
    /// Before.
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    until: Option<Millis>,
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let (folder, _) = desk::config(at)?;
    let wanted = Wanted {
        connection: args.connection,
        since: args.since,
        until: args.until,
    };
    let searched = tokio::task::spawn_blocking(move || {
        find(&folder.access(), &wanted, |record| {
            if out.json {
                out.line(serde_json::to_string(record)?)?;
            }
            Ok::<_, anyhow::Error>(())
        })
    });
    let found = searched.await??;
    if !out.json {
        out.line(told(&found))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn told(found: &Found) -> String {
    let (Some(first), Some(last)) = (found.first, found.last) else {
        return "nothing was read".to_owned();
    };
    let mut lines = vec![format!(
        "{} reads of {} rows, from {} to {}",
        found.reads,
        found.rows,
        shown(first),
        shown(last)
    )];
    let addresses = found.addresses.iter();
    lines.extend(addresses.map(|(address, reads)| format!("  from {address}: {reads}")));
    let operations = found.operations.iter();
    lines
        .extend(operations.map(|(operation, (reads, rows))| {
            format!("  {operation}: {reads} reads, {rows} rows")
        }));
    if found.unreadable > 0 {
        lines.push(format!(
            "  {} lines are no records: `vestibule gate log verify` says whether they were changed",
            found.unreadable
        ));
    }
    lines.join("\n")
}
