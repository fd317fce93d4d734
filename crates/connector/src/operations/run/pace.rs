//! When a client's upstream is asked again, and what is worth telling of it.

use std::time::Duration;

use tokio::time::Instant;

/// The first wait after trouble with a client; it doubles.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// The longest wait after trouble.
const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// The pace of one client: even while all is well, slower and slower while it is not.
#[derive(Debug)]
pub(super) struct Pace {
    every: Duration,
    due: Instant,
    wait: Duration,
    trouble: Option<String>,
}

impl Pace {
    /// Due at once, then every so often.
    pub(super) fn new(now: Instant, every: Duration) -> Self {
        Self {
            every,
            due: now,
            wait: FIRST_WAIT,
            trouble: None,
        }
    }

    /// When upstream is asked next.
    pub(super) const fn due(&self) -> Instant {
        self.due
    }

    /// Upstream was asked, and all is well. Whether that is news.
    pub(super) fn well(&mut self, now: Instant) -> bool {
        self.wait = FIRST_WAIT;
        self.due = now + self.every;
        self.trouble.take().is_some()
    }

    /// It failed. Whether that is news: the same trouble again is none.
    pub(super) fn failed(&mut self, now: Instant, why: String) -> bool {
        // What fails between (an event came, and upstream was asked of it) makes no wait longer.
        if now >= self.due || self.trouble.is_none() {
            self.due = now + self.wait;
            self.wait = (self.wait * 2).min(LONGEST_WAIT);
        }
        let news = self.trouble.as_ref() != Some(&why);
        self.trouble = Some(why);
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(900);

    #[test]
    fn waits_double_up_to_a_bound_and_the_same_trouble_is_told_once() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now, EVERY);
        let (mut waits, mut told) = (Vec::new(), 0);
        for _ in 0..10 {
            told += u32::from(pace.failed(now, "too much".to_owned()));
            waits.push((pace.due() - now).as_secs());
            now = pace.due();
        }
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(told, 1);
        assert!(
            pace.failed(now, "not reached".to_owned()),
            "another trouble"
        );
        now = pace.due();
        assert!(pace.well(now), "that it is over is news");
        assert!(!pace.well(now), "that it goes on is none");
        assert_eq!(pace.due() - now, EVERY);
        assert!(pace.failed(now, "too much".to_owned()));
        assert_eq!(pace.due() - now, FIRST_WAIT, "begins anew");
    }

    #[test]
    fn what_fails_between_two_tries_makes_no_wait_longer() {
        let now = Instant::now();
        let mut pace = Pace::new(now, EVERY);
        pace.failed(now, "down".to_owned());
        let due = pace.due();
        for _ in 0..5 {
            assert!(!pace.failed(now, "down".to_owned()));
        }
        assert_eq!(pace.due(), due);
    }
}
