//! A connection's keys: which lets in, and what becomes of them when one takes another's place. Pure.
//!
//! ```text
//! offered by the provider ─► NEXT ──confirmed by the client──► ACTIVE ◄── brought by the client
//!                              │                                 │
//!                              │ refused, or another offered     │ another became active
//!                              ▼                                 ▼
//!                           RETIRED ◄──the overlap has ended── RETIRING
//!                              ▲                                 │
//!                              └────── no overlap: at once ──────┘
//! any of them ──its private half was seen──► BURNED, for ever
//! ```

use std::time::Duration;

use protocol::keys::{KeyFingerprint, PublicKey};
use protocol::time::Millis;
use serde::Serialize;

/// Longest time that two keys are let in.
pub const MAX_OVERLAP: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long, where nobody says.
pub const OVERLAP: Duration = Duration::from_secs(24 * 60 * 60);
/// Most keys that are remembered of one connection.
pub const MAX_KEYS: usize = 64;

/// How far a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// The provider has offered it; the client has not decided.
    Next,
    /// The connection's key.
    Active,
    /// Another has taken its place; until then it is let in, too.
    Retiring {
        /// Until when.
        until: Millis,
    },
    /// It is not let in any more.
    Retired,
    /// Its private half was seen: it never comes in again.
    Burned,
}

impl KeyState {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "NEXT",
            Self::Active => "ACTIVE",
            Self::Retiring { .. } => "RETIRING",
            Self::Retired => "RETIRED",
            Self::Burned => "BURNED",
        }
    }
}

/// A key of a connection's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldKey {
    /// Whose.
    pub connection: String,
    /// The key.
    pub key: PublicKey,
    /// How far it is, as written down.
    pub state: KeyState,
    /// When it came.
    pub added_at: Millis,
    /// Since when it is in its state.
    pub since: Millis,
    /// From when on it lets nobody in, whatever its state.
    pub expires_at: Option<Millis>,
    /// When it was used last, as written down.
    pub last_used: Option<Millis>,
}

impl HeldKey {
    /// A key that comes now.
    pub fn new(connection: &str, key: PublicKey, state: KeyState, now: Millis) -> Self {
        Self {
            connection: connection.to_owned(),
            key,
            state,
            added_at: now,
            since: now,
            expires_at: None,
            last_used: None,
        }
    }

    /// Which key.
    pub fn fingerprint(&self) -> KeyFingerprint {
        self.key.fingerprint()
    }

    /// How far it is now: an overlap ends by itself.
    pub fn state_at(&self, now: Millis) -> KeyState {
        match self.state {
            KeyState::Retiring { until } if until <= now => KeyState::Retired,
            state => state,
        }
    }

    /// Until when it lets in, if it ever does; nothing inside: for as long as it stands.
    pub fn open_until(&self) -> Option<Option<Millis>> {
        let until = match self.state {
            KeyState::Active => None,
            KeyState::Retiring { until } => Some(until),
            KeyState::Next | KeyState::Retired | KeyState::Burned => return None,
        };
        Some(match (until, self.expires_at) {
            (Some(until), Some(expires)) => Some(until.min(expires)),
            (until, expires) => until.or(expires),
        })
    }

    fn becomes(&self, state: KeyState, now: Millis) -> Self {
        Self {
            state,
            since: now,
            ..self.clone()
        }
    }
}

/// What changes when this key becomes the connection's: it and the ones before it. Of two that were
/// let in, one stays for the overlap: never more than two are.
pub fn rotate(keys: &[HeldKey], to: &HeldKey, overlap: Duration, now: Millis) -> Vec<HeldKey> {
    let length = i64::try_from(overlap.min(MAX_OVERLAP).as_millis()).unwrap_or(0);
    let others = keys.iter().filter(|key| key.key != to.key);
    let left = others.filter_map(|key| match key.state {
        KeyState::Active if length > 0 => {
            let until = now.plus(length);
            Some(key.becomes(KeyState::Retiring { until }, now))
        }
        KeyState::Active | KeyState::Next | KeyState::Retiring { .. } => {
            Some(key.becomes(KeyState::Retired, now))
        }
        KeyState::Retired | KeyState::Burned => None,
    });
    let comes_back = to.state_at(now) == KeyState::Retired;
    let mut to = to.becomes(KeyState::Active, now);
    // What had expired lets in again: that is what it was brought back for.
    to.expires_at = to.expires_at.filter(|at| !comes_back || *at > now);
    left.chain([to]).collect()
}

