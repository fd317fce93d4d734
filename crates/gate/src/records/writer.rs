//! Writes segments: appended to, synced every second, closed when they are large or old.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;

use aws_lc_rs::digest::{Context, SHA256};
use protocol::time::Millis;

use super::{Read, Record};
use crate::connections::Provider;
use crate::log::segments;

/// A segment is closed when it is this large, in bytes.
const LARGE: u64 = 64 << 20;
/// A segment is closed when its first record is this old.
const OLD: i64 = 10 * Millis::MINUTE;
/// How long most records are, in bytes.
const USUAL: usize = 512;
/// Most scopes whose names are remembered.
const MAX_SCOPES: usize = 1_024;

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
    /// The names of scopes, by who is in them.
    scopes: Vec<(Arc<Provider>, String)>,
    /// What is to be written: also what could not be written before.
    pub(super) waiting: Vec<Read>,
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
        !self.waiting.is_empty()
            || open.is_some_and(|open| {
                end || open.is_over(now) || open.synced.seconds() < now.seconds() && open.is_dirty()
            })
    }

    /// Writes what waits. What cannot be written is tried again.
    pub(super) fn write(&mut self, now: Millis, end: bool) -> io::Result<()> {
        if !self.waiting.is_empty() {
            let lines = self.lines();
            let times = self.waiting.iter().map(|read| read.at);
            let first = times.clone().min().unwrap_or(now);
            let last = times.max().unwrap_or(now);
            let count = self.waiting.len() as u64;
            let open = self.open(first)?;
            open.append(&lines, count, last)?;
            self.waiting.clear();
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

    fn lines(&mut self) -> Vec<u8> {
        let mut lines = Vec::with_capacity(USUAL * self.waiting.len());
        for read in &self.waiting {
            let scope = scope_of(&mut self.scopes, &read.provider);
            let connection = &read.provider.connection;
            let record = Record {
                at: read.at,
                connection: connection.name.as_str().into(),
                key: connection.api_key,
                fingerprint: connection.fingerprint.as_str().into(),
                from: read.from,
                operation: read.operation.as_ref().into(),
                target: read.target.as_str().into(),
                scope: scope.into(),
                status: read.status,
                rows: read.rows,
                bytes: read.bytes,
                request: read.request,
            };
            // Into memory, and a record of ours is always JSON.
            let _ = serde_json::to_writer(&mut lines, &record);
            lines.push(b'\n');
        }
        lines
    }
}

/// The name of a provider's scope, made once.
fn scope_of<'a>(scopes: &'a mut Vec<(Arc<Provider>, String)>, of: &Arc<Provider>) -> &'a str {
    let known = scopes.iter().position(|(one, _)| Arc::ptr_eq(one, of));
    let at = known.unwrap_or_else(|| {
        if scopes.len() >= MAX_SCOPES {
            scopes.clear();
        }
        scopes.push((Arc::clone(of), of.scope.id().to_string()));
        scopes.len() - 1
    });
    scopes.get(at).map_or("", |(_, name)| name)
}

impl Open {
    fn is_over(&self, now: Millis) -> bool {
        self.bytes >= LARGE || now >= self.first.plus(OLD)
    }

    fn is_dirty(&self) -> bool {
        self.last >= self.synced
    }

    fn append(&mut self, lines: &[u8], count: u64, last: Millis) -> io::Result<()> {
        if let Err(error) = self.file.write_all(lines) {
            // Half a batch is no record.
            self.file.set_len(self.bytes)?;
            return Err(error);
        }
        self.hash.update(lines);
        self.bytes += lines.len() as u64;
        self.records += count;
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
