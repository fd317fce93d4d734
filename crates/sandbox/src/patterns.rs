//! What is known of those that workspaces were copied from of late: templates and snapshots, whose rows
//! never change.

use std::sync::Arc;

use ledger::Fault;
use parking_lot::Mutex;
use protocol::ids::WorkspaceId;
use store::Store;

use crate::names::Names;
use crate::rows::tables::{self, Told};

/// Most that are kept; the one that was used longest ago goes first.
const MOST: usize = 16;

/// The one used last at the end.
#[derive(Debug, Default)]
pub(crate) struct Patterns(Mutex<Vec<(WorkspaceId, Arc<Told>)>>);

impl Patterns {
    /// Where the rows of one tell names.
    pub(crate) async fn told(&self, store: &Store, id: WorkspaceId) -> Result<Arc<Told>, Fault> {
        if let Some(known) = self.known(id) {
            return Ok(known);
        }
        let read = store.read(move |reading| {
            let names = Names::of_copy(reading, id, id)?;
            tables::told(reading, id, names.pairs())
        });
        let told = Arc::new(read.await?);
        let mut all = self.0.lock();
        if all.len() >= MOST {
            all.remove(0);
        }
        all.push((id, Arc::clone(&told)));
        Ok(told)
    }

    fn known(&self, id: WorkspaceId) -> Option<Arc<Told>> {
        let mut all = self.0.lock();
        let place = all.iter().rposition(|(known, _)| *known == id)?;
        let found = all.remove(place);
        let told = Arc::clone(&found.1);
        all.push(found);
        Some(told)
    }
}
