//! `vestibule connector status`: per client, what is known, how, and as of when.

use std::process::ExitCode;

use connector::ClientName;
use connector::operations::status::{ClientStatus, StatusOf, status};

use super::At;
use crate::output::Output;

/// Per client: role and how it is known, as of when, equal to what or what differs.
#[derive(Debug, clap::Args)]
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
    let fine = |one: &ClientStatus| {
        one.trouble.is_empty() && one.comparison.as_ref().is_none_or(|seen| seen.equal)
    };
    Ok(if all.iter().all(fine) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn told(one: &ClientStatus) -> String {
    let mut lines = vec![format!("{} ({})", one.client, one.base_url)];
    let mut line = |name: &str, value: String| lines.push(format!("  {name:<10}{value}"));
    line("workspace", one.workspace.to_string());
    line(
        "role",
        one.role
            .as_ref()
            .map_or("not asked".to_owned(), |role| role.how.clone()),
    );
    line(
        "filled",
        one.first_sync
            .as_ref()
            .map_or("never".to_owned(), |first| format!("from {}", first.from)),
    );
    if let Some(position) = one.position {
        line("position", position.to_string());
    }
    line(
        "events",
        format!(
            "{} applied, {} waiting, {} not understood",
            one.events.applied, one.events.waiting, one.events.aside
        ),
    );
    line(
        "books",
        one.comparison
            .as_ref()
            .map_or("never compared".to_owned(), |seen| seen.sentence.clone()),
    );
    for cell in one.comparison.iter().flat_map(|seen| &seen.cells) {
        line(
            "differs",
            format!(
                "{:?}: ours {}, theirs {}",
                cell.cell, cell.ours, cell.theirs
            ),
        );
    }
    for trouble in &one.trouble {
        line("trouble", trouble.clone());
    }
    lines.join("\n")
}
