//! The notifications of webhooks: listed and looked at.

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{NotificationId, WebhookId};
use protocol::model::event::EventType;
use protocol::model::webhook::{Notification, NotificationStatus};
use protocol::time::Millis;
use serde_json::json;
use serde_json::value::RawValue;

use super::events;
use super::settings::by_id;
use crate::hooks::data_of;
use crate::operations::paging::{First, Key, page, words};
use crate::operations::{Visit, area};
use crate::rows;
use ledger::Fault;

area! { visit;
    "getNotifications" => list(visit).await,
    "getNotification" => one(visit).await,
    "getNotificationAttempts" => attempts(visit).await,
}

/// How far back a list of notifications goes by default.
const WINDOW: i64 = 31 * Millis::DAY;

fn unknown_notification() -> ApiError {
    ApiError::uncoded(404, "Notification not found")
}

/// What happened for a webhook in a time, each with its number.
pub(super) async fn between(
    visit: &Visit<'_>,
    webhook: WebhookId,
    from: Millis,
    to: Millis,
) -> Result<Vec<(i64, Notification)>, ApiError> {
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
async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let webhook = by_id(visit).await?.id;
    let now = visit.hall.clock.now();
    let from = time(visit, "startTime")?.unwrap_or(now.plus(-WINDOW));
    let to = time(visit, "endTime")?.unwrap_or(Millis(i64::MAX));
    let mut rows = between(visit, webhook, from, to).await?;
    let query = &visit.call.query;
    let key = sorted_by(query.one("sortBy"))?;
    let statuses: Vec<NotificationStatus> = words(query, "statuses")?;
    let wanted: Vec<EventType> = words(query, "events")?;
    events::known(&wanted)?;
    let resource = query.one("resourceId");
    rows.retain(|(_, row)| {
        (statuses.is_empty() || statuses.contains(&row.status))
            && (wanted.is_empty() || wanted.contains(&row.event_type))
            && resource.is_none_or(|id| row.resource_id.as_deref() == Some(id))
    });
    let total = rows.len();
    let first = query.one("pageCursor").is_none();
    let page = page(query, rows, 100, First::Newest, |(seq, row)| {
        let (number, text) = key(row);
        (number, text, format!("{seq:020}"))
    })?;
    let data: Vec<_> = page.data.iter().map(|(_, row)| row).collect();
    let mut body = json!({ "data": data, "next": page.next });
    if first && let Some(fields) = body.as_object_mut() {
        fields.insert("total".to_owned(), total.into());
    }
    Ok(Reply::json(200, &body))
}

/// What a notification stands by in a list.
type Standing = fn(&Notification) -> (i64, String);

/// What a list is ordered by.
fn sorted_by(field: Option<&str>) -> Result<Standing, ApiError> {
    Ok(match field {
        None | Some("updatedAt") => |row| (row.updated_at.0, String::new()),
        Some("createdAt") => |row| (row.created_at.0, String::new()),
        Some("id") => |row| (0, row.id.to_string()),
        Some("status") => |row| (0, format!("{:?}", row.status)),
        Some("eventType") => |row| (0, row.event_type.to_string()),
        Some("resourceId") => |row| (0, row.resource_id.clone().unwrap_or_default()),
        Some(_) => {
            let must = "id, createdAt, updatedAt, status, eventType or resourceId";
            return Err(ApiError::invalid("sortBy", must));
        }
    })
}

/// The notification that the path names, and the body that was sent.
pub(super) async fn found(
    visit: &Visit<'_>,
) -> Result<(WebhookId, Notification, String), ApiError> {
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
async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let (_, mut notification, body) = found(visit).await?;
    if visit.call.query.one("includeData") == Some("true") {
        notification.data = Some(data_of(&body).ok_or_else(ApiError::internal)?);
    }
    Ok(Reply::json(200, &notification))
}

/// `GET /webhooks/{webhookId}/notifications/{notificationId}/attempts`.
async fn attempts(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let (_, notification, _) = found(visit).await?;
    let workspace = visit.hall.id();
    let read = visit
        .hall
        .books
        .store()
        .read(move |reading| rows::attempts(reading, workspace, notification.id));
    let docs = read.await.map_err(Fault::from)?;
    // Attempts are only ever added behind: their number is their place.
    let rows: Vec<(i64, Box<RawValue>)> = (0..)
        .zip(docs)
        .filter_map(|(number, doc)| Some((number, RawValue::from_string(doc).ok()?)))
        .collect();
    let key =
        |(number, _): &(i64, Box<RawValue>)| -> Key { (*number, String::new(), String::new()) };
    let page = page(&visit.call.query, rows, 10, First::Oldest, key)?;
    let data: Vec<_> = page.data.iter().map(|(_, doc)| doc).collect();
    Ok(Reply::json(
        200,
        &json!({ "data": data, "next": page.next }),
    ))
}
