//! What can go wrong with a database, each with what to do.

use std::path::PathBuf;

/// An error of the database.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The file is not a database, or a damaged one.
    #[error("{path} is not a database or is damaged: restore a copy, or name another file")]
    Damaged {
        /// Which file.
        path: PathBuf,
    },
    /// The file cannot be opened or made.
    #[error("{path} cannot be opened: {why}")]
    CannotOpen {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// The text names no database.
    #[error("'{0}' names no database: give a file, ':memory:' or a postgres:// URL")]
    BadLocation(String),
    /// The server cannot be reached or hung up.
    #[error("the database cannot be reached: {0}")]
    Unavailable(String),
    /// The tables were made by something else.
    #[error(
        "the database's {room} tables come from another program or an edited release (migration {id})"
    )]
    ForeignSchema {
        /// Whose tables.
        room: String,
        /// Which migration.
        id: i64,
    },
    /// The database belongs to another product of the house, or to another program.
    #[error("{at} is the database of {owner}: name another one")]
    OtherProduct {
        /// Which database.
        at: String,
        /// Whose it is.
        owner: String,
    },
    /// A program of another release has opened the same database since.
    #[error("the database was opened by another release: {0}; run one release alone")]
    OtherRelease(String),
    /// A row holds what it cannot.
    #[error("the database is corrupt: {table}.{column} of {id}")]
    Corrupt {
        /// In which table.
        table: &'static str,
        /// In which column.
        column: &'static str,
        /// Of which row.
        id: String,
    },
    /// A column is not of the type that was asked for: a fault of ours.
    #[error("column {column} of an answer is not {expected}")]
    Column {
        /// Which, from 0.
        column: usize,
        /// What was asked for.
        expected: &'static str,
    },
    /// Other writers were in the way for too long.
    #[error("the database is too busy: other writers collided with this one {0} times")]
    Contention(u32),
    /// The statement broke a rule of the table (unique, not null, foreign key).
    #[error("a rule of the database was broken: {0}")]
    Constraint(String),
    /// Anything else the engine says.
    #[error("the database says: {0}")]
    Engine(String),
    /// The work panicked; nothing of it was kept.
    #[error("work on the database stopped unexpectedly; nothing of it was kept")]
    Panicked,
    /// It cannot be copied as a file.
    #[error("the database is not a file: copy it with PostgreSQL's own means, such as pg_dump")]
    NotAFile,
    /// The store is going down.
    #[error("the database is closed")]
    Closed,
}

impl StoreError {
    /// Whether the statement broke a rule of the table.
    pub fn is_constraint(&self) -> bool {
        matches!(self, Self::Constraint(_))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::ConstraintViolation) => Self::Constraint(error.to_string()),
            _ => Self::Engine(error.to_string()),
        }
    }
}

impl From<postgres::Error> for StoreError {
    fn from(error: postgres::Error) -> Self {
        match error.as_db_error() {
            Some(db) if db.code().code().starts_with("23") => {
                Self::Constraint(db.message().to_owned())
            }
            Some(db) => Self::Engine(db.message().to_owned()),
            None => Self::Unavailable(error.to_string()),
        }
    }
}
