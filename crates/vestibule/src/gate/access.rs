//! `vestibule gate access`: what was read, by whom, from where.

use std::process::ExitCode;

use gate::records::{Found, Gone, Reads, Told, Wanted, find};
use protocol::time::Millis;

use super::{At, desk, shown};
use crate::output::{Output, note};

/// What was read, by whom, from where; exit code 1 if records are not as the log tells.
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
    let log = Log {
        folder: &folder,
        config: &config,
    };
    let before = log.told().await;
    let wanted = Wanted {
        connection: args.connection,
        since: args.since,
        until: args.until,
    };
    let (of, what) = (folder.access(), wanted.clone());
    let searched = tokio::task::spawn_blocking(move || {
        find(&of, &what, |record| {
            if out.json {
                out.line(serde_json::to_string(record)?)?;
            }
            Ok::<_, anyhow::Error>(())
        })
    });
    let found = searched.await??;
    if config.store.gate.is_some() || config.store.url.is_some() {
        note("these are this gate's own records: each gate over the store has its own");
    }
    let is_sound = match before {
        Ok(before) => {
            known(&wanted, &found, &before)?;
            // What was deleted meanwhile is told, too.
            let gone = log.told().await.map_or(before.gone.clone(), |now| now.gone);
            deleted(&gone, &wanted);
            let broken = before.broken(&found, &wanted, &gone);
            for one in &broken {
                note(format_args!("NOT AS THEY WERE WRITTEN: {one}"));
            }
            if !broken.is_empty() {
                note(
                    "what is told of them is not what was read: keep the folder, and see `vestibule gate log verify`",
                );
            }
            broken.is_empty()
        }
        Err(error) => {
            note(format_args!(
                "the log cannot be read, so it is not known whether records were changed or deleted: {error:#}"
            ));
            false
        }
    };
    if !out.json {
        out.line(told(&found))?;
    }
    Ok(if is_sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The log of a gate, whether it runs or not.
struct Log<'a> {
    folder: &'a gate::Folder,
    config: &'a gate::Config,
}

impl Log<'_> {
    /// What it tells of records.
    async fn told(&self) -> anyhow::Result<Told> {
        let store = gate::start::open_store(self.folder, self.config).await?;
        let (of, own) = (
            self.config.upstream.workspace_id,
            self.config.store.gate.clone(),
        );
        Ok(gate::records::told(&store, of, own).await?)
    }
}

/// Refuses a name that neither the gate nor any record knows: nothing was read over it for sure, and
/// that is not what was asked.
fn known(wanted: &Wanted, found: &Found, told: &Told) -> anyhow::Result<()> {
    let Some(name) = &wanted.connection else {
        return Ok(());
    };
    if found.known || told.connections.contains(name) {
        return Ok(());
    }
    let all: Vec<_> = told.connections.iter().map(String::as_str).collect();
    let all = if all.is_empty() {
        "there is none".to_owned()
    } else {
        format!("there are: {}", all.join(", "))
    };
    anyhow::bail!("no connection is called {name}; {all}")
}

/// Says what is not there any more of the time that is asked for.
fn deleted(gone: &[Gone], wanted: &Wanted) {
    let asked = |gone: &&Gone| wanted.meets(gone.first, gone.last);
    for gone in gone.iter().filter(asked) {
        note(format_args!(
            "{} records of all connections, from {} to {}, are deleted: they were kept for {} days",
            gone.records,
            shown(gone.first),
            shown(gone.last),
            gone.keep_days
        ));
    }
}

/// How many rows, and of how many reads nobody knows.
fn rows(reads: &Reads) -> String {
    match reads.uncounted {
        0 => format!("{} rows", reads.rows),
        all if all == reads.reads => "uncounted rows".to_owned(),
        some => format!("{} rows ({some} reads uncounted)", reads.rows),
    }
}

fn told(found: &Found) -> String {
    let (Some(first), Some(last)) = (found.first, found.last) else {
        return "nothing was read".to_owned();
    };
    let mut lines = vec![format!(
        "{} reads of {}, from {} to {}",
        found.all.reads,
        rows(&found.all),
        shown(first),
        shown(last)
    )];
    let addresses = found.addresses.iter();
    lines.extend(addresses.map(|(address, reads)| format!("  from {address}: {reads}")));
    let operations = found.operations.iter();
    lines.extend(operations.map(|(operation, reads)| {
        format!("  {operation}: {} reads, {}", reads.reads, rows(reads))
    }));
    if found.unreadable > 0 {
        lines.push(format!(
            "  {} lines are no records: `vestibule gate log verify` says whether they were changed",
            found.unreadable
        ));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_counted_is_not_called_nothing() {
        let told = |reads, counted, uncounted| {
            rows(&Reads {
                reads,
                rows: counted,
                uncounted,
            })
        };
        assert_eq!(told(2, 0, 0), "0 rows");
        assert_eq!(told(2, 0, 2), "uncounted rows");
        assert_eq!(told(3, 9, 1), "9 rows (1 reads uncounted)");
    }
}
