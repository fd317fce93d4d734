//! What events did not tell whole, and is looked up after them.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use protocol::time::Millis;
use sync::{Area, SyncError, walk};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{PAUSE, in_trouble, options};
use crate::gate::Gate;

/// Areas to look at, each with the latest event that was stored before. A restart forgets them:
/// what is walked by and by has the same.
#[derive(Debug, Default)]
pub(super) struct Owed {
    areas: Mutex<BTreeMap<Area, Option<Millis>>>,
    more: Notify,
}

impl Owed {
    /// These are owed, too.
    pub(super) fn add(&self, areas: impl IntoIterator<Item = Area>, since: Option<Millis>) {
        let mut owed = self.areas.lock();
        for area in areas {
            let known = owed.entry(area).or_default();
            *known = since.max(*known);
        }
        if !owed.is_empty() {
            self.more.notify_one();
        }
    }

    fn first(&self) -> Option<(Area, Option<Millis>)> {
        let owed = self.areas.lock();
        owed.first_key_value()
            .map(|(area, since)| (area.clone(), *since))
    }

    /// It was looked at; unless an event has come meanwhile, it is owed no more.
    fn paid(&self, area: &Area, since: Option<Millis>) {
        let mut owed = self.areas.lock();
        if owed.get(area) == Some(&since) {
            owed.remove(area);
        }
    }

    /// Looks up what is owed until told to end.
    pub(super) async fn pay(&self, gate: &Arc<Gate>, shutdown: &CancellationToken) {
        loop {
            let outcome = tokio::select! {
                () = shutdown.cancelled() => return,
                outcome = self.pay_all(gate) => outcome,
            };
            let failed = outcome
                .inspect_err(
                    |error| tracing::warn!(%error, "what an event left open is looked up later"),
                )
                .is_err();
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = self.more.notified() => {}
                () = tokio::time::sleep(PAUSE), if failed => {}
            }
        }
    }

    async fn pay_all(&self, gate: &Arc<Gate>) -> Result<(), SyncError> {
        while let (Some((area, since)), Some(client)) = (self.first(), gate.viewer()) {
            let mut options = options(gate);
            options.since = options.since.max(since);
            match walk(&client, &gate.books, std::slice::from_ref(&area), &options).await {
                Err(error) if in_trouble(&error) => return Err(error),
                Err(error) => tracing::warn!(%error, %area, "not looked up: the next walk has it"),
                Ok(walked) => super::walked(gate, &walked),
            }
            self.paid(&area, since);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_event_asks_for_again_meanwhile_stays_owed() {
        let owed = Owed::default();
        owed.add([Area::AssetWallets], Some(Millis(5)));
        let (area, since) = owed.first().expect("owed");
        owed.add([Area::AssetWallets], Some(Millis(7)));
        owed.paid(&area, since);
        assert_eq!(owed.first(), Some((Area::AssetWallets, Some(Millis(7)))));
        owed.add([Area::AssetWallets], Some(Millis(6)));
        owed.paid(&area, Some(Millis(7)));
        assert_eq!(owed.first(), None);
    }
}
