//! What a person or a script sees: results on stdout, everything else on stderr.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Context;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

/// How results are printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// As JSON, for scripts.
    pub(crate) json: bool,
}

impl Output {
    /// A result: JSON for scripts, its own text for people.
    pub(crate) fn show<T: Serialize>(
        self,
        value: &T,
        text: impl FnOnce(&T) -> String,
    ) -> anyhow::Result<()> {
        if self.json {
            self.line(serde_json::to_string(value)?)
        } else {
            self.line(text(value).trim_end())
        }
    }

    /// A list: a JSON line a row for scripts, a table for people.
    pub(crate) fn table<T: Serialize>(
        self,
        rows: &[T],
        header: &[&str],
        cells: impl Fn(&T) -> Vec<String>,
    ) -> anyhow::Result<()> {
        if self.json {
            return rows
                .iter()
                .try_for_each(|row| self.line(serde_json::to_string(row)?));
        }
        if rows.is_empty() {
            note("(none)");
            return Ok(());
        }
        let mut table = Table::new();
        table
            .load_preset(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_header(header);
        for row in rows {
            table.add_row(cells(row).into_iter().map(|cell| printable(&cell)));
        }
        self.line(table)
    }

    /// One line of a result.
    pub(crate) fn line(self, line: impl Display) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        match writeln!(out, "{line}").and_then(|()| out.flush()) {
            // The reader has seen enough (`| head`).
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => other.context("stdout cannot be written"),
        }
    }
}

/// A remark for people, on stderr.
#[expect(
    clippy::print_stderr,
    reason = "the one place that talks to people beside results"
)]
pub(crate) fn note(text: impl Display) {
    eprintln!("{text}");
}

/// An error, with what it came from, as a sentence (or JSON) on stderr.
pub(crate) fn failed(error: &anyhow::Error, json: bool) -> ExitCode {
    if json {
        note(serde_json::json!({ "error": format!("{error:#}") }));
    } else {
        note(format_args!(
            "vestibule: {}",
            printable(&format!("{error:#}"))
        ));
    }
    ExitCode::FAILURE
}

/// Text from outside without what a terminal would act on.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\n' && c != '\t' {
                '\u{FFFD}'
            } else {
                c
            }
        })
        .collect()
}

/// The log: to stderr, quiet unless asked for.
pub(crate) fn start_log(filter: Option<&str>) -> anyhow::Result<()> {
    let filter =
        EnvFilter::try_new(filter.unwrap_or("warn")).context("the log filter cannot be read")?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init()
        .map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_escapes_do_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\r\nc"), "a\u{FFFD}[2Jb\u{FFFD}\nc");
    }
}
