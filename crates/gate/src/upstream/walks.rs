//! Walks: what has no event, and what the events may have missed.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use protocol::role::ProviderRole;
use protocol::time::Millis;
use sync::{SyncError, Walked, walk};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use wire::client::Client;

use super::schedule::Schedule;
use super::{PAUSE, in_trouble, options};
use crate::ages::Subject;
use crate::gate::Gate;
use crate::operations::follow;

/// How far before the last walk a walk goes for transactions whose events were lost.
const LOOK_BACK: i64 = 2 * Millis::DAY;
/// How often one look walks a subject whose rows are in doubt, at most.
const MAX_WALKS: usize = 3;
/// How long a walk waits for its turn; nothing else waits for it.
const PATIENCE: Duration = Duration::from_secs(300);

/// Subjects that are walked one after the other.
pub(super) struct Lane {
    subjects: Vec<Subject>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Each once, with the whole budget: until it is done, nobody is served.
    Fill,
    /// Again and again, for as long as the gate runs, with a part of the budget.
    Keep {
        /// Whether events tell of its subjects.
        told: bool,
        /// Whether the first turn may wait for as long as what is known lets it.
        known: bool,
    },
}

impl Lane {
    /// What was never walked.
    pub(super) fn fill(gate: &Gate) -> Self {
        let ages = gate.ages.read();
        let never = |subject: &Subject| ages.of(*subject).is_none();
        Self {
            subjects: Subject::ALL.into_iter().filter(never).collect(),
            kind: Kind::Fill,
        }
    }

    /// What events tell of, or the rest, for as long as the gate runs; where events may have been
    /// missed, at once.
    pub(super) fn keep(told: bool, known: bool) -> Self {
        let subjects = Subject::ALL.into_iter();
        Self {
            subjects: subjects.filter(|one| one.told() == told).collect(),
            kind: Kind::Keep { told, known },
        }
    }

    fn schedule(&self, gate: &Gate, now: Instant) -> Schedule {
        let (ages, at) = (gate.ages.read(), gate.clock.now());
        let rest = |subject: Subject| {
            let age = ages.of(subject).map(|as_of| at.0.saturating_sub(as_of.0))?;
            let age = Duration::from_millis(u64::try_from(age).unwrap_or(0));
            let every = gate.config.areas.pace(subject).every();
            Some(every.saturating_sub(age))
        };
        let due = |subject: &Subject| {
            let rest = match self.kind {
                Kind::Keep { known: true, .. } => rest(*subject).unwrap_or_default(),
                Kind::Keep { known: false, .. } | Kind::Fill => Duration::ZERO,
            };
            (*subject, now + rest)
        };
        self.subjects.iter().map(due).collect()
    }

    /// Walks until told to end, or until the fill is done.
    pub(super) async fn walk(self, gate: &Arc<Gate>, shutdown: &CancellationToken) {
        let mut look = gate.look.subscribe();
        let mut asked = *look.borrow_and_update();
        let mut schedule = self.schedule(gate, Instant::now());
        loop {
            let outcome = tokio::select! {
                () = shutdown.cancelled() => return,
                outcome = self.round(gate, &mut schedule) => outcome,
            };
            let next = match outcome {
                Ok(()) => {
                    if let Kind::Keep { told, .. } = self.kind {
                        gate.look.over(told, asked);
                    }
                    schedule.next()
                }
                Err(error) => {
                    tracing::warn!(%error, "the books are not walked now; reads go on from what is there");
                    Some(Instant::now() + PAUSE)
                }
            };
            if next.is_none() {
                return;
            }
            let wait = async {
                match next.filter(|_| gate.viewer().is_some()) {
                    Some(next) => tokio::time::sleep_until(next).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                _ = look.changed() => {
                    let now = *look.borrow_and_update();
                    if now != asked {
                        schedule.all(Instant::now());
                    }
                    asked = now;
                }
                () = wait => {}
            }
        }
    }

    /// Walks all that is due.
    async fn round(&self, gate: &Arc<Gate>, schedule: &mut Schedule) -> Result<(), SyncError> {
        let Some(client) = gate.viewer() else {
            return Ok(());
        };
        let viewer = gate.upstream.read().viewer;
        gate.opens(&client, viewer, ProviderRole::Viewer).await?;
        let client = match self.kind {
            Kind::Fill => client,
            Kind::Keep { .. } => client.within(gate.walks.clone()),
        };
        while let Some(subject) = schedule.due(Instant::now()) {
            let (pace, began) = (gate.config.areas.pace(subject), Instant::now());
            match looked_at(gate, &client, subject).await {
                Ok(()) if self.kind == Kind::Fill => schedule.done(subject),
                Ok(()) => schedule.walked(subject, pace, began, Instant::now()),
                Err(error) if in_trouble(&error) => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, %subject, "not walked: it grows older");
                    schedule.failed(subject, pace, Instant::now());
                }
            }
        }
        Ok(())
    }
}

