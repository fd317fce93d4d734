//! The one edge that reads the system's clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use protocol::time::Millis;

/// Tells the time of the world: for tokens, TLS, timeouts, rate limits, nonces.
pub trait WallClock: Send + Sync + 'static {
    /// Now.
    fn now(&self) -> Millis;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl WallClock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the edge")]
    fn now(&self) -> Millis {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A clock that never goes back. Where the one behind it is set back, it stands until the world has
/// caught up: what had expired stays so, and a token that was used does not become fresh again.
#[derive(Debug)]
pub struct ForwardClock<C> {
    behind: C,
    newest: AtomicI64,
}

impl<C: WallClock> ForwardClock<C> {
    /// A clock that shows at least this.
    pub fn from(behind: C, least: Millis) -> Self {
        Self {
            behind,
            newest: AtomicI64::new(least.0),
        }
    }
}

impl<C: WallClock> WallClock for ForwardClock<C> {
    fn now(&self) -> Millis {
        let now = self.behind.now().0;
        Millis(self.newest.fetch_max(now, Ordering::Relaxed).max(now))
    }
}

/// A clock that stands until it is moved, for tests.
#[derive(Clone, Debug, Default)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that shows this.
    pub fn at(now: Millis) -> Self {
        Self(Arc::new(AtomicI64::new(now.0)))
    }

    /// Moves it.
    pub fn advance(&self, millis: i64) {
        self.0.fetch_add(millis, Ordering::SeqCst);
    }
}

impl WallClock for ManualClock {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

impl<C: WallClock + ?Sized> WallClock for Arc<C> {
    fn now(&self) -> Millis {
        (**self).now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_stands() {
        let behind = ManualClock::at(Millis(100));
        let clock = ForwardClock::from(behind.clone(), Millis(90));
        assert_eq!(clock.now(), Millis(100));
        behind.advance(50);
        assert_eq!(clock.now(), Millis(150));
        behind.advance(-120);
        assert_eq!(clock.now(), Millis(150));
        behind.advance(121);
        assert_eq!(clock.now(), Millis(151));
        assert_eq!(ForwardClock::from(behind, Millis(200)).now(), Millis(200));
    }
}
