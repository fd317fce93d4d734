//! What holds for all workspaces of a sandbox: its seed, its webhooks' keys, and how many workspaces
//! it has made.

use store::{Query, StoreError, Writing, params};

pub(super) const TABLES: &str = "
CREATE TABLE house (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL);
";

/// A number that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// What all that looks random comes from.
    Seed,
    /// Which key signs webhooks, and which are listed.
    WebhookKeys,
    /// How many workspaces and snapshots were made by a call.
    Made,
}

impl Fact {
    const fn name(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::WebhookKeys => "webhook_keys",
            Self::Made => "made",
        }
    }
}

pub(crate) fn find(query: &mut impl Query, fact: Fact) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT value FROM house WHERE name = $1";
    let row = query.row(sql, &params![fact.name()])?;
    row.map(|row| row.int(0)).transpose()
}

pub(crate) fn keep(writing: &mut Writing<'_>, fact: Fact, value: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO house (name, value) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    writing.execute(sql, &params![fact.name(), value]).map(drop)
}

/// The next of a count.
pub(crate) fn bump(writing: &mut Writing<'_>, fact: Fact) -> Result<i64, StoreError> {
    let next = find(writing, fact)?.unwrap_or(0) + 1;
    keep(writing, fact, next).map(|()| next)
}
