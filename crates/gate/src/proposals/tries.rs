//! Tries of unknown outcome that may still arrive: until they cannot, upstream's word that it does
//! not know a proposal is no end of it. Pure.

use std::collections::HashMap;

use protocol::ids::TxId;
use protocol::time::Millis;
use protocol::token::{LIFETIME, MAX_SKEW};

/// How long a request can be kept on the way and still be taken: as long as its token is good.
const GRACE: i64 = (LIFETIME + MAX_SKEW) * Millis::SECOND;

/// What this process has tried to send, and when a try last ended in the unknown.
#[derive(Debug)]
pub(super) struct Tries {
    /// When this process began. What it finds on its way may have been sent just before.
    since: Millis,
    own: HashMap<TxId, Option<Millis>>,
}

impl Tries {
    pub(super) fn since(since: Millis) -> Self {
        Self {
            since,
            own: HashMap::new(),
        }
    }

    /// It is on its way by this process, for the first time.
    pub(super) fn begin(&mut self, id: TxId) {
        self.own.insert(id, None);
    }

    /// A try ended now, and nobody knows how.
    pub(super) fn unknown(&mut self, id: TxId, now: Millis) {
        self.own.insert(id, Some(now));
    }

    /// It is over.
    pub(super) fn forget(&mut self, id: TxId) {
        self.own.remove(&id);
    }

    /// Whether a try of it may still arrive.
    pub(super) fn under_way(&self, id: TxId, now: Millis) -> bool {
        let last = match self.own.get(&id) {
            Some(last) => *last,
            None => Some(self.since),
        };
        last.is_some_and(|at| now < at.plus(GRACE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const ID: TxId = TxId(Uuid::from_u128(1));

    #[test]
    fn invariant_5_a_try_of_unknown_outcome_may_arrive_as_long_as_its_token_is_good() {
        let mut tries = Tries::since(Millis(1_000));
        tries.begin(ID);
        assert!(!tries.under_way(ID, Millis(2_000)), "nothing has left yet");
        tries.unknown(ID, Millis(5_000));
        assert!(tries.under_way(ID, Millis(4_999 + GRACE)));
        assert!(!tries.under_way(ID, Millis(5_000 + GRACE)));
    }

    #[test]
    fn invariant_5_what_another_process_left_may_have_been_sent_at_its_end() {
        let mut tries = Tries::since(Millis(10_000));
        assert!(tries.under_way(ID, Millis(9_999 + GRACE)));
        assert!(!tries.under_way(ID, Millis(10_000 + GRACE)));
        tries.unknown(ID, Millis(20_000));
        assert!(tries.under_way(ID, Millis(19_999 + GRACE)));
        tries.forget(ID);
        assert!(!tries.under_way(ID, Millis(10_000 + GRACE)));
    }
}
