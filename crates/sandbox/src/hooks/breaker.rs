//! When an endpoint that fails too often is sent nothing any more. Fireblocks publishes no
//! threshold: this one counts what its own metric counts, and can be set.

use protocol::ids::{WebhookId, WorkspaceId};
use protocol::model::webhook::WebhookStatus;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use store::{StoreError, Writing};

use super::{Endpoint, put};
use crate::rows;
use crate::rows::shelf;
use crate::shelf::Kept;

/// When a webhook is suspended: so many attempts in its last active hour, so many in a hundred of
/// them without success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Breaker {
    pub(crate) min_attempts: u32,
    /// In a hundred; null: never.
    pub(crate) error_rate: Option<u8>,
}

impl Default for Breaker {
    fn default() -> Self {
        Self {
            min_attempts: 100,
            error_rate: Some(95),
        }
    }
}

impl Kept for Breaker {
    const KIND: &'static str = "webhook_suspension";

    fn key(&self) -> String {
        String::new()
    }
}

impl Breaker {
    fn trips(self, tally: Tally) -> bool {
        self.error_rate.is_some_and(|rate| {
            tally.attempts >= i64::from(self.min_attempts).max(1)
                && tally.error_rate() >= i64::from(rate)
        })
    }
}

/// What became of the attempts of some time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) attempts: i64,
    pub(crate) failed: i64,
}

impl Tally {
    /// How many in a hundred failed, rounded.
    pub(crate) fn error_rate(self) -> i64 {
        match self.attempts {
            0 => 0,
            attempts => (200 * self.failed + attempts) / (2 * attempts),
        }
    }
}

/// Suspends a webhook, after an attempt that failed, if that was one too many.
pub(crate) fn judge(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    webhook: WebhookId,
    now: Millis,
) -> Result<(), StoreError> {
    let read = |doc: Option<String>| doc.and_then(|doc| serde_json::from_str(&doc).ok());
    let kept = shelf::one(writing, workspace, Breaker::KIND, "")?;
    let breaker: Breaker = read(kept).unwrap_or_default();
    let kept = shelf::one(writing, workspace, Endpoint::KIND, &webhook.to_string())?;
    let Some(mut endpoint) = kept.and_then(|doc| serde_json::from_str::<Endpoint>(&doc).ok())
    else {
        return Ok(());
    };
    let since = now.plus(-Millis::HOUR).max(endpoint.judged_from);
    let tally = rows::tally(writing, workspace, webhook, since)?;
    if !endpoint.sends() || !breaker.trips(tally) {
        return Ok(());
    }
    tracing::warn!(%webhook, rate = tally.error_rate(), "a webhook fails too often: suspended");
    endpoint.webhook.status = WebhookStatus::Suspended;
    endpoint.webhook.updated_at = now;
    put(writing, workspace, &endpoint)?;
    rows::hold(writing, workspace, webhook, now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enough_attempts_and_too_many_failures() {
        let usual = Breaker::default();
        let of = |attempts, failed| Tally { attempts, failed };
        for (tally, trips) in [
            (of(99, 99), false),
            (of(100, 95), true),
            (of(100, 94), false),
            (of(1_000, 949), true),
            (of(1_000, 944), false),
            (of(0, 0), false),
        ] {
            assert_eq!(usual.trips(tally), trips, "{tally:?}");
        }
        let never = Breaker {
            error_rate: None,
            ..usual
        };
        assert!(!never.trips(of(1_000, 1_000)));
        let at_once = Breaker {
            min_attempts: 0,
            error_rate: Some(0),
        };
        assert!(!at_once.trips(of(0, 0)) && at_once.trips(of(1, 0)));
        assert_eq!((of(3, 1).error_rate(), of(3, 2).error_rate()), (33, 67));
    }
}
