//! Notifications sent again: one, those of a resource, those that failed, those that a query names.

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{NotificationId, WebhookId};
use protocol::model::event::EventType;
use protocol::model::webhook::NotificationStatus;
use protocol::time::Millis;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::events;
use super::notifications::found;
use super::settings::by_id;
use crate::deed::Deed;
use crate::operations::{Visit, area};
use crate::rows::{self, Chosen};
use ledger::Fault;

area! { visit;
    "resendNotificationById" => one(visit).await,
    "resendNotificationsByResourceId" => by_resource(visit).await,
    "resendFailedNotifications" => failed(visit).await,
    "resendNotificationsByQuery" => by_query(visit).await,
    "getResendJobStatus" => job(visit).await,
    "getResendByQueryJobStatus" => job(visit).await,
}

/// How far back an event can be sent again.
pub(super) const RESEND_WINDOW: i64 = 30 * Millis::DAY;
/// How far back a query can reach.
const QUERY_WINDOW: i64 = 3 * Millis::DAY;

/// How far beyond a window a caller's clock may be.
const SLACK: i64 = Millis::MINUTE;
/// How long an event is not sent again after it was.
const REST: i64 = 5 * Millis::MINUTE;

/// `POST /webhooks/{webhookId}/notifications/{notificationId}/resend`.
async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let (webhook, notification, _) = found(visit).await?;
    if notification.created_at < visit.hall.clock.now().plus(-RESEND_WINDOW) {
        let why = "An event can be sent again for 30 days";
        return Err(ApiError::uncoded(400, why));
    }
    let work = move |deed: &mut Deed<'_, '_>| {
        if again(deed, webhook, &[notification.id])? == 0 {
            let why = "The event was sent again less than 5 minutes ago";
            return Err(ApiError::uncoded(429, why).into());
        }
        Ok(Reply::empty(202))
    };
    visit.hall.effect(visit.call, work).await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ByResource {
    resource_id: String,
    exclude_statuses: Option<Vec<NotificationStatus>>,
}

