//! Verifying a log: every payload against its leaf, the leaves against the tree, the tree against
//! every checkpoint, those that are held outside the store as well. Works on a store that nobody
//! serves, too.
//!
//! Whoever can write the store cannot sign. So what no signed checkpoint covers proves nothing, and a
//! log is not whole because what is left of it fits together: its beginning must be there, and a
//! checkpoint over its last entry.

use protocol::ed25519::VerifyingKey;
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use serde::Serialize;
use store::{Store, StoreError};
use tlog_tiles::tlog::{
    Error as TreeError, Hash, HashReader, stored_hash_count, stored_hashes, tree_hash,
};

use super::{BadCheckpoint, Checkpoint, Entry, Event, commitment, leaf};
use crate::rows;

/// What a log is held against beside its own store.
#[derive(Clone, Debug, Default)]
pub struct Against {
    /// Checkpoints that are kept elsewhere: whoever cuts the store cannot cut them, too.
    pub held: Vec<Held>,
    /// Whether a gate runs: then its latest entries are signed in a moment.
    pub running: bool,
}

/// A checkpoint that is kept outside the store.
#[derive(Clone, Debug)]
pub struct Held {
    /// Where.
    pub place: String,
    /// The signed note.
    pub note: String,
}

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
    /// The newest of them.
    pub newest: Newest,
    /// How many of the last entries it does not cover; none, unless a gate runs.
    pub uncovered: u64,
}

/// The newest signed checkpoint that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Newest {
    /// How many entries it covers.
    pub size: u64,
    /// When it was signed.
    pub at: Option<Millis>,
}

/// Where a log does not hold.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
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
    /// A checkpoint that is kept elsewhere is not to be believed.
    #[error("the checkpoint in {0}: {1}")]
    Held(String, BadCheckpoint),
    /// There is no such file.
    #[error(
        "{0} cannot be read: without the newest signed checkpoint nothing shows whether the log was cut"
    )]
    NotHeld(String),
    /// The first entry is not the gate's own beginning.
    #[error(
        "the log does not begin with the gate's own beginning: it is not this gate's, or its entries are gone"
    )]
    NoBeginning,
    /// Nothing is signed.
    #[error("the log has no signed checkpoint: its entries could be anybody's")]
    NoCheckpoint,
    /// Payloads are gone.
    #[error(
        "{count} payloads are gone, entry {first} is the first, and no entry tells that they were erased"
    )]
    Erased {
        /// The first.
        first: u64,
        /// How many.
        count: u64,
    },
    /// The last entries are not signed.
    #[error(
        "the last {0} of {1} entries are covered by no signed checkpoint, and no gate runs that would sign them: it did not end in order, or somebody else wrote them. Look at them; the gate signs them when it starts"
    )]
    Uncovered(u64, u64),
}

/// Whether this is how a gate of the workspace begins its log.
pub(super) fn is_beginning(row: &rows::log::Leaf, workspace: WorkspaceId) -> bool {
    let entry = row.payload.as_deref().map(serde_json::from_str::<Entry>);
    let Some(Ok(Entry {
        event: Event::GateInitialised { workspace: of, .. },
        ..
    })) = entry
    else {
        return false;
    };
    row.index == 0 && of == workspace.to_string()
}

/// The checkpoints so far, and what they say together.
struct Compared<'a> {
    tree: &'a Recomputed,
    entries: u64,
    count: u64,
    newest: Option<Newest>,
}

impl Compared<'_> {
    fn with(&mut self, checkpoint: &Checkpoint) -> Result<(), Broken> {
        if checkpoint.size > self.entries {
            return Err(Broken::Cut(checkpoint.size, self.entries));
        }
        if tree_hash(checkpoint.size, self.tree).map_err(engine)?.0 != checkpoint.root {
            return Err(Broken::Rewritten(checkpoint.size));
        }
        self.count += 1;
        if self
            .newest
            .is_none_or(|newest| newest.size <= checkpoint.size)
        {
            self.newest = Some(Newest {
                size: checkpoint.size,
                at: checkpoint.at,
            });
        }
        Ok(())
    }
}

pub(super) fn engine(error: TreeError) -> Broken {
    Broken::Store(StoreError::Engine(error.to_string()))
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
    against: Against,
) -> Result<Verified, Broken> {
    let key = *key;
    store
        .read(move |reading| whole(reading, workspace, &key, &against))
        .await
}

fn whole(
    query: &mut impl store::Query,
    workspace: WorkspaceId,
    key: &VerifyingKey,
    against: &Against,
) -> Result<Verified, Broken> {
    let mut tree = Recomputed(Vec::new());
    let (mut entries, mut begun) = (0, false);
    let (mut gone, mut first_gone) = (0, None);
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
                None => {
                    gone += 1;
                    first_gone = first_gone.or(Some(entries));
                }
            }
            begun |= is_beginning(&row, workspace);
            let leaf = leaf(row.at, &row.kind, &row.commitment);
            let hashes = stored_hashes(entries, &leaf, &tree).map_err(engine)?;
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
    let mut compared = Compared {
        tree: &tree,
        entries,
        count: 0,
        newest: None,
    };
    for (size, note) in rows::log::checkpoints(query, workspace)? {
        let checkpoint = Checkpoint::verify(&note, workspace, key)
            .map_err(|bad| Broken::Checkpoint(size, bad))?;
        if checkpoint.size != size {
            let other = BadCheckpoint::Size(checkpoint.size);
            return Err(Broken::Checkpoint(size, other));
        }
        compared.with(&checkpoint)?;
    }
    let in_store = compared.count;
    for held in &against.held {
        let checkpoint = Checkpoint::verify(&held.note, workspace, key)
            .map_err(|bad| Broken::Held(held.place.clone(), bad))?;
        compared.with(&checkpoint)?;
    }
    if !begun {
        return Err(Broken::NoBeginning);
    }
    let Some(newest) = compared.newest.filter(|_| in_store > 0) else {
        return Err(Broken::NoCheckpoint);
    };
    let hashes = rows::log::hash_count(query, workspace)?;
    if hashes != stored_hash_count(entries) {
        return Err(Broken::Tree(hashes.max(stored_hash_count(entries)) - 1));
    }
    // No operation erases payloads yet, so nothing explains a missing one.
    if let Some(first) = first_gone {
        return Err(Broken::Erased { first, count: gone });
    }
    let uncovered = entries - newest.size;
    if uncovered > 0 && !against.running {
        return Err(Broken::Uncovered(uncovered, entries));
    }
    Ok(Verified {
        entries,
        erased: gone,
        root: hex::encode(tree_hash(entries, &tree).map_err(engine)?.0),
        checkpoints: compared.count,
        newest,
        uncovered,
    })
}
