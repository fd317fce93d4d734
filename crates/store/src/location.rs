//! Where a database is.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use crate::StoreError;

/// Where a database is. Printing never shows a password.
#[derive(Clone, PartialEq, Eq)]
pub enum Location {
    /// A SQLite file.
    SqliteFile(PathBuf),
    /// A SQLite database that is gone when the store is.
    SqliteMemory,
    /// A PostgreSQL URL.
    Postgres(String),
}

impl FromStr for Location {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        match text.strip_prefix("sqlite:").unwrap_or(text) {
            ":memory:" => Ok(Self::SqliteMemory),
            path if path.is_empty() || path.contains("://") => {
                Err(StoreError::BadLocation(text.to_owned()))
            }
            path => Ok(Self::SqliteFile(path.into())),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SqliteFile(path) => write!(f, "{}", path.display()),
            Self::SqliteMemory => f.write_str(":memory:"),
            Self::Postgres(url) => {
                let host = url.rsplit_once('@').map_or_else(
                    || url.split_once("://").map_or("", |(_, rest)| rest),
                    |(_, host)| host,
                );
                write!(f, "postgres://{}", host.split('?').next().unwrap_or(""))
            }
        }
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Location({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_printed() {
        let at: Location = "postgres://gate:s3cret@db/vestibule?password=s3cret"
            .parse()
            .expect("a location");
        assert_eq!(
            format!("{at} {at:?}"),
            "postgres://db/vestibule Location(postgres://db/vestibule)"
        );
    }

    #[test]
    fn what_names_no_database_is_refused() {
        assert!("mysql://x".parse::<Location>().is_err());
        assert!("".parse::<Location>().is_err());
        assert_eq!(
            "sqlite:a.db".parse::<Location>().ok(),
            Some(Location::SqliteFile("a.db".into()))
        );
    }
}
