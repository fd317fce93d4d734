//! Report files: balances, addresses, transactions as CSV, with a signed manifest that says of
//! whose books they are, what they cover, which position they hold for, and what proves them.
//!
//! CSV: a header row; amounts plain; times in milliseconds since the epoch. A cell that a
//! spreadsheet could run (`= + - @ ' tab CR` at its start, but for plain numbers) is written with
//! one leading `'`, which [`read`] takes off again.

mod columns;
mod manifest;
mod read;
mod write;

pub use columns::guarded;
pub use manifest::{Kind, Manifest, SignedManifest};
pub use read::{Expected, Report, ReportError, read, rows};
pub use write::{Written, write};

/// Most rows of one report.
pub const MAX_ROWS: usize = 5_000_000;
/// Largest report file, in bytes.
pub const MAX_FILE_LEN: usize = 2 * 1024 * 1024 * 1024;
