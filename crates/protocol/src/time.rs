//! Points in time as the wire has them: milliseconds since the Unix epoch.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub i64);

impl Millis {
    /// A second.
    pub const SECOND: i64 = 1_000;
    /// A minute.
    pub const MINUTE: i64 = 60 * Self::SECOND;
    /// An hour.
    pub const HOUR: i64 = 60 * Self::MINUTE;
    /// A day.
    pub const DAY: i64 = 24 * Self::HOUR;

    /// This much later (or earlier, if negative).
    #[must_use]
    pub const fn plus(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(Self::SECOND)
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
