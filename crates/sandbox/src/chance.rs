//! What looks random in a workspace comes from the sandbox's seed, the workspace and the number of
//! the change: the same calls, one after another, give the same ids, addresses and hashes on every
//! machine.

use std::sync::atomic::{AtomicI64, Ordering};

use protocol::ids::WorkspaceId;
use rand::{RngCore as _, SeedableRng as _};
use rand_chacha::ChaCha12Rng;
use uuid::Uuid;

/// The chance of one change.
#[derive(Clone, Debug)]
pub(crate) struct Chance(ChaCha12Rng);

impl Chance {
    /// That of a workspace's change of this number.
    pub(crate) fn of(seed: u64, workspace: WorkspaceId, change: i64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..24].copy_from_slice(workspace.0.as_bytes());
        key[24..].copy_from_slice(&change.to_le_bytes());
        Self(ChaCha12Rng::from_seed(key))
    }

    /// The next bytes.
    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// The next id.
    pub(crate) fn uuid(&mut self) -> Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }
}

/// Names of calls. Where people and chain wait to be told they come from the seed and the number of
/// the call, as all else does.
#[derive(Debug)]
pub(crate) struct CallIds(Option<(u64, AtomicI64)>);

impl CallIds {
    /// Those that come from a seed, or random ones.
    pub(crate) fn new(seed: Option<u64>) -> Self {
        Self(seed.map(|seed| (seed, AtomicI64::new(0))))
    }

    /// That of the next call.
    pub(crate) fn next(&self) -> Uuid {
        match &self.0 {
            None => Uuid::new_v4(),
            Some((seed, made)) => {
                let number = made.fetch_add(1, Ordering::SeqCst);
                // No workspace has this id.
                Chance::of(*seed, WorkspaceId(Uuid::nil()), number).uuid()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_change_has_the_same_chance_and_no_other_has() {
        let workspace = WorkspaceId(Uuid::from_u128(7));
        let first = |seed, workspace, change| Chance::of(seed, workspace, change).uuid();
        let one = first(1, workspace, 1);
        assert_eq!(one, first(1, workspace, 1));
        assert_eq!(one.get_version_num(), 4);
        for other in [
            first(2, workspace, 1),
            first(1, workspace, 2),
            first(1, WorkspaceId(Uuid::from_u128(8)), 1),
        ] {
            assert_ne!(one, other);
        }
        let mut chance = Chance::of(1, workspace, 1);
        assert_ne!(chance.uuid(), chance.uuid());
    }

    #[test]
    fn calls_can_be_foretold_only_from_a_seed() {
        let three = |ids: CallIds| [ids.next(), ids.next(), ids.next()];
        let told = |seed| three(CallIds::new(Some(seed)));
        assert_eq!(told(1), told(1));
        assert!(told(1)[0] != told(1)[1] && told(1)[1] != told(1)[2]);
        assert_ne!(told(1), told(2));
        assert_ne!(three(CallIds::new(None)), three(CallIds::new(None)));
    }
}
