//! A workspace's own time: all that it stores or sends. It runs beside the world's, or stands.

use std::sync::Arc;

use parking_lot::Mutex;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use wire::clock::WallClock;
use wire::hooks_out::DueClock;

/// How a clock goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// With the world's, so many milliseconds ahead of it (or, where negative, behind).
    Running(i64),
    /// Not at all.
    Frozen(Millis),
}

/// The time of one workspace. It never goes back: it shows at least the moment of the last change.
pub struct WorkspaceClock {
    wall: Arc<dyn WallClock>,
    hands: Mutex<Hands>,
}

struct Hands {
    pace: Pace,
    /// The moment of the last change.
    last: Millis,
}

/// A clock cannot be set to before the last change: what is written later must be later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the workspace's last change was at {0}: its clock cannot be set to before that")]
pub struct TooEarly(pub Millis);

impl std::fmt::Debug for WorkspaceClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WorkspaceClock({})", self.now())
    }
}

impl Hands {
    fn now(&self, wall: Millis) -> Millis {
        let shown = match self.pace {
            Pace::Running(ahead) => wall.plus(ahead),
            Pace::Frozen(at) => at,
        };
        shown.max(self.last)
    }

    fn show(&mut self, at: Millis, wall: Millis) {
        self.pace = match self.pace {
            Pace::Running(_) => Pace::Running(at.0.saturating_sub(wall.0)),
            Pace::Frozen(_) => Pace::Frozen(at),
        };
    }
}

impl WorkspaceClock {
    /// A clock that went like this, and whose last change was then. It goes on after that, also
    /// where the machine's own clock was set back in between.
    pub fn resumed(wall: Arc<dyn WallClock>, pace: Pace, last: Millis) -> Self {
        let clock = Self {
            wall,
            hands: Mutex::new(Hands { pace, last }),
        };
        clock.turn(pace, last);
        clock
    }

    /// Makes it go like this, as if its last change had been then.
    pub fn turn(&self, pace: Pace, last: Millis) {
        let behind = last.0.saturating_sub(self.wall().0);
        let pace = match pace {
            Pace::Running(ahead) => Pace::Running(ahead.max(behind)),
            Pace::Frozen(at) => Pace::Frozen(at.max(last)),
        };
        *self.hands.lock() = Hands { pace, last };
    }

    fn wall(&self) -> Millis {
        WallClock::now(&self.wall)
    }

    /// How it goes.
    pub fn pace(&self) -> Pace {
        self.hands.lock().pace
    }

    /// Whether it stands.
    pub fn is_frozen(&self) -> bool {
        matches!(self.pace(), Pace::Frozen(_))
    }

    /// Now.
    pub fn now(&self) -> Millis {
        self.hands.lock().now(self.wall())
    }

    /// Moves it on, by milliseconds; one that stands stands there then.
    pub fn advance(&self, millis: u64) {
        let wall = self.wall();
        let mut hands = self.hands.lock();
        let on = i64::try_from(millis).unwrap_or(i64::MAX);
        let at = hands.now(wall).plus(on);
        hands.show(at, wall);
    }

    /// Shows this moment; whether it runs or stands stays as it is.
    pub fn set(&self, at: Millis) -> Result<(), TooEarly> {
        let mut hands = self.hands.lock();
        if at < hands.last {
            return Err(TooEarly(hands.last));
        }
        hands.show(at, self.wall());
        Ok(())
    }

    /// Stands where it is.
    pub fn freeze(&self) {
        let wall = self.wall();
        let mut hands = self.hands.lock();
        hands.pace = Pace::Frozen(hands.now(wall));
    }

    /// Runs on from where it is.
    pub fn unfreeze(&self) {
        let wall = self.wall();
        let mut hands = self.hands.lock();
        hands.pace = Pace::Running(hands.now(wall).0.saturating_sub(wall.0));
    }

    /// A moment that no other change has: each is after the one before, also where the clock stands.
    pub fn stamp(&self) -> Millis {
        let wall = self.wall();
        let mut hands = self.hands.lock();
        hands.last = hands.now(wall).max(hands.last.plus(1));
        hands.last
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

    fn clock(wall: &ManualClock, pace: Pace, last: i64) -> WorkspaceClock {
        WorkspaceClock::resumed(Arc::new(wall.clone()), pace, Millis(last))
    }

    #[test]
    fn no_two_changes_have_the_same_moment() {
        let clock = clock(&ManualClock::at(Millis(10)), Pace::Running(0), 0);
        let stamps = [clock.stamp(), clock.stamp(), clock.stamp()];
        assert_eq!(stamps, [Millis(10), Millis(11), Millis(12)]);
        assert_eq!(clock.now(), Millis(12), "it shows the last change");
        clock.advance(100);
        assert_eq!(clock.stamp(), Millis(112));
    }

    #[test]
    fn it_stands_until_it_runs_again() {
        let wall = ManualClock::at(Millis(1_000));
        let clock = clock(&wall, Pace::Running(500), 0);
        clock.freeze();
        wall.advance(5_000);
        assert_eq!((clock.now(), clock.is_frozen()), (Millis(1_500), true));
        let stamps = [clock.stamp(), clock.stamp()];
        assert_eq!(stamps, [Millis(1_500), Millis(1_501)], "also when frozen");
        assert_eq!(clock.set(Millis(1_400)), Err(TooEarly(Millis(1_501))));
        assert_eq!(clock.set(Millis(9_000)), Ok(()));
        clock.advance(10);
        assert_eq!(clock.pace(), Pace::Frozen(Millis(9_010)));
        clock.unfreeze();
        wall.advance(90);
        assert_eq!((clock.now(), clock.is_frozen()), (Millis(9_100), false));
    }

    #[test]
    fn it_may_run_behind_the_worlds() {
        let wall = ManualClock::at(Millis(1_000_000));
        let clock = clock(&wall, Pace::Frozen(Millis(50)), 40);
        assert_eq!(clock.stamp(), Millis(50));
        clock.unfreeze();
        wall.advance(10);
        assert_eq!(clock.now(), Millis(60));
        assert_eq!(clock.pace(), Pace::Running(-999_950));
    }

    #[test]
    fn it_goes_on_where_it_was_whatever_the_machines_clock_shows() {
        let at = |now, pace, last| {
            let clock = clock(&ManualClock::at(Millis(now)), pace, last);
            (clock.now(), clock.stamp())
        };
        let moved = (Millis(1_500), Millis(1_500));
        assert_eq!(at(1_000, Pace::Running(500), 1_400), moved, "moved before");
        assert_eq!(at(1_500, Pace::Running(0), 1_400), moved, "never moved");
        let (now, stamp) = at(200, Pace::Running(500), 1_400);
        assert_eq!((now, stamp), (Millis(1_400), Millis(1_401)), "set back");
    }
}
