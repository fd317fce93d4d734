//! Who calls next, where many share a budget: whoever waits and was served longest ago.
//!
//! One calls at a time, so that everybody else waits in a line of their own, and not in the budget. A
//! greedy one's line grows, and costs nobody else more than one call a round. Who gives up, also while it
//! has the turn, was not served: its next call is nearer.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Most calls of one that wait at once.
const MAX_WAITING: usize = 32;
/// Most who are remembered; beyond it all begin anew.
const MAX_KNOWN: usize = 10_000;

/// Those who wait.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<Lines>);

#[derive(Debug, Default)]
struct Lines {
    /// Whether somebody has the turn.
    taken: bool,
    waiting: HashMap<Arc<str>, VecDeque<oneshot::Sender<Turn>>>,
    /// In which round each was served last.
    served: HashMap<Arc<str>, u64>,
    round: u64,
}

/// Its holder may call now. Passed on when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    turns: Option<Arc<Turns>>,
    who: Arc<str>,
}

impl Turn {
    /// Its holder has found room.
    pub(super) fn served(&self) {
        if let Some(turns) = &self.turns {
            turns.0.lock().serve(&self.who);
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(turns) = self.turns.take() {
            pass(&turns);
        }
    }
}

/// It did not get its turn in time, or too many of its calls wait.
#[derive(Debug)]
pub(super) struct NotInTime;

/// Waits for a turn.
pub(super) async fn wait(
    turns: &Arc<Turns>,
    who: &Arc<str>,
    until: Instant,
) -> Result<Turn, NotInTime> {
    let mine = {
        let mut lines = turns.0.lock();
        let line = lines.waiting.entry(Arc::clone(who)).or_default();
        line.retain(|waiting| !waiting.is_closed());
        if line.len() >= MAX_WAITING {
            return Err(NotInTime);
        }
        let (sender, mine) = oneshot::channel();
        line.push_back(sender);
        if lines.taken {
            mine
        } else {
            lines.taken = true;
            drop(lines);
            pass(turns);
            mine
        }
    };
    match tokio::time::timeout_at(until, mine).await {
        Ok(Ok(turn)) => Ok(turn),
        _ => Err(NotInTime),
    }
}

/// Gives the turn to the next who waits, and to nobody where nobody does.
fn pass(turns: &Arc<Turns>) {
    loop {
        let next = turns.0.lock().next();
        let Some((who, next)) = next else { return };
        let turns = Some(Arc::clone(turns));
        match next.send(Turn { turns, who }) {
            Ok(()) => return,
            // It has gone meanwhile: this goes on, and not the turn itself.
            Err(mut turn) => drop(turn.turns.take()),
        }
    }
}

impl Lines {
    /// Who waits and was served longest ago; nobody has the turn where nobody waits.
    fn next(&mut self) -> Option<(Arc<str>, oneshot::Sender<Turn>)> {
        self.waiting.retain(|_, line| {
            line.retain(|waiting| !waiting.is_closed());
            !line.is_empty()
        });
        let served = |who: &Arc<str>| self.served.get(who).copied().unwrap_or(0);
        let who = self
            .waiting
            .keys()
            .min_by_key(|who| (served(who), Arc::clone(who)));
        let Some(who) = who.cloned() else {
            self.taken = false;
            return None;
        };
        let next = self.waiting.get_mut(&who)?.pop_front()?;
        Some((who, next))
    }

    fn serve(&mut self, who: &Arc<str>) {
        if self.served.len() >= MAX_KNOWN {
            self.served.clear();
        }
        self.round += 1;
        self.served.insert(Arc::clone(who), self.round);
    }
}
