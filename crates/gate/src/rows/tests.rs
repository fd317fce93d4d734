//! Statements that only tests ask for.

/// Every row of a table.
pub(crate) const ALL_OF: &str = "SELECT * FROM ";
