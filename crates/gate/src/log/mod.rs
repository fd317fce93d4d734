//! The append-only log: a Merkle tree over salted commitments, its checkpoints signed.
//!
//! A leaf says when, what kind, and SHA-256 over salt and payload; the payload stands beside it and
//! can be erased while every proof still holds. A leaf is written in the transaction of what it
//! tells. Checkpoints are signed notes (C2SP `tlog-checkpoint`).

mod checkpoint;
mod copy;
mod entry;
mod keeper;
mod key;
mod origin;
mod proof;
mod published;
pub(crate) mod segments;
mod stored;
mod tree;
mod verify;
mod witness;

use std::cell::RefCell;

use aws_lc_rs::digest::{Context, SHA256};
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use store::{Query, StoreError, Writing};
use tlog_tiles::tlog::{
    Error as TreeError, Hash, HashReader, stored_hash_count, stored_hashes, tree_hash,
};

pub use checkpoint::{BadCheckpoint, Checkpoint};
pub use copy::{Access, Exported, export, verify_copy};
pub use entry::{Actor, Entry, Event};
pub(crate) use keeper::Keeper;
pub use keeper::{LogError, audit};
pub use key::{LogKey, NoLogKey};
pub(crate) use origin::Origin;
pub use proof::{Proof, Proven, prove, verify_proof};
pub(crate) use published::Published;
#[cfg(test)]
pub(crate) use stored::audited;
pub use stored::verify;
#[cfg(test)]
pub(crate) use verify::ToldSegment;
pub use verify::{Against, Broken, Held, Newest, Verified};
pub(crate) use witness::distinct;
pub use witness::{BadWitnesses, Cosigned, Demand, NoWitnessKey, Vouched, WitnessKey};

use crate::rows;
use crate::rows::log::Leaf;

/// The commitment to a payload.
pub(crate) fn commitment(salt: &[u8], payload: &[u8]) -> [u8; 32] {
    let mut hash = Context::new(&SHA256);
    hash.update(salt);
    hash.update(payload);
    let mut out = [0; 32];
    out.copy_from_slice(hash.finish().as_ref());
    out
}

/// What the tree is made of: an entry's time, kind and commitment.
pub(crate) fn leaf(at: Millis, kind: &str, commitment: &[u8]) -> Vec<u8> {
    format!("{at}\n{kind}\n{}\n", hex::encode(commitment)).into_bytes()
}

/// What [`leaf`] was made of: time, kind, commitment. `None`: it made none of this.
pub(crate) fn leaf_parts(bytes: &[u8]) -> Option<(Millis, &str, [u8; 32])> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.split_terminator('\n');
    let (at, kind, commitment) = (lines.next()?, lines.next()?, lines.next()?);
    let at = Millis(at.parse().ok()?);
    let commitment: [u8; 32] = hex::decode(commitment).ok()?.try_into().ok()?;
    (leaf(at, kind, &commitment) == bytes).then_some((at, kind, commitment))
}

/// Appends an entry to a workspace's log, in the transaction of what it tells; its index.
pub fn append(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    at: Millis,
    entry: &Entry,
) -> Result<u64, StoreError> {
    append_from(writing, workspace, at, entry, &Origin::default())
}

/// The same, with where the call came from that it tells of.
pub(crate) fn append_from(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    at: Millis,
    entry: &Entry,
    origin: &Origin,
) -> Result<u64, StoreError> {
    let payload = serde_json::to_string(&origin::Traced { entry, origin })
        .map_err(|error| StoreError::Engine(error.to_string()))?;
    let salt: [u8; 16] = *uuid::Uuid::new_v4().as_bytes();
    let (kind, commitment) = (entry.event.kind(), commitment(&salt, payload.as_bytes()));
    let index = rows::log::next_index(writing, workspace)?;
    let reader = Stored(workspace, RefCell::new(writing));
    let hashes = stored_hashes(index, &leaf(at, kind, &commitment), &reader)
        .map_err(|error| StoreError::Engine(error.to_string()))?;
    let writing = reader.1.into_inner();
    let first = stored_hash_count(index);
    for (at, hash) in (first..).zip(&hashes) {
        rows::log::put_hash(writing, workspace, at, &hash.0)?;
    }
    let leaf = Leaf {
        index,
        at,
        kind: kind.to_owned(),
        commitment: commitment.into(),
        salt: salt.into(),
        payload: Some(payload),
    };
    rows::log::put_leaf(writing, workspace, &leaf)?;
    Ok(index)
}

/// The stored hashes of a workspace's tree, as the tables have them.
pub(crate) struct Stored<'a, Q>(pub(crate) WorkspaceId, pub(crate) RefCell<&'a mut Q>);

impl<Q: Query> HashReader for Stored<'_, Q> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, TreeError> {
        let Self(workspace, query) = self;
        let mut query = query.borrow_mut();
        indexes
            .iter()
            .map(
                |index| match rows::log::hash(&mut **query, *workspace, *index) {
                    Ok(Some(hash)) => Ok(Hash(hash)),
                    _ => Err(TreeError::IndexesNotInTree),
                },
            )
            .collect()
    }
}

/// Size and root of a workspace's tree.
pub(crate) fn root(
    query: &mut impl Query,
    workspace: WorkspaceId,
) -> Result<(u64, Hash), StoreError> {
    let size = rows::log::size(query, workspace)?;
    let reader = Stored(workspace, RefCell::new(query));
    let root = tree_hash(size, &reader).map_err(|error| StoreError::Engine(error.to_string()))?;
    Ok((size, root))
}

#[cfg(test)]
mod tests;