/// `POST /webhooks/{webhookId}/notifications/resend_by_resource`.
async fn by_resource(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: ByResource = visit.body()?;
    let webhook = by_id(visit).await?.id;
    let but = wanted
        .exclude_statuses
        .unwrap_or_else(|| vec![NotificationStatus::Completed]);
    let since = visit.hall.clock.now().plus(-RESEND_WINDOW);
    let mut statuses = NotificationStatus::ALL.to_vec();
    statuses.retain(|status| !but.contains(status));
    let wanted = Chosen {
        statuses: Some(statuses),
        resource: Some(wanted.resource_id),
        ..Chosen::between(webhook, since, Millis(i64::MAX))
    };
    let ids = chosen(visit, wanted).await?;
    let work = move |deed: &mut Deed<'_, '_>| {
        again(deed, webhook, &ids)?;
        Ok(Reply::empty(202))
    };
    visit.hall.effect(visit.call, work).await
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Failed {
    start_time: Option<i64>,
    events: Vec<EventType>,
}

impl Failed {
    /// From when: a day ago at most.
    fn since(&self, now: Millis) -> Result<Millis, ApiError> {
        let earliest = now.plus(-Millis::DAY);
        match self.start_time.map(Millis) {
            None => Ok(earliest),
            Some(start) if is_within(start, earliest, now) => Ok(start),
            Some(_) => Err(ApiError::invalid("startTime", "within the last 24 hours")),
        }
    }
}

/// Whether a caller's moment is of that time; it was counted back a moment before it came here.
fn is_within(moment: Millis, from: Millis, to: Millis) -> bool {
    from.plus(-SLACK) <= moment && moment <= to.plus(SLACK)
}

/// `POST /webhooks/{webhookId}/notifications/resend_failed`: of the last day.
async fn failed(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Failed = body_or_default(visit)?;
    events::known(&wanted.events)?;
    let since = wanted.since(visit.hall.clock.now())?;
    let webhook = by_id(visit).await?.id;
    let wanted = Chosen {
        statuses: Some(vec![NotificationStatus::Failed]),
        events: wanted.events,
        ..Chosen::between(webhook, since, Millis(i64::MAX))
    };
    let ids = chosen(visit, wanted).await?;
    as_a_job(visit, webhook, ids, "resend_failed").await
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ByQuery {
    statuses: Option<Vec<NotificationStatus>>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    events: Vec<EventType>,
    resource_id: Option<String>,
}

impl ByQuery {
    /// From when to when: a day at most, of the last three.
    fn window(&self, now: Millis) -> Result<(Millis, Millis), ApiError> {
        let Some(start) = self.start_time.map(Millis) else {
            return match self.end_time {
                None => Ok((now.plus(-Millis::DAY), now)),
                Some(_) => Err(ApiError::invalid("endTime", "only together with startTime")),
            };
        };
        if !is_within(start, now.plus(-QUERY_WINDOW), now) {
            return Err(ApiError::invalid("startTime", "within the last 72 hours"));
        }
        let end = self.end_time.map_or(now, Millis);
        if end <= start || end > start.plus(Millis::DAY + SLACK) {
            let must = "after startTime, by 24 hours at most";
            return Err(ApiError::invalid("endTime", must));
        }
        Ok((start, end))
    }
}

/// `POST /webhooks/{webhookId}/notifications/resend_by_query`.
async fn by_query(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: ByQuery = body_or_default(visit)?;
    events::known(&wanted.events)?;
    let (from, to) = wanted.window(visit.hall.clock.now())?;
    let webhook = by_id(visit).await?.id;
    let missed = || vec![NotificationStatus::Failed, NotificationStatus::OnHold];
    let wanted = Chosen {
        statuses: Some(wanted.statuses.unwrap_or_else(missed)),
        events: wanted.events,
        resource: wanted.resource_id,
        ..Chosen::between(webhook, from, to)
    };
    let ids = chosen(visit, wanted).await?;
    as_a_job(visit, webhook, ids, "resend_by_query").await
}

/// `GET /webhooks/{webhookId}/notifications/{resend_failed|resend_by_query}/jobs/{jobId}`.
async fn job(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let unknown = || ApiError::uncoded(404, "Job not found");
    let webhook = by_id(visit).await?.id;
    let id: Uuid = visit.param("jobId", unknown)?;
    let workspace = visit.hall.id();
    let read = visit
        .hall
        .books
        .store()
        .read(move |reading| rows::resend_job(reading, workspace, webhook, id));
    let doc = read.await.map_err(Fault::from)?.ok_or_else(unknown)?;
    let doc = RawValue::from_string(doc).map_err(|_| ApiError::internal())?;
    Ok(Reply::json(200, &doc))
}

fn body_or_default<T: Default + serde::de::DeserializeOwned>(
    visit: &Visit<'_>,
) -> Result<T, ApiError> {
    if visit.call.body.is_some() {
        visit.body()
    } else {
        Ok(T::default())
    }
}

async fn chosen(visit: &Visit<'_>, wanted: Chosen) -> Result<Vec<NotificationId>, ApiError> {
    let id = visit.hall.id();
    let store = visit.hall.books.store();
    let read = store.read(move |reading| rows::notifications(reading, id, &wanted));
    let rows = read.await.map_err(Fault::from)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Sends again those that have rested; how many.
pub(super) fn again(
    deed: &mut Deed<'_, '_>,
    webhook: WebhookId,
    ids: &[NotificationId],
) -> Result<usize, Fault> {
    let (workspace, rested) = (deed.hall.id(), deed.at.plus(-REST));
    if !deed.endpoint(webhook)?.sends() {
        let why = "The webhook is not enabled: nothing is sent to it";
        return Err(ApiError::uncoded(400, why).into());
    }
    let mut count = 0;
    for id in ids {
        let sent = rows::resend(deed.writing, workspace, webhook, *id, deed.at, rested)?;
        count += usize::from(sent);
    }
    Ok(count)
}

/// The same, with a job that can be asked about. It is done as soon as it is written down: all of
/// it is on its way.
async fn as_a_job(
    visit: &Visit<'_>,
    webhook: WebhookId,
    ids: Vec<NotificationId>,
    kind: &'static str,
) -> Result<Reply, ApiError> {
    let work = move |deed: &mut Deed<'_, '_>| {
        let count = again(deed, webhook, &ids)?;
        let total = json!({ "total": count });
        if count == 0 {
            return Ok(Reply::json(200, &total));
        }
        let (workspace, job) = (deed.hall.id(), deed.chance.uuid());
        let place = format!("/v1/webhooks/{webhook}/notifications/{kind}/jobs/{job}");
        let doc = json!({"jobId": job, "status": "COMPLETED", "processed": count, "total": count});
        rows::add_resend_job(deed.writing, workspace, webhook, job, &doc.to_string())?;
        Ok(Reply::json(202, &total).with("location", place))
    };
    visit.hall.effect(visit.call, work).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_of_the_last_day() {
        let (now, hour) = (Millis(1_000 * Millis::DAY), Millis::HOUR);
        let since = |start: Option<i64>| {
            let failed = Failed {
                start_time: start.map(|ago| now.plus(-ago).0),
                ..Failed::default()
            };
            failed.since(now).map(|since| now.0 - since.0)
        };
        assert_eq!(since(None), Ok(24 * hour));
        assert_eq!(since(Some(5 * hour)), Ok(5 * hour));
        assert_eq!(since(Some(24 * hour + 1_000)), Ok(24 * hour + 1_000));
        assert!(since(Some(25 * hour)).is_err() && since(Some(-hour)).is_err());
    }

    #[test]
    fn a_query_reaches_over_a_day_of_the_last_three() {
        let (now, hour) = (Millis(1_000 * Millis::DAY), Millis::HOUR);
        let window = |start: Option<i64>, end: Option<i64>| {
            let ago = |hours: i64| now.plus(-hours * hour).0;
            let query = ByQuery {
                start_time: start.map(ago),
                end_time: end.map(ago),
                ..ByQuery::default()
            };
            query
                .window(now)
                .map(|(from, to)| (now.0 - from.0, now.0 - to.0))
        };
        assert_eq!(window(None, None), Ok((24 * hour, 0)));
        assert_eq!(window(Some(5), None), Ok((5 * hour, 0)));
        assert_eq!(window(Some(72), Some(48)), Ok((72 * hour, 48 * hour)));
        for (start, end) in [
            (None, Some(1)),
            (Some(73), Some(60)),
            (Some(-1), None),
            (Some(25), None),
            (Some(5), Some(5)),
            (Some(5), Some(6)),
        ] {
            assert!(window(start, end).is_err(), "{start:?} {end:?}");
        }
    }
}
