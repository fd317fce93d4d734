//! The pulse of a gate among others: what they have changed is taken in, and the lease renewed.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use store::{StoreError, Writing};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{LEASE, Since};
use crate::gate::{AssemblyError, Gate};
use crate::rows;
use crate::rows::gates::Row;

/// How often a gate looks.
const EVERY: Duration = Duration::from_millis(250);
/// How often it is looked whether the others have taken a change in.
const LOOK: Duration = Duration::from_millis(25);
/// How long is waited beyond a lease: clocks do not run alike.
const MARGIN: Duration = Duration::from_millis(250);
/// When a gate that does nothing is counted no more. It must be longer than a lease.
const GONE: Duration = Duration::from_secs(10);

/// When each of the others was last seen to do something.
type Seen = HashMap<Uuid, (i64, Instant)>;

/// The first look, before anybody is served: a gate that is ready has its lease. Where that cannot be, it
/// looks on, and says why.
pub(crate) async fn begin(gate: &Arc<Gate>) {
    if let Some(instance) = gate.lease.instance() {
        // What is wrong is told by whoever looks on.
        let _ = turn(gate, instance, &mut Seen::new()).await;
    }
}

/// Looks until told to end. A gate that is alone over its store has nothing to look for.
pub(crate) async fn keep(gate: Arc<Gate>, shutdown: CancellationToken) {
    let Some(instance) = gate.lease.instance() else {
        return;
    };
    let (mut seen, mut well) = (Seen::new(), true);
    loop {
        let outcome = tokio::select! {
            () = shutdown.cancelled() => return,
            outcome = turn(&gate, instance, &mut seen) => outcome,
        };
        if outcome.is_ok() != well {
            well = outcome.is_ok();
            match outcome {
                Err(error) => {
                    tracing::error!(%error, "what other gates change cannot be seen: this one serves nobody")
                }
                Ok(()) => tracing::info!("what other gates change is seen again"),
            }
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

impl Gate {
    /// From now on other gates over the store wait for this one.
    pub(crate) async fn join(&self) -> Result<(), StoreError> {
        let Some(instance) = self.lease.instance() else {
            return Ok(());
        };
        let (workspace, at) = (self.workspace(), self.clock.now());
        let name = self.config.store.gate.clone().unwrap_or_default();
        let work = move |writing: &mut Writing<'_>| {
            rows::gates::join(writing, workspace, instance, &name.to_string(), at)
        };
        self.store.write(work).await
    }

    /// Other gates over the store wait for this one no more: it serves nobody.
    pub(crate) async fn leave(&self) -> Result<(), StoreError> {
        let (Some(instance), workspace) = (self.lease.instance(), self.workspace()) else {
            return Ok(());
        };
        let work =
            move |writing: &mut Writing<'_>| rows::gates::leave(writing, workspace, instance);
        self.store.write(work).await
    }
}

async fn turn(gate: &Arc<Gate>, instance: Uuid, seen: &mut Seen) -> Result<(), AssemblyError> {
    // Taken before the look: what is changed from now on may not be seen by it.
    let began = Since::now(gate.clock.now());
    let (version, others) = follow(gate).await?;
    if version != gate.version.load(Ordering::SeqCst) {
        gate.read_again().await?;
        gate.deliveries.notify_one();
        gate.proposals.notify_one();
        gate.ends.notify_one();
    }
    if gate.leads() {
        // Others take webhooks in, too.
        gate.inbox.wake();
    }
    let gone = gone(seen, others, instance, Instant::now());
    let (workspace, leads) = (gate.workspace(), gate.leads());
    let taken_in = gate.version.load(Ordering::SeqCst);
    let write = gate.store.write(move |writing| {
        for (other, beat) in &gone {
            rows::gates::forget(writing, workspace, *other, *beat)?;
        }
        rows::gates::beat(writing, workspace, instance, taken_in, leads)
    });
    if write.await? {
        gate.lease.renew(began);
    } else {
        // It was forgotten: from now on the others wait for it again, and then it looks anew.
        gate.join().await?;
    }
    Ok(())
}

/// Takes in what was changed of the books; the version of the connections then, and who else is there.
pub(super) async fn follow(gate: &Gate) -> Result<(i64, Vec<Row>), StoreError> {
    let (workspace, books) = (gate.workspace(), gate.books.clone());
    let read = gate.store.read(move |reading| {
        Ok::<_, StoreError>((
            rows::gates::version(reading, workspace)?,
            rows::gates::all(reading, workspace)?,
            books.news(reading)?,
            rows::ages::ages(reading, workspace)?,
        ))
    });
    let (version, others, news, ages) = read.await?;
    // In this order: the books are never older than is said of them.
    gate.books.take(&news);
    if !gate.leads() {
        gate.as_of
            .fetch_max(ages.told().unwrap_or_default().0, Ordering::SeqCst);
        *gate.ages.write() = ages;
    }
    Ok((version, others))
}

/// Who of the others has done nothing for long. Pure.
fn gone(seen: &mut Seen, others: Vec<Row>, own: Uuid, now: Instant) -> Vec<(Uuid, i64)> {
    let before = std::mem::take(seen);
    for other in others.into_iter().filter(|other| other.instance != own) {
        let since = match before.get(&other.instance) {
            Some((beat, since)) if *beat == other.beat => *since,
            _ => now,
        };
        seen.insert(other.instance, (other.beat, since));
    }
    let is_gone = |since: &Instant| now.saturating_duration_since(*since) > GONE;
    let gone = seen.iter().filter(|(_, (_, since))| is_gone(since));
    gone.map(|(instance, (beat, _))| (*instance, *beat))
        .collect()
}

/// Waits until every other gate has taken in what is taken in here, or serves nobody by what was
/// before. Called once it is taken in here.
pub(crate) async fn settled(gate: &Gate) {
    let Some(instance) = gate.lease.instance() else {
        return;
    };
    let (workspace, version) = (gate.workspace(), gate.version.load(Ordering::SeqCst));
    let acknowledged = async {
        loop {
            let read = gate
                .store
                .read(move |reading| rows::gates::all(reading, workspace));
            let is_behind =
                |other: &Row| other.instance != instance && other.acknowledged < version;
            match read.await {
                Ok(all) if !all.iter().any(is_behind) => return,
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "whether other gates know is not known"),
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    // A lease that was begun before the change has run out by then, whoever held it.
    if tokio::time::timeout(LEASE + MARGIN, acknowledged)
        .await
        .is_err()
    {
        tracing::warn!("another gate did not answer: its lease has run out");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(instance: u128, beat: i64) -> Row {
        Row {
            instance: Uuid::from_u128(instance),
            name: String::new(),
            beat,
            acknowledged: 0,
            leads: false,
        }
    }

    #[test]
    fn a_gate_is_counted_as_long_as_it_does_something() {
        let (own, other, mut seen) = (Uuid::from_u128(1), Uuid::from_u128(2), Seen::new());
        let all = |beat| vec![row(1, 5), row(2, beat)];
        let now = Instant::now();
        assert!(gone(&mut seen, all(7), own, now).is_empty());
        assert!(gone(&mut seen, all(7), own, now + GONE).is_empty());
        let later = now + GONE * 2;
        assert_eq!(gone(&mut seen, all(7), own, later), [(other, 7)]);
        assert!(gone(&mut seen, all(8), own, later).is_empty(), "it lives");
        assert!(gone(&mut seen, vec![row(1, 5)], own, later).is_empty());
        assert!(seen.is_empty());
    }
}
