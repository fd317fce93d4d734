//! Webhooks V2 and their notifications.

use std::sync::Arc;

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{NotificationId, WebhookId};
use protocol::model::event::EventType;
use protocol::model::webhook::{Notification, NotificationStatus, Webhook, WebhookStatus};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;
use url::Url;
use uuid::Uuid;

use super::Visit;
use crate::fault::Fault;
use crate::hall::{Deed, Hall, doc};
use crate::rows;

/// Most webhooks of a workspace.
const MAX_WEBHOOKS: usize = 10;
/// Longest URL.
const MAX_URL: usize = 255;
/// How far back a list of notifications goes by default.
const WINDOW: i64 = 31 * Millis::DAY;
/// How far back an event can be sent again.
const RESEND_WINDOW: i64 = 30 * Millis::DAY;

#[derive(Deserialize)]
struct Wanted {
    url: Option<String>,
    description: Option<String>,
    events: Option<Vec<EventType>>,
    enabled: Option<bool>,
}

#[derive(Serialize)]
struct Page<T> {
    data: Vec<T>,
    next: Option<String>,
}

fn unknown() -> ApiError {
    ApiError::uncoded(404, "Webhook not found")
}

fn unknown_notification() -> ApiError {
    ApiError::uncoded(404, "Notification not found")
}

/// `["*"]` is every event; otherwise each must be one that is known.
fn events(wanted: Vec<EventType>) -> Result<Vec<EventType>, ApiError> {
    if wanted.is_empty() {
        return Err(ApiError::invalid("events", "at least one"));
    }
    if wanted.iter().any(|event| event.as_str() == "*") {
        return Ok(EventType::ALL.to_vec());
    }
    if let Some(strange) = wanted
        .iter()
        .find(|event| matches!(event, EventType::Other(_)))
    {
        return Err(ApiError::invalid(
            "events",
            format_args!("'{strange}' is not an event of this sandbox"),
        ));
    }
    let mut events = wanted;
    events.sort();
    events.dedup();
    Ok(events)
}

fn target(hall: &Hall, text: &str) -> Result<(), ApiError> {
    if text.len() > MAX_URL {
        return Err(ApiError::invalid(
            "url",
            format_args!("at most {MAX_URL} characters"),
        ));
    }
    let url: Url = text
        .parse()
        .map_err(|_| ApiError::invalid("url", "a whole http or https URL"))?;
    hall.house
        .targets
        .check(&url)
        .map_err(|refused| ApiError::invalid("url", refused))
}

async fn all(hall: &Arc<Hall>) -> Result<Vec<Webhook>, ApiError> {
    let this = Arc::clone(hall);
    let read = hall
        .books
        .store()
        .read(move |reading| this.webhooks(reading));
    let webhooks = read.await.map_err(Fault::from)?;
    Ok(webhooks.into_iter().map(|(webhook, _)| webhook).collect())
}

async fn by_id(visit: &Visit<'_>) -> Result<Webhook, ApiError> {
    let id: WebhookId = visit.param("webhookId", unknown)?;
    all(visit.hall)
        .await?
        .into_iter()
        .find(|webhook| webhook.id == id)
        .ok_or_else(unknown)
}

/// One page of what is listed whole.
fn page<T>(
    visit: &Visit<'_>,
    mut rows: Vec<T>,
    newest_first: bool,
    default: usize,
) -> Result<Page<T>, ApiError> {
    let must = || ApiError::invalid("pageSize", "a number from 1 to 100");
    let size = visit
        .call
        .query
        .read::<usize, _>("pageSize", |_| must())?
        .unwrap_or(default);
    if !(1..=100).contains(&size) {
        return Err(must());
    }
    match visit.call.query.one("order") {
        None if newest_first => rows.reverse(),
        Some("DESC") => rows.reverse(),
        None | Some("ASC") => {}
        Some(_) => return Err(ApiError::invalid("order", "ASC or DESC")),
    }
    let from = visit
        .call
        .query
        .read::<usize, _>("pageCursor", |_| {
            ApiError::invalid("pageCursor", "a cursor of an answer")
        })?
        .unwrap_or(0);
    let next = from.saturating_add(size);
    let next = (next < rows.len()).then(|| next.to_string());
    Ok(Page {
        data: rows.into_iter().skip(from).take(size).collect(),
        next,
    })
}

/// `GET /webhooks`.
pub(super) async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let mut webhooks = all(visit.hall).await?;
    webhooks.sort_by_key(|webhook| (webhook.created_at, webhook.id));
    Ok(Reply::json(200, &page(visit, webhooks, true, 10)?))
}

