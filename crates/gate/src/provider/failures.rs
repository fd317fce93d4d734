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
/// How many of the oldest go at once, so that room is seldom made.
const ROOM: usize = MAX_PAIRS / 10;

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
        if pairs.len() >= MAX_PAIRS && !pairs.contains_key(&(user, from)) {
            make_room(&mut pairs, now);
        }
        let entry = pairs.entry((user, from)).or_insert((now, 0));
        if now >= entry.0.plus(WINDOW) {
            *entry = (now, 0);
        }
        entry.1 += 1;
    }
}

/// Windows that are over go first. Where all are open still, the oldest go: whoever has so many
/// addresses begins again a little early, and everybody else is heard as before.
fn make_room(pairs: &mut Pairs, now: Millis) {
    pairs.retain(|_, (since, _)| now < since.plus(WINDOW));
    if pairs.len() < MAX_PAIRS {
        return;
    }
    let mut oldest: Vec<_> = pairs.iter().map(|(pair, (at, _))| (*at, *pair)).collect();
    oldest.sort_unstable();
    for (_, pair) in oldest.into_iter().take(ROOM) {
        pairs.remove(&pair);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    /// However many addresses somebody has, and all within one window.
    #[test]
    fn no_more_pairs_are_remembered_than_the_limit() {
        let (failures, user) = (Failures::default(), UserId(Uuid::from_u128(1)));
        let from = |number: usize| IpAddr::from(std::net::Ipv6Addr::from(number as u128));
        let last = MAX_PAIRS + 5;
        for number in 0..=last {
            failures.add(user, from(number), Millis(number as i64 / 10));
            assert!(failures.0.lock().len() <= MAX_PAIRS);
        }
        let pairs = failures.0.lock();
        assert!(!pairs.contains_key(&(user, from(0))), "the oldest has gone");
        assert!(
            pairs.contains_key(&(user, from(ROOM))),
            "and no more than that"
        );
        assert!(pairs.contains_key(&(user, from(last))));
    }

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
