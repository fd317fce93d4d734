//! The log in the store: verified whole, whether a gate serves it or not.

use protocol::ed25519::VerifyingKey;
use protocol::ids::WorkspaceId;
use store::{Query, Store};
use tlog_tiles::tlog::stored_hash_count;

use super::key::LogKey;
use super::verify::{Against, Audited, Auditor, Broken, Signed, Verified};
use super::{BadCheckpoint, leaf};
use crate::rows;

/// Entries read at once.
const PAGE: u32 = 1_000;

/// Verifies the log of the store.
pub async fn verify(
    store: &Store,
    workspace: WorkspaceId,
    key: &VerifyingKey,
    against: Against,
) -> Result<Verified, Broken> {
    let key = LogKey::of(workspace, *key);
    Ok(audited(store, workspace, &key, against).await?.verified)
}

pub(crate) async fn audited(
    store: &Store,
    workspace: WorkspaceId,
    key: &LogKey,
    against: Against,
) -> Result<Audited, Broken> {
    let key = key.clone();
    store
        .read(move |reading| whole(reading, workspace, &key, &against))
        .await
}

fn whole(
    query: &mut impl Query,
    workspace: WorkspaceId,
    key: &LogKey,
    against: &Against,
) -> Result<Audited, Broken> {
    let mut checkpoints = Vec::new();
    for (size, note) in rows::log::checkpoints(query, workspace)? {
        let signed = Signed::read(&note, key, &against.witnesses);
        let signed = signed.map_err(|bad| Broken::Checkpoint(size, bad))?;
        if signed.checkpoint.size != size {
            let other = BadCheckpoint::Size(signed.checkpoint.size);
            return Err(Broken::Checkpoint(size, other));
        }
        checkpoints.push(signed);
    }
    let signed_here = !checkpoints.is_empty();
    for held in &against.held {
        checkpoints.push(held.believed(key, &against.witnesses)?);
    }
    let mut auditor = Auditor::new(key, &against.witnesses, checkpoints);
    loop {
        let from = auditor.size();
        let page = rows::log::leaves(query, workspace, from, PAGE)?;
        if page.is_empty() {
            break;
        }
        let hashes = stored_hash_count(from)..stored_hash_count(from + u64::from(PAGE));
        let mut stored = rows::log::hashes(query, workspace, hashes)?.into_iter();
        let mut at = stored_hash_count(from);
        for row in page {
            let index = auditor.size();
            if row.index != index {
                return Err(Broken::Missing(index));
            }
            let leaf = leaf(row.at, &row.kind, &row.commitment);
            let payload = row.payload.as_deref();
            let payload = payload.map(|payload| (row.salt.as_slice(), payload.as_bytes()));
            let completed = auditor.entry(&row.kind, &leaf, &row.commitment, payload)?;
            let first = at;
            for hash in completed {
                match stored.next() {
                    Some((number, stored)) if number == at && stored == hash.0 => {}
                    // The first of an entry's hashes is the leaf's own.
                    Some((number, _)) if number == at && at == first => {
                        return Err(Broken::Leaf(index));
                    }
                    _ => return Err(Broken::Tree(at)),
                }
                at += 1;
            }
        }
    }
    let entries = auditor.size();
    let audited = auditor.end()?;
    if !signed_here {
        return Err(Broken::NoCheckpoint);
    }
    let hashes = rows::log::hash_count(query, workspace)?;
    if hashes != stored_hash_count(entries) {
        return Err(Broken::Tree(hashes.max(stored_hash_count(entries)) - 1));
    }
    let uncovered = audited.verified.uncovered;
    if uncovered > 0 && !against.running {
        return Err(Broken::Uncovered(uncovered, entries));
    }
    Ok(audited)
}
