//! Finding records again: what was read over a connection, and from where.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use aws_lc_rs::digest::{Context, SHA256};
use protocol::time::Millis;
use serde::Serialize;

use super::Record;
use crate::log::segments;

/// Which records.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Of this connection.
    pub connection: Option<String>,
    /// Not before.
    pub since: Option<Millis>,
    /// Before.
    pub until: Option<Millis>,
}

/// What was found, together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// How many reads, of how many rows.
    #[serde(flatten)]
    pub all: Reads,
    /// The first and the last of them.
    pub first: Option<Millis>,
    /// The last.
    pub last: Option<Millis>,
    /// By operation.
    pub operations: BTreeMap<String, Reads>,
    /// By address: how often.
    pub addresses: BTreeMap<String, u64>,
    /// Lines that are no records: what a killed gate had begun to write, or somebody else wrote.
    pub unreadable: u64,
    /// Whether any record is of the connection that is asked for, whenever it was.
    pub known: bool,
    /// The segments that were read to their end, with the digest of what was read.
    #[serde(skip)]
    pub(super) segments: Vec<(u64, String)>,
}

/// Reads, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reads {
    /// How many.
    pub reads: u64,
    /// How many rows they answered, as far as they were counted.
    pub rows: usize,
    /// Of how many nobody counted the rows.
    pub uncounted: u64,
}

impl Reads {
    fn add(&mut self, rows: Option<usize>) {
        self.reads += 1;
        self.rows += rows.unwrap_or_default();
        self.uncounted += u64::from(rows.is_none());
    }
}

/// Reads a file, and takes the digest of what is read.
struct Hashed(File, Context);

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        self.1.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

impl Wanted {
    fn is_of(&self, record: &Record<'_>) -> bool {
        self.connection
            .as_ref()
            .is_none_or(|name| *name == record.connection)
    }

    fn has(&self, record: &Record<'_>) -> bool {
        self.is_of(record)
            && self.since.is_none_or(|since| record.at >= since)
            && self.until.is_none_or(|until| record.at < until)
    }

    /// Whether anything from the first to the last of these times is asked for.
    pub fn meets(&self, first: Millis, last: Millis) -> bool {
        self.since.is_none_or(|since| last >= since) && self.until.is_none_or(|until| first < until)
    }
}

/// Finds records in a folder of segments; each is handed over as it is found, in order.
pub fn find<E: From<io::Error>>(
    folder: &Path,
    wanted: &Wanted,
    mut each: impl FnMut(&Record<'static>) -> Result<(), E>,
) -> Result<Found, E> {
    let mut found = Found::default();
    for (number, file) in segments::list(folder)? {
        let file = match File::open(&file) {
            Ok(file) => file,
            // Its time was over meanwhile, or somebody took it away: the log knows.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error.into()),
        };
        let mut lines = BufReader::new(Hashed(file, Context::new(&SHA256)));
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            let record = serde_json::from_slice::<Record>(&line);
            line.clear();
            let Ok(record) = record else {
                found.unreadable += 1;
                continue;
            };
            found.known |= wanted.is_of(&record);
            if !wanted.has(&record) {
                continue;
            }
            found.all.add(record.rows);
            found.first = found.first.or(Some(record.at));
            found.last = Some(record.at);
            let of = record.operation.clone().into_owned();
            found.operations.entry(of).or_default().add(record.rows);
            *found.addresses.entry(record.from.to_string()).or_default() += 1;
            each(&record)?;
        }
        let digest = lines.into_inner().1.finish();
        found.segments.push((number, hex::encode(digest.as_ref())));
    }
    Ok(found)
}
