//! Keeping the books equal to the workspace: the first fill, events, and looks at what has none.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use protocol::role::ProviderRole;
use protocol::time::Millis;
use sync::walk::Options;
use sync::{Area, SyncError, walk};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wire::client::Client;

use crate::gate::Gate;
use crate::{proposals, relay, rows};

/// How often what has no event is looked at.
const LOOK: Duration = Duration::from_secs(60);
/// How far before the last look a look goes for transactions whose events were lost.
const LOOK_BACK: i64 = 2 * Millis::DAY;
/// How long to wait when upstream cannot be reached.
const PAUSE: Duration = Duration::from_secs(5);

/// Keeps the books until told to end.
pub(crate) async fn keep(gate: Arc<Gate>, shutdown: CancellationToken) {
    let mut look_at = Instant::now();
    loop {
        let Some(client) = gate.viewer() else {
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = gate.keeper.notified() => continue,
            }
        };
        let due = Instant::now() >= look_at;
        let viewer = gate.upstream.read().viewer;
        let round = async {
            gate.opens(&client, viewer, ProviderRole::Viewer).await?;
            if !gate.filled.load(Ordering::SeqCst) {
                fill(&gate, &client).await?;
            } else if due {
                look(&gate, &client).await?;
            }
            events(&gate, &client).await
        };
        let outcome = tokio::select! {
            () = shutdown.cancelled() => return,
            outcome = round => outcome,
        };
        let pause = match outcome {
            Ok(()) => {
                if due {
                    look_at = Instant::now() + LOOK;
                }
                look_at.saturating_duration_since(Instant::now())
            }
            Err(error) => {
                tracing::warn!(%error, "the books are not kept now; reads go on from what is there");
                PAUSE
            }
        };
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = gate.inbox.arrived() => {}
            () = gate.keeper.notified() => look_at = Instant::now(),
            () = gate.look_now.notified() => look_at = Instant::now(),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

fn options(gate: &Arc<Gate>) -> Options {
    let mut options = Options::new(Arc::clone(&gate.clock));
    options.translate = gate.translations.clone();
    let this = Arc::clone(gate);
    options.beside = Some(Arc::new(move |writing, _, outcomes| {
        proposals::keep_evidence(writing, this.workspace(), outcomes, this.clock.now())?;
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

/// The first fill: addresses from a report, the rest walked; events wait until it is done.
async fn fill(gate: &Arc<Gate>, client: &Client) -> Result<(), SyncError> {
    gate.inbox.hold();
    let at = gate.clock.now();
    let mut areas = Area::all(Millis(0));
    match sync::address_report(client, &gate.books, at).await {
        Ok(rows) => {
            tracing::info!(rows, "addresses came from a report");
            areas.retain(|area| *area != Area::Addresses);
        }
        Err(why) => tracing::warn!(%why, "no report of addresses: they are walked"),
    }
    let walked = walk(client, &gate.books, &areas, &options(gate)).await?;
    tracing::info!(
        calls = walked.calls,
        rows = walked.rows,
        "the books are filled"
    );
    looked(gate, at).await?;
    gate.filled.store(true, Ordering::SeqCst);
    gate.inbox.release();
    Ok(())
}

/// The books are as of then, also after a restart.
async fn looked(gate: &Gate, at: Millis) -> Result<(), SyncError> {
    let workspace = gate.workspace();
    let write = gate.store.write(move |writing| {
        rows::connections::set(writing, workspace, "looked_at", &at.to_string())
    });
    write.await?;
    gate.looked_at.store(at.0, Ordering::SeqCst);
    gate.as_of.fetch_max(at.0, Ordering::SeqCst);
    Ok(())
}

/// From when on a look asks for transactions: some days before the last look, however long ago that was.
fn look_from(looked_at: Millis, now: Millis) -> Millis {
    looked_at.min(now).plus(-LOOK_BACK)
}

/// What has no event, and what the events since the last look may have missed.
async fn look(gate: &Arc<Gate>, client: &Client) -> Result<(), SyncError> {
    let at = gate.clock.now();
    let before = Millis(gate.looked_at.load(Ordering::SeqCst));
    let areas = [
        Area::Accounts,
        Area::AssetWallets,
        Area::Whitelists,
        Area::Transactions {
            after: look_from(before, at),
        },
    ];
    let walked = walk(client, &gate.books, &areas, &options(gate)).await?;
    looked(gate, at).await?;
    gate.deliveries.notify_one();
    if walked.changed > 0 {
        tracing::info!(
            changed = walked.changed,
            "a look found what no event had told"
        );
    }
    Ok(())
}

/// Applies and relays what has come, and looks at what the events did not tell whole.
async fn events(gate: &Arc<Gate>, client: &Client) -> Result<(), SyncError> {
    let this = Arc::clone(gate);
    let drained = gate.inbox.drain(
        &gate.books,
        &*gate.translations,
        move |writing, _, envelope, outcomes| {
            proposals::keep_evidence(writing, this.workspace(), outcomes, this.clock.now())?;
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
    if !drained.walk.is_empty() {
        let areas: Vec<_> = drained.walk.into_iter().collect();
        let mut options = options(gate);
        options.since = drained.latest;
        walk(client, &gate.books, &areas, &options).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing falls between two looks, however far apart.
    #[test]
    fn a_look_begins_before_the_last_one() {
        let now = Millis(100 * Millis::DAY);
        let ago = |days: i64| now.plus(-days * Millis::DAY);
        assert_eq!(look_from(now, now), ago(2));
        assert_eq!(look_from(ago(30), now), ago(32), "after a month away");
        assert_eq!(
            look_from(now.plus(Millis::DAY), now),
            ago(2),
            "a clock that was put back"
        );
    }
}
