//! A copy of the log, as files: written from the store, and verified anywhere with the log's public
//! key alone.

use std::collections::BTreeSet;
use std::fs::{self, DirBuilder};
use std::io::{Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use protocol::ids::WorkspaceId;
use serde::Serialize;
use store::{Store, StoreError};
use tlog_tiles::tlog::{Hash, record_hash};

use super::published::{ERASED, Published, WIDTH, tiles};
use super::segments::Whose;
use super::verify::{Auditor, Broken, Held, Payload, Verified};
use super::{BadCheckpoint, Checkpoint, Demand, Entry, Event, LogKey, leaf_parts, segments};
use crate::gates::GateName;
use crate::rows;

/// Largest file of a copy: a bundle's payloads.
const MAX_FILE: u64 = 256 << 20;
/// The folder of access records.
pub(super) const ACCESS: &str = "access";

/// What was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Exported {
    /// Entries in the copy: all that the newest checkpoint counts.
    pub entries: u64,
    /// Entries that no checkpoint counts yet.
    pub unsigned: u64,
    /// Files, beside the checkpoint.
    pub files: u64,
}

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file.
    #[error("{0}: {1}")]
    Io(PathBuf, std::io::Error),
    /// The folder is somebody's.
    #[error("{0} is not empty: name another folder")]
    NotEmpty(PathBuf),
    /// Nothing is signed, or entries are gone.
    #[error("the log has no {0}: `vestibule gate log verify` says what is wrong with it")]
    Missing(String),
    /// Witnesses have not cosigned.
    #[error(
        "no checkpoint is cosigned by {0} witnesses: `vestibule gate status` says how far they are"
    )]
    Unvouched(u32),
    /// The log.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// Access records to copy: where they lie, and which of several gates they are of.
#[derive(Clone, Debug)]
pub struct Access {
    /// Their folder.
    pub folder: PathBuf,
    /// The gate's name.
    pub gate: Option<GateName>,
}

/// Copies the log of a store as far as it is signed, or as far as so many witnesses vouch for it, with
/// the closed segments of access records if their folder is named.
pub async fn export(
    store: &Store,
    workspace: WorkspaceId,
    key: &LogKey,
    to: &Path,
    access: Option<Access>,
    witnesses: Option<u32>,
) -> Result<Exported, ExportError> {
    let (key, to) = (key.clone(), to.to_owned());
    let copy = store.read(move |reading| {
        let taken = fs::read_dir(&to).is_ok_and(|mut there| there.next().is_some());
        if taken {
            return Err(ExportError::NotEmpty(to));
        }
        let missing = |file: &Published| ExportError::Missing(file.path());
        let note = match witnesses {
            None => rows::log::newest_checkpoint(reading, workspace)?
                .ok_or_else(|| missing(&Published::Checkpoint))?,
            Some(count) => rows::log::newest_cosigned(reading, workspace, count)?
                .ok_or(ExportError::Unvouched(count))?,
        };
        let (_, note) = note;
        let checkpoint = Checkpoint::verify(&note, &key)
            .map_err(|bad| Broken::Held("checkpoint".to_owned(), bad))?;
        let mut files = 0;
        for file in Published::all(checkpoint.size) {
            let bytes = file.read(reading, workspace)?;
            let bytes = bytes.ok_or_else(|| missing(&file))?;
            write(&to, &file.path(), &bytes)?;
            files += 1;
        }
        if let Some(Access { folder, gate }) = &access {
            let closed = rows::log::of_kind(reading, workspace, SEGMENT_CLOSED, checkpoint.size)?;
            let closed: Vec<u64> = closed
                .iter()
                .filter_map(|payload| segment(payload, gate.as_ref()))
                .collect();
            files += segments::copy(&closed, folder, &to.join(ACCESS))?;
        }
        // Last: what has a checkpoint is whole.
        write(&to, &Published::Checkpoint.path(), note.as_bytes())?;
        Ok(Exported {
            entries: checkpoint.size,
            unsigned: rows::log::size(reading, workspace)?.saturating_sub(checkpoint.size),
            files,
        })
    });
    copy.await
}

