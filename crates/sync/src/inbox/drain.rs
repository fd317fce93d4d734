//! Applying what has come.

use std::collections::BTreeSet;
use std::sync::Arc;

use ledger::{Batch, Books, LedgerError};
use protocol::model::event::Envelope;
use protocol::time::Millis;
use store::{StoreError, Writing};

use super::rows::{self, Of, Waiting};
use super::{Inbox, Outcome, State};
use crate::area::Area;
use crate::events::{self, Effects, Known};
use crate::translate::Translate;

/// Most events of one database transaction.
const GROUP: u32 = 100;

/// What draining came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// Events applied.
    pub applied: usize,
    /// Events that are not understood.
    pub aside: usize,
    /// What is to be looked at, since events did not tell it whole.
    pub walk: BTreeSet<Area>,
    /// The latest of the applied events: what is looked at now is at least as late.
    pub latest: Option<Millis>,
}

/// Why events still wait. They stay new.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DrainError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The books.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// An event, and what follows from it.
enum Judged {
    Understood(Envelope, Effects),
    Aside(String),
}

impl Inbox {
    /// Applies every new event, in the order in which they came. `beside` is run in the database
    /// transaction of each event, after its changes, with what became of each; it may be run more
    /// than once, and changes nothing but the database. An event counts once: whatever happens, it
    /// is applied and marked with what `beside` wrote, or it is still new.
    pub async fn drain<F>(
        &self,
        books: &Books,
        translate: &dyn Translate,
        beside: F,
    ) -> Result<Drained, DrainError>
    where
        F: Fn(&mut Writing<'_>, &mut Batch, &Envelope, &[Outcome]) -> Result<(), StoreError>
            + Send
            + Sync
            + 'static,
    {
        let beside = Arc::new(beside);
        let _turn = self.0.turn.lock().await;
        let mut drained = Drained::default();
        while !self.is_held() {
            let of = self.of();
            let work = move |reading: &mut store::Reading<'_>| rows::waiting(reading, &of, GROUP);
            let waiting = self.0.store.read(work).await?;
            if waiting.is_empty() {
                break;
            }
            let judged = Arc::new(judge(books, translate, waiting).await?);
            let alone = Self::settle(self.clone(), books, &judged, 0..judged.len(), &beside).await;
            let settled = match alone {
                Err(_) if judged.len() > 1 => {
                    // One event's trouble does not keep back those before it.
                    let mut settled = Vec::new();
                    for at in 0..judged.len() {
                        let one = Self::settle(self.clone(), books, &judged, at..at + 1, &beside);
                        settled.extend(one.await?);
                    }
                    settled
                }
                other => other?,
            };
            for at in settled {
                match judged.get(at).map(|(_, judged)| judged) {
                    Some(Judged::Understood(envelope, effects)) => {
                        drained.applied += 1;
                        drained.walk.extend(effects.walk.iter().cloned());
                        drained.latest = drained.latest.max(Some(envelope.created_at));
                    }
                    _ => drained.aside += 1,
                }
            }
        }
        Ok(drained)
    }

    /// Applies and marks a run of events in one database transaction; which of them still were new.
    async fn settle<F>(
        inbox: Self,
        books: &Books,
        judged: &Arc<Vec<(i64, Judged)>>,
        run: std::ops::Range<usize>,
        beside: &Arc<F>,
    ) -> Result<Vec<usize>, StoreError>
    where
        F: Fn(&mut Writing<'_>, &mut Batch, &Envelope, &[Outcome]) -> Result<(), StoreError>
            + Send
            + Sync
            + 'static,
    {
        let (of, judged, beside) = (inbox.of(), Arc::clone(judged), Arc::clone(beside));
        let now = inbox.0.clock.now();
        let work = move |writing: &mut Writing<'_>, batch: &mut Batch| {
            let mut settled = Vec::new();
            for at in run.clone() {
                let Some((arrival, judged)) = judged.get(at) else {
                    continue;
                };
                if one(writing, batch, &of, *arrival, judged, &*beside)? {
                    settled.push(at);
                }
            }
            Ok::<_, StoreError>(settled)
        };
        books.transact(now, work).await
    }
}

/// Applies and marks one event; whether it still was new.
fn one(
    writing: &mut Writing<'_>,
    batch: &mut Batch,
    of: &Of,
    arrival: i64,
    judged: &Judged,
    beside: &(
         impl Fn(&mut Writing<'_>, &mut Batch, &Envelope, &[Outcome]) -> Result<(), StoreError> + ?Sized
     ),
) -> Result<bool, StoreError> {
    let (envelope, effects) = match judged {
        Judged::Aside(why) => return rows::mark(writing, of, arrival, State::Aside, Some(why)),
        Judged::Understood(envelope, effects) => (envelope, effects),
    };
    // First of all: another process may have been here.
    if !rows::mark(writing, of, arrival, State::Applied, None)? {
        return Ok(false);
    }
    let mut outcomes = Vec::with_capacity(effects.changes.len());
    for (version, change) in &effects.changes {
        outcomes.push(Outcome {
            version: *version,
            change: change.clone(),
            applied: batch.apply(writing, *version, change)?,
        });
    }
    beside(writing, batch, envelope, &outcomes)?;
    Ok(true)
}

/// What follows from each event, given those before it.
async fn judge(
    books: &Books,
    translate: &dyn Translate,
    waiting: Vec<Waiting>,
) -> Result<Vec<(i64, Judged)>, DrainError> {
    let read: Vec<(i64, Result<Envelope, String>)> = waiting
        .into_iter()
        .map(|event| {
            let envelope = serde_json::from_slice(&event.body).map_err(|error| error.to_string());
            (event.arrival, envelope)
        })
        .collect();
    let envelopes: Vec<&Envelope> = read
        .iter()
        .filter_map(|(_, envelope)| envelope.as_ref().ok())
        .collect();
    let mut known = Known::of(books, &envelopes).await?;
    let mut judged = Vec::with_capacity(read.len());
    for (arrival, envelope) in read {
        let verdict = match envelope {
            Err(why) => Judged::Aside(why),
            Ok(envelope) => match events::effects(&envelope, &known, translate) {
                Err(why) => Judged::Aside(why.to_string()),
                Ok(effects) => {
                    known.learn(&effects);
                    Judged::Understood(envelope, effects)
                }
            },
        };
        judged.push((arrival, verdict));
    }
    Ok(judged)
}
