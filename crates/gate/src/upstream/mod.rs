//! Keeping the books equal to the workspace: the first fill; then events, and beside them walks of
//! what has none, each subject at its own pace.

mod events;
mod looks;
mod owed;
mod schedule;
mod walks;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use protocol::time::Millis;
use sync::walk::Options;
use sync::{SyncError, Walked};
use tokio_util::sync::CancellationToken;
use wire::client::{Budget, ClientError};

use crate::gate::Gate;
use crate::{proposals, relay};
pub(crate) use looks::Looks;
use owed::Owed;
use walks::Lane;
pub(crate) use walks::part as part_for_walks;

/// How long to wait when upstream cannot be reached.
const PAUSE: Duration = Duration::from_secs(5);
/// How long a call upstream waits for its turn.
const PATIENCE: Duration = Duration::from_secs(30);
/// Calls that may go out at once.
const BURST: u32 = 50;

/// What all of the gate's API users may ask together: it holds whether upstream counts by API user or
/// by workspace.
pub(crate) fn budget(cap: NonZeroU32) -> Budget {
    let burst = NonZeroU32::new(BURST.min(cap.get())).unwrap_or(NonZeroU32::MIN);
    Budget::per_minute(cap, burst, PATIENCE)
}

/// Keeps the books until told to end.
pub(crate) async fn keep(gate: Arc<Gate>, shutdown: CancellationToken) {
    let filling = !gate.filled();
    if filling {
        // Events wait until it is done.
        gate.inbox.hold();
        Lane::fill(&gate).walk(&gate, &shutdown).await;
        if !gate.filled() {
            return;
        }
        gate.inbox.release();
    }
    let owed = Owed::default();
    // Long lists of what seldom changes keep nobody waiting for what changes often.
    tokio::join!(
        Lane::keep(true, filling).walk(&gate, &shutdown),
        Lane::keep(false, true).walk(&gate, &shutdown),
        events::keep(&gate, &owed, &shutdown),
        owed.pay(&gate, &shutdown),
    );
}

/// Whether upstream is in trouble as a whole: there is no point in asking it for something else now.
fn in_trouble(error: &SyncError) -> bool {
    match error {
        SyncError::Client(ClientError::Status { status, .. }) => *status == 429 || *status >= 500,
        SyncError::Client(ClientError::Unreachable { .. } | ClientError::Budget(_)) => true,
        _ => false,
    }
}

/// A walk is over: whatever begins now reads later.
fn walked(gate: &Gate, walked: &Walked) {
    if let Some(latest) = walked.as_of.values().max() {
        gate.read_after.fetch_max(latest.0, Ordering::SeqCst);
    }
}

/// How the gate walks: as its own books name things, with evidence kept and providers told.
///
/// Upstream dates its answers in whole seconds, and a slow one is dated earlier for it: so a walk is
/// later than those that were over when it began, whatever their dates say.
fn options(gate: &Arc<Gate>) -> Options {
    let mut options = Options::new(Arc::clone(&gate.clock));
    let over = Millis(gate.read_after.load(Ordering::SeqCst));
    options.since = (over > Millis(0)).then(|| over.plus(1));
    options.translate = gate.translations.clone();
    let this = Arc::clone(gate);
    options.beside = Some(Arc::new(move |writing, _, outcomes| {
        let (known, at) = (this.known(), this.clock.now());
        proposals::keep_evidence(writing, this.workspace(), outcomes, &known, at)?;
        let directory = this.directory.load();
        for told in outcomes.iter().filter_map(relay::of_walk) {
            relay::relay(
                writing,
                this.workspace(),
                &directory,
                &told,
                this.clock.now(),
            )?;
        }
        Ok(())
    }));
    options
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use sync::Area;

    use super::*;
    use crate::testing::{NOW, World};

    /// Two walks within a second of upstream's, the second one slower: what it read is the newer.
    #[tokio::test]
    async fn a_walk_is_later_than_those_that_were_over_when_it_began() {
        let test = World::new().await;
        let gate = &test.gate;
        assert_eq!(options(gate).since, None);
        let over = |at| Walked {
            as_of: BTreeMap::from([(Area::Accounts, at)]),
            ..Walked::default()
        };
        for (at, since) in [(NOW, 1), (NOW.plus(-30), 1), (NOW.plus(5), 6)] {
            walked(gate, &over(at));
            assert_eq!(options(gate).since, Some(NOW.plus(since)));
        }
    }
}
