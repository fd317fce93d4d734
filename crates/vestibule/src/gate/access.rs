//! `vestibule gate access`: what was read, by whom, from where.

use std::process::ExitCode;

use gate::records::{Found, Gone, Wanted, find, gone};
use protocol::time::Millis;

use super::{At, desk, shown};
use crate::output::{Output, note};

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
    let (folder, config) = desk::config(at)?;
    deleted(&folder, &config, &args).await;
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

/// Says what is not there any more of the time that is asked for.
async fn deleted(folder: &gate::Folder, config: &gate::Config, args: &Args) {
    let of = config.upstream.workspace_id;
    let told = async {
        let store = gate::start::open_store(folder, config).await?;
        anyhow::Ok(gone(&store, of, config.store.gate.clone()).await?)
    };
    let told = match told.await {
        Ok(told) => told,
        Err(error) => {
            note(format_args!(
                "the log cannot be read, so it is not known whether records were deleted: {error}"
            ));
            return;
        }
    };
    let asked = |gone: &&Gone| {
        args.since.is_none_or(|since| gone.last >= since)
            && args.until.is_none_or(|until| gone.first < until)
    };
    for gone in told.iter().filter(asked) {
        note(format_args!(
            "{} records of all connections, from {} to {}, are deleted: they were kept for {} days",
            gone.records,
            shown(gone.first),
            shown(gone.last),
            gone.keep_days
        ));
    }
    if config.store.gate.is_some() || config.store.url.is_some() {
        note("these are this gate's own records: each gate over the store has its own");
    }
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
