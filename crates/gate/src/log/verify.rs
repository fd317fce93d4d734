//! Verifying a log, entry by entry: every payload against its leaf, the leaves against every
//! checkpoint, those that are held elsewhere as well. Pure; where the entries come from is told by
//! whoever reads them: the store, or a copy.
//!
//! Whoever can write the store cannot sign. So what no signed checkpoint covers proves nothing, and a
//! log is not whole because what is left of it fits together: its beginning must be there, and a
//! checkpoint over its last entry.

use protocol::time::Millis;
use serde::Serialize;
use store::StoreError;
use tlog_tiles::tlog::{Hash, record_hash};
use uuid::Uuid;

use super::key::LogKey;
use super::tree::Growing;
use super::witness::{Cosigned, Demand, Vouched, cosigned, vouched};
use super::{BadCheckpoint, Checkpoint, Entry, Event, commitment};
use crate::gates::GateName;

/// What a log is held against beside its own store.
#[derive(Clone, Debug, Default)]
pub struct Against {
    /// Checkpoints that are kept elsewhere: whoever cuts the store cannot cut them, too.
    pub held: Vec<Held>,
    /// Whether a gate runs: then its latest entries are signed in a moment.
    pub running: bool,
    /// The witnesses whose word is demanded.
    pub witnesses: Demand,
}

/// A checkpoint that is kept outside the log.
#[derive(Clone, Debug)]
pub struct Held {
    /// Where.
    pub place: String,
    /// The signed note.
    pub note: String,
}

impl Held {
    /// Believes it, if the log's key signed it and each of these witnesses that it names.
    pub(super) fn believed(&self, key: &LogKey, demand: &Demand) -> Result<Signed, Broken> {
        Signed::read(&self.note, key, demand).map_err(|bad| Broken::Held(self.place.clone(), bad))
    }
}

/// A checkpoint, and what witnesses have written under it.
pub(super) struct Signed {
    pub(super) checkpoint: Checkpoint,
    cosigned: Vec<Cosigned>,
}

impl Signed {
    /// Believes a note, if the log's key signed it and each of these witnesses that it names.
    pub(super) fn read(note: &str, key: &LogKey, demand: &Demand) -> Result<Self, BadCheckpoint> {
        let checkpoint = Checkpoint::verify(note, key)?;
        let cosigned = if demand.keys.is_empty() {
            Vec::new()
        } else {
            cosigned(note, checkpoint.size, &demand.keys)?
        };
        Ok(Self {
            checkpoint,
            cosigned,
        })
    }
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
    /// What the demanded witnesses say; nothing, where nobody demands it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vouched: Option<Vouched>,
    /// How often a copy of the store was put back.
    pub restored: u64,
    /// Segments of access records that the log tells of.
    pub access_segments: u64,
    /// How many of them are not here.
    pub access_missing: u64,
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
    /// A file of a copy is not what it must be.
    #[error("{file} was changed: {what}")]
    File {
        /// Which, from the copy's folder on.
        file: String,
        /// What is wrong there.
        what: String,
    },
    /// A checkpoint is not to be believed.
    #[error("the checkpoint of size {0}: {1}")]
    Checkpoint(u64, BadCheckpoint),
    /// A checkpoint does not fit the entries.
    #[error(
        "the log was rewritten: its first {size} entries are not those of the signed checkpoint; what differs is entry {same} or a later one"
    )]
    Rewritten {
        /// How many the checkpoint counts.
        size: u64,
        /// Up to where an older checkpoint says that they are the same.
        same: u64,
    },
    /// Entries that a checkpoint counts are gone.
    #[error("the log was cut: a signed checkpoint counts {0} entries, {1} are there")]
    Cut(u64, u64),
    /// A copy of the store was put back, and entries of before are gone.
    #[error(
        "a copy of the store with {kept} entries was put back (entry {kept} tells): of the {size} entries that a signed checkpoint of before counts, the last {} are lost", size - kept
    )]
    PutBack {
        /// How many entries the copy had.
        kept: u64,
        /// How many the checkpoint counts.
        size: u64,
    },
    /// A checkpoint is of another life of the store than the log tells.
    #[error("the checkpoint of size {0} is of another life of the store than the log tells")]
    Epoch(u64),
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
    /// Fewer witnesses than were demanded vouch.
    #[error(
        "witnesses do not vouch for the log: {demanded} were demanded for its first {size} entries; {}", words(.by, .demanded)
    )]
    Unvouched {
        /// How many entries.
        size: u64,
        /// How many witnesses must.
        demanded: usize,
        /// Each one's newest word.
        by: Vec<Cosigned>,
    },
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
    /// A segment of access records is not what the log tells.
    #[error("the access records {file}: {what}")]
    Access {
        /// Which file.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// The last entries are not signed.
    #[error(
        "the last {0} of {1} entries are covered by no signed checkpoint, and no gate runs that would sign them: it did not end in order, or somebody else wrote them. Look at them; the gate signs them when it starts"
    )]
    Uncovered(u64, u64),
}

