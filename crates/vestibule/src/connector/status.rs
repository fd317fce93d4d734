//! `vestibule connector status`: per client, what is known, how, and as of when.

use std::process::ExitCode;

use connector::ClientName;
use connector::operations::status::{ClientStatus, StatusOf, status};

use super::At;
use crate::output::{Output, printable};

/// Per client: role and how it is known, as of when, equal to what or what differs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule connector status                   every client
  vestibule connector status fund              one
  vestibule connector status --offline         what was last known, without a call
  vestibule connector --json status || alert   for scripts: 'attention' says what is wrong

Exit codes:
  0  of every client: it was asked (or --offline was given), its key is a Viewer's or Editor's,
     and no difference of its books is known
  1  of at least one: it cannot be asked or contradicts its hand-back file, its key can do too
     much, nobody can see what its key can do, or its books differ")]
pub(crate) struct Args {
    /// One client; all without it.
    client: Option<ClientName>,
    /// Ask nobody: tell what was last known.
    #[arg(long)]
    offline: bool,
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let connector = at.open().await?;
    let all = status(
        &connector,
        &StatusOf {
            client: args.client,
            offline: args.offline,
        },
    )
    .await?;
    for one in &all {
        out.show(one, told)?;
    }
    Ok(if all.iter().all(|one| one.attention.is_empty()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn told(one: &ClientStatus) -> String {
    let mut lines = vec![
        format!("{} ({})", one.client, one.base_url),
        format!("workspace {}", one.workspace),
        one.told_role(),
        one.first_sync.as_ref().map_or_else(
            || "never filled".to_owned(),
            |first| format!("filled from {}", first.from),
        ),
    ];
    lines.extend(one.position.map(|position| format!("position {position}")));
    lines.push(format!(
        "events {} applied, {} waiting, {} not understood",
        one.events.applied, one.events.waiting, one.events.aside
    ));
    lines.push(one.told_books());
    if let Some(seen) = &one.comparison {
        lines.extend(seen.cells.iter().map(|cell| format!("differs: {cell}")));
        if seen.differing > seen.cells.len() {
            lines.push(format!(
                "differs: {} cells more",
                seen.differing - seen.cells.len()
            ));
        }
    }
    lines.extend(one.trouble.iter().map(|why| format!("trouble: {why}")));
    printable(&lines.join("\n  "))
}
