//! The keys that a connection's tokens may be signed with now, and when each was used last.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use protocol::keys::{KeyFingerprint, PublicKey};
use protocol::time::Millis;

use super::keys::{HeldKey, KeyState};

/// A key that opens the door.
#[derive(Debug)]
pub(crate) struct DoorKey {
    pub(crate) key: PublicKey,
    /// From when on it does not.
    until: Option<Millis>,
    /// When it was used last, in milliseconds since the epoch; 0: not since this process began.
    used: Arc<AtomicI64>,
}

/// The newest, and the one before it during an overlap.
#[derive(Debug, Default)]
pub(crate) struct DoorKeys {
    newest: Option<DoorKey>,
    before: Option<DoorKey>,
}

impl DoorKeys {
    /// Of the keys that a connection has; `known` has counted the use of some of them before.
    pub(crate) fn of(keys: &[HeldKey], known: Option<&Self>) -> Self {
        let open = |wanted: fn(KeyState) -> bool| {
            let held = keys.iter().find(|held| wanted(held.state))?;
            let before = known.and_then(|known| known.with(held.fingerprint()));
            Some(DoorKey {
                key: held.key.clone(),
                until: held.open_until()?,
                used: before.map(|key| Arc::clone(&key.used)).unwrap_or_default(),
            })
        };
        Self {
            newest: open(|state| state == KeyState::Active),
            before: open(|state| matches!(state, KeyState::Retiring { .. })),
        }
    }

    fn all(&self) -> impl Iterator<Item = &DoorKey> {
        [&self.newest, &self.before].into_iter().flatten()
    }

    fn with(&self, fingerprint: KeyFingerprint) -> Option<&DoorKey> {
        self.all().find(|key| key.key.fingerprint() == fingerprint)
    }

    /// The key to try first now, and the one to try then.
    pub(crate) fn at(&self, now: Millis) -> Option<(PublicKey, Option<PublicKey>)> {
        let stands = |key: &&DoorKey| key.until.is_none_or(|until| now < until);
        let mut keys = self.all().filter(stands).map(|key| key.key.clone());
        Some((keys.next()?, keys.next()))
    }

    /// From when on the newest opens no door, where that is set.
    pub(crate) fn end(&self) -> Option<Millis> {
        self.newest.as_ref()?.until
    }

    /// Whether this one opens the door now; if so, it was used.
    pub(crate) fn used(&self, fingerprint: KeyFingerprint, now: Millis) -> bool {
        let key = self.with(fingerprint);
        let Some(key) = key.filter(|key| key.until.is_none_or(|until| now < until)) else {
            return false;
        };
        key.used.fetch_max(now.0, Ordering::Relaxed);
        true
    }

    /// When this one was used last, since this process began.
    pub(crate) fn last_use(&self, fingerprint: KeyFingerprint) -> Option<Millis> {
        let at = self.with(fingerprint)?.used.load(Ordering::Relaxed);
        (at > 0).then_some(Millis(at))
    }

    /// Every key that was used, and when last.
    pub(crate) fn uses(&self) -> impl Iterator<Item = (KeyFingerprint, Millis)> {
        self.all().filter_map(|key| {
            let fingerprint = key.key.fingerprint();
            Some((fingerprint, self.last_use(fingerprint)?))
        })
    }
}
