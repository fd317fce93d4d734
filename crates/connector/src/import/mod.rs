//! CSV as the Fireblocks Console exports it, into changes of the books (practice P5).
//!
//! Columns are found by their header, in any case and order; further ones are let be. Names of
//! vault accounts are the only key these files have: they become ids by what the books know, and a
//! name that nobody or several have is malformed. Rows of transactions without an id are passed
//! over and counted.

mod dates;
mod initiated;
mod rows;
mod table;

use std::collections::BTreeMap;

use ledger::{Change, Version};
use protocol::ids::VaultAccountId;
use protocol::time::Millis;
use serde::Serialize;

pub use initiated::{Initiated, initiated};
use table::{Columns, Row};

/// Largest file read, in bytes.
pub const MAX_FILE: u64 = 512 << 20;
/// Most rows read of a file.
pub const MAX_ROWS: usize = 5_000_000;
/// Most malformed rows that are told apart; the rest is counted.
const MAX_TOLD: usize = 20;

/// Which export a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ConsoleExport {
    /// Accounts > Vault: a row an account and asset.
    Accounts,
    /// Addresses: a row an address.
    Addresses,
    /// Transaction history.
    Transactions,
}

/// What is done with a file that has malformed rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Nothing of it is imported.
    Refuse,
    /// Those rows are left out, and told.
    Skip,
}

/// What stands wrongly where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}, line {line}, column '{column}': {why}")]
pub struct BadRow {
    /// In which file.
    pub file: String,
    /// In which line, from 1; the header is line 1.
    pub line: u64,
    /// In which column.
    pub column: String,
    /// What is wrong.
    pub why: String,
}

impl BadRow {
    fn new(file: &str, line: u64, column: &str, why: String) -> Self {
        Self {
            file: file.to_owned(),
            line,
            column: column.to_owned(),
            why,
        }
    }

    /// A row that is no CSV.
    fn unreadable(file: &str, error: &::csv::Error) -> Self {
        let line = error.position().map_or(1, ::csv::Position::line);
        Self::new(file, line, "", error.to_string())
    }
}

/// Why a file is not imported.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// No export has these columns.
    #[error("{file} is none of the Console's exports: it lacks {missing}")]
    Unknown {
        /// Which file.
        file: String,
        /// What each export would need.
        missing: String,
    },
    /// A row is malformed; nothing was imported.
    #[error("{0}; nothing was imported (with --skip-malformed such rows are left out)")]
    Row(BadRow),
    /// It is too long.
    #[error("{file} has more than {MAX_ROWS} rows: export it in parts")]
    TooLong {
        /// Which file.
        file: String,
    },
}

// Not `#[from]`: the row is in the sentence already, and would be told again as its source.
impl From<BadRow> for ImportError {
    fn from(row: BadRow) -> Self {
        Self::Row(row)
    }
}

/// What a file says.
#[derive(Clone, Debug)]
pub struct Imported {
    /// Which export it is.
    pub export: ConsoleExport,
    /// The changes.
    pub changes: Vec<(Version, Change)>,
    /// Rows taken in.
    pub rows: usize,
    /// Rows of transactions without an id.
    pub without_id: usize,
    /// Malformed rows that were left out.
    pub skipped: usize,
    /// The first of them.
    pub told: Vec<BadRow>,
    /// Columns that could have been used, and are not there.
    pub missing: Vec<&'static str>,
}

/// Which accounts have a name.
#[derive(Clone, Debug, Default)]
pub struct Names(BTreeMap<String, Vec<VaultAccountId>>);

impl Names {
    fn id(&self, name: &str) -> Result<VaultAccountId, String> {
        match self.0.get(name).map(Vec::as_slice) {
            Some([id]) => Ok(*id),
            Some(several) if !several.is_empty() => Err(format!(
                "{} vault accounts are called '{name}'",
                several.len()
            )),
            _ => Err(format!(
                "no vault account is called '{name}': import the accounts first"
            )),
        }
    }
}

impl FromIterator<(String, VaultAccountId)> for Names {
    fn from_iter<I: IntoIterator<Item = (String, VaultAccountId)>>(pairs: I) -> Self {
        let mut names: BTreeMap<String, Vec<VaultAccountId>> = BTreeMap::new();
        for (name, id) in pairs {
            let ids = names.entry(name).or_default();
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Self(names)
    }
}

/// Reads an export. `exported_at` is when it was made, for the rows that carry no time of their own.
pub fn read(
    file: &str,
    content: &[u8],
    names: &Names,
    exported_at: Millis,
    malformed: Malformed,
) -> Result<Imported, ImportError> {
    let mut reader = table::reader(content);
    let header = reader
        .headers()
        .map_err(|error| BadRow::unreadable(file, &error))?
        .clone();
    let columns = Columns::of(&header);
    let export = rows::recognise(&columns).map_err(|missing| ImportError::Unknown {
        file: file.to_owned(),
        missing,
    })?;
    let missing = rows::wanted(export)
        .iter()
        .copied()
        .filter(|name| !columns.has(name))
        .collect();
    let mut imported = Imported {
        export,
        changes: Vec::new(),
        rows: 0,
        without_id: 0,
        skipped: 0,
        told: Vec::new(),
        missing,
    };
    for (at, record) in reader.records().enumerate() {
        if at >= MAX_ROWS {
            return Err(ImportError::TooLong {
                file: file.to_owned(),
            });
        }
        let read = match &record {
            Ok(record) => rows::read(
                export,
                &Row {
                    columns: &columns,
                    record,
                },
                names,
                exported_at,
            )
            .map_err(|wrong| BadRow::new(file, table::line(record), wrong.column, wrong.why)),
            Err(error) => Err(BadRow::unreadable(file, error)),
        };
        match read {
            Ok(None) => imported.without_id += 1,
            Ok(Some(changes)) => {
                imported.rows += 1;
                imported.changes.extend(changes);
            }
            Err(row) if malformed == Malformed::Refuse => return Err(row.into()),
            Err(row) => {
                imported.skipped += 1;
                if imported.told.len() < MAX_TOLD {
                    imported.told.push(row);
                }
            }
        }
    }
    Ok(imported)
}

#[cfg(test)]
mod tests;
