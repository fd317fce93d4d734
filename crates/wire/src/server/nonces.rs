//! Nonces that were seen, in memory until their token has expired.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use parking_lot::Mutex;
use protocol::ids::UserId;
use protocol::token::Nonce;

/// Most nonces remembered of one key. A key that sends more within a token's life is refused.
const MAX_PER_USER: usize = 200_000;

/// The nonces of every key.
#[derive(Debug, Default)]
pub(super) struct Nonces(Mutex<HashMap<UserId, OfUser>>);

#[derive(Debug, Default)]
struct OfUser {
    /// Until when each must be remembered, in seconds.
    until: HashMap<Nonce, i64>,
    swept_at: i64,
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
        let mut users = self.0.lock();
        let of_user = users.entry(user).or_default();
        if of_user.swept_at + 5 <= now {
            of_user.until.retain(|_, until| *until >= now);
            of_user.swept_at = now;
        }
        if of_user.until.len() >= MAX_PER_USER {
            return Seen::TooMany;
        }
        match of_user.until.entry(nonce.clone()) {
            Entry::Vacant(place) => {
                place.insert(until);
                Seen::New
            }
            // Remembered for as long as the longer-lived of the tokens that bear it.
            Entry::Occupied(mut known) => {
                let later = until.max(*known.get());
                known.insert(later);
                Seen::Before
            }
        }
    }
}

impl Nonces {
    /// Forgets a nonce: its call was only told to come again, and may come with the same token.
    pub(super) fn forget(&self, user: UserId, nonce: &Nonce) {
        if let Some(of_user) = self.0.lock().get_mut(&user) {
            of_user.until.remove(nonce);
        }
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
        assert_eq!(
            nonces.remember(a, &nonce("other"), 170, 115),
            Seen::New,
            "a sweep"
        );
        assert_eq!(nonces.remember(a, &nonce("n"), 155, 120), Seen::Before);
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
        assert_eq!(
            nonces.0.lock().get(&a).map(|of| of.until.len()),
            Some(1),
            "the expired one is forgotten"
        );
    }
}
