//! Job management, of clients of an older age: the jobs that make accounts and addresses by the
//! dozen, their tasks, and how to stop them.

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::time::Millis;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Visit, area};
use crate::deed::Deed;
use crate::jobs::{self, Job, State, Wish};

area! { visit;
    "getJobs" => list(visit).await,
    "getJob" => one(visit).await,
    "getJobTasks" => tasks(visit).await,
    "pauseJob" => wish(visit, Wish::Pause).await,
    "continueJob" => wish(visit, Wish::Continue).await,
    "cancelJob" => wish(visit, Wish::Cancel).await,
}

fn shown(visit: &Visit<'_>, job: &Job) -> Value {
    json!({
        "id": job.id,
        "tenantId": visit.hall.id(),
        "type": job.of,
        "userId": job.user,
        "created": job.created,
        "updated": job.updated,
        "state": job.state,
    })
}

/// `GET /batch/jobs`: those made in a range of time, the oldest first.
async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let time = |name: &'static str| {
        let must = "milliseconds since the epoch";
        let read = visit
            .call
            .query
            .read::<i64, _>(name, |_| ApiError::invalid(name, must));
        read.map(|read| read.map(Millis))
    };
    let (from, to) = (time("fromTime")?, time("toTime")?);
    let mut jobs = visit.hall.all_kept::<Job>().await?;
    jobs.retain(|job| {
        from.is_none_or(|from| job.created >= from) && to.is_none_or(|to| job.created <= to)
    });
    let shown: Vec<_> = jobs.iter().map(|job| shown(visit, job)).collect();
    Ok(Reply::json(200, &shown))
}

/// `GET /batch/{jobId}`.
async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let job = visit.hall.job(visit.params.get("jobId")).await?;
    let mut told = shown(visit, &job);
    told["tasks"] = all_tasks(visit, &job).into();
    Ok(Reply::json(200, &told))
}

/// `GET /batch/{jobId}/tasks`.
async fn tasks(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let job = visit.hall.job(visit.params.get("jobId")).await?;
    Ok(Reply::json(200, &all_tasks(visit, &job)))
}

fn all_tasks(visit: &Visit<'_>, job: &Job) -> Vec<Value> {
    let left = match job.state {
        State::Completed | State::Active => State::Active,
        state => state,
    };
    let task = |number: usize| {
        let name = format!("{}/{number}", job.id);
        json!({
            "id": Uuid::new_v5(&visit.hall.id().0, name.as_bytes()),
            "jobId": job.id,
            "type": job.of,
            "tenantId": visit.hall.id(),
            "created": job.created,
            "updated": job.updated,
            "state": if number < job.done { State::Completed } else { left },
        })
    };
    (0..job.total).map(task).collect()
}

/// `POST /batch/{jobId}/pause`, `/continue`, `/cancel`.
async fn wish(visit: &Visit<'_>, wish: Wish) -> Result<Reply, ApiError> {
    let id = visit.params.get("jobId").to_owned();
    let work = move |deed: &mut Deed<'_, '_>| {
        jobs::wish(deed, &id, wish)?;
        Ok(Reply::empty(200))
    };
    visit.hall.effect(visit.call, work).await
}
