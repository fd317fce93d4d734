//! What holds for all workspaces of a sandbox: its seed, and how its clock stands.

use protocol::time::Millis;
use store::{Query, StoreError, Writing, params};

pub(super) const TABLES: &str = "
CREATE TABLE house (name TEXT NOT NULL PRIMARY KEY, value BIGINT NOT NULL);
";

/// A number that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// What all that looks random comes from.
    Seed,
    /// How far the clock was moved ahead of the world's, in milliseconds.
    Ahead,
    /// The latest moment of a change.
    Latest,
    /// Which key signs webhooks, and which are listed.
    WebhookKeys,
}

impl Fact {
    const fn name(self) -> &'static str {
        match self {
            Self::Seed => "seed",
            Self::Ahead => "ahead",
            Self::Latest => "latest",
            Self::WebhookKeys => "webhook_keys",
        }
    }
}

pub(crate) fn find(query: &mut impl Query, fact: Fact) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT value FROM house WHERE name = $1";
    let row = query.row(sql, &params![fact.name()])?;
    row.map(|row| row.int(0)).transpose()
}

/// A change was made at this moment; the latest stays.
pub(crate) fn reached(writing: &mut Writing<'_>, at: Millis) -> Result<(), StoreError> {
    let sql = "INSERT INTO house (name, value) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE excluded.value > house.value";
    writing
        .execute(sql, &params![Fact::Latest.name(), at.0])
        .map(drop)
}

pub(crate) fn keep(writing: &mut Writing<'_>, fact: Fact, value: i64) -> Result<(), StoreError> {
    let sql = "INSERT INTO house (name, value) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    writing.execute(sql, &params![fact.name(), value]).map(drop)
}
