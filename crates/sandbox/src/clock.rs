//! A workspace's own time: all that a sandbox stores or sends. It may run ahead of the world's.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use protocol::time::Millis;
use wire::clock::WallClock;
use wire::hooks_out::DueClock;

/// The time of a sandbox's workspaces.
pub struct WorkspaceClock {
    wall: Arc<dyn WallClock>,
    ahead: AtomicI64,
    last: AtomicI64,
}

impl std::fmt::Debug for WorkspaceClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WorkspaceClock({})", self.now())
    }
}

impl WorkspaceClock {
    /// A clock that was moved ahead by so much, and whose last change was then. It goes on after
    /// that, also where the machine's own clock was set back in between: what is written later
    /// must be later.
    pub fn resumed(wall: Arc<dyn WallClock>, ahead: i64, last: Millis) -> Self {
        let behind = last.0.saturating_sub(WallClock::now(&wall).0);
        Self {
            wall,
            ahead: AtomicI64::new(ahead.max(behind)),
            last: AtomicI64::new(last.0),
        }
    }

    /// How far ahead of the world's time it is, in milliseconds.
    pub fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::SeqCst)
    }

    /// Now.
    pub fn now(&self) -> Millis {
        WallClock::now(&self.wall).plus(self.ahead())
    }

    /// Moves it ahead of the world's time, by milliseconds.
    pub fn advance(&self, millis: u32) {
        self.ahead.fetch_add(i64::from(millis), Ordering::SeqCst);
    }

    /// A moment that no other change has: each is after the one before.
    pub fn stamp(&self) -> Millis {
        let now = self.now().0;
        let last = self
            .last
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| {
                Some(now.max(last.saturating_add(1)))
            });
        let last = last.unwrap_or_else(|last| last);
        Millis(now.max(last.saturating_add(1)))
    }
}

impl DueClock for WorkspaceClock {
    fn now(&self) -> Millis {
        Self::now(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::clock::ManualClock;

    #[test]
    fn no_two_changes_have_the_same_moment() {
        let clock = WorkspaceClock::resumed(Arc::new(ManualClock::at(Millis(10))), 0, Millis(0));
        let stamps = [clock.stamp(), clock.stamp(), clock.stamp()];
        assert_eq!(stamps, [Millis(10), Millis(11), Millis(12)]);
        clock.advance(100);
        assert_eq!(clock.stamp(), Millis(110));
    }

    #[test]
    fn it_goes_on_where_it_was_whatever_the_machines_clock_shows() {
        let at = |now, ahead, last| {
            let clock = WorkspaceClock::resumed(
                Arc::new(ManualClock::at(Millis(now))),
                ahead,
                Millis(last),
            );
            (clock.now(), clock.stamp())
        };
        let moved = (Millis(1_500), Millis(1_500));
        assert_eq!(at(1_000, 500, 1_400), moved, "moved ahead before");
        assert_eq!(at(1_500, 0, 1_400), moved, "never moved");
        let (now, stamp) = at(200, 500, 1_400);
        assert_eq!((now, stamp), (Millis(1_400), Millis(1_401)), "set back");
    }
}
