//! What each connection has used of its budgets: counted in memory, without a lock, and folded into a
//! row a connection every few seconds.
//!
//! A day is one of UTC by the gate's clock, which never goes back. What a day counts is exact while the
//! process lives, however many calls come at once. After an orderly end nothing is forgotten; after
//! `kill -9` what came in the last [`FOLD`] is, and no more: a connection may then use that again, once
//! a restart. Proposals are rows anyway, and are counted in the transaction that makes one.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use parking_lot::Mutex;
use protocol::error::{ApiError, RateLimit};
use protocol::time::Millis;
use store::{Query, StoreError, Writing};
use tokio_util::sync::CancellationToken;

use crate::connections::{BudgetName, Budgets, Connection};
use crate::gate::Gate;
use crate::rows;
use protocol::ids::WorkspaceId;

/// How often what was used is written down.
const FOLD: Duration = Duration::from_secs(5);
/// Longest wait that a client is asked for, in seconds. Official clients sleep as long as they are
/// told, and come again with the same token, which is good for less than a minute: whoever was told
/// to wait until midnight would hang until then, and be refused.
const LONGEST_WAIT: u32 = 5;
/// A day, in seconds.
const DAY_SECONDS: u32 = 86_400;
/// The bits of a count below its day.
const COUNT_BITS: u32 = 48;

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
struct DayCount(AtomicU64);

const fn packed(day: Day, count: u64) -> u64 {
    ((day.0 as u64) << COUNT_BITS) | count
}

/// The count of a day, as a counter holds it; a counter of a later day stays there.
fn unpacked(word: u64, day: Day) -> (Day, u64) {
    let known = Day(u16::try_from(word >> COUNT_BITS).unwrap_or(u16::MAX));
    if day > known {
        (day, 0)
    } else {
        (known, word & ((1 << COUNT_BITS) - 1))
    }
}

impl DayCount {
    /// Takes all of it, or nothing where that would be more than there is: what is left then.
    fn take(&self, day: Day, amount: u64, most: u32) -> Result<(), u32> {
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

    /// Gives back what was taken on that day.
    fn give_back(&self, day: Day, amount: u64) {
        let _ = self
            .0
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |word| {
                let (known, count) = unpacked(word, day);
                (known == day).then(|| packed(day, count.saturating_sub(amount)))
            });
    }

    fn used(&self, day: Day) -> u64 {
        unpacked(self.0.load(Ordering::Acquire), day).1
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

/// What a connection has used today.
#[derive(Debug, Default)]
struct Counts([DayCount; DAILY.len()]);

impl Counts {
    fn of(&self, name: BudgetName) -> Option<&DayCount> {
        let place = DAILY.iter().position(|one| *one == name)?;
        self.0.get(place)
    }

    fn used(&self, day: Day) -> Used {
        Used {
            day,
            counts: [0, 1, 2, 3].map(|place: usize| self.0[place].used(day)),
        }
    }
}

/// What a connection may use, and has used. Shared by whoever serves it.
#[derive(Debug)]
pub(crate) struct Meter {
    budgets: Budgets,
    counts: Arc<Counts>,
    /// None: it may not call at all.
    pace: Option<DefaultDirectRateLimiter>,
}

impl Meter {
    /// A meter of one that has used nothing.
    #[cfg(test)]
    pub(crate) fn new(budgets: Budgets) -> Self {
        Self::with(budgets, Arc::default())
    }

    fn with(budgets: Budgets, counts: Arc<Counts>) -> Self {
        let rate = NonZeroU32::new(budgets.of(BudgetName::RequestsPerSecond));
        Self {
            budgets,
            counts,
            pace: rate.map(|rate| RateLimiter::direct(Quota::per_second(rate))),
        }
    }

    /// Counts a call.
    pub(crate) fn call(&self, now: Millis) -> Result<(), ApiError> {
        let pace = self.pace.as_ref();
        if pace.is_none_or(|pace| pace.check().is_err()) {
            return Err(over(&self.budgets, BudgetName::RequestsPerSecond, 0, now));
        }
        self.take(BudgetName::RequestsPerDay, 1, now)
    }

    /// Takes so much of a day's budget, or nothing.
    pub(crate) fn take(
        &self,
        name: BudgetName,
        amount: usize,
        now: Millis,
    ) -> Result<(), ApiError> {
        let Some(count) = self.counts.of(name) else {
            return Ok(());
        };
        let amount = u64::try_from(amount).unwrap_or(u64::MAX);
        count
            .take(Day::of(now), amount, self.budgets.of(name))
            .map_err(|left| over(&self.budgets, name, left, now))
    }

    /// Whether anything is left of a day's budget.
    pub(crate) fn any(&self, name: BudgetName, now: Millis) -> Result<(), ApiError> {
        match self.left(name, now) {
            Some(0) => Err(over(&self.budgets, name, 0, now)),
            _ => Ok(()),
        }
    }

    /// Gives back what was taken then, and not used.
    pub(crate) fn give_back(&self, name: BudgetName, amount: u64, then: Millis) {
        if let Some(count) = self.counts.of(name) {
            count.give_back(Day::of(then), amount);
        }
    }

    /// What is left of a day's budget; none where it is not counted here.
    pub(crate) fn left(&self, name: BudgetName, now: Millis) -> Option<u32> {
        let count = self.counts.of(name)?;
        Some(left(count.used(Day::of(now)), self.budgets.of(name)))
    }
}

/// What a provider hears whose budget is used up.
pub(crate) fn over(budgets: &Budgets, name: BudgetName, remaining: u32, now: Millis) -> ApiError {
    let limit = budgets.of(name);
    let (window, reset) = match name {
        BudgetName::RequestsPerSecond => (Some(1), Some(1)),
        BudgetName::ProposalsOpen => (None, None),
        _ => {
            let left = Day::of(now).ends().0 - now.0;
            let left = left.div_euclid(1_000) + 1;
            (
                Some(DAY_SECONDS),
                Some(u32::try_from(left).unwrap_or(DAY_SECONDS)),
            )
        }
    };
    let told = RateLimit {
        limit,
        remaining,
        window,
        reset,
        retry_after: reset.unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT),
    };
    let again = match (name, reset) {
        (BudgetName::ProposalsOpen, _) | (_, None) => "once one of them is decided".to_owned(),
        (_, Some(seconds)) => format!("again in {seconds} s"),
    };
    let message =
        format!("Too many requests: {remaining} of {limit} are left of the budget {name}, {again}");
    ApiError::over(told, message)
}

/// Every connection's meter, for as long as the process lives.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    all: Mutex<BTreeMap<String, Arc<Meter>>>,
    /// What was written down last.
    folded: Mutex<BTreeMap<String, Used>>,
}