/// A key as it is shown: to the client's people, and to the provider whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShownKey {
    /// SHA-256 of the modulus, hex: comparable from gate to gate.
    pub fingerprint: String,
    /// How long its modulus is.
    pub bits: usize,
    /// NEXT, ACTIVE, RETIRING, RETIRED or BURNED.
    pub state: String,
    /// When it came.
    pub added_at: Millis,
    /// Since when it is in this state.
    pub since: Millis,
    /// Until when it is let in, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Millis>,
    /// When it expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Millis>,
    /// When it was used last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used: Option<Millis>,
    /// What could be better about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl ShownKey {
    /// As it stands now; `used` is what is known beside what is written down.
    pub fn of(key: &HeldKey, used: Option<Millis>, now: Millis) -> Self {
        let state = key.state_at(now);
        let stands = matches!(state, KeyState::Next | KeyState::Active);
        Self {
            fingerprint: key.fingerprint().to_string(),
            bits: key.key.bits(),
            state: state.as_str().to_owned(),
            added_at: key.added_at,
            since: key.since,
            until: key.open_until().flatten(),
            expires_at: key.expires_at,
            last_used: key.last_used.max(used),
            advice: stands.then(|| protocol::csr::advice(&key.key)).flatten(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{KEY, NOW, OTHER};

    fn key(of: &protocol::keys::PrivateKey, state: KeyState) -> HeldKey {
        HeldKey::new("acme", of.public().clone(), state, NOW)
    }

    #[test]
    fn a_key_that_comes_back_lets_in_though_it_had_expired() {
        let expired = HeldKey {
            expires_at: Some(NOW),
            ..key(&OTHER, KeyState::Retired)
        };
        let active = key(&KEY, KeyState::Active);
        let made = |back: &HeldKey| {
            let after = rotate(std::slice::from_ref(&active), back, Duration::ZERO, NOW);
            after.iter().find_map(HeldKey::open_until)
        };
        assert_eq!(made(&expired), Some(None));
        let later = Some(NOW.plus(1));
        let other = HeldKey {
            expires_at: later,
            ..expired
        };
        assert_eq!(made(&other), Some(later), "an end that is to come stays");
    }

    #[test]
    fn an_overlap_ends_by_itself() {
        let (old, new) = (key(&KEY, KeyState::Active), key(&OTHER, KeyState::Next));
        let changed = rotate(
            &[old.clone(), new.clone()],
            &new,
            Duration::from_secs(60),
            NOW,
        );
        let until = NOW.plus(60_000);
        assert_eq!(changed[0].state, KeyState::Retiring { until });
        assert_eq!(changed[1].state, KeyState::Active);
        assert_eq!(changed[0].open_until(), Some(Some(until)));
        assert_eq!(
            changed[0].state_at(until.plus(-1)),
            KeyState::Retiring { until }
        );
        assert_eq!(changed[0].state_at(until), KeyState::Retired);
        // No overlap: the old key dies at once.
        let changed = rotate(&[old, new.clone()], &new, Duration::ZERO, NOW);
        assert_eq!(changed[0].state, KeyState::Retired);
        assert_eq!(changed[0].open_until(), None);
    }

    #[test]
    fn an_overlap_has_a_longest_and_an_expiry_comes_first() {
        let (old, new) = (key(&KEY, KeyState::Active), key(&OTHER, KeyState::Next));
        let year = Duration::from_secs(365 * 24 * 60 * 60);
        let changed = rotate(
            &[HeldKey {
                expires_at: Some(NOW.plus(5)),
                ..old
            }],
            &new,
            year,
            NOW,
        );
        let longest = i64::try_from(MAX_OVERLAP.as_millis()).expect("short");
        assert_eq!(
            changed[0].state,
            KeyState::Retiring {
                until: NOW.plus(longest)
            }
        );
        assert_eq!(changed[0].open_until(), Some(Some(NOW.plus(5))));
    }

    proptest! {
        /// Whatever was there: afterwards exactly one is active, and at most one other is let in.
        #[test]
        fn never_more_than_two_are_let_in(before in proptest::collection::vec(0u8..5, 0..6), overlap in 0u64..100) {
            let state = |word: &u8| match word {
                0 => KeyState::Next,
                1 => KeyState::Retiring { until: NOW.plus(9) },
                2 => KeyState::Retired,
                _ => KeyState::Burned,
            };
            // Keys of one connection differ; their moduli do not matter here.
            let mut keys: Vec<_> = before.iter().map(|word| key(&KEY, state(word))).collect();
            keys.push(key(&KEY, KeyState::Active));
            let new = key(&OTHER, KeyState::Next);
            let after = rotate(&keys, &new, Duration::from_secs(overlap), NOW);
            let active = after.iter().filter(|key| key.state == KeyState::Active).count();
            let open = after.iter().filter(|key| key.open_until().is_some()).count();
            prop_assert_eq!(active, 1);
            prop_assert!(open <= 2);
            prop_assert!(after.iter().all(|key| key.state != KeyState::Next));
        }
    }
}
