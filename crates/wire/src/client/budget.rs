//! The upstream budget: never exceeded, whoever asks and however often it is retried.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use parking_lot::Mutex;
use tokio::time::Instant;

/// Calls per minute, shared by every clone.
#[derive(Clone)]
pub struct Budget(Arc<Shared>);

struct Shared {
    limiter: DefaultDirectRateLimiter,
    patience: Duration,
    /// What this one is a part of.
    whole: Option<Budget>,
    /// Upstream asked everyone to wait until then.
    paused_until: Mutex<Option<Instant>>,
}

/// The budget would not have had room in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the budget of upstream calls is used up")]
pub struct Exhausted;

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Budget")
    }
}

impl Budget {
    /// At most `cap` calls in any minute, of which `burst` (less than the cap) may come at once.
    /// Who finds no room waits for it no longer than `patience`.
    pub fn per_minute(cap: NonZeroU32, burst: NonZeroU32, patience: Duration) -> Self {
        Self::of(cap, burst, patience, None)
    }

    /// A part of this budget: its calls count here too, and never take more than `cap` of it. So
    /// work that can wait leaves room for work that cannot.
    #[must_use]
    pub fn part(&self, cap: NonZeroU32, burst: NonZeroU32, patience: Duration) -> Self {
        Self::of(cap, burst, patience, Some(self.clone()))
    }

    fn of(cap: NonZeroU32, burst: NonZeroU32, patience: Duration, whole: Option<Self>) -> Self {
        Self(Arc::new(Shared {
            limiter: RateLimiter::direct(quota(cap, burst)),
            patience,
            whole,
            paused_until: Mutex::new(None),
        }))
    }

    /// Takes one call, waiting for it if need be.
    pub(super) async fn take(&self) -> Result<(), Exhausted> {
        self.take_here().await?;
        match &self.0.whole {
            Some(whole) => whole.take_here().await,
            None => Ok(()),
        }
    }

    async fn take_here(&self) -> Result<(), Exhausted> {
        let give_up = Instant::now() + self.0.patience;
        loop {
            let paused = *self.0.paused_until.lock();
            let wait = match paused.map(|until| until.saturating_duration_since(Instant::now())) {
                Some(wait) if !wait.is_zero() => wait,
                _ => match self.0.limiter.check() {
                    Ok(()) => return Ok(()),
                    Err(not_yet) => not_yet.wait_time_from(DefaultClock::default().now()),
                },
            };
            if Instant::now() + wait > give_up {
                return Err(Exhausted);
            }
            // A millisecond more, so that no one spins on a wait that rounds to nothing.
            tokio::time::sleep(wait + Duration::from_millis(1)).await;
        }
    }

    /// Nobody calls for this long: upstream asked for it.
    pub(super) fn pause(&self, wait: Duration) {
        if let Some(whole) = &self.0.whole {
            return whole.pause(wait);
        }
        let until = Instant::now() + wait;
        let mut paused = self.0.paused_until.lock();
        *paused = Some(paused.map_or(until, |before| before.max(until)));
    }
}

/// A bucket of `burst` that refills with the rest of the cap in a minute: burst and refill together
/// are the cap in any minute, wherever it begins.
fn quota(cap: NonZeroU32, burst: NonZeroU32) -> Quota {
    let burst = burst.min(NonZeroU32::new(cap.get() / 2).unwrap_or(NonZeroU32::MIN));
    let refill = NonZeroU32::new(cap.get() - burst.get()).unwrap_or(NonZeroU32::MIN);
    Quota::per_minute(refill).allow_burst(burst)
}

#[cfg(test)]
mod tests {
    use super::*;
    use governor::clock::FakeRelativeClock;

    #[test]
    fn no_minute_holds_more_than_the_cap() {
        for (cap, burst) in [(2, 1), (10, 3), (60, 20), (600, 10_000)] {
            let (cap, burst) = (
                NonZeroU32::new(cap).unwrap(),
                NonZeroU32::new(burst).unwrap(),
            );
            let clock = FakeRelativeClock::default();
            let limiter = RateLimiter::direct_with_clock(quota(cap, burst), clock.clone());
            let step = Duration::from_millis(100);
            let mut passed: Vec<u32> = Vec::new();
            for _ in 0..2_000 {
                let now = std::iter::from_fn(|| limiter.check().ok()).count();
                passed.push(u32::try_from(now).unwrap());
                clock.advance(step);
            }
            let fullest = passed
                .windows(600)
                .map(|minute| minute.iter().sum::<u32>())
                .max()
                .unwrap();
            assert!(fullest <= cap.get(), "{fullest} of {cap}");
            assert!(
                fullest >= cap.get() - 1,
                "{fullest} of {cap} wastes the budget"
            );
        }
    }

    #[tokio::test]
    async fn a_part_leaves_the_rest_to_others_and_counts_in_the_whole() {
        let number = |number| NonZeroU32::new(number).unwrap();
        let none = Duration::ZERO;
        let whole = Budget::per_minute(number(40), number(20), none);
        let part = whole.part(number(8), number(4), none);
        let mut taken = 0;
        while part.take().await.is_ok() {
            taken += 1;
        }
        assert_eq!(taken, 4, "no more than the part's burst");
        while whole.take().await.is_ok() {
            taken += 1;
        }
        assert_eq!(taken, 20, "all in all the whole's burst");
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_pauses_everybody() {
        let (many, patience) = (NonZeroU32::new(1_000).unwrap(), Duration::from_secs(5));
        let whole = Budget::per_minute(many, many, patience);
        whole
            .part(many, many, patience)
            .pause(Duration::from_secs(6));
        assert_eq!(whole.take().await, Err(Exhausted));
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_holds_for_every_clone() {
        let (many, patience) = (NonZeroU32::new(1_000).unwrap(), Duration::from_secs(5));
        let budget = Budget::per_minute(many, many, patience);
        budget.clone().pause(Duration::from_secs(2));
        let before = Instant::now();
        assert_eq!(budget.take().await, Ok(()));
        assert!(before.elapsed() >= Duration::from_secs(2));
        budget.pause(Duration::from_secs(6));
        assert_eq!(budget.take().await, Err(Exhausted));
    }
}
