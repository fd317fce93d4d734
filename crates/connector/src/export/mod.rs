//! The books in the formats that accountants and quants use: pure functions from what the books
//! hold to text.
//!
//! - `csv`: balances, addresses, transactions, one file each; text that could run in a spreadsheet
//!   has one leading `'`.
//! - `jsonl`: one JSON object a line, amounts as strings.
//! - `beancount`, `hledger`: double entry. Every account opens with what its history does not
//!   explain, and ends in an assertion of the balance that the books hold, checked by those tools.

mod beancount;
mod csv;
mod hledger;
mod jsonl;
pub mod postings;
mod sheet;

use std::fmt;
use std::str::FromStr;

use protocol::ids::{AssetId, VaultAccountId, WorkspaceId};
use protocol::model::transaction::Transaction;
use protocol::model::vault::{VaultAccount, VaultWalletAddress};
use protocol::time::Millis;

pub use postings::PostingError;
pub use sheet::{guard, unguard};

use crate::client_name::ClientName;

/// What the books of one client hold, as of a time.
#[derive(Clone, Debug)]
pub struct Holdings {
    /// Whose.
    pub client: ClientName,
    /// Of which workspace.
    pub workspace: WorkspaceId,
    /// As of when.
    pub as_of: Millis,
    /// Accounts and their balances.
    pub accounts: Vec<VaultAccount>,
    /// Deposit addresses.
    pub addresses: Vec<(VaultAccountId, VaultWalletAddress)>,
    /// Transactions, in any order.
    pub transactions: Vec<Transaction>,
}

/// A form that the books can be written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values (RFC 4180).
    Csv,
    /// JSON lines.
    Jsonl,
    /// Beancount, versions 2 and 3.
    Beancount,
    /// hledger's journal.
    Hledger,
}

/// A text that names no format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a format is csv, jsonl, beancount or hledger")]
pub struct BadFormat;

impl FromStr for Format {
    type Err = BadFormat;

    fn from_str(text: &str) -> Result<Self, BadFormat> {
        match text {
            "csv" => Ok(Self::Csv),
            "jsonl" => Ok(Self::Jsonl),
            "beancount" => Ok(Self::Beancount),
            "hledger" => Ok(Self::Hledger),
            _ => Err(BadFormat),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Beancount => "beancount",
            Self::Hledger => "hledger",
        })
    }
}

/// A file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportFile {
    /// Its name.
    pub name: &'static str,
    /// Its content.
    pub text: String,
}

/// Why there is no export.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// The books cannot be told as double entry.
    #[error(transparent)]
    Posting(#[from] PostingError),
    /// Beancount would round, and its balances would not be the books'.
    #[error(
        "{asset} needs {digits} significant digits, and Beancount computes with {}: export it as hledger or csv",
        beancount::MAX_DIGITS
    )]
    TooPrecise {
        /// Of which asset.
        asset: AssetId,
        /// How many digits it needs.
        digits: usize,
    },
}

/// The books in one form.
pub fn export(holdings: &Holdings, format: Format) -> Result<Vec<ExportFile>, ExportError> {
    let file = |name, text| ExportFile { name, text };
    Ok(match format {
        Format::Csv => vec![
            file("balances.csv", csv::balances(holdings)),
            file("addresses.csv", csv::addresses(holdings)),
            file("transactions.csv", csv::transactions(holdings)),
        ],
        Format::Jsonl => vec![file("books.jsonl", jsonl::print(holdings))],
        Format::Beancount => vec![file("books.beancount", beancount::print(holdings)?)],
        Format::Hledger => vec![file("books.journal", hledger::print(holdings)?)],
    })
}

#[cfg(test)]
mod tests;
