//! `vestibule connector import`: report files.

use std::path::PathBuf;
use std::process::ExitCode;

use connector::ClientName;
use connector::import::Malformed;
use connector::operations::import::{Import, import};

use super::At;
use crate::output::Output;

/// Read report files: a gate's, with their manifest, or the Console's exports.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:
  vestibule connector import --client fund balances.csv transactions_1777000000000.csv

A gate's report X.csv has its manifest beside it, as X.csv.manifest.json.")]
pub(crate) struct Args {
    /// Whose books.
    #[arg(long, value_name = "NAME")]
    client: ClientName,
    /// The files, accounts before what names them.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Leave malformed rows of Console files out, instead of refusing the file.
    #[arg(long)]
    skip_malformed: bool,
}

pub(crate) async fn run(at: &At, args: Args, out: Output) -> anyhow::Result<ExitCode> {
    let connector = at.open().await?;
    let wanted = Import {
        client: args.client,
        files: args.files,
        malformed: if args.skip_malformed {
            Malformed::Skip
        } else {
            Malformed::Refuse
        },
        exported_at: None,
    };
    let files = import(&connector, &wanted).await?;
    out.table(&files, &["FILE", "ROWS", "NEW"], |one| {
        vec![
            one.file.clone(),
            one.rows.to_string(),
            one.changed.to_string(),
        ]
    })?;
    Ok(ExitCode::SUCCESS)
}
