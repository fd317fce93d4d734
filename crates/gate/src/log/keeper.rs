//! Who keeps the log's head: signs it when the log has grown, in the store and in a file beside it,
//! and looks at a start whether the log is still the one that was signed.
//!
//! The file is what a cut of the store cannot reach. It never goes back: a head that does not
//! continue it is not signed.

use std::path::Path;

use protocol::ed25519::SigningKey;
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use store::{Query, Store, StoreError};
use tlog_tiles::tlog::{Error as TreeError, tree_hash};
use wire::clock::{SystemClock, WallClock};

use super::segments::Whose;
use super::stored::audited;
use super::{
    Against, Broken, Checkpoint, Demand, Entry, Event, Held, LogKey, Stored, Verified, root,
    segments,
};
use crate::config::Config;
use crate::folder::{Folder, FolderError};
use crate::rows;
use crate::start::{OpenError, open_store};

/// How long what a running gate has signed may wait for its witnesses, in milliseconds.
const PATIENCE: i64 = Millis::MINUTE;

/// Whoever keeps a log's head.
#[derive(Debug)]
pub(crate) struct Keeper<'a> {
    pub(crate) store: &'a Store,
    pub(crate) folder: &'a Folder,
    pub(crate) workspace: WorkspaceId,
    pub(crate) key: &'a SigningKey,
}

/// Why a log's head is not signed, or a log not looked at.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The log is not the one that was signed.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// A file.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The store is not opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The process ends.
    #[error("the checkpoint is not written: {0}")]
    Ended(String),
}

impl Keeper<'_> {
    /// Whose log it is.
    fn name(&self) -> LogKey {
        LogKey::of(self.workspace, self.key.public())
    }

    /// Signs the head if the log has grown since; its size.
    pub(crate) async fn sign(&self, now: Millis) -> Result<u64, LogError> {
        let last = self.held()?;
        let workspace = self.workspace;
        let size = self
            .store
            .read(move |reading| Ok::<_, Broken>(rows::log::size(reading, workspace)?));
        let size = size.await?;
        if last.as_ref().is_some_and(|(last, _)| last.size == size) {
            self.cosigned(last).await?;
            return Ok(size);
        }
        let last = last.map(|(last, _)| last);
        let (name, key) = (self.name(), self.key.clone());
        let write = self.store.write(move |writing| {
            if let Some(last) = &last {
                continues(writing, workspace, last)?;
            }
            let (size, root) = root(writing, workspace)?;
            let head = Checkpoint {
                size,
                root: root.0,
                at: Some(now),
                epoch: Some(rows::connections::epoch(writing, workspace)?),
            };
            let note = head
                .sign(&name, &key)
                .map_err(|bad| StoreError::Engine(bad.to_string()))?;
            rows::log::put_checkpoint(writing, workspace, size, &note)?;
            Ok::<_, Broken>((size, note))
        });
        let (size, note) = write.await?;
        self.keep(note).await?;
        Ok(size)
    }

    /// Writes what witnesses have written under the head into the file beside the store, too.
    async fn cosigned(&self, held: Option<(Checkpoint, String)>) -> Result<(), LogError> {
        let (workspace, key) = (self.workspace, self.name());
        let read = self.store.read(move |reading| {
            Ok::<_, Broken>(rows::log::newest_checkpoint(reading, workspace)?)
        });
        let (Some((last, text)), Some((size, note))) = (held, read.await?) else {
            return Ok(());
        };
        if note == text {
            return Ok(());
        }
        let newest =
            Checkpoint::verify(&note, &key).map_err(|bad| Broken::Checkpoint(size, bad))?;
        if newest != last {
            return Ok(());
        }
        self.keep(note).await
    }

    /// Whether the log is still the one whose head was signed last: what a gate asks before it serves.
    pub(crate) async fn check(&self) -> Result<(), LogError> {
        let held = self.held()?;
        if held.is_none() {
            tracing::warn!(
                file = %self.folder.checkpoint().display(),
                "no signed checkpoint is kept beside the store: a cut of the log would not show"
            );
        }
        let (workspace, key) = (self.workspace, self.name());
        let read = self.store.read(move |reading| {
            let first = rows::log::leaves(reading, workspace, 0, 1)?;
            if !first
                .first()
                .is_some_and(|row| is_beginning(row, workspace))
            {
                return Err(Broken::NoBeginning);
            }
            let (size, note) =
                rows::log::newest_checkpoint(reading, workspace)?.ok_or(Broken::NoCheckpoint)?;
            let newest =
                Checkpoint::verify(&note, &key).map_err(|bad| Broken::Checkpoint(size, bad))?;
            continues(reading, workspace, &newest)?;
            held.map_or(Ok(()), |(held, _)| continues(reading, workspace, &held))
        });
        Ok(read.await?)
    }

    /// Keeps the head that another gate has signed, if it continues the one that is kept here.
    pub(crate) async fn follow(&self) -> Result<(), LogError> {
        let (held, workspace, key) = (
            self.held()?.map(|(held, _)| held),
            self.workspace,
            self.name(),
        );
        let read = self.store.read(move |reading| {
            let known = held.as_ref().map_or(0, |held| held.size);
            let newest = rows::log::newest_checkpoint(reading, workspace)?;
            let Some((size, note)) = newest.filter(|(size, _)| *size > known) else {
                return Ok(None);
            };
            let newest =
                Checkpoint::verify(&note, &key).map_err(|bad| Broken::Checkpoint(size, bad))?;
            continues(reading, workspace, &newest)?;
            if let Some(held) = &held {
                continues(reading, workspace, held)?;
            }
            Ok::<_, Broken>(Some(note))
        });
        match read.await? {
            Some(note) => self.keep(note).await,
            None => Ok(()),
        }
    }

    async fn keep(&self, note: String) -> Result<(), LogError> {
        let folder = self.folder.clone();
        let kept = tokio::task::spawn_blocking(move || {
            folder.write_whole(&folder.checkpoint(), note.as_bytes())
        });
        let kept = kept.await;
        Ok(kept.map_err(|error| LogError::Ended(error.to_string()))??)
    }

    /// The checkpoint that is kept beside the store.
    fn held(&self) -> Result<Option<(Checkpoint, String)>, LogError> {
        let file = self.folder.checkpoint();
        if !file.exists() {
            return Ok(None);
        }
        let note = self.folder.read(&file)?;
        let held = Checkpoint::verify(&note, &self.name());
        let held = held.map_err(|bad| Broken::Held(file.display().to_string(), bad))?;
        Ok(Some((held, note)))
    }
}

