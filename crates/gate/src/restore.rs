//! A copy of the store, put back: offline, and in quarantine from then on.
//!
//! Whatever the copy has forgotten may matter: a revocation, a burned key, an approval that was sent.
//! So a gate over it lets nobody in and sends nothing until an owner releases it
//! ([`crate::operations::release`]). Wherever putting back is interrupted, either the old store is
//! there, or the new one in quarantine, or none, and then it is done again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use protocol::time::Millis;
use serde::Serialize;
use store::{Location, Store, StoreError};
use uuid::Uuid;
use wire::clock::WallClock;

use crate::config::Config;
use crate::folder::{Folder, FolderError};
use crate::gates;
use crate::log::{self, Actor, Checkpoint, Entry, Event, LogKey};
use crate::rows;
use crate::start::{ROOMS, location};

/// A store that was put back.
#[derive(Clone, Debug, Serialize)]
pub struct PutBack {
    /// How many entries the copy's log has.
    pub entries: u64,
    /// Where the store of before is now, if there was one.
    pub before: Option<PathBuf>,
    /// The checkpoint that was kept beside it, if there was one: the newest that this machine knows.
    pub checkpoint: Option<PathBuf>,
}

/// Why a copy is not put back.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// A gate runs, or a file.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// A file.
    #[error("{0}: {1}")]
    Io(PathBuf, io::Error),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The copy's log.
    #[error("the copy is not put back: {0}")]
    Log(#[from] log::Broken),
    /// PostgreSQL has means of its own.
    #[error(
        "the store {0} is not a file: put its copy back with PostgreSQL's own means, and say so: vestibule gate restore --adopt"
    )]
    NotAFile(Location),
    /// A file is put back by the gate itself.
    #[error("the store {0} is a file: name its copy, vestibule gate restore FILE")]
    AFile(Location),
    /// A gate serves from it.
    #[error("a gate serves from this store: end every gate over it first")]
    Serves,
}

/// Puts a copy back.
pub async fn restore(
    folder: &Folder,
    config: &Config,
    copy: &Path,
    clock: &impl WallClock,
) -> Result<PutBack, RestoreError> {
    let Location::SqliteFile(database) = location(folder, config) else {
        return Err(RestoreError::NotAFile(location(folder, config)));
    };
    let _lock = folder.lock()?;
    let now = clock.now();
    let new = beside(&database, "restoring");
    // What an interrupted one has left.
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(ended(&new, end));
    }
    copied(copy, &new)?;
    let made = anew(folder, config, &new, now).await;
    let (entries, note) = made.inspect_err(|_| {
        let _ = fs::remove_file(&new);
    })?;
    let aside = folder.before_restore(&database, now);
    let kept = folder.before_restore(&folder.checkpoint(), now);
    let served = !quarantined(&database, config).await;
    let had_store = moved(&database, &aside)?;
    // A journal of the old store beside the new one would be played into it.
    for end in ["-wal", "-shm"] {
        moved(&ended(&database, end), &ended(&aside, end))?;
    }
    let had_checkpoint = served && moved(&folder.checkpoint(), &kept)?;
    folder.write_whole(&folder.checkpoint(), note.as_bytes())?;
    // Last: until it is there, no gate starts.
    moved(&new, &database)?;
    sync(folder.path())?;
    Ok(PutBack {
        entries,
        before: had_store.then_some(aside),
        checkpoint: had_checkpoint.then_some(kept),
    })
}

/// Whether the store that is there was put back, too, and never released: a life of the log in which nobody was
/// let in is none that anybody must know of. One that cannot be looked at is taken for one that has served.
async fn quarantined(database: &Path, config: &Config) -> bool {
    if !database.exists() {
        return false;
    }
    let workspace = config.upstream.workspace_id;
    let quarantined = async {
        let store = Store::open(&Location::SqliteFile(database.to_owned()), &ROOMS).await?;
        let read = store.read(move |reading| rows::connections::quarantined(reading, workspace));
        read.await
    };
    quarantined.await.unwrap_or(false)
}

