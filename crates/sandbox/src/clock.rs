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
    /// A clock that shows the world's time until it is moved.
    pub fn new(wall: Arc<dyn WallClock>) -> Self {
        Self {
            wall,
            ahead: AtomicI64::new(0),
            last: AtomicI64::new(0),
        }
    }

    /// Now.
    pub fn now(&self) -> Millis {
        WallClock::now(&self.wall).plus(self.ahead.load(Ordering::SeqCst))
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
        let clock = WorkspaceClock::new(Arc::new(ManualClock::at(Millis(10))));
        let stamps = [clock.stamp(), clock.stamp(), clock.stamp()];
        assert_eq!(stamps, [Millis(10), Millis(11), Millis(12)]);
        clock.advance(100);
        assert_eq!(clock.stamp(), Millis(110));
    }
}
