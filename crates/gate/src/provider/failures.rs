//! Failed checks per key and address: whoever guesses is soon not heard any more.

use std::collections::HashMap;
use std::net::IpAddr;

use parking_lot::Mutex;
use protocol::ids::UserId;
use protocol::time::Millis;

/// Failures of one key from one address in one window.
const MAX_FAILURES: u32 = 30;
/// The window.
const WINDOW: i64 = Millis::MINUTE;
/// Most pairs remembered; beyond it the oldest windows go.
const MAX_PAIRS: usize = 100_000;

type Pairs = HashMap<(UserId, IpAddr), (Millis, u32)>;

/// The failures of the last minute.
#[derive(Debug, Default)]
pub(super) struct Failures(Mutex<Pairs>);

impl Failures {
    /// Whether the pair may still try.
    pub(super) fn room(&self, user: UserId, from: IpAddr, now: Millis) -> bool {
        match self.0.lock().get(&(user, from)) {
            Some((since, count)) => *count < MAX_FAILURES || now >= since.plus(WINDOW),
            None => true,
        }
    }

    /// Counts a failure.
    pub(super) fn add(&self, user: UserId, from: IpAddr, now: Millis) {
        let mut pairs = self.0.lock();
        if pairs.len() >= MAX_PAIRS {
            pairs.retain(|_, (since, _)| now < since.plus(WINDOW));
        }
        let entry = pairs.entry((user, from)).or_insert((now, 0));
        if now >= entry.0.plus(WINDOW) {
            *entry = (now, 0);
        }
        entry.1 += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn guessing_ends_and_begins_again_after_a_minute() {
        let (failures, user, from) = (
            Failures::default(),
            UserId(Uuid::from_u128(1)),
            IpAddr::from([192, 0, 2, 1]),
        );
        for _ in 0..MAX_FAILURES {
            assert!(failures.room(user, from, Millis(0)));
            failures.add(user, from, Millis(0));
        }
        assert!(!failures.room(user, from, Millis(1)));
        assert!(failures.room(user, IpAddr::from([192, 0, 2, 2]), Millis(1)));
        assert!(failures.room(user, from, Millis(WINDOW)));
    }
}
