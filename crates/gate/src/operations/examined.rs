//! What was handed in is examined off the threads that answer calls, in line: a forged paste can cost some
//! hundred milliseconds, and nobody else's call waits for that. Providers have a place of their own, so
//! that the client's people never wait behind them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use protocol::error::ApiError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use super::keys::newcomer::Claimant;
use super::refused;
use super::turned_away::turned_away;
use crate::connections::Refused;
use crate::gate::Gate;
use crate::log::Actor;

/// How long a paste waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most pastes of one operator's that wait or are examined. Of a connection it is one.
const MOST_OF_AN_OPERATOR: usize = 8;

/// Who examines, one at a time on either side.
#[derive(Debug)]
pub(crate) struct Examiner {
    /// The client's people's place, and providers'.
    operators: Arc<Semaphore>,
    providers: Arc<Semaphore>,
    /// How many pastes of each wait or are examined.
    present: Arc<Mutex<HashMap<Actor, usize>>>,
}

impl Default for Examiner {
    fn default() -> Self {
        Self {
            operators: Arc::new(Semaphore::new(1)),
            providers: Arc::new(Semaphore::new(1)),
            present: Arc::default(),
        }
    }
}

/// Somebody in line.
struct Present {
    actor: Actor,
    all: Arc<Mutex<HashMap<Actor, usize>>>,
}

impl Drop for Present {
    fn drop(&mut self) {
        let mut all = self.all.lock();
        if let Some(count) = all.get_mut(&self.actor) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.actor);
            }
        }
    }
}

impl Examiner {
    /// Does a piece of work when its turn comes. Who has too much in line, or waits too long, is told to
    /// come again.
    pub(crate) async fn examine<T: Send + 'static>(
        &self,
        actor: &Actor,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let busy = ApiError::too_many_requests;
        let present = self.line_up(actor).ok_or_else(busy)?;
        let turn = tokio::time::timeout(PATIENCE, self.turn(actor)).await;
        let turn = turn.ok().flatten().ok_or_else(busy)?;
        let work = move || {
            // Kept to the end, though the caller may hang up.
            let _held = (present, turn);
            work()
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|error| refused(500, error))
    }

    fn line_up(&self, actor: &Actor) -> Option<Present> {
        let most = match actor {
            Actor::Operator(_) => MOST_OF_AN_OPERATOR,
            _ => 1,
        };
        let mut all = self.present.lock();
        let count = all.entry(actor.clone()).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        drop(all);
        Some(Present {
            actor: actor.clone(),
            all: Arc::clone(&self.present),
        })
    }

    /// How many pastes wait or are examined.
    #[cfg(test)]
    pub(crate) fn in_line(&self) -> usize {
        self.present.lock().values().sum()
    }

    async fn turn(&self, actor: &Actor) -> Option<OwnedSemaphorePermit> {
        let place = match actor {
            Actor::Operator(_) => &self.operators,
            _ => &self.providers,
        };
        Arc::clone(place).acquire_owned().await.ok()
    }
}

/// Examines a paste that somebody hands in for a connection or an operator. What is refused is turned
/// away.
pub(super) async fn examined<T: Send + 'static>(
    gate: &Arc<Gate>,
    actor: Actor,
    claimant: Claimant<'_>,
    paste: Zeroizing<Vec<u8>>,
    look: impl FnOnce(&Gate, &[u8]) -> Result<T, Refused> + Send + 'static,
) -> Result<T, ApiError> {
    let this = Arc::clone(gate);
    let work = move || look(&this, &paste);
    match gate.examiner.examine(&actor, work).await? {
        Ok(fine) => Ok(fine),
        Err(no) => Err(turned_away(gate, actor, claimant, no).await),
    }
}
