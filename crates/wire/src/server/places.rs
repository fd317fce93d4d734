//! Places for connections: so many at once, and a share for each address. Whoever comes is taken in for as
//! long as there is somebody who has proven nothing yet: the oldest of those gives way. So a stranger
//! holds at most what nobody else asks for.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

/// What a listener holds out at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most connections at once.
    pub connections: usize,
    /// Most connections of one address at once; of one network of 48 bits, with IPv6. A trusted proxy
    /// that tells callers by `Forwarded` is none: its connections carry everybody's requests.
    pub of_one: usize,
    /// How long a peer may leave an answer lying without taking a byte of it.
    pub unread: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4_096,
            of_one: 256,
            unread: Duration::from_secs(20),
        }
    }
}

impl Limits {
    /// The same, but one address may have every place: on a machine of one's own all come from one.
    #[must_use]
    pub fn for_one(self) -> Self {
        Self {
            of_one: self.connections,
            ..self
        }
    }
}

/// With an answer of an open router: whoever asked has proven who they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proven;

/// Every place of a listener.
#[derive(Debug)]
pub(super) struct Places {
    limits: Limits,
    taken: Mutex<Taken>,
}

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    count: usize,
    /// Those that have proven nothing yet, the oldest first.
    newcomers: BTreeMap<u64, Newcomer>,
    shares: HashMap<Share, Holding>,
}

#[derive(Debug)]
struct Newcomer {
    share: Option<Share>,
    gives_way: CancellationToken,
}

/// What one address holds.
#[derive(Debug, Default)]
struct Holding {
    count: usize,
    newcomers: BTreeSet<u64>,
}

/// Addresses that count as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Share(IpAddr);

impl Share {
    fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(ip) => {
                let [first, second, third, ..] = ip.segments();
                Ipv6Addr::new(first, second, third, 0, 0, 0, 0, 0).into()
            }
            v4 => v4,
        })
    }
}

impl Taken {
    /// It is no newcomer any more.
    fn settle(&mut self, id: u64) -> Option<Newcomer> {
        let newcomer = self.newcomers.remove(&id)?;
        if let Some(holding) = newcomer.share.and_then(|share| self.shares.get_mut(&share)) {
            holding.newcomers.remove(&id);
        }
        Some(newcomer)
    }

    /// Whether there was one to give way.
    fn give_way(&mut self, id: Option<u64>) -> bool {
        let newcomer = id.and_then(|id| self.settle(id));
        newcomer.is_some_and(|newcomer| {
            newcomer.gives_way.cancel();
            true
        })
    }

    fn oldest_gives_way(&mut self) -> bool {
        let oldest = self.newcomers.keys().next().copied();
        self.give_way(oldest)
    }
}

impl Places {
    pub(super) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            taken: Mutex::default(),
        })
    }

    /// A place for whoever comes now; nothing: everybody here has proven who they are.
    pub(super) fn take(self: &Arc<Self>) -> Option<Place> {
        let mut taken = self.taken.lock();
        if taken.count >= self.limits.connections && !taken.oldest_gives_way() {
            return None;
        }
        let (id, gives_way) = (taken.next, CancellationToken::new());
        taken.next += 1;
        taken.count += 1;
        let newcomer = Newcomer {
            share: None,
            gives_way: gives_way.clone(),
        };
        taken.newcomers.insert(id, newcomer);
        Some(Place {
            places: Arc::clone(self),
            id,
            share: OnceLock::new(),
            proven: AtomicBool::new(false),
            gives_way,
        })
    }

    /// The machine has no room: the oldest newcomer gives way.
    pub(super) fn make_room(&self) {
        self.taken.lock().oldest_gives_way();
    }
}

/// A connection's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    id: u64,
    share: OnceLock<Share>,
    proven: AtomicBool,
    gives_way: CancellationToken,
}