/// `GET /webhooks/{webhookId}`.
pub(super) async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::json(200, &by_id(visit).await?))
}

/// `POST /webhooks`.
pub(super) async fn create(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Wanted = visit.body()?;
    let url = wanted
        .url
        .ok_or_else(|| ApiError::invalid("url", "it is required"))?;
    target(visit.hall, &url)?;
    let events = events(wanted.events.unwrap_or_default())?;
    let (description, enabled) = (wanted.description, wanted.enabled.unwrap_or(true));
    let work = move |deed: &mut Deed<'_, '_>| {
        let there = deed.hall.webhooks(deed.writing)?;
        if there.iter().any(|(webhook, _)| webhook.url == url) {
            return Err(ApiError::invalid("url", "a webhook with this URL exists already").into());
        }
        if there.len() >= MAX_WEBHOOKS {
            return Err(ApiError::uncoded(
                400,
                format!("A workspace has at most {MAX_WEBHOOKS} webhooks"),
            )
            .into());
        }
        let webhook = Webhook {
            id: WebhookId(Uuid::new_v4()),
            url: url.clone(),
            description: description.clone(),
            events: events.clone(),
            status: status(enabled),
            created_at: deed.at,
            updated_at: deed.at,
        };
        rows::put_webhook(deed.writing, deed.hall.id(), webhook.id, &doc(&webhook)?)?;
        Ok(Reply::json(201, &webhook))
    };
    visit.hall.effect(visit.call, work).await
}

const fn status(enabled: bool) -> WebhookStatus {
    if enabled {
        WebhookStatus::Enabled
    } else {
        WebhookStatus::Disabled
    }
}

/// `PATCH /webhooks/{webhookId}`.
pub(super) async fn update(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Wanted = visit.body()?;
    let mut webhook = by_id(visit).await?;
    if let Some(url) = wanted.url {
        target(visit.hall, &url)?;
        webhook.url = url;
    }
    if let Some(description) = wanted.description {
        webhook.description = Some(description);
    }
    if let Some(wanted) = wanted.events {
        webhook.events = events(wanted)?;
    }
    if let Some(enabled) = wanted.enabled {
        webhook.status = status(enabled);
    }
    let work = move |deed: &mut Deed<'_, '_>| {
        let there = deed.hall.webhooks(deed.writing)?;
        if !there.iter().any(|(known, _)| known.id == webhook.id) {
            return Err(unknown().into());
        }
        let webhook = Webhook {
            updated_at: deed.at,
            ..webhook.clone()
        };
        rows::put_webhook(deed.writing, deed.hall.id(), webhook.id, &doc(&webhook)?)?;
        Ok(Reply::json(200, &webhook))
    };
    visit.hall.effect(visit.call, work).await
}

/// `DELETE /webhooks/{webhookId}`: answers the deleted one.
pub(super) async fn delete(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let webhook = by_id(visit).await?;
    let work = move |deed: &mut Deed<'_, '_>| {
        rows::delete_webhook(deed.writing, deed.hall.id(), webhook.id)?;
        Ok(Reply::json(200, &webhook))
    };
    visit.hall.effect(visit.call, work).await
}

async fn between(
    visit: &Visit<'_>,
    webhook: WebhookId,
    from: Millis,
    to: Millis,
) -> Result<Vec<Notification>, ApiError> {
    let id = visit.hall.id();
    let read = visit
        .hall
        .books
        .store()
        .read(move |reading| rows::notifications(reading, id, webhook, from, to));
    read.await.map_err(|error| Fault::from(error).into())
}

fn time(visit: &Visit<'_>, name: &'static str) -> Result<Option<Millis>, ApiError> {
    let read = visit.call.query.read::<i64, _>(name, |_| {
        ApiError::invalid(name, "milliseconds since the epoch")
    })?;
    Ok(read.map(Millis))
}

/// `GET /webhooks/{webhookId}/notifications`.
pub(super) async fn notifications(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let webhook = by_id(visit).await?.id;
    let now = visit.hall.house.clock.now();
    let from = time(visit, "startTime")?.unwrap_or(now.plus(-WINDOW));
    let to = time(visit, "endTime")?.unwrap_or(Millis(i64::MAX));
    let mut rows = between(visit, webhook, from, to).await?;
    let query = &visit.call.query;
    let statuses: Vec<&str> = query.many("statuses").collect();
    let wanted: Vec<&str> = query.many("events").collect();
    let resource = query.one("resourceId");
    rows.retain(|row| {
        (statuses.is_empty()
            || serde_json::to_value(row.status)
                .is_ok_and(|word| statuses.iter().any(|s| word == *s)))
            && (wanted.is_empty() || wanted.contains(&row.event_type.as_str()))
            && resource.is_none_or(|id| row.resource_id.as_deref() == Some(id))
    });
    let total = rows.len();
    let first = query.one("pageCursor").is_none();
    let page = page(visit, rows, true, 100)?;
    let mut body = json!({ "data": page.data, "next": page.next });
    if first && let Some(fields) = body.as_object_mut() {
        fields.insert("total".to_owned(), total.into());
    }
    Ok(Reply::json(200, &body))
}

