//! Long work, done part by part: a job goes on until it is through, or somebody pauses or cancels
//! it between two parts. The first part is done in the deed that takes the job in.

use std::sync::Arc;

use ledger::Fault;
use protocol::error::ApiError;
use protocol::ids::UserId;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::deed::Deed;
use crate::hall::Hall;
use crate::operations::vault::account_jobs::{self, Plan};
use crate::operations::workspace::{self, Standing};
use crate::shelf::Kept;

/// Tasks of one part.
pub(crate) const PART: usize = 500;

/// A job. What it has made is kept beside it, part by part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) of: Of,
    pub(crate) user: UserId,
    pub(crate) created: Millis,
    pub(crate) updated: Millis,
    pub(crate) state: State,
    /// How many tasks it has.
    pub(crate) total: usize,
    /// How many of them are done, in the order of the plan.
    pub(crate) done: usize,
    /// Why it has failed.
    pub(crate) error: Option<String>,
}

/// What a job makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Of {
    #[serde(rename = "CREATE_VAULT_ACCOUNTS")]
    Accounts,
    #[serde(rename = "CREATE_DEPOSIT_ADDRESSES")]
    Addresses,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum State {
    Active,
    Paused,
    Canceled,
    Completed,
    Failed,
}

/// What somebody wants of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    Pause,
    Continue,
    Cancel,
}

/// A job's state after a wish; nothing: it is not at a point where that can be done.
const fn after(state: State, wish: Wish) -> Option<State> {
    use State as S;
    match (state, wish) {
        (S::Active, Wish::Pause) => Some(S::Paused),
        (S::Paused, Wish::Continue) => Some(S::Active),
        (S::Active | S::Paused, Wish::Cancel) => Some(S::Canceled),
        _ => None,
    }
}

impl Kept for Job {
    const KIND: &'static str = "job";

    fn key(&self) -> String {
        self.id.clone()
    }
}

/// What a job is to do, as it was asked for.
#[derive(Debug, Serialize, Deserialize)]
struct Todo {
    job: String,
    plan: Plan,
}

impl Kept for Todo {
    const KIND: &'static str = "job_plan";

    fn key(&self) -> String {
        self.job.clone()
    }
}

/// What one part of a job has made.
#[derive(Debug, Serialize, Deserialize)]
struct Made {
    job: String,
    /// The number of its first task.
    first: usize,
    things: Vec<Value>,
}

impl Made {
    fn key_of(job: &str, first: usize) -> String {
        format!("{job}/{first}")
    }
}

impl Kept for Made {
    const KIND: &'static str = "job_part";

    fn key(&self) -> String {
        Self::key_of(&self.job, self.first)
    }
}

fn unknown() -> ApiError {
    ApiError::uncoded(404, "No such job")
}

/// Takes a job in, and does its first part.
pub(crate) fn begin(deed: &mut Deed<'_, '_>, plan: Plan, user: UserId) -> Result<String, Fault> {
    let mut job = Job {
        id: deed.chance.uuid().to_string(),
        of: plan.of(),
        user,
        created: deed.at,
        updated: deed.at,
        state: State::Active,
        total: plan.len(),
        done: 0,
        error: None,
    };
    part(deed, &mut job, &plan)?;
    let id = job.id.clone();
    if job.state == State::Active {
        let job = id.clone();
        deed.keep(&Todo { job, plan })?;
    }
    deed.keep(&job)?;
    Ok(id)
}

/// Does the next part of a job, whole or, refused, not at all.
fn part(deed: &mut Deed<'_, '_>, job: &mut Job, plan: &Plan) -> Result<(), Fault> {
    let first = job.done;
    let things = account_jobs::make(deed, plan, first..job.total.min(first + PART))?;
    job.done += things.len();
    job.updated = deed.at;
    if job.done >= job.total {
        job.state = State::Completed;
    }
    let job = job.id.clone();
    Ok(deed.keep(&Made { job, first, things })?)
}