/// Walks one subject. Who asked for a look is to see what is there: what is in doubt is walked again once
/// the answers' date is another.
async fn looked_at(gate: &Arc<Gate>, client: &Client, subject: Subject) -> Result<(), SyncError> {
    let mut walked = one(gate, client, subject).await?;
    for _ in 1..MAX_WALKS {
        if walked.in_doubt == 0 || !gate.look.go_on() {
            break;
        }
        tokio::time::sleep(walk::DATED).await;
        walked = one(gate, client, subject).await?;
    }
    Ok(())
}

/// The part of the budget that walks have: half of it, so that what cannot wait never waits for them.
pub(crate) fn part(budget: &wire::client::Budget, cap: NonZeroU32) -> wire::client::Budget {
    let half = NonZeroU32::new(cap.get() / 2).unwrap_or(NonZeroU32::MIN);
    let burst = NonZeroU32::new(half.get() / 4).unwrap_or(NonZeroU32::MIN);
    budget.part(half, burst, PATIENCE)
}

/// Walks one subject, and notes as of when it is.
async fn one(gate: &Arc<Gate>, client: &Client, subject: Subject) -> Result<Walked, SyncError> {
    let (at, options) = (gate.clock.now(), options(gate));
    let before = gate.ages.read().of(subject);
    let area = subject.area(look_from(before, at));
    let walked = match subject {
        Subject::Addresses => match sync::address_report(client, &gate.books, &options).await {
            Ok(walked) => walked,
            Err(why) => {
                tracing::warn!(%why, "no report of addresses: they are walked");
                walk(client, &gate.books, &[area], &options).await?
            }
        },
        _ => walk(client, &gate.books, &[area], &options).await?,
    };
    super::walked(gate, &walked);
    gate.walked(subject, at).await?;
    if subject == Subject::Accounts
        && let Err(error) = follow(gate).await
    {
        tracing::error!(%error, "scopes cannot follow the accounts' tags");
    }
    tell(subject, &walked, before.is_some());
    gate.deliveries.notify_one();
    Ok(walked)
}

fn tell(subject: Subject, walked: &Walked, again: bool) {
    let (calls, rows, changed) = (walked.calls, walked.rows, walked.changed);
    if !again {
        tracing::info!(%subject, calls, rows, "walked for the first time");
    } else if changed > 0 {
        tracing::info!(%subject, changed, "a walk found what no event had told");
    }
}

/// From when on transactions are asked for: some days before the last walk, however long ago that
/// was; all of them, if there was none.
fn look_from(before: Option<Millis>, now: Millis) -> Millis {
    before.map_or(Millis(0), |before| before.min(now).plus(-LOOK_BACK))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Nothing falls between two walks, however far apart.
    #[test]
    fn a_walk_begins_before_the_last_one() {
        let now = Millis(100 * Millis::DAY);
        let ago = |days: i64| now.plus(-days * Millis::DAY);
        assert_eq!(look_from(Some(now), now), ago(2));
        assert_eq!(look_from(Some(ago(30)), now), ago(32), "after a month away");
        assert_eq!(
            look_from(Some(now.plus(Millis::DAY)), now),
            ago(2),
            "a clock that was put back"
        );
        assert_eq!(
            look_from(None, now),
            Millis(0),
            "the first one asks for all"
        );
    }
}
