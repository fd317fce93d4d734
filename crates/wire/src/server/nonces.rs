//! Nonces that were seen, in memory until their token has expired.
//!
//! A busy key has a hundred thousand of them: they lie in many small tables, and a call sweeps no more than
//! the one that its own nonce belongs in, so that none waits for all of them.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use parking_lot::Mutex;
use protocol::ids::UserId;
use protocol::token::Nonce;

/// Most nonces remembered of one key. A key that sends more within a token's life is refused.
const MAX_PER_USER: usize = 200_000;
/// Parts that a key's nonces are divided into; the tables of each grow and are swept by themselves.
const PARTS: usize = 64;
/// How often a part is swept, in seconds: while there is room, and once there is none.
const SWEEP: i64 = 16;
const SWEEP_FULL: i64 = 1;

/// The nonces of every key.
#[derive(Debug, Default)]
pub(super) struct Nonces {
    users: Mutex<HashMap<UserId, OfUser>>,
    hasher: RandomState,
}

#[derive(Debug)]
struct OfUser {
    parts: [Part; PARTS],
    count: usize,
}

#[derive(Debug, Default)]
struct Part {
    seen: HashTable<Remembered>,
    swept_at: i64,
}

#[derive(Debug)]
struct Remembered {
    nonce: Nonce,
    /// Until when, in seconds.
    until: i64,
}

/// What became of a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    /// It is new, and remembered now.
    New,
    /// It was used before.
    Before,
    /// There are too many.
    TooMany,
}

impl Nonces {
    /// Remembers a nonce of a verified token.
    pub(super) fn remember(&self, user: UserId, nonce: &Nonce, until: i64, now: i64) -> Seen {
        let hash = self.hasher.hash_one(nonce);
        let mut users = self.users.lock();
        let OfUser { parts, count } = users.entry(user).or_default();
        let Some(part) = part_of(parts, hash) else {
            return Seen::TooMany;
        };
        let is_full = *count >= MAX_PER_USER;
        let every = if is_full { SWEEP_FULL } else { SWEEP };
        if part.swept_at.saturating_add(every) <= now {
            part.swept_at = now;
            *count -= part.sweep(now);
        }
        if *count >= MAX_PER_USER {
            return Seen::TooMany;
        }
        let again = |known: &Remembered| self.hasher.hash_one(&known.nonce);
        match part.seen.entry(hash, |known| known.nonce == *nonce, again) {
            Entry::Vacant(place) => {
                place.insert(Remembered {
                    nonce: nonce.clone(),
                    until,
                });
                *count += 1;
                Seen::New
            }
            // Remembered for as long as the longer-lived of the tokens that bear it.
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.until = known.until.max(until);
                Seen::Before
            }
        }
    }

    /// Forgets a nonce: its call was only told to come again, and may come with the same token.
    pub(super) fn forget(&self, user: UserId, nonce: &Nonce) {
        let hash = self.hasher.hash_one(nonce);
        let mut users = self.users.lock();
        let Some(OfUser { parts, count }) = users.get_mut(&user) else {
            return;
        };
        let found = part_of(parts, hash).and_then(|part| {
            part.seen
                .find_entry(hash, |known| known.nonce == *nonce)
                .ok()
        });
        if let Some(known) = found {
            known.remove();
            *count -= 1;
        }
    }
}

impl Default for OfUser {
    fn default() -> Self {
        Self {
            parts: std::array::from_fn(|_| Part::default()),
            count: 0,
        }
    }
}

/// The part in which a nonce is: by bits of the hash by which no table goes.
fn part_of(parts: &mut [Part; PARTS], hash: u64) -> Option<&mut Part> {
    parts.get_mut(usize::try_from((hash >> 32) % PARTS as u64).ok()?)
}

impl Part {
    /// Forgets what has expired; how many.
    fn sweep(&mut self, now: i64) -> usize {
        let before = self.seen.len();
        self.seen.retain(|known| known.until >= now);
        before - self.seen.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonce(text: &str) -> Nonce {
        text.parse().expect("a nonce")
    }

    #[test]
    fn a_repeat_shortens_no_nonces_memory() {
        let (nonces, a) = (Nonces::default(), UserId(uuid::Uuid::from_u128(1)));
        assert_eq!(nonces.remember(a, &nonce("n"), 155, 100), Seen::New);
        assert_eq!(nonces.remember(a, &nonce("n"), 108, 101), Seen::Before);
        // Long enough for every part to be swept.
        for now in 115..115 + SWEEP {
            for number in 0..1_000 {
                let other = nonce(&format!("{now}-{number}"));
                assert_eq!(nonces.remember(a, &other, 170, now), Seen::New);
            }
        }
        assert_eq!(nonces.remember(a, &nonce("n"), 155, 140), Seen::Before);
    }

    #[test]
    fn a_nonce_works_once_for_its_key() {
        let (nonces, a, b) = (
            Nonces::default(),
            UserId(uuid::Uuid::from_u128(1)),
            UserId(uuid::Uuid::from_u128(2)),
        );
        assert_eq!(nonces.remember(a, &nonce("n"), 155, 100), Seen::New);
        assert_eq!(nonces.remember(a, &nonce("n"), 155, 101), Seen::Before);
        assert_eq!(nonces.remember(b, &nonce("n"), 155, 101), Seen::New);
        assert_eq!(
            nonces.remember(a, &nonce("n"), 155, 154),
            Seen::Before,
            "kept until its token has expired"
        );
        assert_eq!(nonces.remember(a, &nonce("m"), 300, 200), Seen::New);
    }

    #[test]
    fn what_has_expired_is_forgotten_and_makes_room() {
        let (nonces, a) = (Nonces::default(), UserId(uuid::Uuid::from_u128(1)));
        let count = || nonces.users.lock().get(&a).map(|of| of.count);
        let held = || {
            let users = nonces.users.lock();
            users
                .get(&a)
                .map(|of| of.parts.iter().map(|part| part.seen.len()).sum())
        };
        let say = |from: usize, to: usize, now: i64| {
            (from..to)
                .map(|number| nonces.remember(a, &nonce(&number.to_string()), now + 55, now))
                .filter(|seen| *seen == Seen::New)
                .count()
        };
        assert_eq!(say(0, MAX_PER_USER + 7, 100), MAX_PER_USER);
        assert_eq!((count(), held()), (Some(MAX_PER_USER), Some(MAX_PER_USER)));
        assert_eq!(
            say(MAX_PER_USER, MAX_PER_USER + 1, 155),
            0,
            "none has expired"
        );
        nonces.forget(a, &nonce("3"));
        assert_eq!(say(3, 4, 155), 1, "a nonce that was forgotten makes room");
        // All but that one have expired by then. Each call looks for that where its own nonce belongs, and
        // not twice in a second; so one part after the other has room again.
        let first = say(MAX_PER_USER, MAX_PER_USER + 1, 159);
        assert_eq!(first, 1, "room at once");
        let (count_then, held_then) = (count(), held());
        assert_eq!(count_then, held_then);
        let one_part = MAX_PER_USER / PARTS;
        let left = count_then.map(|left: usize| MAX_PER_USER - left);
        assert!(
            left.is_some_and(|left| left > one_part / 2 && left < 2 * one_part),
            "{left:?} of {MAX_PER_USER} were looked at, not a part"
        );
        // In the course of things every part is swept.
        assert_eq!(say(300_000, 320_000, 175), 20_000);
        assert_eq!((count(), held()), (Some(20_002), Some(20_002)));
    }
}
