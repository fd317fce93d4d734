//! What goes wrong on purpose: on which calls, how often, and how.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use protocol::ids::UserId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::server::{Call, Route};

/// Most faults planned at once in a workspace.
pub(crate) const MOST: usize = 1_000;
/// Longest latency, in milliseconds: ten minutes.
pub(crate) const MAX_LATENCY: u64 = 600_000;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Trouble {
    /// It takes so long, and then goes as ever.
    Latency { millis: u64 },
    /// 429, with so many seconds to wait. Nothing is done.
    TooManyRequests { retry_after: u32 },
    /// 500. Nothing is done.
    InternalError,
    /// The connection is cut. Nothing is done.
    CutConnection,
    /// It is done, and the connection cut before the answer.
    LostAnswer,
    /// It is done, and answered with a page of HTML.
    WrongContentType,
}

/// A fault that is planned. Whatever is given must be met.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Planned {
    /// Calls of this operation.
    #[serde(default)]
    pub(crate) operation: Option<String>,
    /// Calls of this method.
    #[serde(default)]
    pub(crate) method: Option<String>,
    /// Calls of this path; `*` stands for anything.
    #[serde(default)]
    pub(crate) path: Option<String>,
    /// Calls of this API user.
    #[serde(default)]
    pub(crate) user: Option<UserId>,
    /// Calls whose body bears this `externalTxId`.
    #[serde(default)]
    pub(crate) external_tx_id: Option<String>,
    /// How many calls before the first that it strikes are spared.
    #[serde(default)]
    pub(crate) after: u64,
    /// How many calls it strikes; nothing: every one.
    #[serde(default)]
    pub(crate) times: Option<u64>,
    pub(crate) fault: Trouble,
}

/// A fault that is planned, and how it stands.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Standing {
    pub(crate) id: u64,
    #[serde(flatten)]
    pub(crate) planned: Planned,
    /// How many calls it has struck.
    pub(crate) struck: u64,
}

/// The faults that are planned in a workspace.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    planned: Mutex<Vec<Standing>>,
    last: AtomicU64,
}

impl Planned {
    fn meets(&self, call: &Call) -> bool {
        let Route::Operation { operation, .. } = &call.route else {
            return false;
        };
        let path = call.target.split('?').next().unwrap_or_default();
        let external = || call.body.as_ref().and_then(|body| body.get("externalTxId"));
        let is = |wanted: &Option<String>, is: &str| wanted.as_ref().is_none_or(|text| text == is);
        is(&self.operation, operation.id.as_str())
            && is(&self.method, operation.method.as_str())
            && self.path.as_ref().is_none_or(|wanted| fits(wanted, path))
            && self.user.is_none_or(|user| user == call.user)
            && (self.external_tx_id.is_none()
                || external().and_then(Value::as_str) == self.external_tx_id.as_deref())
    }
}

/// Whether a path is as wanted, where `*` stands for any text.
fn fits(wanted: &str, path: &str) -> bool {
    let mut parts = wanted.split('*');
    let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else {
        return false;
    };
    let Some((last, middle)) = parts
        .clone()
        .collect::<Vec<_>>()
        .split_last()
        .map(|(last, middle)| (*last, middle.to_vec()))
    else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

impl Faults {
    /// Plans one; nothing: there are too many.
    pub(crate) fn plan(&self, planned: Planned) -> Option<Standing> {
        let mut all = self.planned.lock();
        if all.len() >= MOST {
            return None;
        }
        let standing = Standing {
            id: self.last.fetch_add(1, Ordering::SeqCst) + 1,
            planned,
            struck: 0,
        };
        all.push(standing.clone());
        Some(standing)
    }

    /// Those that still strike.
    pub(crate) fn all(&self) -> Vec<Standing> {
        self.planned.lock().clone()
    }

    /// Forgets one; `false` if there is none.
    pub(crate) fn forget(&self, id: u64) -> bool {
        let mut all = self.planned.lock();
        let before = all.len();
        all.retain(|standing| standing.id != id);
        all.len() < before
    }

    /// Forgets all.
    pub(crate) fn clear(&self) {
        self.planned.lock().clear();
    }

    /// What goes wrong with a call: the first planned that it meets.
    pub(crate) fn strike(&self, call: &Call) -> Option<Trouble> {
        let mut all = self.planned.lock();
        let place = all
            .iter()
            .position(|standing| standing.planned.meets(call))?;
        let standing = all.get_mut(place)?;
        if standing.planned.after > 0 {
            standing.planned.after -= 1;
            return None;
        }
        standing.struck += 1;
        let wrong = standing.planned.fault;
        if standing
            .planned
            .times
            .is_some_and(|times| standing.struck >= times)
        {
            all.remove(place);
        }
        Some(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text() {
        for (wanted, path) in [
            ("/v1/transactions", "/v1/transactions"),
            ("/v1/*", "/v1/transactions"),
            ("*", "/v1/x"),
            ("/v1/vault/accounts/*/SOL", "/v1/vault/accounts/7/SOL"),
            (
                "*/accounts/*/*/addresses",
                "/v1/vault/accounts/7/SOL/addresses",
            ),
        ] {
            assert!(fits(wanted, path), "{wanted} {path}");
        }
        for (wanted, path) in [
            ("/v1/transactions", "/v1/transactions/1"),
            ("/v1/transactions/*", "/v1/transactions"),
            ("/v1/vault/accounts/*/SOL", "/v1/vault/accounts/7/ETH"),
            ("a*a", "a"),
            ("", "/v1"),
        ] {
            assert!(!fits(wanted, path), "{wanted} {path}");
        }
    }
}
