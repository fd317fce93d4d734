//! The load generator's own time. It stands still while the generator does not have its core, which it may
//! share with what makes events: what it could not send then is no server's fault.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::stay_awake;

/// A moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    at: Duration,
    /// How long the generator had been away, in nanoseconds.
    away: u64,
}

impl Look {
    /// How long it took until then; nothing if the generator was away meanwhile.
    pub(super) fn until(self, then: Self) -> Option<Duration> {
        (then.away == self.away).then(|| then.at.saturating_sub(self.at))
    }
}

/// The generator's own time. The generator looks here all the time, as long as it has its core.
#[derive(Debug)]
pub(super) struct Clock {
    began: Instant,
    /// When it looked last, in nanoseconds.
    looked: AtomicU64,
    /// How long it was away in all, in nanoseconds.
    away: AtomicU64,
}

impl Clock {
    /// Not to have looked for so long is to have been away: the generator looks before and after each answer,
    /// and the longest takes less to read.
    const AWAY: u64 = 150_000;

    /// A clock that is looked at as long as this runtime runs: it never sleeps from now on.
    pub(super) fn watched() -> Arc<Self> {
        let clock = Arc::new(Self::new());
        let watched = Arc::clone(&clock);
        stay_awake(move || {
            watched.now();
        });
        clock
    }

    fn new() -> Self {
        Self {
            began: Instant::now(),
            looked: AtomicU64::new(0),
            away: AtomicU64::new(0),
        }
    }

    /// How much of it has gone by.
    pub(super) fn now(&self) -> Duration {
        let real = u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.at(real)
    }

    /// A look at it.
    pub(super) fn looks(&self) -> Look {
        let at = self.now();
        let away = self.away.load(Ordering::Relaxed);
        Look { at, away }
    }

    /// The generator's time where so much has gone by in truth.
    fn at(&self, real: u64) -> Duration {
        let since = real.saturating_sub(self.looked.swap(real, Ordering::Relaxed));
        let more = if since > Self::AWAY { since } else { 0 };
        let away = self.away.fetch_add(more, Ordering::Relaxed) + more;
        Duration::from_nanos(real.saturating_sub(away))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generators_clock_stands_still_while_it_is_away() {
        let clock = Clock::new();
        let at = |real| clock.at(real).as_nanos();
        assert_eq!((at(100_000), at(200_000)), (100_000, 200_000));
        assert_eq!(at(5_200_000), 200_000, "away for 5 ms");
        assert_eq!((at(5_300_000), at(5_400_000)), (300_000, 400_000));
    }
}
