//! Nonces that were seen, in memory until their token has expired.
//!
//! A busy key has a hundred thousand of them: what has expired is forgotten a small part at a time, and
//! no table is large enough for its growth to be felt, so that no call waits for the others' nonces; only
//! where a key has come to the end of its room is all of it looked through at once, every few seconds.

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
/// How often a part is swept, in seconds; the parts take turns.
const SWEEP: i64 = 16;
/// How often all parts are swept at once for one that has come to the end of its room, in seconds.
const SWEEP_ALL: i64 = 5;

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
    swept_at: i64,
}

#[derive(Debug, Default)]
struct Part {
    seen: HashTable<Remembered>,
    swept_in: i64,
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
        let of_user = users.entry(user).or_default();
        of_user.make_room(now);
        if of_user.count >= MAX_PER_USER {
            return Seen::TooMany;
        }
        let Some((number, part)) = of_user.part(hash) else {
            return Seen::TooMany;
        };
        let turn = (now + number).div_euclid(SWEEP);
        let swept = if part.swept_in == turn {
            0
        } else {
            part.swept_in = turn;
            part.sweep(now)
        };
        let again = |known: &Remembered| self.hasher.hash_one(&known.nonce);
        let seen = match part.seen.entry(hash, |known| known.nonce == *nonce, again) {
            Entry::Vacant(place) => {
                place.insert(Remembered {
                    nonce: nonce.clone(),
                    until,
                });
                Seen::New
            }
            // Remembered for as long as the longer-lived of the tokens that bear it.
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.until = known.until.max(until);
                Seen::Before
            }
        };
        of_user.count = of_user.count + usize::from(seen == Seen::New) - swept;
        seen
    }

    /// Forgets a nonce: its call was only told to come again, and may come with the same token.
    pub(super) fn forget(&self, user: UserId, nonce: &Nonce) {
        let hash = self.hasher.hash_one(nonce);
        let mut users = self.users.lock();
        let Some(of_user) = users.get_mut(&user) else {
            return;
        };
        let found = of_user.part(hash).map(|(_, part)| {
            let entry = part.seen.find_entry(hash, |known| known.nonce == *nonce);
            entry.map(|entry| entry.remove()).is_ok()
        });
        of_user.count -= usize::from(found == Some(true));
    }
}

impl Default for OfUser {
    fn default() -> Self {
        Self {
            parts: std::array::from_fn(|_| Part::default()),
            count: 0,
            swept_at: i64::MIN,
        }
    }
}

impl OfUser {
    /// The part in which a nonce is, and its number: by bits of the hash by which no table goes.
    fn part(&mut self, hash: u64) -> Option<(i64, &mut Part)> {
        let number = (hash >> 32) % PARTS as u64;
        let part = self.parts.get_mut(usize::try_from(number).ok()?)?;
        Some((i64::try_from(number).ok()?, part))
    }

    /// Sweeps everything where there would be no room.
    fn make_room(&mut self, now: i64) {
        if self.count >= MAX_PER_USER && self.swept_at.saturating_add(SWEEP_ALL) <= now {
            self.swept_at = now;
            let swept: usize = self.parts.iter_mut().map(|part| part.sweep(now)).sum();
            self.count -= swept;
        }
    }
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
        // All but the last have expired by then; that is looked for at once, and not more often.
        assert_eq!(say(MAX_PER_USER, MAX_PER_USER + 1, 159), 0);
        assert_eq!(say(MAX_PER_USER, MAX_PER_USER + 1, 160), 1);
        assert_eq!((count(), held()), (Some(2), Some(2)));
        // In the course of things each part is swept in its turn.
        assert_eq!(say(0, 20_000, 161), 19_999, "the one is remembered");
        for now in 217..217 + SWEEP {
            let (from, to) = (1_000 * now as usize, 1_000 * now as usize + 1_000);
            assert_eq!(say(from, to, now), 1_000);
        }
        assert_eq!((count(), held()), (Some(16_000), Some(16_000)));
    }
}