/// Takes the store for a copy that PostgreSQL's own means have put back. Where that is interrupted, it is
/// done again. At each machine that has a gate over the store: the newest checkpoint that it knew is
/// moved aside, for it may count what the copy has forgotten.
pub async fn adopt(
    folder: &Folder,
    config: &Config,
    clock: &impl WallClock,
) -> Result<PutBack, RestoreError> {
    let at = location(folder, config);
    if matches!(at, Location::SqliteFile(_)) {
        return Err(RestoreError::AFile(at));
    }
    let _lock = folder.lock()?;
    let (workspace, now) = (config.upstream.workspace_id, clock.now());
    let store = Store::open(&at, &ROOMS).await?;
    // Whoever runs over it leads, or waits to.
    let claim = store.claim(&gates::claim_of(workspace, None)).await?;
    let _claim = claim.ok_or(RestoreError::Serves)?;
    let key = LogKey::of(workspace, folder.log_key()?.public());
    let held = held(folder, &key)?;
    let read = store.read(move |reading| {
        let quarantined = rows::connections::quarantined(reading, workspace)?;
        let newest = rows::log::newest_checkpoint(reading, workspace)?;
        Ok::<_, StoreError>((quarantined, newest))
    });
    let (quarantined, newest) = read.await?;
    let newest = newest.map(|(size, note)| Ok((signed(&note, &key)?, size, note)));
    let newest = newest.transpose().map_err(RestoreError::Log)?;
    if let (true, Some((newest, size, _))) = (quarantined, &newest)
        && held.as_ref() == Some(newest)
    {
        // Said once more.
        return Ok(PutBack {
            entries: *size,
            before: None,
            checkpoint: None,
        });
    }
    // Its new life was begun already: from another machine, or before this was interrupted here.
    let begun = newest.filter(|(newest, ..)| {
        held.as_ref()
            .is_some_and(|held| newest.epoch != held.epoch && newest.at >= held.at)
    });
    let (entries, note) = match begun {
        Some((_, size, note)) => (size, note),
        None => begin_anew(folder, config, &store, now).await?,
    };
    let kept = folder.before_restore(&folder.checkpoint(), now);
    let had_checkpoint = moved(&folder.checkpoint(), &kept)?;
    folder.write_whole(&folder.checkpoint(), note.as_bytes())?;
    sync(folder.path())?;
    Ok(PutBack {
        entries,
        before: None,
        checkpoint: had_checkpoint.then_some(kept),
    })
}

/// The newest checkpoint that this machine knows.
fn held(folder: &Folder, key: &LogKey) -> Result<Option<Checkpoint>, RestoreError> {
    let file = folder.checkpoint();
    if !file.exists() {
        return Ok(None);
    }
    let note = folder.read(&file)?;
    Ok(Some(signed(&note, key).map_err(RestoreError::Log)?))
}

fn signed(note: &str, key: &LogKey) -> Result<Checkpoint, log::Broken> {
    let checkpoint = Checkpoint::verify(note, key);
    checkpoint.map_err(|bad| log::Broken::Held("checkpoint".to_owned(), bad))
}

/// A file begins another life, in quarantine.
async fn anew(
    folder: &Folder,
    config: &Config,
    database: &Path,
    now: Millis,
) -> Result<(u64, String), RestoreError> {
    let store = Store::open(&Location::SqliteFile(database.to_owned()), &ROOMS).await?;
    let made = begin_anew(folder, config, &store, now).await?;
    drop(store);
    // Its journal was played into it when it was closed.
    let journal = ended(database, "-wal");
    match fs::metadata(&journal) {
        Ok(left) if left.len() > 0 => Err(RestoreError::Io(
            journal,
            io::ErrorKind::ResourceBusy.into(),
        )),
        _ => Ok(made),
    }
}

/// Looks at the copy, and begins another life of it, in quarantine; its entries and its new checkpoint.
async fn begin_anew(
    folder: &Folder,
    config: &Config,
    store: &Store,
    now: Millis,
) -> Result<(u64, String), RestoreError> {
    let (workspace, key) = (config.upstream.workspace_id, folder.log_key()?);
    let unsigned = log::Against {
        // The last second of a running gate may be in no checkpoint.
        running: true,
        ..log::Against::default()
    };
    let verified = log::verify(store, workspace, &key.public(), unsigned).await?;
    let (entries, name) = (verified.entries, LogKey::of(workspace, key.public()));
    let (epoch, actor) = (Uuid::new_v4(), Actor::Gate);
    let write = store.write(move |writing| {
        rows::connections::set_epoch(writing, workspace, epoch)?;
        rows::connections::set_quarantine(writing, workspace, true)?;
        let event = Event::StoreRestored { epoch, entries };
        let actor = actor.clone();
        log::append(writing, workspace, now, &Entry { actor, event })?;
        let (size, root) = log::root(writing, workspace)?;
        let head = Checkpoint {
            size,
            root: root.0,
            at: Some(now),
            epoch: Some(epoch),
        };
        let note = head
            .sign(&name, &key)
            .map_err(|bad| StoreError::Engine(bad.to_string()))?;
        rows::log::put_checkpoint(writing, workspace, size, &note)?;
        Ok::<_, StoreError>(note)
    });
    Ok((entries, write.await?))
}

fn beside(file: &Path, end: &str) -> PathBuf {
    ended(file, &format!(".{end}"))
}

fn ended(file: &Path, end: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// Moves a file, if it is there.
fn moved(from: &Path, to: &Path) -> Result<bool, RestoreError> {
    match fs::rename(from, to) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(RestoreError::Io(from.to_owned(), error)),
    }
}

fn copied(from: &Path, to: &Path) -> Result<(), RestoreError> {
    use std::os::unix::fs::OpenOptionsExt;
    let failed = |error| RestoreError::Io(from.to_owned(), error);
    let mut source = fs::File::open(from).map_err(failed)?;
    let mut target = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(to)
        .map_err(|error| RestoreError::Io(to.to_owned(), error))?;
    io::copy(&mut source, &mut target).map_err(failed)?;
    target.sync_all().map_err(failed)
}

fn sync(folder: &Path) -> Result<(), RestoreError> {
    let synced = fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| RestoreError::Io(folder.to_owned(), error))
}