/// The kind of entry that tells of a segment.
const SEGMENT_CLOSED: &str = "access_segment_closed";

fn segment(payload: &str, of: Option<&GateName>) -> Option<u64> {
    match Entry::read(payload.as_bytes())?.event {
        Event::AccessSegmentClosed { segment, gate, .. } if gate.as_ref() == of => Some(segment),
        _ => None,
    }
}

fn write(to: &Path, path: &str, bytes: &[u8]) -> Result<(), ExportError> {
    let file = to.join(path);
    let failed = |error| ExportError::Io(file.clone(), error);
    if let Some(folder) = file.parent() {
        private_folder(folder).map_err(failed)?;
    }
    let mut out = fs::File::create_new(&file).map_err(failed)?;
    out.write_all(bytes).map_err(failed)
}

/// Makes a folder for its owner alone.
pub(crate) fn private_folder(folder: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Verifies a copy, with nothing but the log's key, what is held against it and the keys of witnesses.
pub fn verify_copy(
    copy: &Path,
    key: &LogKey,
    held: &[Held],
    demand: &Demand,
) -> Result<Verified, Broken> {
    let copy = Copy(copy);
    let note = String::from_utf8(copy.read("checkpoint")?);
    let note = note.map_err(|_| Broken::Held("checkpoint".to_owned(), BadCheckpoint::Form))?;
    let own = Held {
        place: "checkpoint".to_owned(),
        note,
    };
    let own = own.believed(key, demand)?;
    let size = own.checkpoint.size;
    copy.nothing_else(size)?;
    let mut checkpoints = vec![own];
    for held in held {
        checkpoints.push(held.believed(key, demand)?);
    }
    let mut auditor = Auditor::new(key, demand, checkpoints);
    // Of each level, the hashes that the entries give.
    let mut levels: Vec<Vec<Hash>> = vec![Vec::new(); 8];
    for tile in tiles(size, 0, true) {
        bundle(&copy, tile, &mut auditor, &mut levels)?;
    }
    for (level, hashes) in (1..).zip(levels.iter().skip(1)) {
        for tile in tiles(size, level, false) {
            let file = Published::Tile(tile);
            let first = usize::try_from(tile.level_index() * WIDTH).unwrap_or(usize::MAX);
            let width = usize::try_from(tile.width()).unwrap_or(0);
            same(
                &copy,
                &file,
                hashes.get(first..first + width).unwrap_or(&[]),
            )?;
        }
    }
    let audited = auditor.end()?;
    let missing = segments::check(&copy.0.join(ACCESS), &audited.segments, Whose::Copy)?;
    Ok(Verified {
        access_missing: missing,
        ..audited.verified
    })
}

/// One bundle of entries, with their payloads and the tile of their hashes.
fn bundle(
    copy: &Copy<'_>,
    tile: tlog_tiles::Tile,
    auditor: &mut Auditor<'_>,
    levels: &mut [Vec<Hash>],
) -> Result<(), Broken> {
    let (entries, payloads) = (Published::Entries(tile), Published::Payload(tile));
    let hashes = Published::Tile(tlog_tiles::Tile::new(
        tile.height(),
        0,
        tile.level_index(),
        tile.width(),
        false,
    ));
    let (leaves, lines, stored) = (
        copy.read(&entries.path())?,
        copy.read(&payloads.path())?,
        copy.read(&hashes.path())?,
    );
    let (mut leaves, mut lines) = (leaves.as_slice(), lines.as_slice());
    let mut stored = stored.chunks(32);
    for _ in 0..tile.width() {
        let index = auditor.size();
        let (leaf, rest) = first_leaf(leaves).ok_or(Broken::Leaf(index))?;
        leaves = rest;
        if stored.next() != Some(&record_hash(leaf).0[..]) {
            return Err(Broken::Leaf(index));
        }
        let (_, kind, committed) = leaf_parts(leaf).ok_or(Broken::Leaf(index))?;
        let end = lines.iter().position(|byte| *byte == b'\n');
        let (line, rest) = lines.split_at(end.ok_or(Broken::Payload(index))?);
        lines = rest.get(1..).unwrap_or_default();
        let salt;
        let payload: Option<Payload<'_>> = if line == ERASED.as_bytes() {
            None
        } else {
            let (text, payload) = salted(line).ok_or(Broken::Payload(index))?;
            salt = text;
            Some((&salt, payload))
        };
        let completed = auditor.entry(kind, leaf, &committed, payload)?;
        let at_levels = completed.iter().step_by(8).zip(levels.iter_mut());
        // The lowest level was compared here.
        at_levels
            .skip(1)
            .for_each(|(hash, level)| level.push(*hash));
    }
    let over = |file: &Published| Broken::File {
        file: file.path(),
        what: "something stands behind its last entry".to_owned(),
    };
    if !leaves.is_empty() {
        return Err(over(&entries));
    }
    if !lines.is_empty() {
        return Err(over(&payloads));
    }
    stored.next().map_or(Ok(()), |_| Err(over(&hashes)))
}

