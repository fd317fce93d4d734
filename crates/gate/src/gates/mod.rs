//! Several gates over one store (PostgreSQL): each serves by a lease, one leads.
//!
//! A gate may serve for [`LEASE`] after it began to look whether a connection has changed; what has
//! changed it takes in before its lease is renewed. So whoever changes a connection waits until every
//! other gate says that it has taken this in, or until its lease has run out: then no gate lets
//! anybody in by what was before. One of them leads: it alone walks upstream, applies what comes in,
//! sends proposals and webhooks, and signs the log's head.

mod lead;
mod lease;
mod name;
mod pulse;

pub(crate) use lead::{Lead, claim_of};
pub(crate) use lease::Lease;
use lease::{LEASE, Since};
pub use name::{BadName, GateName};
use protocol::ids::WorkspaceId;
pub(crate) use pulse::{begin, keep, settled};
use store::{Store, StoreError};

use crate::rows;

/// A gate that lives over the store: that does something while it is looked at. Rows of others may be left
/// from before a copy was taken.
pub(crate) async fn living(
    store: &Store,
    workspace: WorkspaceId,
) -> Result<Option<String>, StoreError> {
    let all = || store.read(move |reading| rows::gates::all(reading, workspace));
    let before = all().await?;
    if before.is_empty() {
        return Ok(None);
    }
    tokio::time::sleep(LEASE).await;
    let mut after = all().await?.into_iter();
    let lives = after.find(|now| !before.contains(now));
    Ok(lives.map(|gate| gate.name))
}
