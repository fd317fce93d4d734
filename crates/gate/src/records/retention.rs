//! Records whose time is over: their segments are deleted, the oldest first, and the log tells so.
//! Their digests stay in it.

use std::num::NonZeroU32;

use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use serde::Serialize;
use store::{Query, StoreError};

use super::writer::Closed;
use crate::gate::Gate;
use crate::gates::GateName;
use crate::log::{self, Actor, Entry, Event, segments};
use crate::rows;

/// Records that are deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Gone {
    /// First and last of their segments.
    pub segments: (u64, u64),
    /// How many they were.
    pub records: u64,
    /// Of when the first was.
    pub first: Millis,
    /// Of when the last was.
    pub last: Millis,
    /// For how many days records were kept then.
    pub keep_days: u32,
}

/// What the log tells of a gate's deleted records, the oldest first.
pub(super) fn deleted(
    query: &mut impl Query,
    workspace: WorkspaceId,
    own: Option<&GateName>,
) -> Result<Vec<Gone>, StoreError> {
    let told = rows::log::of_kind(query, workspace, "access_segments_deleted", u64::MAX >> 1)?;
    let gone = |payload: &String| match Entry::read(payload.as_bytes())?.event {
        Event::AccessSegmentsDeleted {
            gate,
            segments,
            records,
            first,
            last,
            keep_days,
        } if gate.as_ref() == own => Some(Gone {
            segments,
            records,
            first,
            last,
            keep_days,
        }),
        _ => None,
    };
    Ok(told.iter().filter_map(gone).collect())
}

/// What the log tells of a gate's segments that take no more records, deleted ones too.
pub(super) fn closed(
    query: &mut impl Query,
    workspace: WorkspaceId,
    own: Option<&GateName>,
) -> Result<Vec<Closed>, StoreError> {
    let told = rows::log::of_kind(query, workspace, "access_segment_closed", u64::MAX >> 1)?;
    let closed = |payload: &String| match Entry::read(payload.as_bytes())?.event {
        Event::AccessSegmentClosed {
            gate,
            segment,
            records,
            first,
            last,
            sha256,
        } if gate.as_ref() == own => Some(Closed {
            number: segment,
            records,
            first,
            last,
            sha256,
        }),
        _ => None,
    };
    Ok(told.iter().filter_map(closed).collect())
}

/// The oldest segments, all of whose records are of before. Pure.
fn due(mut kept: Vec<Closed>, before: Millis, keep_days: u32) -> Option<Gone> {
    kept.sort_by_key(|segment| segment.number);
    let over = kept.iter().take_while(|segment| segment.last < before);
    over.fold(None, |gone: Option<Gone>, segment| {
        let gone = gone.unwrap_or(Gone {
            segments: (segment.number, segment.number),
            records: 0,
            first: segment.first,
            last: segment.last,
            keep_days,
        });
        Some(Gone {
            segments: (gone.segments.0, segment.number),
            records: gone.records + segment.records,
            first: gone.first.min(segment.first),
            last: gone.last.max(segment.last),
            keep_days,
        })
    })
}

/// Deletes what is over. The log tells of it first: where the rest is interrupted, the next sweep does
/// it.
pub(super) async fn sweep(gate: &Gate, keep_days: NonZeroU32) -> Result<(), String> {
    let (workspace, own, now) = (
        gate.workspace(),
        gate.config.store.gate.clone(),
        gate.clock.now(),
    );
    let before = now.plus(-i64::from(keep_days.get()) * Millis::DAY);
    let told = gate.store.write(move |writing| {
        let deleted = deleted(writing, workspace, own.as_ref())?;
        let through = deleted.iter().map(|gone| gone.segments.1).max();
        let mut kept = closed(writing, workspace, own.as_ref())?;
        kept.retain(|segment| through.is_none_or(|through| segment.number > through));
        let Some(gone) = due(kept, before, keep_days.get()) else {
            return Ok(through);
        };
        let event = Event::AccessSegmentsDeleted {
            gate: own.clone(),
            segments: gone.segments,
            records: gone.records,
            first: gone.first,
            last: gone.last,
            keep_days: gone.keep_days,
        };
        let actor = Actor::Gate;
        log::append(writing, workspace, now, &Entry { actor, event })?;
        Ok::<_, StoreError>(Some(gone.segments.1))
    });
    let Some(through) = told.await.map_err(|error| error.to_string())? else {
        return Ok(());
    };
    let folder = gate.folder.access();
    let delete = move || {
        let there = segments::list(&folder)?;
        let mut over = there.iter().filter(|(number, _)| *number <= through);
        over.try_for_each(|(_, file)| std::fs::remove_file(file))
    };
    let deleted = tokio::task::spawn_blocking(delete).await;
    deleted
        .map_err(|error| error.to_string())?
        .map_err(|error| error.to_string())
}
