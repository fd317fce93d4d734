//! What was refused: one entry of the log for all calls of one kind by one caller within a minute.
//! However many come from however many addresses, what is remembered of them is bounded.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use protocol::ids::UserId;
use protocol::time::Millis;
use store::StoreError;
use tokio_util::sync::CancellationToken;
use wire::server::Refusal;

use crate::gate::Gate;
use crate::log::{self, Actor, Entry, Event, Origin};

/// How long refusals of one kind are counted together.
const WINDOW: i64 = Millis::MINUTE;
/// Most callers and kinds told apart at once; whoever comes beyond them is one of many.
const MAX_WINDOWS: usize = 256;
/// How much of a request target is kept, in characters.
const MAX_TARGET: usize = 200;
/// How often it is looked whether a minute is over.
const TURN: Duration = Duration::from_secs(1);

/// Who was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    /// Whoever proved this key.
    Key(UserId),
    /// Somebody there.
    Address(IpAddr),
    /// Too many to be told apart.
    Others,
}

/// What kind of refusal: of a few.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Kind {
    /// The answer's status.
    pub(crate) status: u16,
    /// Why, in words that the caller is not told.
    pub(crate) why: &'static str,
}

/// Calls of one kind within a minute, with what the first of them was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) count: u64,
    pub(crate) first: Millis,
    pub(crate) last: Millis,
    pub(crate) origin: Origin,
    pub(crate) user: Option<UserId>,
    pub(crate) target: String,
}

type Windows = HashMap<(Who, Kind), Refused>;

/// The refusals that the log has not told yet.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<Windows>);

impl Refusals {
    /// Counts one.
    pub(crate) fn note(&self, who: Who, kind: Kind, refusal: &Refusal<'_>) {
        let mut windows = self.0.lock();
        let full = windows.len() >= MAX_WINDOWS && !windows.contains_key(&(who, kind));
        let who = if full { Who::Others } else { who };
        match windows.entry((who, kind)) {
            Place::Occupied(mut known) => {
                let known = known.get_mut();
                known.count += 1;
                known.last = refusal.at;
            }
            Place::Vacant(place) => {
                place.insert(Refused {
                    count: 1,
                    first: refusal.at,
                    last: refusal.at,
                    origin: Origin::of(refusal.from, refusal.request_id),
                    user: refusal.user,
                    target: refusal.target.chars().take(MAX_TARGET).collect(),
                });
            }
        }
    }

    /// What is to be told now: whatever began a minute ago. At the end, everything.
    fn due(&self, now: Millis, all: bool) -> Vec<((Who, Kind), Refused)> {
        let mut windows = self.0.lock();
        let is_due = |refused: &Refused| all || now >= refused.first.plus(WINDOW);
        let mut due: Vec<_> = windows.extract_if(|_, refused| is_due(refused)).collect();
        due.sort_by_key(|(_, refused)| refused.first);
        due
    }

    /// Takes back what could not be told.
    fn untold(&self, due: Vec<((Who, Kind), Refused)>) {
        let mut windows = self.0.lock();
        for (key, refused) in due {
            match windows.entry(key) {
                Place::Vacant(place) => {
                    place.insert(refused);
                }
                Place::Occupied(mut newer) => {
                    let newer = newer.get_mut();
                    let (count, last) = (newer.count, newer.last);
                    *newer = refused;
                    newer.count += count;
                    newer.last = last;
                }
            }
        }
    }
}

/// Tells the log until told to end. What is refused after that, [`tell`] tells.
pub(crate) async fn keep(gate: Arc<Gate>, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(TURN) => tell(&gate, false).await,
        }
    }
}

/// Tells the log what is due.
pub(crate) async fn tell(gate: &Gate, all: bool) {
    let now = gate.clock.now();
    let due = gate.refusals.due(now, all);
    if due.is_empty() {
        return;
    }
    let (directory, roster) = (gate.directory.load(), gate.roster.load());
    let name = |user: UserId| match (directory.keyed(user), roster.get(user)) {
        (Some(provider), _) => Actor::Connection(provider.connection.name.clone()),
        (None, Some(operator)) => Actor::Operator(operator.name.clone()),
        // Whoever that was is none any more.
        (None, None) => Actor::Operator(user.to_string()),
    };
    let entries: Vec<(Entry, Origin)> = due
        .iter()
        .map(|((who, kind), refused)| {
            let actor = match who {
                Who::Key(user) => name(*user),
                Who::Address(address) => Actor::Address(address.to_string()),
                Who::Others => Actor::Address("others".to_owned()),
            };
            let event = Event::Refused {
                kind: kind.status.to_string(),
                why: kind.why.to_owned(),
                count: refused.count,
                first: refused.first,
                last: refused.last,
                api_key: refused.user.map(|user| user.to_string()),
                target: refused.target.clone(),
            };
            (Entry { actor, event }, refused.origin)
        })
        .collect();
    let workspace = gate.workspace();
    let told = gate.store.write(move |writing| {
        for (entry, origin) in &entries {
            log::append_from(writing, workspace, now, entry, origin)?;
        }
        Ok::<_, StoreError>(())
    });
    if let Err(error) = told.await {
        tracing::error!(%error, "the log does not tell of refusals yet");
        gate.refusals.untold(due);
    }
}

#[cfg(test)]
mod tests;
