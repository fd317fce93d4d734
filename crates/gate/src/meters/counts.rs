//! What is counted by the day: each count knows its day, so that both change in one step.

use std::cmp::Ordering::{Equal, Greater, Less};
use std::sync::atomic::{AtomicU64, Ordering};

use protocol::time::Millis;

use crate::connections::BudgetName;
use crate::rows::number;

/// The bits of a count below its day.
const COUNT_BITS: u32 = 48;
/// The largest count.
const MAX_COUNT: u64 = (1 << COUNT_BITS) - 1;

/// What is counted by the day in memory.
pub(crate) const DAILY: [BudgetName; 4] = [
    BudgetName::RequestsPerDay,
    BudgetName::RowsPerDay,
    BudgetName::ReportsPerDay,
    BudgetName::ForwardsPerDay,
];

/// A day of UTC, since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(u16);

impl Day {
    /// The day of a moment.
    pub(crate) fn of(at: Millis) -> Self {
        let days = at.0.max(0) / Millis::DAY;
        Self(u16::try_from(days).unwrap_or(u16::MAX))
    }

    /// Its number.
    pub(crate) fn number(self) -> i64 {
        self.0.into()
    }

    /// Its first moment.
    pub(crate) fn begins(self) -> Millis {
        Millis(self.number() * Millis::DAY)
    }

    /// The first moment after it.
    pub(crate) fn ends(self) -> Millis {
        self.begins().plus(Millis::DAY)
    }
}

/// A count of one day: the day above, the count below, so that both change in one step.
#[derive(Debug, Default)]
pub(super) struct DayCount(AtomicU64);

const fn packed(day: Day, count: u64) -> u64 {
    ((day.0 as u64) << COUNT_BITS) | count
}

/// The count of a day, as a counter holds it; a counter of a later day stays there.
fn unpacked(word: u64, day: Day) -> (Day, u64) {
    let known = Day(u16::try_from(word >> COUNT_BITS).unwrap_or(u16::MAX));
    if day > known {
        (day, 0)
    } else {
        (known, word & MAX_COUNT)
    }
}

impl DayCount {
    /// Takes all of it, or nothing where that would be more than there is: what is left then.
    pub(super) fn take(&self, day: Day, amount: u64, most: u32) -> Result<(), u32> {
        let taken = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
                let (day, count) = unpacked(word, day);
                let count = count.checked_add(amount)?;
                (count <= most.into()).then(|| packed(day, count))
            });
        taken
            .map(drop)
            .map_err(|word| left(unpacked(word, day).1, most))
    }

    /// Adds what was counted elsewhere on that day, or less than nothing. Of an earlier one it counts
    /// for nothing.
    pub(super) fn add(&self, day: Day, more: i64) {
        let _ = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
                let (known, count) = unpacked(word, day);
                let count = count.saturating_add_signed(more).min(MAX_COUNT);
                (known == day).then(|| packed(day, count))
            });
    }

    /// How much of that day, or of the later one that it counts.
    pub(super) fn used(&self, day: Day) -> u64 {
        unpacked(self.0.load(Ordering::Acquire), day).1
    }

    /// The day that it counts.
    fn day(&self) -> Day {
        unpacked(self.0.load(Ordering::Acquire), Day(0)).0
    }
}

/// What is left of so much.
pub(crate) fn left(used: u64, most: u32) -> u32 {
    u32::try_from(u64::from(most).saturating_sub(used)).unwrap_or(0)
}

/// What a connection has used on a day, in the order of [`DAILY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Used {
    /// Which.
    pub(crate) day: Day,
    /// How much.
    pub(crate) counts: [u64; DAILY.len()],
}

impl Used {
    /// Nothing.
    pub(super) const fn none(day: Day) -> Self {
        Self {
            day,
            counts: [0; DAILY.len()],
        }
    }

    /// What was added since then; nothing: it is as it was. Less than nothing where it was given back.
    pub(super) fn since(&self, before: &Self) -> Option<Added> {
        let base = match self.day.cmp(&before.day) {
            Less => return None,
            Equal => before.counts,
            Greater => [0; DAILY.len()],
        };
        let mut counts = [0; DAILY.len()];
        for (added, (now, before)) in counts.iter_mut().zip(self.counts.into_iter().zip(base)) {
            *added = number(now) - number(before);
        }
        counts.iter().any(|count| *count != 0).then_some(Added {
            day: self.day,
            counts,
        })
    }
}

/// What one gate adds to what a connection has used on a day, in the order of [`DAILY`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Added {
    /// Which.
    pub(crate) day: Day,
    /// How much.
    pub(crate) counts: [i64; DAILY.len()],
}

/// What a connection has used today.
#[derive(Debug, Default)]
pub(super) struct Counts([DayCount; DAILY.len()]);

impl Counts {
    /// The counter of a budget; none where it is not counted here.
    pub(super) fn of(&self, name: BudgetName) -> Option<&DayCount> {
        let place = DAILY.iter().position(|one| *one == name)?;
        self.0.get(place)
    }

    /// Each as of the day, or all as of a later one.
    pub(super) fn used(&self, day: Day) -> Used {
        let day = self.0.iter().map(DayCount::day).fold(day, Day::max);
        let mut used = Used::none(day);
        for (count, counter) in used.counts.iter_mut().zip(&self.0) {
            *count = counter.used(day);
        }
        used
    }

    /// Takes in the sum of all gates, of which so much is counted here already.
    pub(super) fn add(&self, here: &Used, sum: &Used) {
        let before = match here.day.cmp(&sum.day) {
            Less => [0; DAILY.len()],
            Equal => here.counts,
            Greater => return,
        };
        for (counter, (before, sum_of)) in self.0.iter().zip(before.into_iter().zip(sum.counts)) {
            counter.add(sum.day, number(sum_of) - number(before));
        }
    }
}
