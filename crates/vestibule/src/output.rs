//! What a person or a script sees: results on stdout, everything else on stderr.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::Context;
use comfy_table::{ContentArrangement, Table, presets};
use protocol::csr::is_printable;
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
        self.octets(&harmless(&line.to_string()))
    }

    /// One line of a result that is harmless as it is, and of which every octet counts.
    pub(crate) fn octets(self, line: &str) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        match writeln!(out, "{line}").and_then(|()| out.flush()) {
            // The reader has seen enough (`| head`).
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
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
    eprintln!("{}", harmless(&text.to_string()));
}

/// An error, with what it came from, as a sentence (or JSON) on stderr.
pub(crate) fn failed(error: &anyhow::Error, json: bool) -> ExitCode {
    if json {
        note(serde_json::json!({ "error": format!("{error:#}") }));
    } else {
        note(format_args!("vestibule: {error:#}"));
    }
    ExitCode::FAILURE
}

/// What is wrong with a command line: words that somebody pasted are words. Help has none of others.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        note(error.render().to_string().trim_end());
        ExitCode::from(2)
    } else if error.print().is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Text from outside, in one line, as it may stand on a terminal: what would act there, turn the line
/// around or not show at all is escaped, as JSON escapes it.
pub(crate) fn printable(text: &str) -> String {
    escaped(text, is_printable)
}

/// The same for what is printed, lines and all: the last thing before the terminal. JSON stays the
/// same JSON.
fn harmless(text: &str) -> String {
    escaped(text, |char| {
        is_printable(char) || matches!(char, '\n' | '\t')
    })
}

fn escaped(text: &str, stays: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            char if stays(char) => out.push(char),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            char => {
                for unit in char.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out
}

/// Writes each event of the log as one line, whatever words of others are in it.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = printable(text.strip_suffix('\n').unwrap_or(&text)) + "\n";
        self.0.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The log: to stderr, quiet unless asked for.
pub(crate) fn start_log(filter: Option<&str>) -> anyhow::Result<()> {
    let filter =
        EnvFilter::try_new(filter.unwrap_or("warn")).context("the log filter cannot be read")?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| OneLine(io::stderr()))
        .with_ansi(false)
        .try_init()
        .map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_escapes_do_not_reach_the_terminal() {
        assert_eq!(
            printable("a\u{1b}[2Jb\r\nc\u{9b}d"),
            "a\\u001b[2Jb\\r\\nc\\u009bd"
        );
        assert_eq!(harmless("a\u{1b}[2J\n\tb"), "a\\u001b[2J\n\tb");
    }

    #[test]
    fn no_words_begin_an_entry_of_the_log() {
        #[derive(Clone, Default)]
        struct Kept(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);
        impl Write for Kept {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.lock().expect("a lock").write(bytes)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let kept = Kept::default();
        let into = kept.clone();
        let log = tracing_subscriber::fmt()
            .with_writer(move || OneLine(into.clone()))
            .with_ansi(false)
            .without_time()
            .finish();
        tracing::subscriber::with_default(log, || {
            let why = "x\r\n ERROR forged \u{1b}[2J\u{202e}";
            tracing::warn!(%why, "refused {why}");
        });
        let written = kept.0.lock().expect("a lock");
        let line = String::from_utf8_lossy(&written);
        assert_eq!(line.lines().count(), 1, "{line}");
        let quiet = |char: char| is_printable(char) || char == '\n';
        assert!(
            line.chars().all(quiet) && line.contains("\\u202e"),
            "{line}"
        );
    }

    #[test]
    fn a_line_is_not_turned_around_and_nothing_in_it_is_unseen() {
        for (text, seen) in [
            ("pay \u{202e}EVE", "pay \\u202eEVE"),
            ("\u{2066}a\u{2069}", "\\u2066a\\u2069"),
            ("a\u{200b}b\u{feff}c", "a\\u200bb\\ufeffc"),
            ("a\u{2028}b", "a\\u2028b"),
            ("\u{e0041}", "\\udb40\\udc41"),
            ("Zürich 東京 קהיר", "Zürich 東京 קהיר"),
        ] {
            assert_eq!(printable(text), seen);
            assert_eq!(harmless(text), seen);
        }
    }

    #[test]
    fn json_stays_the_same_json() {
        let value = serde_json::json!({"note": "a\u{202e}b\u{e0041}\u{9b}\n\"c\""});
        for text in [value.to_string(), format!("{value:#}")] {
            let back: serde_json::Value = serde_json::from_str(&harmless(&text)).expect("JSON");
            assert_eq!(back, value);
        }
    }
}
