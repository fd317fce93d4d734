//! Records that wait to be written, as the lines that they become.

use protocol::time::Millis;

use super::Record;

/// How long most records are, in bytes.
const USUAL: usize = 512;

/// Lines of a segment.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: Vec<u8>,
    /// How many, and the times of the first and the last.
    count: u64,
    times: Option<(Millis, Millis)>,
}

impl Lines {
    /// One.
    pub(super) fn of(record: &Record<'_>) -> Self {
        let mut text = Vec::with_capacity(USUAL);
        // Into memory, and a record of ours is always JSON.
        let _ = serde_json::to_writer(&mut text, record);
        text.push(b'\n');
        Self {
            text,
            count: 1,
            times: Some((record.at, record.at)),
        }
    }

    /// These behind them.
    pub(super) fn append(&mut self, more: &Self) {
        self.text.extend_from_slice(&more.text);
        self.count += more.count;
        self.times = match (self.times, more.times) {
            (Some((first, last)), Some((early, late))) => Some((first.min(early), last.max(late))),
            (one, other) => one.or(other),
        };
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// When the first and the last were; nothing, if there is none.
    pub(super) fn times(&self) -> Option<(Millis, Millis)> {
        self.times
    }
}
