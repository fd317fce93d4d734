//! Verifying a log: every payload against its leaf, the leaves against the tree, the tree against
//! every checkpoint. Works on a store that nobody serves, too.

use protocol::ed25519::VerifyingKey;
use protocol::ids::WorkspaceId;
use serde::Serialize;
use store::{Store, StoreError};
use tlog_tiles::tlog::{
    Error as TreeError, Hash, HashReader, stored_hash_count, stored_hashes, tree_hash,
};

use super::{BadCheckpoint, Checkpoint, commitment, leaf};
use crate::rows;

/// A log that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// How many entries.
    pub entries: u64,
    /// How many of their payloads are erased.
    pub erased: u64,
    /// The root of the tree, hex.
    pub root: String,
    /// How many checkpoints were compared with it.
    pub checkpoints: u64,
}

/// Where a log does not hold.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Every gate's log begins with its making.
    #[error(
        "there is no log of workspace {0} here: was it emptied, or is this another gate's store?"
    )]
    Absent(WorkspaceId),
    /// A payload is not what was committed to.
    #[error("entry {0} was changed: its payload is not the one that was logged")]
    Payload(u64),
    /// What the tree holds of an entry is not what stands there.
    #[error("entry {0} was changed: its time, kind or commitment is not the one that was logged")]
    Leaf(u64),
    /// Entries are missing.
    #[error("entry {0} is missing")]
    Missing(u64),
    /// A stored hash is not what the leaves give.
    #[error("the tree was changed: the stored hash {0} is not what the entries give")]
    Tree(u64),
    /// A checkpoint is not to be believed.
    #[error("the checkpoint of size {0}: {1}")]
    Checkpoint(u64, BadCheckpoint),
    /// A checkpoint does not fit the entries.
    #[error("the log was rewritten: its first {0} entries are not those of the signed checkpoint")]
    Rewritten(u64),
    /// Entries that a checkpoint counts are gone.
    #[error("the log was cut: a signed checkpoint counts {0} entries, {1} are there")]
    Cut(u64, u64),
}

/// The hashes as the leaves give them.
struct Recomputed(Vec<Hash>);

impl HashReader for Recomputed {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, TreeError> {
        let at = |index: &u64| {
            usize::try_from(*index)
                .ok()
                .and_then(|at| self.0.get(at))
                .copied()
        };
        indexes
            .iter()
            .map(|index| at(index).ok_or(TreeError::IndexesNotInTree))
            .collect()
    }
}

/// Verifies the whole log.
pub async fn verify(
    store: &Store,
    workspace: WorkspaceId,
    key: &VerifyingKey,
) -> Result<Verified, Broken> {
    let key = *key;
    store
        .read(move |reading| whole(reading, workspace, &key))
        .await
}

fn whole(
    query: &mut impl store::Query,
    workspace: WorkspaceId,
    key: &VerifyingKey,
) -> Result<Verified, Broken> {
    let broken = |error: TreeError| Broken::Store(StoreError::Engine(error.to_string()));
    let mut tree = Recomputed(Vec::new());
    let (mut entries, mut erased) = (0, 0);
    loop {
        let page = rows::log::leaves(query, workspace, entries, 1_000)?;
        if page.is_empty() {
            break;
        }
        for row in page {
            if row.index != entries {
                return Err(Broken::Missing(entries));
            }
            match &row.payload {
                Some(payload)
                    if commitment(&row.salt, payload.as_bytes()).as_slice() != row.commitment =>
                {
                    return Err(Broken::Payload(entries));
                }
                Some(_) => {}
                None => erased += 1,
            }
            let leaf = leaf(row.at, &row.kind, &row.commitment);
            let hashes = stored_hashes(entries, &leaf, &tree).map_err(broken)?;
            let first = stored_hash_count(entries);
            for (at, hash) in (first..).zip(&hashes) {
                match rows::log::hash(query, workspace, at)? {
                    Some(stored) if stored == hash.0 => {}
                    // The first of an entry's hashes is the leaf's own.
                    Some(_) if at == first => return Err(Broken::Leaf(entries)),
                    _ => return Err(Broken::Tree(at)),
                }
            }
            tree.0.extend(hashes);
            entries += 1;
        }
    }
    let mut checkpoints = 0;
    for (size, note) in rows::log::checkpoints(query, workspace)? {
        let checkpoint = Checkpoint::verify(&note, workspace, key)
            .map_err(|bad| Broken::Checkpoint(size, bad))?;
        if checkpoint.size != size {
            let other = BadCheckpoint::Size(checkpoint.size);
            return Err(Broken::Checkpoint(size, other));
        }
        if checkpoint.size > entries {
            return Err(Broken::Cut(checkpoint.size, entries));
        }
        if tree_hash(checkpoint.size, &tree).map_err(broken)?.0 != checkpoint.root {
            return Err(Broken::Rewritten(checkpoint.size));
        }
        checkpoints += 1;
    }
    if entries == 0 && checkpoints == 0 {
        return Err(Broken::Absent(workspace));
    }
    let hashes = rows::log::hash_count(query, workspace)?;
    if hashes != stored_hash_count(entries) {
        return Err(Broken::Tree(hashes.max(stored_hash_count(entries)) - 1));
    }
    let root = hex::encode(tree_hash(entries, &tree).map_err(broken)?.0);
    Ok(Verified {
        entries,
        erased,
        root,
        checkpoints,
    })
}
