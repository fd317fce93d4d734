//! `vestibule connector import`: report files.

use std::path::PathBuf;
use std::process::ExitCode;

use connector::ClientName;
use connector::import::Malformed;
use connector::operations::import::{Import, ImportedFile, Source, import};

use super::At;
use crate::output::{Output, printable};

/// Read report files: a gate's, with their manifest, or the Console's exports.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule connector import --client fund balances.csv transactions_1777000000000.csv
  vestibule connector import --client fund --skip-malformed accounts.csv history.csv

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
    out.table(&files, &["FILE", "ROWS", "NEW", "LEFT OUT"], |one| {
        vec![
            one.file.clone(),
            one.rows.to_string(),
            one.changed.to_string(),
            left_out(one).to_string(),
        ]
    })?;
    if !out.json {
        for line in files.iter().flat_map(told) {
            out.line(printable(&line))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn left_out(one: &ImportedFile) -> usize {
    match &one.source {
        Source::Report { .. } => 0,
        Source::Console {
            skipped,
            without_id,
            ..
        } => skipped + without_id,
    }
}

/// What of a file is not in the books, and why.
fn told(one: &ImportedFile) -> Vec<String> {
    let Source::Console {
        without_id,
        skipped,
        told,
        ..
    } = &one.source
    else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    if *without_id > 0 {
        lines.push(format!(
            "{}: {without_id} transactions without an id were left out",
            one.file
        ));
    }
    if *skipped > 0 {
        lines.push(format!(
            "{}: {skipped} malformed rows were left out:",
            one.file
        ));
        lines.extend(told.iter().map(|row| format!("  {row}")));
    }
    if *skipped > told.len() {
        lines.push(format!("  and {} more", skipped - told.len()));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use connector::import::ConsoleExport;
    use protocol::time::Millis;

    #[test]
    fn what_was_left_out_is_told() {
        let file = |without_id, skipped, told: &[&str]| ImportedFile {
            file: "h.csv".to_owned(),
            source: Source::Console {
                export: ConsoleExport::Transactions,
                exported_at: Millis(0),
                without_id,
                skipped,
                told: told.iter().map(|&row| row.to_owned()).collect(),
                missing: Vec::new(),
            },
            rows: 1,
            changed: 1,
        };
        assert_eq!(told(&file(0, 0, &[])), Vec::<String>::new());
        let one = file(1, 2, &["h.csv, line 2, column 'Date': it is empty"]);
        assert_eq!(left_out(&one), 3);
        assert_eq!(
            told(&one),
            [
                "h.csv: 1 transactions without an id were left out",
                "h.csv: 2 malformed rows were left out:",
                "  h.csv, line 2, column 'Date': it is empty",
                "  and 1 more",
            ]
        );
    }
}
