//! Looks at all of upstream that were asked for, beside those that are due anyway.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;

/// How many were asked for, and how many are over.
pub(crate) struct Looks {
    asked: watch::Sender<u64>,
    /// In the lane of what events tell of.
    told: AtomicU64,
    /// In the other one.
    untold: AtomicU64,
}

impl Default for Looks {
    fn default() -> Self {
        Self {
            asked: watch::Sender::new(0),
            told: AtomicU64::new(0),
            untold: AtomicU64::new(0),
        }
    }
}

impl Looks {
    /// Asks for one more.
    pub(crate) fn ask(&self) {
        self.asked.send_modify(|asked| *asked += 1);
    }

    /// Wakes whoever keeps the books, without asking for a look.
    pub(crate) fn wake(&self) {
        self.asked.send_modify(|_| {});
    }

    /// How many were asked for, as it changes.
    pub(crate) fn subscribe(&self) -> watch::Receiver<u64> {
        self.asked.subscribe()
    }

    /// A lane is done with so many.
    pub(super) fn over(&self, told: bool, asked: u64) {
        let lane = if told { &self.told } else { &self.untold };
        lane.fetch_max(asked, Ordering::SeqCst);
    }

    /// Whether one that was asked for is not over.
    pub(crate) fn go_on(&self) -> bool {
        let asked = *self.asked.borrow();
        [&self.told, &self.untold]
            .iter()
            .any(|lane| lane.load(Ordering::SeqCst) < asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_goes_on_until_both_lanes_are_done_with_it() {
        let looks = Looks::default();
        assert!(!looks.go_on());
        looks.ask();
        looks.wake();
        assert!(looks.go_on());
        looks.over(true, 1);
        assert!(looks.go_on());
        looks.over(false, 1);
        assert!(!looks.go_on());
        looks.ask();
        looks.over(false, 2);
        assert!(looks.go_on());
        // A lane that begins anew, as after another gate has led, may tell of less.
        looks.over(false, 0);
        looks.over(true, 2);
        assert!(!looks.go_on());
    }
}
