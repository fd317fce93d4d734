//! Writes segments: appended to, synced every second, closed when they are large or old.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use aws_lc_rs::digest::{Context, SHA256};
use protocol::time::Millis;

use super::Record;
use super::lines::Lines;
use crate::log::segments;

/// A segment is closed when it is this large, in bytes.
const LARGE: u64 = 64 << 20;
/// A segment is closed when its first record is this old.
const OLD: i64 = 10 * Millis::MINUTE;

/// A segment that takes no more records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Closed {
    pub(super) number: u64,
    pub(super) records: u64,
    pub(super) first: Millis,
    pub(super) last: Millis,
    pub(super) sha256: String,
}

/// The segment that takes records.
struct Open {
    number: u64,
    file: File,
    hash: Context,
    bytes: u64,
    records: u64,
    first: Millis,
    last: Millis,
    synced: Millis,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Open({})", self.number)
    }
}

/// Writes records.
#[derive(Debug, Default)]
pub(super) struct Writer {
    folder: Option<PathBuf>,
    next: u64,
    open: Option<Open>,
    /// What is to be written: also what could not be written before.
    pub(super) waiting: Lines,
    /// What the log has not told yet.
    pub(super) closed: Vec<Closed>,
}

impl Writer {
    pub(super) fn is_prepared(&self) -> bool {
        self.folder.is_some()
    }

    /// Begins in a folder: segments that the log does not tell of were left by a gate that was
    /// killed. They are closed as they are.
    pub(super) fn prepare(&mut self, folder: PathBuf, told: Option<u64>) -> io::Result<()> {
        segments::private_folder(&folder)?;
        let there = segments::list(&folder)?;
        self.closed.clear();
        for (number, file) in &there {
            if told.is_none_or(|told| *number > told) {
                self.closed.push(left(*number, file)?);
            }
        }
        let last = there.last().map(|(number, _)| *number).max(told);
        self.next = last.map_or(1, |last| last + 1);
        self.folder = Some(folder);
        Ok(())
    }

    /// Whether there is something to write or to close.
    pub(super) fn has_work(&self, now: Millis, end: bool) -> bool {
        let open = self.open.as_ref();
        self.waiting.count() > 0
            || open.is_some_and(|open| {
                end || open.is_over(now) || open.synced.seconds() < now.seconds() && open.is_dirty()
            })
    }

    /// Writes what waits. What cannot be written is tried again.
    pub(super) fn write(&mut self, now: Millis, end: bool) -> io::Result<()> {
        if let Some((first, last)) = self.waiting.times() {
            let waiting = std::mem::take(&mut self.waiting);
            let appended = match self.open(first) {
                Ok(open) => open.append(&waiting, last),
                Err(error) => Err(error),
            };
            if let Err(error) = appended {
                self.waiting = waiting;
                return Err(error);
            }
        }
        let Some(open) = &mut self.open else {
            return Ok(());
        };
        if end || open.is_over(now) {
            open.file.sync_all()?;
            let closed = open.closed();
            self.closed.push(closed);
            self.open = None;
        } else if open.synced.plus(Millis::SECOND) <= now {
            open.file.sync_data()?;
            open.synced = now;
        }
        Ok(())
    }

    fn open(&mut self, first: Millis) -> io::Result<&mut Open> {
        if self.open.is_none() {
            let folder = self.folder.clone().ok_or(io::ErrorKind::NotFound)?;
            segments::private_folder(&folder)?;
            let file = OpenOptions::new()
                .append(true)
                .create_new(true)
                .mode(0o600)
                .open(folder.join(segments::file_name(self.next)))?;
            self.open = Some(Open {
                number: self.next,
                file,
                hash: Context::new(&SHA256),
                bytes: 0,
                records: 0,
                first,
                last: first,
                synced: first,
            });
            self.next += 1;
        }
        self.open.as_mut().ok_or(io::ErrorKind::NotFound.into())
    }
}

impl Open {
    fn is_over(&self, now: Millis) -> bool {
        self.bytes >= LARGE || now >= self.first.plus(OLD)
    }

    fn is_dirty(&self) -> bool {
        self.last >= self.synced
    }

    fn append(&mut self, lines: &Lines, last: Millis) -> io::Result<()> {
        if let Err(error) = self.file.write_all(lines.text()) {
            // Half a batch is no record.
            self.file.set_len(self.bytes)?;
            return Err(error);
        }
        self.hash.update(lines.text());
        self.bytes += lines.text().len() as u64;
        self.records += lines.count();
        self.last = self.last.max(last);
        Ok(())
    }

    fn closed(&self) -> Closed {
        Closed {
            number: self.number,
            records: self.records,
            first: self.first,
            last: self.last,
            sha256: hex::encode(self.hash.clone().finish().as_ref()),
        }
    }
}

/// A segment that was left open. Its last line may be a half one.
fn left(number: u64, file: &PathBuf) -> io::Result<Closed> {
    let (mut records, mut first, mut last) = (0, None, None);
    for line in BufReader::new(File::open(file)?).split(b'\n') {
        if let Ok(record) = serde_json::from_slice::<Record>(&line?) {
            records += 1;
            first = first.or(Some(record.at));
            last = Some(record.at);
        }
    }
    Ok(Closed {
        number,
        records,
        first: first.unwrap_or_default(),
        last: last.unwrap_or_default(),
        sha256: segments::digest(file)?,
    })
}
