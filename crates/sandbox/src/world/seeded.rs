//! What a seed gives, for who compares with it.

use ledger::{Change, Version};
use protocol::ids::WorkspaceId;
use protocol::time::Millis;

use super::{Grown, Network};
use crate::described::Shipped;

/// Whatever is true of the seeded fund: what the books of a workspace are filled with, in their order.
/// The same arguments give the same.
pub fn fund(
    network: Network,
    workspace: WorkspaceId,
    seed: u64,
    now: Millis,
) -> Vec<(Version, Change)> {
    Grown::new(&Shipped::Fund.plan(network), workspace, seed, now).collect()
}
