//! How often each subject of the books is walked, and how old it may get: `[areas.NAME]` of the
//! configuration.

use std::num::NonZeroU32;
use std::time::Duration;

use protocol::time::Millis;
use serde::{Deserialize, Serialize};

use super::Subject;

/// How often a subject is walked, and how old it may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct Pace {
    every_seconds: NonZeroU32,
    max_age_seconds: NonZeroU32,
}

/// The same, as it is written down.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    every_seconds: NonZeroU32,
    max_age_seconds: NonZeroU32,
}

/// What is walked more seldom than it may get old would be closed most of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("max_age_seconds must be more than every_seconds")]
pub struct TooSeldom;

impl TryFrom<Written> for Pace {
    type Error = TooSeldom;

    fn try_from(written: Written) -> Result<Self, TooSeldom> {
        Self::new(written.every_seconds, written.max_age_seconds)
    }
}

impl Pace {
    /// Every so many seconds; at most so many seconds old.
    pub fn new(every: NonZeroU32, max_age: NonZeroU32) -> Result<Self, TooSeldom> {
        if max_age <= every {
            return Err(TooSeldom);
        }
        Ok(Self {
            every_seconds: every,
            max_age_seconds: max_age,
        })
    }

    /// How often it is walked.
    pub fn every(self) -> Duration {
        Duration::from_secs(self.every_seconds.get().into())
    }

    /// How old it may get, in milliseconds.
    pub fn max_age_millis(self) -> i64 {
        i64::from(self.max_age_seconds.get()) * Millis::SECOND
    }
}

const fn at_least_one(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}

const fn pace(every: u32, max_age: u32) -> Pace {
    Pace {
        every_seconds: at_least_one(every),
        max_age_seconds: at_least_one(max_age),
    }
}

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;
const DAY: u32 = 24 * HOUR;

/// What events tell of: a walk finds what was lost, and names, which have no event.
const TOLD: Pace = pace(MINUTE, DAY);
/// Deposit addresses: a report, some calls in all.
const ADDRESSES: Pace = pace(15 * MINUTE, DAY);
/// Assets and blockchains seldom change.
const SELDOM: Pace = pace(6 * HOUR, 7 * DAY);

/// The pace of each subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Areas {
    /// The blockchains.
    pub blockchains: Pace,
    /// The assets.
    pub assets: Pace,
    /// The vault accounts.
    pub accounts: Pace,
    /// The balances.
    pub wallets: Pace,
    /// The deposit addresses.
    pub addresses: Pace,
    /// Internal wallets, external wallets and contracts.
    pub whitelists: Pace,
    /// The transactions.
    pub transactions: Pace,
}

impl Default for Areas {
    fn default() -> Self {
        Self {
            blockchains: SELDOM,
            assets: SELDOM,
            accounts: TOLD,
            wallets: TOLD,
            addresses: ADDRESSES,
            whitelists: TOLD,
            transactions: TOLD,
        }
    }
}

impl Areas {
    /// The pace of a subject.
    pub fn pace(&self, subject: Subject) -> Pace {
        match subject {
            Subject::Blockchains => self.blockchains,
            Subject::Assets => self.assets,
            Subject::Accounts => self.accounts,
            Subject::Wallets => self.wallets,
            Subject::Addresses => self.addresses,
            Subject::Whitelists => self.whitelists,
            Subject::Transactions => self.transactions,
        }
    }
}
