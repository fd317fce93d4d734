//! One gate, one process: also where its store is reached from several machines.

use std::sync::Arc;
use std::time::Duration;

use protocol::ids::WorkspaceId;
use store::{Claim, Store};
use tokio_util::sync::CancellationToken;

use super::{StartError, location};
use crate::config::Config;
use crate::folder::Folder;

/// How often the gate looks whether the store is still its own.
const WATCH: Duration = Duration::from_secs(2);

/// A gate ended because it is not its workspace's only one any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the database let go of this gate and another one of its workspace runs over it now: this one has ended"
)]
pub struct Taken;

/// What the one running gate of a workspace has claimed.
pub(super) fn claim_of(workspace: WorkspaceId) -> String {
    format!("gate-{workspace}")
}

/// Claims the workspace's part of the store: two gates that write it would fork its log, send its
/// proposals twice, and each would let in whom the other has shut out.
pub(super) async fn claim(
    folder: &Folder,
    config: &Config,
    store: &Store,
) -> Result<Arc<Claim>, StartError> {
    let workspace = config.upstream.workspace_id;
    let claim = store.claim(&claim_of(workspace)).await?;
    let held = || StartError::Running(workspace, location(folder, config));
    claim.map(Arc::new).ok_or_else(held)
}

/// Ends this gate when another one has taken its store.
pub(super) async fn watch(claim: Arc<Claim>, lost: CancellationToken, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(WATCH) => {}
        }
        match claim.is_held().await {
            Ok(true) => {}
            Ok(false) => {
                tracing::error!("{Taken}");
                lost.cancel();
                shutdown.cancel();
            }
            // Nothing can be written meanwhile.
            Err(error) => {
                tracing::warn!(%error, "whether the store is this gate's is not known now")
            }
        }
    }
}
