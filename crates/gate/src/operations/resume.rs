//! Dispatch goes on after a stray transaction has stopped it: the quorum has looked at that one.

use std::sync::Arc;

use ledger::Fault;
use protocol::error::ApiError;
use store::StoreError;

use super::connections::Reason;
use super::{Operator, changes, reason, refused};
use crate::changes::Change;
use crate::gate::{Deed, Gate};
use crate::log::Event;
use crate::proposals::Stopped;
use crate::rows;

/// Asks for it.
pub(crate) async fn resume(
    gate: &Arc<Gate>,
    operator: &Operator,
    why: Reason,
) -> Result<changes::Shown, ApiError> {
    let why = reason(&why.reason)?;
    let workspace = gate.workspace();
    let read = gate
        .store
        .read(move |reading| rows::strays::stopped(reading, workspace));
    let stopped = read
        .await
        .map_err(|error: StoreError| refused(500, error))?
        .ok_or_else(|| refused(409, "dispatch is not stopped"))?;
    changes::ask(gate, operator, Change::ResumeDispatch(stopped), why).await
}

/// Whether it is stopped by that very transaction still.
pub(super) fn check(deed: &mut Deed<'_, '_>, seen: &Stopped) -> Result<(), Fault> {
    match rows::strays::stopped(deed.writing, deed.workspace)? {
        None => Err(refused(409, "dispatch is not stopped").into()),
        Some(stopped) if stopped == *seen => Ok(()),
        Some(stopped) => {
            let why = format!(
                "meanwhile there is another: {}: look at it, and ask again",
                stopped.words()
            );
            Err(refused(409, why).into())
        }
    }
}

/// Makes it so.
pub(super) fn make(
    deed: &mut Deed<'_, '_>,
    seen: &Stopped,
    reason: String,
) -> Result<Event, Fault> {
    rows::strays::resume(deed.writing, deed.workspace)?;
    Ok(Event::DispatchResumed {
        upstream: seen.upstream,
        reason,
    })
}
