//! `vestibule sandbox check`: reads workspace files, and says what is in them or wrong with them.

use std::process::ExitCode;

use serde::Serialize;

use super::described::Named;
use crate::output::{Output, note};

/// Say what is wrong with workspace files.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  vestibule sandbox check fund.toml         file, line and column of all that is wrong; exit code 1 if anything is
  vestibule --json sandbox check *.toml     a line of JSON each, for scripts")]
pub(crate) struct Args {
    /// Workspace files, or names of shipped ones.
    #[arg(required = true, value_name = "FILE|NAME")]
    files: Vec<String>,
}

/// What was found.
#[derive(Serialize)]
struct Found<'a> {
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace: Option<sandbox::described::Summary>,
    problems: Vec<Told>,
}

#[derive(Serialize)]
struct Told {
    line: usize,
    column: usize,
    what: String,
}

pub(crate) fn run(args: &Args, out: Output) -> anyhow::Result<ExitCode> {
    let mut all_well = true;
    for file in &args.files {
        let (workspace, problems) = match Named::read(file) {
            Ok(named) => (Some(named.summary()), Vec::new()),
            Err(error) => {
                all_well = false;
                note(format_args!("{error:#}"));
                (None, told(&error))
            }
        };
        let found = Found {
            file,
            workspace,
            problems,
        };
        if out.json || found.workspace.is_some() {
            out.show(&found, |found| {
                let summary = found.workspace.as_ref();
                summary.map_or_else(String::new, |summary| format!("{file}: {summary}"))
            })?;
        }
    }
    Ok(if all_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// The problems one by one; what is no problem of a line is on stderr alone.
fn told(error: &anyhow::Error) -> Vec<Told> {
    let problems = error.downcast_ref::<sandbox::described::Problems>();
    let all = problems.into_iter().flat_map(|problems| &problems.all);
    all.map(|problem| Told {
        line: problem.line,
        column: problem.column,
        what: problem.what.clone(),
    })
    .collect()
}
