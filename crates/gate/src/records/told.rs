//! What the log tells of the segments that records lie in, and whether they are as it tells.

use std::collections::{BTreeMap, BTreeSet};

use protocol::ids::WorkspaceId;
use store::{Store, StoreError};

use super::find::{Found, Wanted};
use super::retention::{Gone, closed, deleted};
use super::writer::Closed;
use crate::gates::GateName;
use crate::log::{Broken, segments};
use crate::rows;

/// What a gate's log and books tell of its records.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The segments that take no more records.
    pub(super) closed: Vec<Closed>,
    /// What is deleted, the oldest first.
    pub gone: Vec<Gone>,
    /// What connections are called, whatever has become of them.
    pub connections: BTreeSet<String>,
}

/// What is told of the records of this gate.
pub async fn told(
    store: &Store,
    workspace: WorkspaceId,
    gate: Option<GateName>,
) -> Result<Told, StoreError> {
    let read = store.read(move |reading| {
        let connections = rows::connections::connections(reading, workspace)?;
        Ok(Told {
            closed: closed(reading, workspace, gate.as_ref())?,
            gone: deleted(reading, workspace, gate.as_ref())?,
            connections: connections.into_iter().map(|one| one.name).collect(),
        })
    });
    read.await
}

impl Told {
    /// Which segments are not as the log told before they were read. What it tells now is deleted may be
    /// missing; of what is missing, that counts which somebody asked for. Pure.
    pub fn broken(&self, found: &Found, wanted: &Wanted, gone: &[Gone]) -> Vec<Broken> {
        let mut by_number: BTreeMap<u64, Vec<&Closed>> = BTreeMap::new();
        for segment in &self.closed {
            by_number.entry(segment.number).or_default().push(segment);
        }
        let wrong = |number: u64, what: &str| Broken::Access {
            file: segments::file_name(number),
            what: what.to_owned(),
        };
        let newest = by_number.last_key_value().map_or(0, |(number, _)| *number);
        let mut broken = Vec::new();
        for (number, digest) in &found.segments {
            match by_number.remove(number) {
                Some(told) if told.iter().any(|one| one.sha256 == *digest) => {}
                Some(_) => broken.push(wrong(*number, "they are not those that the log tells of")),
                None if *number < newest => {
                    broken.push(wrong(*number, "no entry of the log tells of them"));
                }
                // The one that takes records now, or that a killed gate left open.
                None => {}
            }
        }
        let is_gone = |number: u64| {
            let mut gone = gone.iter();
            gone.any(|gone| (gone.segments.0..=gone.segments.1).contains(&number))
        };
        let asked = |told: &&Closed| wanted.meets(told.first, told.last);
        let missing = by_number
            .values()
            .flatten()
            .copied()
            .filter(asked)
            .filter(|told| !is_gone(told.number));
        broken.extend(missing.map(|told| wrong(told.number, "the file is gone")));
        broken
    }
}