/// What there is of witnesses' words, where it is not enough.
fn words(by: &[Cosigned], demanded: &usize) -> String {
    let each = by
        .iter()
        .map(|word| format!("{} for {}", word.witness, word.size));
    let each = each.collect::<Vec<_>>().join(", ");
    match vouched(by.to_vec(), *demanded) {
        Some(vouched) => format!("up to {} entries that many do ({each})", vouched.size),
        None if by.is_empty() => "none of them has cosigned any checkpoint here".to_owned(),
        None => format!("only these have cosigned any checkpoint here: {each}"),
    }
}

/// A segment of access records, as an entry of the log tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToldSegment {
    /// The gate that has it, among several.
    pub(crate) gate: Option<GateName>,
    pub(crate) number: u64,
    pub(crate) sha256: String,
    /// Whether the log tells, too, that it was deleted when its time was over.
    pub(crate) deleted: bool,
}

/// What comes out of all entries and checkpoints.
pub(crate) struct Audited {
    pub(super) verified: Verified,
    pub(crate) segments: Vec<ToldSegment>,
}

/// The salt of a payload, and the payload.
pub(super) type Payload<'a> = (&'a [u8], &'a [u8]);

/// Goes through a log.
pub(super) struct Auditor<'k> {
    key: &'k LogKey,
    demand: &'k Demand,
    tree: Growing,
    /// Those that are still to come, the smallest last.
    ahead: Vec<Signed>,
    /// The newest word of each witness.
    words: Vec<Cosigned>,
    /// Size and time of the checkpoints that were compared, where witnesses are demanded.
    signed: Vec<Newest>,
    compared: u64,
    newest: Option<Newest>,
    /// The latest epoch that the log tells, and how many entries the copy had that began it.
    epoch: Option<(Uuid, u64)>,
    begun: bool,
    restored: u64,
    gone: Vec<u64>,
    /// First and last of what was erased, as the log tells.
    erased: Vec<(u64, u64)>,
    segments: Vec<ToldSegment>,
}

impl<'k> Auditor<'k> {
    /// Begins with these checkpoints.
    pub(super) fn new(key: &'k LogKey, demand: &'k Demand, mut checkpoints: Vec<Signed>) -> Self {
        checkpoints.sort_by_key(|signed| std::cmp::Reverse(signed.checkpoint.size));
        Self {
            key,
            demand,
            words: Vec::new(),
            signed: Vec::new(),
            tree: Growing::default(),
            ahead: checkpoints,
            compared: 0,
            newest: None,
            epoch: None,
            begun: false,
            restored: 0,
            gone: Vec::new(),
            erased: Vec::new(),
            segments: Vec::new(),
        }
    }

    /// How many entries were seen.
    pub(super) fn size(&self) -> u64 {
        self.tree.size()
    }

    /// The next entry. What its leaf completes in the tree comes back.
    pub(super) fn entry(
        &mut self,
        kind: &str,
        leaf: &[u8],
        committed: &[u8],
        payload: Option<Payload<'_>>,
    ) -> Result<&[Hash], Broken> {
        // Not at once: whoever knows better where it was changed says so first.
        self.compare()?;
        let index = self.tree.size();
        match payload {
            Some((salt, payload)) if commitment(salt, payload).as_slice() != committed => {
                return Err(Broken::Payload(index));
            }
            Some((_, payload)) if Event::is_kept(kind) => self.told(index, payload)?,
            Some(_) => {}
            None if Event::is_kept(kind) => {
                let (first, count) = (index, 1);
                return Err(Broken::Erased { first, count });
            }
            None => self.gone.push(index),
        }
        Ok(self.tree.push(record_hash(leaf)))
    }