impl Place {
    /// Counts it among those of an address; `false`: it has all that it may have.
    pub(super) fn belongs_to(&self, address: IpAddr) -> bool {
        let share = *self.share.get_or_init(|| Share::of(address));
        let mut taken = self.places.taken.lock();
        let held = taken.shares.get(&share);
        let full = held.is_some_and(|holding| holding.count >= self.places.limits.of_one);
        let oldest = held.and_then(|holding| holding.newcomers.first().copied());
        let fits = !full || taken.give_way(oldest);
        let taken = &mut *taken;
        let holding = taken.shares.entry(share).or_default();
        holding.count += 1;
        if let Some(newcomer) = taken.newcomers.get_mut(&self.id) {
            newcomer.share = Some(share);
            holding.newcomers.insert(self.id);
        }
        fits
    }

    /// Whoever has it has proven who they are: it is kept.
    pub(super) fn is_proven(&self) {
        // With each answer; it is news once.
        if !self.proven.swap(true, Ordering::Relaxed) {
            self.places.taken.lock().settle(self.id);
        }
    }

    /// Ends when it is to give way.
    pub(super) async fn given_up(&self) {
        self.gives_way.cancelled().await;
    }

    /// How long its peer may leave an answer lying.
    pub(super) fn unread(&self) -> Duration {
        self.places.limits.unread
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.taken.lock();
        taken.settle(self.id);
        taken.count -= 1;
        let Some(share) = self.share.get() else {
            return;
        };
        if let Some(holding) = taken.shares.get_mut(share) {
            holding.count -= 1;
            if holding.count == 0 {
                taken.shares.remove(share);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(connections: usize, of_one: usize) -> Arc<Places> {
        Places::new(Limits {
            connections,
            of_one,
            ..Limits::default()
        })
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn the_oldest_that_has_proven_nothing_gives_way() {
        let places = places(3, 3);
        let [first, second, third] = [(); 3].map(|()| places.take().expect("a place"));
        first.is_proven();
        let fourth = places.take().expect("a place");
        assert!(second.gives_way.is_cancelled());
        assert!(!first.gives_way.is_cancelled() && !third.gives_way.is_cancelled());
        drop(second);
        for place in [&third, &fourth] {
            place.is_proven();
        }
        assert!(places.take().is_none(), "all have proven who they are");
        drop(third);
        assert!(places.take().is_some());
    }

    #[test]
    fn an_address_has_its_share_and_takes_nobody_elses() {
        let places = places(10, 2);
        let take = |from: &str| {
            let place = places.take().expect("a place");
            let fits = place.belongs_to(ip(from));
            (place, fits)
        };
        let (other, fits) = take("192.0.2.1");
        assert!(fits);
        let held: Vec<_> = (0..5).map(|_| take("192.0.2.2")).collect();
        assert!(held.iter().all(|(_, fits)| *fits));
        let away: Vec<_> = held
            .iter()
            .map(|(place, _)| place.gives_way.is_cancelled())
            .collect();
        assert_eq!(away, [true, true, true, false, false]);
        assert!(!other.gives_way.is_cancelled());
        drop(held);
        // Who has proven all of them gets no more.
        let held = [take("192.0.2.2"), take("192.0.2.2")];
        for (place, _) in &held {
            place.is_proven();
        }
        assert!(!take("192.0.2.2").1);
        assert!(take("192.0.2.3").1);
        drop(held);
        assert!(take("192.0.2.2").1);
        drop(other);
        let taken = places.taken.lock();
        assert_eq!(
            (taken.count, taken.shares.len(), taken.newcomers.len()),
            (0, 0, 0)
        );
    }

    #[test]
    fn a_network_of_ipv6_is_one_and_ipv4_in_ipv6_is_ipv4() {
        assert_eq!(
            Share::of(ip("2001:db8:1:2::1")),
            Share::of(ip("2001:db8:1:ffff::9"))
        );
        assert_ne!(
            Share::of(ip("2001:db8:1::1")),
            Share::of(ip("2001:db8:2::1"))
        );
        assert_eq!(
            Share::of(ip("::ffff:192.0.2.1")),
            Share::of(ip("192.0.2.1"))
        );
        assert_ne!(
            Share::of(ip("::ffff:192.0.2.1")),
            Share::of(ip("192.0.2.2"))
        );
    }
}