/// Does the next part of a job, where nobody has to be told to. Whether there may be more to do.
pub(crate) async fn go_on(hall: &Arc<Hall>) -> bool {
    if hall.house.manual {
        return false;
    }
    work(hall).await.unwrap_or_else(|fault| {
        let error = ApiError::from(fault);
        tracing::error!(message = error.message(), "jobs stand still");
        true
    })
}

/// Does the next part of the job that has waited longest. Whether there was one.
pub(crate) async fn work(hall: &Arc<Hall>) -> Result<bool, Fault> {
    let waits = |job: &Job| job.state == State::Active;
    let jobs = hall.all_kept::<Job>().await?;
    let Some(job) = jobs.into_iter().find(waits) else {
        return Ok(false);
    };
    let (id, same) = (job.id.clone(), job.id);
    match hall.deed(move |deed| next(deed, &id)).await {
        Err(Fault::Refused(error)) => {
            let failed = move |deed: &mut Deed<'_, '_>| fail(deed, &same, error.message());
            hall.deed(failed).await?;
        }
        done => done?,
    }
    Ok(true)
}

/// Does the next part of a job, unless somebody has stopped it meanwhile.
fn next(deed: &mut Deed<'_, '_>, id: &str) -> Result<(), Fault> {
    let job = deed.kept::<Job>(id)?;
    let job = job.filter(|job| job.state == State::Active);
    let frozen = workspace::standing(deed)? == Standing::Frozen;
    let (Some(mut job), Some(todo), false) = (job, deed.kept::<Todo>(id)?, frozen) else {
        return Ok(());
    };
    part(deed, &mut job, &todo.plan)?;
    keep(deed, &job)
}

/// A job cannot go on. What it has made stays.
fn fail(deed: &mut Deed<'_, '_>, id: &str, why: &str) -> Result<(), Fault> {
    let mut job = deed.kept::<Job>(id)?.ok_or_else(unknown)?;
    job.state = State::Failed;
    job.updated = deed.at;
    job.error = Some(why.to_owned());
    keep(deed, &job)
}

/// Somebody pauses a job, lets it go on, or cancels it. What it has made stays.
pub(crate) fn wish(deed: &mut Deed<'_, '_>, id: &str, wish: Wish) -> Result<(), Fault> {
    let mut job = deed.kept::<Job>(id)?.ok_or_else(unknown)?;
    let unfit = || ApiError::uncoded(409, "The job is not at a point where that can be done");
    job.state = after(job.state, wish).ok_or_else(unfit)?;
    job.updated = deed.at;
    keep(deed, &job)
}

/// Keeps a job, and its plan no longer than it is needed.
fn keep(deed: &mut Deed<'_, '_>, job: &Job) -> Result<(), Fault> {
    if !matches!(job.state, State::Active | State::Paused) {
        deed.discard::<Todo>(&job.id)?;
    }
    Ok(deed.keep(job)?)
}

impl Hall {
    /// A job.
    pub(crate) async fn job(self: &Arc<Self>, id: &str) -> Result<Job, ApiError> {
        self.kept::<Job>(id).await?.ok_or_else(unknown)
    }

    /// What a job has made so far.
    pub(crate) async fn made(self: &Arc<Self>, job: &Job) -> Result<Vec<Value>, ApiError> {
        let mut things = Vec::new();
        for first in (0..job.done).step_by(PART) {
            let part = self.kept::<Made>(&Made::key_of(&job.id, first)).await?;
            things.extend(part.into_iter().flat_map(|part| part.things));
        }
        Ok(things)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_stopped_only_while_there_is_something_to_do() {
        use State as S;
        let ended = [S::Canceled, S::Completed, S::Failed];
        for wish in [Wish::Pause, Wish::Continue, Wish::Cancel] {
            for state in ended {
                assert_eq!(after(state, wish), None, "{state:?} {wish:?}");
            }
        }
        assert_eq!(after(S::Active, Wish::Pause), Some(S::Paused));
        assert_eq!(after(S::Paused, Wish::Pause), None);
        assert_eq!(after(S::Active, Wish::Continue), None);
        assert_eq!(after(S::Paused, Wish::Continue), Some(S::Active));
        assert_eq!(after(S::Paused, Wish::Cancel), Some(S::Canceled));
    }
}
