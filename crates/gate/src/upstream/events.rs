//! What upstream's webhooks told, into the books and to providers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use protocol::role::ProviderRole;
use sync::SyncError;
use tokio_util::sync::CancellationToken;

use super::PAUSE;
use super::owed::Owed;
use crate::gate::Gate;
use crate::{proposals, relay};

/// Applies what comes until told to end. A slow upstream does not keep events back: what must be
/// looked up after them is owed, and looked up beside.
pub(super) async fn keep(gate: &Arc<Gate>, owed: &Owed, shutdown: &CancellationToken) {
    let mut look = gate.look.subscribe();
    loop {
        let outcome = tokio::select! {
            () = shutdown.cancelled() => return,
            outcome = drain(gate, owed) => outcome,
        };
        let failed = outcome
            .inspect_err(|error| tracing::warn!(%error, "events wait; none is lost"))
            .is_err();
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = gate.inbox.arrived() => {}
            _ = look.changed() => {}
            () = tokio::time::sleep(PAUSE), if failed => {}
        }
    }
}

/// Applies and relays what has come.
async fn drain(gate: &Arc<Gate>, owed: &Owed) -> Result<(), SyncError> {
    let Some(client) = gate.viewer() else {
        return Ok(());
    };
    let viewer = gate.upstream.read().viewer;
    gate.opens(&client, viewer, ProviderRole::Viewer).await?;
    let (this, strays) = (Arc::clone(gate), Arc::new(AtomicBool::new(false)));
    let noticed = Arc::clone(&strays);
    let drained = gate.inbox.drain(
        &gate.books,
        &*gate.translations,
        move |writing, _, envelope, outcomes| {
            let (known, at) = (this.known(), this.clock.now());
            if proposals::keep_evidence(writing, this.workspace(), outcomes, &known, at)? {
                noticed.store(true, Ordering::SeqCst);
            }
            let Some(told) = relay::of_event(envelope, outcomes) else {
                return Ok(());
            };
            let directory = this.directory.load();
            relay::relay(
                writing,
                this.workspace(),
                &directory,
                &told,
                this.clock.now(),
            )
        },
    );
    let drained = drained.await.map_err(|error| match error {
        sync::inbox::DrainError::Store(error) => SyncError::from(error),
        sync::inbox::DrainError::Ledger(error) => SyncError::from(error),
    })?;
    if let Some(latest) = drained.latest {
        gate.as_of.fetch_max(latest.0, Ordering::SeqCst);
        gate.deliveries.notify_one();
    }
    if strays.load(Ordering::SeqCst) {
        gate.proposals.notify_one();
    }
    owed.add(drained.walk, drained.latest);
    Ok(())
}
