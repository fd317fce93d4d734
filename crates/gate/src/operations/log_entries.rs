//! The log's entries and files: looked at, proven, erased.

use std::collections::HashSet;
use std::sync::Arc;

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use store::{Query, StoreError};

use super::{Operator, refused};
use crate::admin_api::page::{Page, Rows};
use crate::gate::{Deed, Gate};
use crate::log::{self, Actor, Event, Published};
use crate::rows;
use crate::rows::log::Leaf;

/// Most entries of a list.
const MAX_LISTED: u32 = 500;
/// Most ranges of one erasure.
const MAX_RANGES: usize = 10_000;

/// An entry as it is shown.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// Its place in the log.
    pub index: u64,
    /// When.
    pub at: Millis,
    /// What kind.
    pub kind: String,
    /// What it tells, unless that was erased.
    pub entry: Option<Box<RawValue>>,
}

impl From<Leaf> for Shown {
    fn from(leaf: Leaf) -> Self {
        let entry = leaf.payload.map(RawValue::from_string);
        Self {
            index: leaf.index,
            at: leaf.at,
            kind: leaf.kind,
            entry: entry.and_then(Result::ok),
        }
    }
}

fn failed(error: StoreError) -> ApiError {
    refused(500, error)
}

/// Entries, the newest first.
pub(crate) async fn latest(gate: &Gate, page: &Page) -> Result<Rows<Shown>, ApiError> {
    let workspace = gate.workspace();
    let before: Option<u64> = page.key(|text| text.parse().ok())?;
    let wanted = page.wanted();
    let read = gate.store.read(move |reading| {
        let size = rows::log::size(reading, workspace)?;
        let end = before.map_or(size, |before| before.min(size));
        let from = end.saturating_sub(wanted.into());
        let count = u32::try_from(end - from).unwrap_or(wanted);
        rows::log::leaves(reading, workspace, from, count)
    });
    let leaves = read.await.map_err(failed)?;
    let newest_first = leaves.into_iter().rev().map(Shown::from).collect();
    Ok(page.cut(newest_first, |one: &Shown| one.index.to_string()))
}

/// Entries from a place on, in order.
pub(crate) async fn since(gate: &Gate, first: u64) -> Result<Vec<Shown>, ApiError> {
    let workspace = gate.workspace();
    let read = gate
        .store
        .read(move |reading| rows::log::leaves(reading, workspace, first, MAX_LISTED));
    let leaves = read.await.map_err(failed)?;
    Ok(leaves.into_iter().map(Shown::from).collect())
}

/// A file of the log, as readers of such logs look for it.
pub(crate) async fn file(gate: &Gate, path: &str) -> Result<Reply, ApiError> {
    let file = Published::at(path).ok_or_else(ApiError::not_found)?;
    let workspace = gate.workspace();
    let read = gate
        .store
        .read(move |reading| file.read(reading, workspace));
    let body = read.await.map_err(failed)?;
    let kind = match file {
        Published::Checkpoint | Published::Payload(_) => "text/plain; charset=utf-8",
        Published::Tile(_) | Published::Entries(_) => "application/octet-stream",
    };
    Ok(Reply {
        status: 200,
        headers: vec![("content-type", kind.to_owned())],
        body: body.ok_or_else(ApiError::not_found)?.into(),
        rows: None,
    })
}

/// The proof of an entry, in one file.
#[derive(Debug, Serialize)]
pub struct Proof {
    /// The file.
    pub proof: String,
    /// How many of the log's witnesses have cosigned its checkpoint.
    pub cosigned: u32,
    /// How many witnesses the log has.
    pub witnesses: usize,
}

/// Proves an entry, by a checkpoint that at least so many witnesses have cosigned.
pub(crate) async fn prove(gate: &Gate, index: u64, quorum: u32) -> Result<Proof, ApiError> {
    let (workspace, key) = (gate.workspace(), gate.log_name());
    let witnesses = gate.config.log.witnesses.keys();
    let all = witnesses.len();
    let read = gate
        .store
        .read(move |reading| log::prove(reading, workspace, &key, index, &witnesses));
    let proof = read.await.map_err(failed)?;
    let none = || {
        refused(
            404,
            format_args!(
                "no signed checkpoint counts an entry {index}; the newest entries are signed within a second"
            ),
        )
    };
    let proof = proof.ok_or_else(none)?;
    if proof.cosigned < quorum {
        return Err(refused(
            409,
            format_args!(
                "no checkpoint that counts entry {index} is cosigned by {quorum} witnesses: `vestibule gate status` says how far they are"
            ),
        ));
    }
    Ok(Proof {
        proof: proof.text,
        cosigned: proof.cosigned,
        witnesses: all,
    })
}

