//! When each connection came last: written down at most once a minute.

use std::collections::HashMap;

use parking_lot::Mutex;
use protocol::time::Millis;

/// How long what is written down holds.
const A_MINUTE: i64 = 60_000;

/// When each connection's last visit was written down.
#[derive(Debug, Default)]
pub(super) struct LastSeen(Mutex<HashMap<String, Millis>>);

impl LastSeen {
    /// Whether this visit is to be written down.
    pub(super) fn is_news(&self, connection: &str, now: Millis) -> bool {
        let mut all = self.0.lock();
        match all.get_mut(connection) {
            Some(at) if now < at.plus(A_MINUTE) => false,
            Some(at) => {
                *at = now;
                true
            }
            None => {
                all.insert(connection.to_owned(), now);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_visit_is_news_once_a_minute() {
        let seen = LastSeen::default();
        let news = |name, at| seen.is_news(name, Millis(at));
        assert!(news("acme", 0) && news("bolt", 0));
        assert!(!news("acme", A_MINUTE - 1) && news("acme", A_MINUTE));
        assert!(!news("acme", A_MINUTE + 1), "nor when the clock stands");
    }
}