async fn found(visit: &Visit<'_>) -> Result<(WebhookId, Notification, String), ApiError> {
    let webhook = by_id(visit).await?.id;
    let id: NotificationId = visit.param("notificationId", unknown_notification)?;
    let workspace = visit.hall.id();
    let read = visit
        .hall
        .books
        .store()
        .read(move |reading| rows::notification(reading, workspace, webhook, id));
    let (notification, body) = read
        .await
        .map_err(Fault::from)?
        .ok_or_else(unknown_notification)?;
    Ok((webhook, notification, body))
}

/// `GET /webhooks/{webhookId}/notifications/{notificationId}`.
pub(super) async fn notification(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let (_, mut notification, body) = found(visit).await?;
    if visit.call.query.one("includeData") == Some("true") {
        notification.data = RawValue::from_string(body).ok();
    }
    Ok(Reply::json(200, &notification))
}

/// `GET /webhooks/{webhookId}/notifications/{notificationId}/attempts`.
pub(super) async fn attempts(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let (_, notification, _) = found(visit).await?;
    let read = visit
        .hall
        .books
        .store()
        .read(move |reading| rows::attempts(reading, notification.id));
    let docs = read.await.map_err(Fault::from)?;
    let rows: Vec<Box<RawValue>> = docs
        .into_iter()
        .filter_map(|doc| RawValue::from_string(doc).ok())
        .collect();
    Ok(Reply::json(200, &page(visit, rows, false, 10)?))
}

async fn send_again(
    visit: &Visit<'_>,
    webhook: WebhookId,
    ids: Vec<NotificationId>,
    reply: Reply,
) -> Result<Reply, ApiError> {
    let work = move |deed: &mut Deed<'_, '_>| {
        for id in &ids {
            rows::resend(deed.writing, deed.hall.id(), webhook, *id, deed.at)?;
        }
        Ok(reply.clone())
    };
    visit.hall.effect(visit.call, work).await
}

/// `POST /webhooks/{webhookId}/notifications/{notificationId}/resend`.
pub(super) async fn resend(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let (webhook, notification, _) = found(visit).await?;
    send_again(visit, webhook, vec![notification.id], Reply::empty(202)).await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ByResource {
    resource_id: String,
    exclude_statuses: Option<Vec<NotificationStatus>>,
}

/// `POST /webhooks/{webhookId}/notifications/resend_by_resource`.
pub(super) async fn resend_by_resource(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: ByResource = visit.body()?;
    let webhook = by_id(visit).await?.id;
    let but = wanted
        .exclude_statuses
        .unwrap_or_else(|| vec![NotificationStatus::Completed]);
    let since = visit.hall.house.clock.now().plus(-RESEND_WINDOW);
    let rows = between(visit, webhook, since, Millis(i64::MAX)).await?;
    let ids = rows
        .into_iter()
        .filter(|row| {
            row.resource_id.as_deref() == Some(&wanted.resource_id) && !but.contains(&row.status)
        })
        .map(|row| row.id)
        .collect();
    send_again(visit, webhook, ids, Reply::empty(202)).await
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Failed {
    start_time: Option<i64>,
    events: Option<Vec<EventType>>,
}

/// `POST /webhooks/{webhookId}/notifications/resend_failed`: of the last day.
pub(super) async fn resend_failed(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Failed = if visit.call.body.is_some() {
        visit.body()?
    } else {
        Failed::default()
    };
    let webhook = by_id(visit).await?.id;
    let earliest = visit.hall.house.clock.now().plus(-Millis::DAY);
    let since = wanted
        .start_time
        .map_or(earliest, |time| earliest.max(Millis(time)));
    let rows = between(visit, webhook, since, Millis(i64::MAX)).await?;
    let ids: Vec<_> = rows
        .into_iter()
        .filter(|row| row.status == NotificationStatus::Failed)
        .filter(|row| {
            wanted
                .events
                .as_ref()
                .is_none_or(|events| events.contains(&row.event_type))
        })
        .map(|row| row.id)
        .collect();
    let status = if ids.is_empty() { 200 } else { 202 };
    let reply = Reply::json(status, &json!({ "total": ids.len() }));
    send_again(visit, webhook, ids, reply).await
}
