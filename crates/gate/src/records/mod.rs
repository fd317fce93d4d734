//! What was read: a record for each accepted read, beside the log and not in it. Records are lines of
//! JSON in segments; when a segment is closed, its digest stands in the log.
//!
//! Nothing waits for a disk: a read writes its record into memory, and what is there is moved to the segment every
//! few milliseconds, synced every second. So `kill -9` can lose what memory held, and a power cut the
//! last second. What it cannot take is not answered.

mod find;
mod lines;
mod retention;
mod told;
mod writer;

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use protocol::ids::{RequestId, UserId};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use store::StoreError;
use tokio_util::sync::CancellationToken;

pub use find::{Found, Reads, Wanted, find};
pub use retention::Gone;
pub use told::{Told, told};

use crate::gate::Gate;
use crate::gates::GateName;
use crate::log::{self, Actor, Entry, Event};
use crate::rows;
use lines::Lines;
use writer::{Closed, Writer};

/// Most records that wait to be written.
const MAX_WAITING: u64 = 65_536;
/// How often what waits is written.
const TURN: Duration = Duration::from_millis(20);
/// How often records are looked for whose time is over.
const SWEEP: i64 = Millis::HOUR;
/// How much of a request target is kept, in characters.
const MAX_TARGET: usize = 2_000;

/// A record of an accepted read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record<'a> {
    /// When.
    pub at: Millis,
    /// Whose connection.
    pub connection: Cow<'a, str>,
    /// Its API key.
    pub key: UserId,
    /// The fingerprint of the key that signed.
    pub fingerprint: Cow<'a, str>,
    /// From which address.
    pub from: IpAddr,
    /// The operation, or the path of what Fireblocks has no operation for.
    pub operation: Cow<'a, str>,
    /// The request target, with its query.
    pub target: Cow<'a, str>,
    /// The scope that it was answered in.
    pub scope: Cow<'a, str>,
    /// The answer's status.
    pub status: u16,
    /// How many rows were answered, unless nobody counted them.
    pub rows: Option<usize>,
    /// How many bytes.
    pub bytes: usize,
    /// Names the request.
    pub request: RequestId,
}

/// A read cannot be recorded now: it is not answered either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("reads cannot be recorded now, so none is answered: try again later")]
pub(crate) struct Unrecorded;

/// Takes records, and has them written.
#[derive(Debug, Default)]
pub(crate) struct Recorder {
    queue: Mutex<Lines>,
    /// Set while they cannot be written.
    broken: AtomicBool,
    writer: Arc<tokio::sync::Mutex<Writer>>,
}

impl Recorder {
    /// Takes a record, before the read is answered.
    pub(crate) fn record(&self, mut record: Record<'_>) -> Result<(), Unrecorded> {
        if record.target.len() > MAX_TARGET {
            record.target = record.target.chars().take(MAX_TARGET).collect();
        }
        // Others wait for the queue, and are not to wait for this.
        let line = Lines::of(&record);
        let mut queue = self.queue.lock();
        if queue.count() >= MAX_WAITING || self.broken.load(Ordering::Relaxed) {
            return Err(Unrecorded);
        }
        queue.append(&line);
        Ok(())
    }

    fn take(&self) -> Lines {
        std::mem::take(&mut *self.queue.lock())
    }
}

/// Writes records until told to end. What comes after that, [`write`] writes.
pub(crate) async fn keep(gate: Arc<Gate>, shutdown: CancellationToken) {
    let mut swept: Option<Millis> = None;
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(TURN) => write(&gate, false).await,
        }
        let now = gate.clock.now();
        if let Some(keep_days) = gate.config.records.keep_days
            && swept.is_none_or(|swept| now >= swept.plus(SWEEP))
        {
            swept = Some(now);
            if let Err(error) = retention::sweep(&gate, keep_days).await {
                tracing::error!(%error, "records whose time is over are not deleted yet");
            }
        }
    }
}

/// Writes what waits, closes a segment that is full or old (at the end: any), and has the log tell.
pub(crate) async fn write(gate: &Gate, end: bool) {
    let written = turn(gate, end).await;
    let failed = written.is_err();
    if gate.recorder.broken.swap(failed, Ordering::Relaxed) != failed {
        match written {
            Err(error) => tracing::error!(%error, "reads cannot be recorded, so none is answered"),
            Ok(()) => tracing::info!("reads are recorded again"),
        }
    }
}

async fn turn(gate: &Gate, end: bool) -> Result<(), String> {
    let mut writer = Arc::clone(&gate.recorder.writer).lock_owned().await;
    let now = gate.clock.now();
    if !writer.is_prepared() {
        let workspace = gate.workspace();
        let told = gate.store.read(move |reading| {
            rows::log::of_kind(reading, workspace, "access_segment_closed", u64::MAX >> 1)
        });
        let told = told.await.map_err(|error: StoreError| error.to_string())?;
        let own = gate.config.store.gate.as_ref();
        let numbers = told.iter().filter_map(|payload| segment_of(payload, own));
        let last = numbers.max();
        let folder = gate.folder.access();
        writer = blocking(writer, move |writer| writer.prepare(folder, last)).await?;
    }
    writer.waiting.append(&gate.recorder.take());
    if writer.has_work(now, end) {
        writer = blocking(writer, move |writer| writer.write(now, end)).await?;
    }
    if writer.closed.is_empty() {
        return Ok(());
    }
    let (workspace, closed) = (gate.workspace(), writer.closed.clone());
    let own = gate.config.store.gate.clone();
    let told = gate.store.write(move |writing| {
        for segment in &closed {
            log::append(writing, workspace, now, &segment.told(own.clone()))?;
        }
        Ok::<_, StoreError>(())
    });
    told.await.map_err(|error| error.to_string())?;
    writer.closed.clear();
    Ok(())
}

type Guard = tokio::sync::OwnedMutexGuard<Writer>;

async fn blocking(
    mut writer: Guard,
    work: impl FnOnce(&mut Writer) -> std::io::Result<()> + Send + 'static,
) -> Result<Guard, String> {
    let done = tokio::task::spawn_blocking(move || {
        let done = work(&mut writer);
        (writer, done)
    });
    let (writer, done) = done.await.map_err(|error| error.to_string())?;
    done.map(|()| writer).map_err(|error| error.to_string())
}

impl Closed {
    fn told(&self, gate: Option<GateName>) -> Entry {
        Entry {
            actor: Actor::Gate,
            event: Event::AccessSegmentClosed {
                gate,
                segment: self.number,
                records: self.records,
                first: self.first,
                last: self.last,
                sha256: self.sha256.clone(),
            },
        }
    }
}

fn segment_of(payload: &str, of: Option<&GateName>) -> Option<u64> {
    match Entry::read(payload.as_bytes())?.event {
        Event::AccessSegmentClosed { segment, gate, .. } if gate.as_ref() == of => Some(segment),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
