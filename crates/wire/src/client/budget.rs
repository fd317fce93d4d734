//! The upstream budget: never exceeded, whoever asks and however often it is retried.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::turns::{self, Turns};

/// Calls per minute, shared by every clone.
#[derive(Clone)]
pub struct Budget {
    shared: Arc<Shared>,
    /// On whose behalf it is used, where it is divided among many.
    who: Option<Arc<str>>,
}

struct Shared {
    limiter: DefaultDirectRateLimiter,
    patience: Duration,
    turns: Arc<Turns>,
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
        Self {
            shared: Arc::new(Shared {
                limiter: RateLimiter::direct(quota(cap, burst)),
                patience,
                turns: Arc::default(),
                whole,
                paused_until: Mutex::new(None),
            }),
            who: None,
        }
    }

    /// The same budget, used on behalf of one of many who share it: while it has no room, they take
    /// turns, each as often as any other, however many calls one of them wants.
    #[must_use]
    pub fn on_behalf_of(&self, who: &str) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            who: Some(who.into()),
        }
    }

    /// Takes one call, waiting for it if need be.
    pub(super) async fn take(&self) -> Result<(), Exhausted> {
        let shared = &self.shared;
        let give_up = Instant::now() + shared.patience;
        let turn = match &self.who {
            Some(who) => {
                let turn = turns::wait(&shared.turns, who, give_up).await;
                Some(turn.map_err(|_| Exhausted)?)
            }
            None => None,
        };
        shared.take(give_up).await?;
        if let Some(whole) = &shared.whole {
            whole.shared.take(give_up).await?;
        }
        if let Some(turn) = turn {
            turn.served();
        }
        Ok(())
    }

    /// Nobody calls for this long: upstream asked for it.
    pub(super) fn pause(&self, wait: Duration) {
        if let Some(whole) = &self.shared.whole {
            return whole.pause(wait);
        }
        let until = Instant::now() + wait;
        let mut paused = self.shared.paused_until.lock();
        *paused = Some(paused.map_or(until, |before| before.max(until)));
    }
}

impl Shared {
    async fn take(&self, give_up: Instant) -> Result<(), Exhausted> {
        loop {
            let paused = *self.paused_until.lock();
            let wait = match paused.map(|until| until.saturating_duration_since(Instant::now())) {
                Some(wait) if !wait.is_zero() => wait,
                _ => match self.limiter.check() {
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

    /// How many of so many calls each got, where all want ever more: the first has so many tasks, and all
    /// others one.
    async fn served(greedy: usize, modest: usize, patience: Duration, of: usize) -> Vec<usize> {
        let number = |number| NonZeroU32::new(number).unwrap();
        let whole = Budget::per_minute(number(60_000), number(100), patience);
        let part = whole.part(number(6_000), number(1), patience);
        let all = Arc::new(std::sync::Mutex::new(vec![0; modest + 1]));
        let mut tasks = tokio::task::JoinSet::new();
        for (who, many) in std::iter::once(greedy).chain(vec![1; modest]).enumerate() {
            for _ in 0..many {
                let budget = part.on_behalf_of(&format!("connection {who}"));
                let all = Arc::clone(&all);
                tasks.spawn(async move {
                    loop {
                        let taken = budget.take().await.is_ok();
                        if !taken {
                            // Whoever is refused comes again when others have had theirs.
                            tokio::time::sleep(Duration::from_millis(3)).await;
                        }
                        let mut served = all.lock().unwrap();
                        if served.iter().sum::<usize>() == of {
                            return;
                        }
                        served[who] += usize::from(taken);
                    }
                });
            }
        }
        while tasks.join_next().await.is_some() {}
        let all = all.lock().unwrap();
        all.clone()
    }

    #[tokio::test]
    async fn one_that_wants_a_hundred_times_as_much_gets_no_more_than_each_of_the_others() {
        let served = served(100, 3, Duration::from_secs(30), 200).await;
        let (most, least) = (served.iter().max().unwrap(), served.iter().min().unwrap());
        assert!(*most <= least + 2, "{served:?}");
    }

    /// A round is longer than anybody waits: everybody is refused at times, and nobody always.
    #[tokio::test]
    async fn nobody_starves_where_there_is_not_enough_for_a_round() {
        let served = served(50, 11, Duration::from_millis(60), 200).await;
        let (most, least) = (served.iter().max().unwrap(), served.iter().min().unwrap());
        assert!(*least >= most / 3 && *least > 2, "{served:?}");
    }

    /// Under either reading of Fireblocks' limits: what two API users of the gate's ask counts in one.
    #[tokio::test]
    async fn invariant_6_turns_take_no_more_than_the_part_and_the_whole() {
        let number = |number| NonZeroU32::new(number).unwrap();
        let whole = Budget::per_minute(number(40), number(20), Duration::ZERO);
        let part = whole.part(number(20), number(10), Duration::ZERO);
        let mut taken = 0;
        for who in (0..10).cycle().take(200) {
            let who = part.on_behalf_of(&format!("connection {who}"));
            taken += usize::from(who.take().await.is_ok());
        }
        assert_eq!(taken, 10, "the part's burst, however many share it");
        while whole.take().await.is_ok() {
            taken += 1;
        }
        assert_eq!(taken, 20);
    }

    /// Whoever hangs up while it waits, or while it has the turn, holds nobody up.
    #[tokio::test]
    async fn a_turn_is_passed_on_by_who_hangs_up() {
        let number = |number| NonZeroU32::new(number).unwrap();
        let budget = Budget::per_minute(number(2), number(1), Duration::from_secs(600));
        let (first, second) = (budget.on_behalf_of("first"), budget.on_behalf_of("second"));
        assert_eq!(first.take().await, Ok(()));
        let short = Duration::from_millis(20);
        for _ in 0..3 {
            let (held, waits) = tokio::join!(
                tokio::time::timeout(short, first.take()),
                tokio::time::timeout(short, second.take()),
            );
            assert!(held.is_err() && waits.is_err());
        }
        let free = Budget::per_minute(number(1_000), number(100), short).on_behalf_of("x");
        let turns = Arc::clone(&free.shared.turns);
        let held = turns::wait(&turns, &"y".into(), Instant::now() + short).await;
        let held = held.expect("the turn");
        assert_eq!(free.take().await, Err(Exhausted), "somebody has it");
        drop(held);
        assert_eq!(free.take().await, Ok(()));
    }
}
