//! Reading a report: believed only as a whole.

use aws_lc_rs::digest::{SHA256, digest as sha256};
use protocol::ed25519::VerifyingKey;
use protocol::ids::WorkspaceId;

use super::columns::{self, BadCell, Cells};
use super::manifest::{BadManifest, Kind, Manifest, SignedManifest};
use super::{MAX_FILE_LEN, MAX_ROWS};
use crate::change::{Change, Version};
use crate::digest::{self, Digest};

/// What a report must be.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The key that must have signed it.
    pub key: &'a VerifyingKey,
    /// Whose books it must be of.
    pub workspace: WorkspaceId,
    /// What it must cover, by [`crate::ScopeId`], where that is known.
    pub scope: Option<&'a str>,
}

/// A report that is believed.
#[derive(Debug)]
pub struct Report {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Its rows.
    pub changes: Vec<(Version, Change)>,
}

/// Why a report is not believed. Nothing of it is used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReportError {
    /// The manifest.
    #[error(transparent)]
    Manifest(#[from] BadManifest),
    /// It is of other books.
    #[error("the report is of workspace {found}, not {expected}")]
    Workspace {
        /// The manifest's.
        found: WorkspaceId,
        /// Ours.
        expected: WorkspaceId,
    },
    /// It covers something else.
    #[error("the report covers another scope ({0})")]
    Scope(String),
    /// The file is not the one that was signed for.
    #[error(
        "the report was changed after it was signed: its SHA-256 is {found}, the manifest says {expected}"
    )]
    Changed {
        /// The file's.
        found: String,
        /// The manifest's.
        expected: String,
    },
    /// It is larger than any report.
    #[error("the report is too large")]
    TooLarge,
    /// The header row is not this kind's.
    #[error("line 1: the columns are not those of a report of {0}")]
    Columns(Kind),
    /// A row cannot be read.
    #[error("line {line}, column {column} ({name}): cannot be read")]
    Row {
        /// In which line, from 1.
        line: u64,
        /// In which column, from 1.
        column: usize,
        /// That column's name.
        name: &'static str,
    },
    /// The rows are not as many as the manifest says.
    #[error("the report has {found} rows, the manifest says {expected}")]
    Count {
        /// In the file.
        found: u64,
        /// In the manifest.
        expected: u64,
    },
    /// The rows are not those that the digest was made of.
    #[error("the report's rows have the digest {found}, the manifest says {expected}")]
    Digest {
        /// Of the rows.
        found: Digest,
        /// The manifest's.
        expected: Digest,
    },
}

/// Reads a report: signature, workspace, scope, hash, rows, count and digest must all hold.
pub fn read(file: &[u8], manifest: &[u8], expected: &Expected<'_>) -> Result<Report, ReportError> {
    let manifest = SignedManifest::parse(manifest)?.verify(expected.key)?;
    if manifest.workspace != expected.workspace {
        return Err(ReportError::Workspace {
            found: manifest.workspace,
            expected: expected.workspace,
        });
    }
    if expected.scope.is_some_and(|scope| scope != manifest.scope) {
        return Err(ReportError::Scope(manifest.scope));
    }
    if file.len() > MAX_FILE_LEN {
        return Err(ReportError::TooLarge);
    }
    let found = hex::encode(sha256(&SHA256, file));
    if found != manifest.sha256 {
        return Err(ReportError::Changed {
            found,
            expected: manifest.sha256,
        });
    }
    let (changes, digest) = rows(file, manifest.kind)?;
    let count = u64::try_from(changes.len()).unwrap_or(u64::MAX);
    if count != manifest.rows {
        return Err(ReportError::Count {
            found: count,
            expected: manifest.rows,
        });
    }
    if digest != manifest.digest {
        return Err(ReportError::Digest {
            found: digest,
            expected: manifest.digest,
        });
    }
    Ok(Report { manifest, changes })
}

/// The rows of a file, and their digest. (Also what is fuzzed.)
pub fn rows(file: &[u8], kind: Kind) -> Result<(Vec<(Version, Change)>, Digest), ReportError> {
    let names: &'static [&'static str] = match kind {
        Kind::Balances => &columns::BALANCES,
        Kind::Addresses => &columns::ADDRESSES,
        Kind::Transactions => &columns::TRANSACTIONS,
    };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(true)
        .from_reader(file);
    let headers = reader.headers().map_err(|_| ReportError::Columns(kind))?;
    if !headers.iter().eq(names.iter().copied()) {
        return Err(ReportError::Columns(kind));
    }
    let (mut changes, mut digest) = (Vec::new(), Digest::default());
    for record in reader.records() {
        let record = record.map_err(|error| ReportError::Row {
            line: error.position().map_or(0, csv::Position::line),
            column: 0,
            name: "the whole row",
        })?;
        if changes.len() >= MAX_ROWS {
            return Err(ReportError::TooLarge);
        }
        let mut cells = Cells::of(&record, names);
        let row = match kind {
            Kind::Balances => cells.balance(),
            Kind::Addresses => cells.address(),
            Kind::Transactions => cells.transaction(),
        };
        let row = row.map_err(|BadCell { column, name }| ReportError::Row {
            line: record.position().map_or(0, csv::Position::line),
            column,
            name,
        })?;
        digest = digest_of(&row.1)
            .iter()
            .fold(digest, |sum, part| sum.plus(part));
        changes.push(row);
    }
    Ok((changes, digest))
}

fn digest_of(change: &Change) -> Vec<Digest> {
    match change {
        Change::Wallet(account, facts) => vec![digest::of_balance(*account, &facts.balance).1],
        Change::Address(account, address) => vec![digest::of_address(*account, address).1],
        Change::Transaction(transaction, _) => digest::of_transaction(transaction)
            .into_iter()
            .map(|(_, digest)| digest)
            .collect(),
        _ => Vec::new(),
    }
}
