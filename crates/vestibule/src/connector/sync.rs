//! `vestibule connector sync`: fills a client's books.

use std::process::ExitCode;
use std::sync::Arc;

use connector::ClientName;
use connector::clients::known_role;
use connector::operations::first_sync::{FirstSyncOf, first_sync};
use indicatif::ProgressBar;

use super::At;
use crate::output::Output;

/// Fill a client's books: reports first, then what they do not hold.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  vestibule connector sync fund

`run` does it by itself. The exit code is 1 where the books then still differ from upstream's.")]
pub(crate) struct Args {
    /// Whose.
    client: ClientName,
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let connector = at.open().await?;
    let bar = ProgressBar::new_spinner();
    let shown = bar.clone();
    let of = FirstSyncOf {
        client: args.client,
        progress: Some(Arc::new(move |progress| {
            shown.set_message(format!(
                "{}: {} rows, {} calls",
                progress.area, progress.rows, progress.calls
            ));
            shown.tick();
        })),
    };
    let done = first_sync(&connector, &of).await?;
    bar.finish_and_clear();
    out.show(&done, |done| {
        let reports: Vec<_> = done
            .reports
            .iter()
            .map(|file| format!("{} ({} rows)", file.file, file.rows))
            .collect();
        format!(
            "reports   {}\nwalked    {} ({} calls)\nevents    {} had waited\n{}\nbooks     {}",
            if reports.is_empty() {
                "none".to_owned()
            } else {
                reports.join(", ")
            },
            done.walked.join(", "),
            done.calls,
            done.events,
            known_role::told(&done.role),
            done.comparison.sentence
        )
    })?;
    Ok(if done.comparison.equal {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