impl Meters {
    /// As they were written down.
    pub(crate) fn read(query: &mut impl Query, workspace: WorkspaceId) -> Result<Self, StoreError> {
        let folded = rows::budgets::used(query, workspace)?;
        let meter = |used: &Used| {
            let counts = used
                .counts
                .map(|count| DayCount(AtomicU64::new(packed(used.day, count))));
            Arc::new(Meter::with(Budgets::default(), Arc::new(Counts(counts))))
        };
        let all = folded
            .iter()
            .map(|(name, used)| (name.clone(), meter(used)));
        Ok(Self {
            all: Mutex::new(all.collect()),
            folded: Mutex::new(folded),
        })
    }

    /// A connection's meter under its budgets of now. What it has used stays used.
    pub(crate) fn of(&self, connection: &Connection) -> Arc<Meter> {
        let mut all = self.all.lock();
        let known = all.get(&connection.name);
        if let Some(meter) = known.filter(|known| known.budgets == connection.budgets) {
            return Arc::clone(meter);
        }
        let counts = known
            .map(|known| Arc::clone(&known.counts))
            .unwrap_or_default();
        let meter = Arc::new(Meter::with(connection.budgets, counts));
        all.insert(connection.name.clone(), Arc::clone(&meter));
        meter
    }

    /// What has changed since it was written down.
    fn changed(&self, day: Day) -> BTreeMap<String, Used> {
        let all = self.all.lock();
        let folded = self.folded.lock();
        let used = all
            .iter()
            .map(|(name, meter)| (name, meter.counts.used(day)));
        used.filter(|(name, used)| {
            let known = folded.get(*name);
            known.map_or(used.counts.iter().any(|count| *count > 0), |known| {
                known != used
            })
        })
        .map(|(name, used)| (name.clone(), used))
        .collect()
    }
}

/// Writes down what was used, every few seconds.
pub(crate) async fn keep(gate: Arc<Gate>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(FOLD) => fold(&gate).await,
        }
    }
}

/// Writes down what was used since the last time.
pub(crate) async fn fold(gate: &Gate) {
    let changed = gate.meters.changed(Day::of(gate.clock.now()));
    if changed.is_empty() {
        return;
    }
    let (workspace, kept) = (gate.workspace(), changed.clone());
    let write = gate.store.write(move |writing: &mut Writing<'_>| {
        kept.iter()
            .try_for_each(|(name, used)| rows::budgets::put(writing, workspace, name, used))
    });
    match write.await {
        Ok(()) => gate.meters.folded.lock().extend(changed),
        Err(error) => {
            tracing::error!(%error, "what connections used of their budgets is not written down")
        }
    }
}

#[cfg(test)]
mod tests;
