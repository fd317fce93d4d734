//! A CSV file by its column names.

use std::collections::HashMap;
use std::str::FromStr;

use ::csv::{Reader, ReaderBuilder, StringRecord, Trim};

use crate::export::unguard;

/// A reader of a file, without its byte order mark.
pub(super) fn reader(content: &[u8]) -> Reader<&[u8]> {
    let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    ReaderBuilder::new()
        .trim(Trim::All)
        .flexible(false)
        .from_reader(content)
}

/// The line a row begins in.
pub(super) fn line(record: &StringRecord) -> u64 {
    record.position().map_or(0, ::csv::Position::line)
}

/// Where each column stands, by its name in small letters.
pub(super) struct Columns(HashMap<String, usize>);

impl Columns {
    pub(super) fn of(header: &StringRecord) -> Self {
        let mut columns = HashMap::new();
        for (at, name) in header.iter().enumerate() {
            columns.entry(name.to_lowercase()).or_insert(at);
        }
        Self(columns)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.at(name).is_some()
    }

    /// `Available Balance` is also known as `Available`, and so on.
    fn at(&self, name: &str) -> Option<usize> {
        let name = name.to_lowercase();
        let short = || self.0.get(name.strip_suffix(" balance")?);
        self.0.get(&name).or_else(short).copied()
    }
}

/// What is wrong in which column.
pub(super) struct Wrong {
    pub(super) column: &'static str,
    pub(super) why: String,
}

/// One row.
pub(super) struct Row<'a> {
    pub(super) columns: &'a Columns,
    pub(super) record: &'a StringRecord,
}

impl<'a> Row<'a> {
    /// The cell's text; empty where there is none.
    pub(super) fn text(&self, column: &str) -> &'a str {
        self.columns
            .at(column)
            .and_then(|at| self.record.get(at))
            .map_or("", unguard)
    }

    /// The cell as a `T`; nothing where it is empty.
    pub(super) fn optional<T: FromStr<Err: std::fmt::Display>>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, Wrong> {
        match self.text(column) {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|error: T::Err| Wrong {
                column,
                why: format!("'{text}': {error}"),
            }),
        }
    }

    /// The cell as a `T`.
    pub(super) fn needed<T: FromStr<Err: std::fmt::Display>>(
        &self,
        column: &'static str,
    ) -> Result<T, Wrong> {
        self.optional(column)?.ok_or_else(|| Wrong {
            column,
            why: "it is empty".to_owned(),
        })
    }
}