/// What is to be erased.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Erasure {
    /// These entries; all that the rest allows, if none is named.
    #[serde(default)]
    pub entries: Option<Vec<u64>>,
    /// Those that are older.
    #[serde(default)]
    pub before: Option<Millis>,
    /// Those that tell of this connection.
    #[serde(default)]
    pub connection: Option<String>,
    /// Why; the log keeps it.
    pub reason: String,
}

/// What was erased.
#[derive(Debug, Serialize)]
pub struct Erased {
    /// How many payloads.
    pub erased: u64,
    /// How many stay: the log's own proof needs what they tell.
    pub kept: u64,
}

/// What belongs to a connection that is to be forgotten.
struct Whose {
    name: String,
    /// The API keys that it has or had.
    api_keys: Vec<String>,
    /// Its proposals, as far as the log has told of them: older entries name no more.
    proposals: HashSet<String>,
}

impl Whose {
    fn read(query: &mut impl Query, of: WorkspaceId, name: String) -> Result<Self, StoreError> {
        let mut api_keys = rows::keys::api_keys(query, of, &name)?;
        let known = rows::connections::connection(query, of, &name)?;
        api_keys.extend(known.map(|known| known.api_key.to_string()));
        Ok(Self {
            name,
            api_keys,
            proposals: HashSet::new(),
        })
    }

    /// Whether an entry tells of it: as whoever did something, by its name, by the API key that a refused
    /// call named, or by a proposal of its own.
    fn has(&mut self, kind: &str, payload: Option<&str>) -> bool {
        let Some(Ok(Value::Object(told))) = payload.map(serde_json::from_str) else {
            return false;
        };
        let text = |name: &str| told.get(name).and_then(Value::as_str);
        let actor = told.get("actor").and_then(|actor| actor.get("connection"));
        let named = [text("connection"), actor.and_then(Value::as_str)];
        let proposal = text("proposal").filter(|_| kind.starts_with("proposal_"));
        if named.contains(&Some(self.name.as_str())) {
            self.proposals.extend(proposal.map(str::to_owned));
            return true;
        }
        let key = text("api_key").filter(|_| kind == "refused");
        key.is_some_and(|key| self.api_keys.iter().any(|own| own == key))
            || proposal.is_some_and(|proposal| self.proposals.contains(proposal))
    }
}

impl Erasure {
    fn covers(&self, leaf: &Leaf, whose: Option<&mut Whose>) -> bool {
        let named = |entries: &Vec<u64>| entries.contains(&leaf.index);
        let is_its = whose.is_none_or(|whose| whose.has(&leaf.kind, leaf.payload.as_deref()));
        is_its
            && leaf.payload.is_some()
            && self.entries.as_ref().is_none_or(named)
            && self.before.is_none_or(|before| leaf.at < before)
    }
}

/// Erases payloads, and tells the log which. Every proof stays whole.
pub(crate) async fn erase(
    gate: &Arc<Gate>,
    operator: &Operator,
    erasure: Erasure,
) -> Result<Erased, ApiError> {
    if erasure.entries.is_none() && erasure.before.is_none() && erasure.connection.is_none() {
        return Err(refused(400, "name entries, a time or a connection"));
    }
    if erasure.reason.trim().is_empty() {
        return Err(refused(400, "an erasure needs a reason"));
    }
    let actor = Actor::Operator(operator.name.clone());
    let work = move |deed: &mut Deed<'_, '_>| {
        let whose = erasure.connection.clone();
        let whose = whose.map(|name| Whose::read(deed.writing, deed.workspace, name));
        let mut whose = whose.transpose()?;
        let (mut next, mut kept) = (0, 0);
        let (mut erased, mut ranges): (u64, Vec<(u64, u64)>) = (0, Vec::new());
        loop {
            let page = rows::log::leaves(deed.writing, deed.workspace, next, MAX_LISTED)?;
            let Some(last) = page.last() else {
                break;
            };
            next = last.index + 1;
            for leaf in &page {
                if !erasure.covers(leaf, whose.as_mut()) {
                    continue;
                }
                if Event::is_kept(&leaf.kind) {
                    kept += 1;
                    continue;
                }
                rows::log::erase(deed.writing, deed.workspace, leaf.index)?;
                erased += 1;
                match ranges.last_mut() {
                    Some((_, last)) if *last + 1 == leaf.index => *last = leaf.index,
                    _ => ranges.push((leaf.index, leaf.index)),
                }
            }
        }
        for some in ranges.chunks(MAX_RANGES) {
            let told = Event::PayloadsErased {
                entries: some.to_vec(),
                reason: erasure.reason.clone(),
            };
            deed.log(actor.clone(), told)?;
        }
        Ok(Erased { erased, kept })
    };
    let done = gate.deed(work).await?;
    // It is erased, also where somebody reads the journal just now: that is emptied later, by itself.
    if let Err(error) = gate.store.empty_journal().await {
        tracing::warn!(%error, "what was erased may stand in the store's journal for some time");
    }
    Ok(done)
}

#[cfg(test)]
mod tests;