/// Whether this is how a gate of the workspace begins its log.
fn is_beginning(row: &rows::log::Leaf, workspace: WorkspaceId) -> bool {
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

fn engine(error: TreeError) -> Broken {
    Broken::Store(StoreError::Engine(error.to_string()))
}

/// Whether the log has grown out of what was signed.
fn continues(
    query: &mut impl Query,
    workspace: WorkspaceId,
    last: &Checkpoint,
) -> Result<(), Broken> {
    let size = rows::log::size(query, workspace)?;
    if last.size > size {
        return Err(Broken::Cut(last.size, size));
    }
    let reader = Stored(workspace, std::cell::RefCell::new(query));
    if tree_hash(last.size, &reader).map_err(engine)?.0 == last.root {
        Ok(())
    } else {
        Err(Broken::Rewritten {
            size: last.size,
            same: 0,
        })
    }
}

/// Verifies the log of a gate, whether it runs or not: against the checkpoint beside its store, and
/// against those that somebody keeps elsewhere.
pub async fn audit<'a>(
    folder: &Folder,
    config: &Config,
    checkpoints: impl IntoIterator<Item = &'a Path>,
    witnesses: Demand,
) -> Result<Verified, LogError> {
    let workspace = config.upstream.workspace_id;
    let key = LogKey::of(workspace, folder.log_key()?.public());
    // Read before the store: what is signed meanwhile is of a longer log.
    let own = folder.checkpoint();
    let mut held = vec![Held::read(&own)?];
    for file in checkpoints {
        held.push(Held::read(file)?);
    }
    let running = folder.is_running()?;
    let against = Against {
        held,
        running,
        witnesses: Demand {
            patient_from: running.then(|| SystemClock.now().plus(-PATIENCE)),
            ..witnesses
        },
    };
    let store = open_store(folder, config).await?;
    let audited = audited(&store, workspace, &key, against).await?;
    let whose = Whose::Gate(config.store.gate.as_ref());
    segments::check(&folder.access(), &audited.segments, whose)?;
    Ok(audited.verified)
}

impl Held {
    /// Reads a checkpoint that is kept in a file.
    pub fn read(file: &Path) -> Result<Self, Broken> {
        let place = file.display().to_string();
        match std::fs::read_to_string(file) {
            Ok(note) => Ok(Self { place, note }),
            Err(error) => Err(Broken::NotHeld(format!("{place} ({error})"))),
        }
    }
}
