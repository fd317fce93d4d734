//! What each connection has used of its budgets: counted in memory, without a lock, and folded into a
//! row a connection every few seconds.
//!
//! A day is one of UTC by the gate's clock, which never goes back. What a day counts is exact within a
//! process, however many calls come at once. Each gate adds to the row what it has counted since the
//! last time and takes in the sum, so it knows with each fold what all have written down. After an
//! orderly end nothing is forgotten; after `kill -9` what came since the last fold is, and no more. Where
//! the outcome of a fold is not known, it is added again: too much is counted rather than too little.
//! Proposals are rows anyway, and are counted in the transaction that makes one.

mod counts;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use parking_lot::Mutex;
use protocol::error::{ApiError, RateLimit};
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use store::{Query, Store, StoreError, Writing};
use tokio_util::sync::CancellationToken;

use crate::connections::{BudgetName, Budgets, Connection};
use crate::gate::Gate;
use crate::rows;
use counts::Counts;
pub(crate) use counts::{Added, Day, Used, left};

/// How often what was used is written down.
const FOLD: Duration = Duration::from_secs(5);
/// Longest wait that a client is asked for, in seconds. Official clients sleep as long as they are
/// told, and come again with the same token, which is good for less than a minute: whoever was told
/// to wait until midnight would hang until then, and be refused.
const LONGEST_WAIT: u32 = 5;
/// A day, in seconds.
const DAY_SECONDS: u32 = 86_400;
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
        self.room(name, 1, now)
    }

    /// Whether so much is left of a day's budget.
    pub(crate) fn room(
        &self,
        name: BudgetName,
        amount: usize,
        now: Millis,
    ) -> Result<(), ApiError> {
        match self.left(name, now) {
            Some(left) if usize::try_from(left).is_ok_and(|left| left < amount) => {
                Err(over(&self.budgets, name, left, now))
            }
            _ => Ok(()),
        }
    }

    /// Gives back what was taken then, and not used.
    pub(crate) fn give_back(&self, name: BudgetName, amount: u32, then: Millis) {
        if let Some(count) = self.counts.of(name) {
            count.add(Day::of(then), -i64::from(amount));
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
    /// What the rows held, of all gates, when it was taken in last. Held while that is done.
    folded: tokio::sync::Mutex<BTreeMap<String, Used>>,
}

impl Meters {
    fn read(query: &mut impl Query, workspace: WorkspaceId) -> Result<Self, StoreError> {
        let meters = Self::default();
        let folded = rows::budgets::used(query, workspace)?;
        for (name, used) in &folded {
            meters
                .under(name, None)
                .counts
                .add(&Used::none(used.day), used);
        }
        Ok(Self {
            folded: tokio::sync::Mutex::new(folded),
            ..meters
        })
    }

    /// As the store has them.
    pub(crate) async fn open(store: &Store, workspace: WorkspaceId) -> Result<Self, StoreError> {
        let read = store.read(move |reading| Self::read(reading, workspace));
        read.await
    }

    /// A connection's meter under its budgets of now. What it has used stays used.
    pub(crate) fn of(&self, connection: &Connection) -> Arc<Meter> {
        self.under(&connection.name, Some(connection.budgets))
    }

    /// A connection's meter under these budgets, or under whichever it has.
    fn under(&self, name: &str, budgets: Option<Budgets>) -> Arc<Meter> {
        let mut all = self.all.lock();
        let known = all.get(name);
        let is_known = |known: &&Arc<Meter>| budgets.is_none_or(|budgets| known.budgets == budgets);
        if let Some(meter) = known.filter(is_known) {
            return Arc::clone(meter);
        }
        let counts = known
            .map(|known| Arc::clone(&known.counts))
            .unwrap_or_default();
        let meter = Arc::new(Meter::with(budgets.unwrap_or_default(), counts));
        all.insert(name.to_owned(), Arc::clone(&meter));
        meter
    }

    /// What every connection has used until now.
    fn used(&self, day: Day) -> BTreeMap<String, Used> {
        let all = self.all.lock();
        let used = all
            .iter()
            .map(|(name, meter)| (name.clone(), meter.counts.used(day)));
        used.collect()
    }

    /// Adds to the rows what was used since the last time, and takes in what other gates have added.
    pub(crate) async fn fold(
        &self,
        store: &Store,
        workspace: WorkspaceId,
        day: Day,
    ) -> Result<(), StoreError> {
        let mut folded = self.folded.lock().await;
        let here = self.used(day);
        let news: Vec<_> = here
            .iter()
            .filter_map(|(name, used)| {
                let before = folded.get(name).copied().unwrap_or(Used::none(used.day));
                Some((name.clone(), used.since(&before)?))
            })
            .collect();
        let sums = if news.is_empty() {
            store
                .read(move |reading| rows::budgets::used(reading, workspace))
                .await?
        } else {
            let write = move |writing: &mut Writing<'_>| {
                for (name, added) in &news {
                    rows::budgets::add(writing, workspace, name, added)?;
                }
                rows::budgets::used(writing, workspace)
            };
            store.write(write).await?
        };
        for (name, sum) in &sums {
            let before = here.get(name).copied().unwrap_or(Used::none(sum.day));
            self.under(name, None).counts.add(&before, sum);
        }
        *folded = sums;
        Ok(())
    }
}

/// Folds every few seconds.
pub(crate) async fn keep(gate: Arc<Gate>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(FOLD) => fold(&gate).await,
        }
    }
}

/// Folds what was used until now.
pub(crate) async fn fold(gate: &Gate) {
    let (workspace, day) = (gate.workspace(), Day::of(gate.clock.now()));
    if let Err(error) = gate.meters.fold(&gate.store, workspace, day).await {
        tracing::error!(%error, "what connections used of their budgets is not written down");
    }
}

#[cfg(test)]
mod tests;
