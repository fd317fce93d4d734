//! The proof of one entry, in one file: what was logged, where in the tree, and a signed checkpoint
//! (C2SP tlog-proof). It is verified with the log's key alone.

use std::cell::RefCell;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::{Query, StoreError};
use tlog_tiles::tlog::{Hash, check_record, prove_record, record_hash};

use super::witness::{Demand, Vouched, cosigned, vouched};
use super::{BadCheckpoint, Checkpoint, LogKey, Stored, commitment, leaf};
use crate::rows;

/// The first line.
const FORM: &str = "c2sp.org/tlog-proof@v1";
/// Largest proof that is read, in bytes.
const MAX_PROOF: usize = 1 << 20;
/// More hashes than the path of any tree.
const MAX_PATH: usize = 64;

/// What a proof says beside the tree's part.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Extra {
    at: Millis,
    kind: String,
    commitment: String,
    /// Missing: it was erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    salt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payload: Option<String>,
}

/// What a proof proves.
#[derive(Debug, Serialize)]
pub struct Proven {
    /// Which entry.
    pub index: u64,
    /// When it was logged.
    pub at: Millis,
    /// What kind.
    pub kind: String,
    /// What it tells, unless that was erased.
    pub entry: Option<Box<RawValue>>,
    /// How many entries the log had at the least.
    pub size: u64,
    /// When that was signed.
    pub signed_at: Option<Millis>,
    /// What the demanded witnesses say of it; nothing, where nobody demands it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vouched: Option<Vouched>,
}

/// Why a proof proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotProven {
    /// It is not in the form of one.
    #[error("it is no proof of an entry: {0}")]
    Form(&'static str),
    /// Its checkpoint.
    #[error("its checkpoint: {0}")]
    Checkpoint(#[from] BadCheckpoint),
    /// Fewer witnesses than were demanded vouch for its checkpoint.
    #[error("of the demanded witnesses {0} have cosigned its checkpoint, not {1}")]
    Unvouched(usize, usize),
    /// Its payload.
    #[error("what it tells is not what was logged")]
    Payload,
    /// Its path.
    #[error("the entry is not in the tree of its checkpoint")]
    Path,
}

/// The proof of an entry, in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The file.
    pub text: String,
    /// How many of the witnesses have cosigned its checkpoint.
    pub cosigned: u32,
}

/// The proof of an entry under the checkpoint that most of these witnesses have cosigned, the newest of
/// such: they may be late with the newest of all. `None`: no checkpoint counts it yet.
pub fn prove(
    query: &mut impl Query,
    workspace: WorkspaceId,
    key: &LogKey,
    index: u64,
    witnesses: &[String],
) -> Result<Option<Proof>, StoreError> {
    let engine = |error: String| StoreError::Engine(error);
    let vouched = rows::log::most_cosigned(query, workspace, index, witnesses)?;
    let found = match vouched {
        Some(vouched) => Some(vouched),
        None => rows::log::newest_checkpoint(query, workspace)?.map(|(_, note)| (0, note)),
    };
    let Some((cosigned, note)) = found else {
        return Ok(None);
    };
    let checkpoint = Checkpoint::verify(&note, key).map_err(|bad| engine(bad.to_string()))?;
    let row = rows::log::leaves(query, workspace, index, 1)?
        .into_iter()
        .next();
    let Some(row) = row.filter(|row| row.index == index && index < checkpoint.size) else {
        return Ok(None);
    };
    let extra = Extra {
        at: row.at,
        kind: row.kind,
        commitment: hex::encode(&row.commitment),
        salt: row.payload.is_some().then(|| hex::encode(&row.salt)),
        payload: row.payload,
    };
    let reader = Stored(workspace, RefCell::new(query));
    let path =
        prove_record(checkpoint.size, index, &reader).map_err(|error| engine(error.to_string()))?;
    let extra = STANDARD.encode(rows::doc(&extra)?);
    let mut text = format!("{FORM}\nextra {extra}\nindex {index}\n");
    for hash in path {
        text += &format!("{}\n", STANDARD.encode(hash.0));
    }
    Ok(Some(Proof {
        text: format!("{text}\n{note}"),
        cosigned,
    }))
}

/// Verifies a proof.
pub fn verify_proof(text: &str, key: &LogKey, demand: &Demand) -> Result<Proven, NotProven> {
    let form = NotProven::Form;
    if text.len() > MAX_PROOF {
        return Err(form("it is too long"));
    }
    let (head, note) = text
        .split_once("\n\n")
        .ok_or(form("it has no checkpoint"))?;
    let mut lines = head.split('\n');
    if lines.next() != Some(FORM) {
        return Err(form("it does not begin with c2sp.org/tlog-proof@v1"));
    }
    let mut named = |name: &str| lines.next().and_then(|line| line.strip_prefix(name));
    let extra = named("extra ").ok_or(form("it has no 'extra' line"))?;
    let index = named("index ").ok_or(form("it has no 'index' line"))?;
    let number: u64 = index.parse().map_err(|_| form("its index is no number"))?;
    if number.to_string() != index {
        return Err(form("its index is no number"));
    }
    let hash = |line: &str| {
        let bytes = STANDARD.decode(line).ok()?;
        Some(Hash(bytes.try_into().ok()?))
    };
    let path: Option<Vec<Hash>> = lines.take(MAX_PATH).map(hash).collect();
    let path = path.ok_or(form("a line of its path is no hash"))?;
    let checkpoint = Checkpoint::verify(note, key)?;
    let told = extra_of(extra).ok_or(form("its 'extra' line is not a gate's"))?;
    let committed = unhex(&told.commitment)?;
    let entry = match (&told.salt, told.payload) {
        (Some(salt), Some(payload)) => {
            let salt = unhex(salt)?;
            if commitment(&salt, payload.as_bytes()).as_slice() != committed {
                return Err(NotProven::Payload);
            }
            Some(RawValue::from_string(payload).map_err(|_| NotProven::Payload)?)
        }
        (None, None) => None,
        _ => return Err(NotProven::Payload),
    };
    let leaf = record_hash(&leaf(told.at, &told.kind, &committed));
    if number >= checkpoint.size {
        return Err(NotProven::Path);
    }
    let root = Hash(checkpoint.root);
    check_record(&path, checkpoint.size, root, number, leaf).map_err(|_| NotProven::Path)?;
    let vouched = if demand.keys.is_empty() {
        None
    } else {
        let by = cosigned(note, checkpoint.size, &demand.keys)?;
        let unvouched = NotProven::Unvouched(by.len(), demand.quorum);
        Some(vouched(by, demand.quorum).ok_or(unvouched)?)
    };
    Ok(Proven {
        vouched,
        index: number,
        at: told.at,
        kind: told.kind,
        entry,
        size: checkpoint.size,
        signed_at: checkpoint.at,
    })
}

/// What the line holds, written exactly as a gate writes it.
fn extra_of(line: &str) -> Option<Extra> {
    let bytes = STANDARD.decode(line).ok()?;
    let extra: Extra = serde_json::from_slice(&bytes).ok()?;
    (serde_json::to_vec(&extra).ok()? == bytes).then_some(extra)
}

fn unhex(text: &str) -> Result<Vec<u8>, NotProven> {
    let bytes = hex::decode(text).map_err(|_| NotProven::Payload)?;
    let as_written = hex::encode(&bytes) == text;
    as_written.then_some(bytes).ok_or(NotProven::Payload)
}
