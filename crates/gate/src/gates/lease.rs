//! A gate's lease: for how long it may go by what it has in memory.

use std::time::{Duration, Instant};

use parking_lot::RwLock;
use protocol::time::Millis;
use uuid::Uuid;

/// How long a gate serves after it began to look whether a connection has changed.
pub(crate) const LEASE: Duration = Duration::from_secs(2);

/// A moment by two clocks. One stands still while the machine sleeps, the other can be set: so a
/// lease holds by both, or not at all.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Since {
    pub(crate) steady: Instant,
    pub(crate) wall: Millis,
}

impl Since {
    /// This moment.
    pub(crate) fn now(wall: Millis) -> Self {
        Self {
            steady: Instant::now(),
            wall,
        }
    }

    /// Whether less than a lease has passed until then.
    fn covers(self, then: Self) -> bool {
        let wall = then.wall.0.checked_sub(self.wall.0);
        let wall = wall.and_then(|millis| u64::try_from(millis).ok());
        then.steady.saturating_duration_since(self.steady) < LEASE
            && wall.is_some_and(|millis| Duration::from_millis(millis) < LEASE)
    }
}

/// A gate's lease.
#[derive(Debug)]
pub(crate) enum Lease {
    /// No other gate can be over its store: it needs none.
    Alone,
    /// Others may be.
    Shared {
        /// This process, as the others know it.
        instance: Uuid,
        /// Since when it holds; nothing: it was never begun.
        since: RwLock<Option<Since>>,
    },
}

impl Lease {
    /// Of a gate that is not the only one; not begun yet.
    pub(crate) fn shared() -> Self {
        Self::Shared {
            instance: Uuid::new_v4(),
            since: RwLock::default(),
        }
    }

    /// This process among others.
    pub(crate) fn instance(&self) -> Option<Uuid> {
        match self {
            Self::Alone => None,
            Self::Shared { instance, .. } => Some(*instance),
        }
    }

    /// What was written down when this began is taken in.
    pub(crate) fn renew(&self, began: Since) {
        if let Self::Shared { since, .. } = self {
            *since.write() = Some(began);
        }
    }

    /// Whether the gate may serve.
    pub(crate) fn holds(&self, wall: Millis) -> bool {
        match self {
            Self::Alone => true,
            Self::Shared { since, .. } => {
                let since = *since.read();
                since.is_some_and(|since| since.covers(Since::now(wall)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariant_2_a_lease_holds_by_both_clocks_or_not_at_all() {
        let began = Since::now(Millis(1_000_000));
        let after = |steady: u64, wall: i64| Since {
            steady: began.steady + Duration::from_millis(steady),
            wall: began.wall.plus(wall),
        };
        for (steady, wall, holds) in [
            (0, 0, true),
            (1_999, 1_999, true),
            (2_000, 1_999, false),
            (1_999, 2_000, false),
            // The machine slept, and its steady clock with it.
            (10, 3_600_000, false),
            // Somebody has set the clock back.
            (10, -1, false),
            (3_000, 10, false),
        ] {
            assert_eq!(began.covers(after(steady, wall)), holds, "{steady} {wall}");
        }
    }

    #[test]
    fn invariant_2_a_lease_that_was_not_begun_holds_for_nobody() {
        let (now, lease) = (Millis(5), Lease::shared());
        assert!(!lease.holds(now));
        lease.renew(Since::now(now));
        assert!(lease.holds(now));
        assert!(!lease.holds(now.plus(-1)));
        assert!(Lease::Alone.holds(now));
    }
}