    /// What an entry tells about the log itself.
    fn told(&mut self, index: u64, payload: &[u8]) -> Result<(), Broken> {
        let Some(entry) = Entry::read(payload) else {
            return Err(Broken::Payload(index));
        };
        match entry.event {
            Event::GateInitialised { workspace, .. } if index == 0 => {
                self.begun = self.key.origin() == format!("vestibule.gate/{workspace}");
            }
            Event::PayloadsErased { entries, .. } => {
                let before = entries.into_iter().filter(|(_, last)| *last < index);
                self.erased.extend(before);
            }
            Event::StoreRestored { epoch, .. } => {
                self.epoch = Some((epoch, index));
                self.restored += 1;
            }
            Event::AccessSegmentClosed {
                gate,
                segment,
                sha256,
                ..
            } => self.segments.push(ToldSegment {
                gate,
                number: segment,
                sha256,
                deleted: false,
            }),
            Event::AccessSegmentsDeleted { gate, segments, .. } => {
                let (first, last) = segments;
                for told in &mut self.segments {
                    told.deleted |= told.gate == gate && (first..=last).contains(&told.number);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Compares the checkpoints that count just as many entries as were seen.
    fn compare(&mut self) -> Result<(), Broken> {
        let size = self.tree.size();
        while let Some(next) = self.ahead.pop_if(|next| next.checkpoint.size == size) {
            let checkpoint = next.checkpoint;
            if checkpoint.root != self.tree.root().0 {
                self.put_back(&checkpoint)?;
                let same = self.newest.map_or(0, |newest| newest.size);
                return Err(Broken::Rewritten { size, same });
            }
            let told = self.epoch.map(|(epoch, _)| epoch);
            if told.is_some() && checkpoint.epoch != told {
                return Err(Broken::Epoch(size));
            }
            self.compared += 1;
            let newest = Newest {
                size,
                at: checkpoint.at,
            };
            self.newest = Some(newest);
            if !self.demand.keys.is_empty() {
                self.signed.push(newest);
            }
            for word in next.cosigned {
                self.words.retain(|older| older.witness != word.witness);
                self.words.push(word);
            }
        }
        Ok(())
    }

    /// Whether a checkpoint is of before a copy was put back, and counts more than the copy had.
    fn put_back(&self, checkpoint: &Checkpoint) -> Result<(), Broken> {
        match self.epoch {
            Some((epoch, kept)) if checkpoint.epoch != Some(epoch) && checkpoint.size > kept => {
                let size = checkpoint.size;
                Err(Broken::PutBack { kept, size })
            }
            _ => Ok(()),
        }
    }

    /// Up to where the demanded witnesses vouch. What a running gate has just signed may wait for them.
    fn vouched(&mut self, newest: Newest) -> Result<Option<Vouched>, Broken> {
        if self.demand.keys.is_empty() {
            return Ok(None);
        }
        let by = std::mem::take(&mut self.words);
        let demanded = self.demand.quorum;
        let vouched = vouched(by.clone(), demanded);
        let up_to = vouched.as_ref().map_or(0, |vouched| vouched.size);
        let is_late = |signed: &Newest| {
            let patient = self.demand.patient_from;
            signed.size > up_to && patient.is_none_or(|from| signed.at.is_none_or(|at| at < from))
        };
        if vouched.is_none() || self.signed.iter().any(is_late) {
            let size = newest.size;
            return Err(Broken::Unvouched { size, demanded, by });
        }
        Ok(vouched)
    }

    /// That was all.
    pub(super) fn end(mut self) -> Result<Audited, Broken> {
        self.compare()?;
        let entries = self.tree.size();
        if let Some(Signed {
            checkpoint: longest,
            ..
        }) = self.ahead.first()
        {
            self.put_back(longest)?;
            return Err(Broken::Cut(longest.size, entries));
        }
        if !self.begun {
            return Err(Broken::NoBeginning);
        }
        let newest = self.newest.ok_or(Broken::NoCheckpoint)?;
        self.erased.sort_unstable();
        let told = |index: u64| {
            let after = self.erased.partition_point(|(first, _)| *first <= index);
            self.erased
                .iter()
                .take(after)
                .any(|(_, last)| *last >= index)
        };
        let mut untold = self.gone.iter().copied().filter(|index| !told(*index));
        if let Some(first) = untold.next() {
            let count = 1 + untold.count() as u64;
            return Err(Broken::Erased { first, count });
        }
        let vouched = self.vouched(newest)?;
        Ok(Audited {
            verified: Verified {
                vouched,
                entries,
                erased: self.gone.len() as u64,
                root: hex::encode(self.tree.root().0),
                checkpoints: self.compared,
                newest,
                uncovered: entries - newest.size,
                restored: self.restored,
                access_segments: self.segments.len() as u64,
                access_missing: 0,
            },
            segments: self.segments,
        })
    }
}
