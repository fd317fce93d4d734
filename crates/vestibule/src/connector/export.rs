//! `vestibule connector export`: a client's books, for accountants and quants.

use std::path::PathBuf;
use std::process::ExitCode;

use connector::ClientName;
use connector::export::Format;
use connector::operations::export::export;

use super::At;
use crate::output::Output;

/// Write a client's books for accountants and quants.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  vestibule connector export --client fund --format beancount --into ./books && bean-check ./books/*.beancount")]
pub(crate) struct Args {
    /// Whose books.
    #[arg(long, value_name = "NAME")]
    client: ClientName,
    /// csv, jsonl, beancount or hledger.
    #[arg(long)]
    format: Format,
    /// Into which folder.
    #[arg(long, value_name = "DIR", default_value = ".")]
    into: PathBuf,
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let connector = at.open().await?;
    let written = export(&connector, &args.client, args.format, &args.into).await?;
    out.show(&written, |written| {
        let files: Vec<_> = written
            .files
            .iter()
            .map(|file| file.display().to_string())
            .collect();
        format!(
            "{} accounts, {} transactions\n{}",
            written.accounts,
            written.transactions,
            files.join("\n")
        )
    })?;
    Ok(ExitCode::SUCCESS)
}
