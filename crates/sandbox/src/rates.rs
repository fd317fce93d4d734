//! Rate limits: so many calls of a category in a window of the world's time. Off unless asked for:
//! Fireblocks publishes no numbers, and sources differ on whether a limit is an API user's or the
//! workspace's (`fireblocks.md` §5.4, §14), so both can be had.

use std::collections::{BTreeMap, HashMap};

use parking_lot::Mutex;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::UserId;
use protocol::operations::RateCategory;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

/// Longest window, in seconds: a day.
pub(crate) const MAX_WINDOW: u32 = 86_400;

/// Whose calls are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shared {
    /// Each API user's by themselves.
    User,
    /// Those of all API users of the workspace.
    Workspace,
}

/// How often may be called. A category that is not named has no limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    pub(crate) shared_by: Shared,
    /// In seconds.
    pub(crate) window: u32,
    /// Calls per window, by category.
    pub(crate) limits: BTreeMap<String, u32>,
}

/// Limits that have a name: those of Fireblocks' environments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// The developer sandbox: the lowest.
    Sandbox,
    /// Testnet workspaces.
    Testnet,
    /// Mainnet workspaces: what one customer was told of the top tier, of lists and single
    /// transactions; the other numbers are in proportion.
    Mainnet,
}

impl Profile {
    /// Each.
    pub const ALL: [Self; 3] = [Self::Sandbox, Self::Testnet, Self::Mainnet];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Testnet => "testnet",
            Self::Mainnet => "mainnet",
        }
    }

    pub(crate) fn limits(self) -> Limits {
        let part = match self {
            Self::Sandbox => 10,
            Self::Testnet => 2,
            Self::Mainnet => 1,
        };
        let limit = |category: &RateCategory| match category {
            RateCategory::Read => 1_500,
            RateCategory::Query => 1_000,
            RateCategory::Write => 500,
            RateCategory::ExternalQuery => 300,
            RateCategory::Async => 200,
            RateCategory::HighCompute => 100,
            RateCategory::Report => 20,
        };
        Limits {
            shared_by: Shared::Workspace,
            window: 60,
            limits: RateCategory::ALL
                .iter()
                .map(|category| (category.as_str().to_owned(), limit(category) / part))
                .collect(),
        }
    }
}

impl Limits {
    /// The same, if it can be kept.
    pub(crate) fn checked(self) -> Result<Self, ApiError> {
        let bad = |why: String| Err(ApiError::uncoded(400, why));
        if !(1..=MAX_WINDOW).contains(&self.window) {
            return bad(format!("window must be 1 to {MAX_WINDOW} seconds"));
        }
        if let Some(name) = self
            .limits
            .keys()
            .find(|name| RateCategory::from_word(name).is_none())
        {
            let known: Vec<_> = RateCategory::ALL
                .iter()
                .map(|known| known.as_str())
                .collect();
            return bad(format!(
                "{name} is no category; they are: {}",
                known.join(", ")
            ));
        }
        Ok(self)
    }
}

/// How a call stands to its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    limit: u32,
    remaining: u32,
    window: u32,
    /// Seconds until the next window, where this one is used up.
    wait: Option<u32>,
}

/// The limits of a workspace, and what was called in this window.
#[derive(Debug, Default)]
pub(crate) struct Rates(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    limits: Option<Limits>,
    window: i64,
    calls: HashMap<(Option<UserId>, RateCategory), u32>,
}

impl Rates {
    pub(crate) fn new(limits: Option<Limits>) -> Self {
        Self(Mutex::new(Counted {
            limits,
            ..Counted::default()
        }))
    }

    /// The limits there are.
    pub(crate) fn limits(&self) -> Option<Limits> {
        self.0.lock().limits.clone()
    }

    /// Other limits from now on, or none; counting begins anew.
    pub(crate) fn set(&self, limits: Option<Limits>) {
        *self.0.lock() = Counted {
            limits,
            ..Counted::default()
        };
    }

    /// Counts a call; nothing: it has no limit.
    pub(crate) fn count(&self, user: UserId, category: RateCategory, now: Millis) -> Option<Rate> {
        let mut counted = self.0.lock();
        let limits = counted.limits.as_ref()?;
        let limit = *limits.limits.get(category.as_str())?;
        let (shared, window) = (limits.shared_by, limits.window);
        let length = i64::from(window) * 1_000;
        let number = now.0.div_euclid(length);
        if counted.window != number {
            counted.window = number;
            counted.calls.clear();
        }
        let whose = (shared == Shared::User).then_some(user);
        let calls = counted.calls.entry((whose, category)).or_default();
        let over = *calls >= limit;
        if !over {
            *calls += 1;
        }
        let left = length - now.0.rem_euclid(length);
        let seconds = u32::try_from(left.div_euclid(1_000) + 1).unwrap_or(u32::MAX);
        Some(Rate {
            limit,
            remaining: limit - *calls,
            window,
            wait: over.then_some(seconds.min(window)),
        })
    }
}

impl Rate {
    /// The answer of a call too many.
    pub(crate) fn refusal(self) -> Option<Reply> {
        let wait = self.wait?;
        Some(self.told(too_many(wait)))
    }

    /// An answer that tells how the call stands.
    pub(crate) fn told(self, reply: Reply) -> Reply {
        reply
            .with("x-ratelimit-limit", self.limit.to_string())
            .with("x-ratelimit-remaining", self.remaining.to_string())
            .with("x-ratelimit-windowsize", self.window.to_string())
    }
}

/// 429, with so many seconds to wait.
pub(crate) fn too_many(wait: u32) -> Reply {
    let mut reply = Reply::from(ApiError::too_many_requests());
    reply.headers.retain(|(name, _)| *name != "retry-after");
    reply.with("retry-after", wait.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn limits(shared_by: Shared) -> Limits {
        Limits {
            shared_by,
            window: 10,
            limits: BTreeMap::from([("read".to_owned(), 2)]),
        }
    }

    #[test]
    fn at_the_limit_and_over_it_and_in_the_next_window() {
        let (a, b) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let rates = Rates::new(Some(limits(Shared::User)));
        let read = |user, at| {
            let rate = rates.count(user, RateCategory::Read, Millis(at));
            rate.map(|rate| (rate.remaining, rate.wait))
        };
        assert_eq!(read(a, 20_000), Some((1, None)));
        assert_eq!(read(a, 20_001), Some((0, None)));
        assert_eq!(read(a, 24_500), Some((0, Some(6))));
        assert_eq!(read(b, 24_500), Some((1, None)), "each by themselves");
        assert_eq!(read(a, 30_000), Some((1, None)), "the next window");
        let write = rates.count(a, RateCategory::Write, Millis(0));
        assert_eq!(write, None, "no limit is named");
        rates.set(Some(limits(Shared::Workspace)));
        let shared = [read(a, 0), read(b, 1), read(b, 2)].map(|rate| rate.map(|rate| rate.1));
        assert_eq!(shared, [Some(None), Some(None), Some(Some(10))]);
        rates.set(None);
        assert_eq!(read(a, 3), None);
    }

    #[test]
    fn every_profile_can_be_kept() {
        for profile in Profile::ALL {
            let limits = profile.limits();
            assert_eq!(limits.clone().checked(), Ok(limits.clone()));
            assert_eq!(limits.limits.len(), RateCategory::ALL.len());
        }
    }
}