/// The first leaf of a bundle, and what comes after it.
fn first_leaf(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(u16::from_be_bytes(*len).into())
}

/// The salt and the payload of a line.
fn salted(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let space = line.iter().position(|byte| *byte == b' ')?;
    let (text, payload) = line.split_at(space);
    let salt = hex::decode(text).ok()?;
    let as_written = hex::encode(&salt).as_bytes() == text;
    as_written.then_some((salt, payload.get(1..)?))
}

/// Whether a tile holds these hashes.
fn same(copy: &Copy<'_>, file: &Published, hashes: &[Hash]) -> Result<(), Broken> {
    let bytes = copy.read(&file.path())?;
    let wrong = bytes.len() != hashes.len() * 32;
    let differs = bytes
        .chunks(32)
        .zip(hashes)
        .position(|(stored, hash)| stored != hash.0);
    match differs {
        None if !wrong => Ok(()),
        at => Err(Broken::File {
            file: file.path(),
            what: format!(
                "its hash {} is not what the entries give",
                at.unwrap_or(hashes.len().min(bytes.len() / 32))
            ),
        }),
    }
}

/// A copy's folder.
struct Copy<'a>(&'a Path);

impl Copy<'_> {
    fn read(&self, path: &str) -> Result<Vec<u8>, Broken> {
        let wrong = |what: String| Broken::File {
            file: path.to_owned(),
            what,
        };
        let file = fs::File::open(self.0.join(path)).map_err(|error| wrong(error.to_string()))?;
        let mut bytes = Vec::new();
        file.take(MAX_FILE + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| wrong(error.to_string()))?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(wrong("it is larger than any file of a log".to_owned()));
        }
        Ok(bytes)
    }

    /// Whatever is not the log's own is named: a reader could take it for a part of it.
    fn nothing_else(&self, size: u64) -> Result<(), Broken> {
        let own: BTreeSet<PathBuf> = Published::all(size)
            .map(|file| file.path().into())
            .chain(["checkpoint".into()])
            .collect();
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            let unreadable = |error: std::io::Error| Broken::File {
                file: folder.display().to_string(),
                what: error.to_string(),
            };
            for entry in fs::read_dir(self.0.join(&folder)).map_err(unreadable)? {
                let entry = entry.map_err(unreadable)?;
                let path = folder.join(entry.file_name());
                let is_folder = entry.file_type().map_err(unreadable)?.is_dir();
                // Of access records, their segments are compared with what the log tells.
                if is_folder && path != Path::new(ACCESS) {
                    folders.push(path);
                } else if !is_folder && !own.contains(&path) {
                    return Err(Broken::File {
                        file: path.display().to_string(),
                        what: format!("it is no file of a log of {size} entries"),
                    });
                }
            }
        }
        Ok(())
    }
}
