//! Finding records again: what was read over a connection, and from where.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

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
    /// How many reads.
    pub reads: u64,
    /// How many rows they answered.
    pub rows: usize,
    /// The first and the last of them.
    pub first: Option<Millis>,
    /// The last.
    pub last: Option<Millis>,
    /// By operation: how often, and how many rows.
    pub operations: BTreeMap<String, (u64, usize)>,
    /// By address: how often.
    pub addresses: BTreeMap<String, u64>,
    /// Lines that are no records: what a killed gate had begun to write, or somebody else wrote.
    pub unreadable: u64,
}

impl Wanted {
    fn has(&self, record: &Record<'_>) -> bool {
        self.connection
            .as_ref()
            .is_none_or(|name| *name == record.connection)
            && self.since.is_none_or(|since| record.at >= since)
            && self.until.is_none_or(|until| record.at < until)
    }
}

/// Finds records in a folder of segments; each is handed over as it is found, in order.
pub fn find<E: From<io::Error>>(
    folder: &Path,
    wanted: &Wanted,
    mut each: impl FnMut(&Record<'static>) -> Result<(), E>,
) -> Result<Found, E> {
    let mut found = Found::default();
    for (_, file) in segments::list(folder)? {
        for line in BufReader::new(File::open(&file)?).split(b'\n') {
            let Ok(record) = serde_json::from_slice::<Record>(&line?) else {
                found.unreadable += 1;
                continue;
            };
            if !wanted.has(&record) {
                continue;
            }
            let rows = record.rows.unwrap_or_default();
            found.reads += 1;
            found.rows += rows;
            found.first = found.first.or(Some(record.at));
            found.last = Some(record.at);
            let of = found
                .operations
                .entry(record.operation.clone().into_owned())
                .or_default();
            *of = (of.0 + 1, of.1 + rows);
            *found.addresses.entry(record.from.to_string()).or_default() += 1;
            each(&record)?;
        }
    }
    Ok(found)
}
