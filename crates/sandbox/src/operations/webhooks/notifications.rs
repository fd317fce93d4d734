//! The notifications of webhooks: listed and looked at.

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{NotificationId, WebhookId};
use protocol::model::webhook::Notification;
use protocol::time::Millis;
use serde_json::json;
use serde_json::value::RawValue;
use store::{StoreError, Value};

use super::events;
use super::settings::by_id;
use crate::hooks::data_of;
use crate::operations::paging::{Asked, First, Key, page, words};
use crate::operations::{Visit, area};
use crate::rows::{self, Chosen, Direction, Order, Standing};
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

fn time(visit: &Visit<'_>, name: &'static str) -> Result<Option<Millis>, ApiError> {
    let read = visit.call.query.read::<i64, _>(name, |_| {
        ApiError::invalid(name, "milliseconds since the epoch")
    })?;
    Ok(read.map(Millis))
}

/// `GET /webhooks/{webhookId}/notifications`.
async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let webhook = by_id(visit).await?.id;
    let (workspace, now) = (visit.hall.id(), visit.hall.clock.now());
    let query = &visit.call.query;
    let chosen = Chosen {
        webhook,
        from: time(visit, "startTime")?.unwrap_or(now.plus(-WINDOW)),
        to: time(visit, "endTime")?.unwrap_or(Millis(i64::MAX)),
        statuses: Some(words(query, "statuses")?).filter(|all| !all.is_empty()),
        events: words(query, "events")?,
        resource: query.one("resourceId").map(str::to_owned),
    };
    events::known(&chosen.events)?;
    let by = sorted_by(query.one("sortBy"))?;
    let asked = Asked::of(query, 100, First::Newest)?;
    let order = Order {
        by,
        direction: if asked.down {
            Direction::Down
        } else {
            Direction::Up
        },
        past: asked.past.as_ref().map(|key| past(by, key)).transpose()?,
        limit: asked.size + 1,
    };
    let read = visit.hall.books.store().read(move |reading| {
        let total = match order.past {
            None => Some(rows::notification_count(reading, workspace, &chosen)?),
            Some(_) => None,
        };
        let page = rows::notification_page(reading, workspace, &chosen, &order)?;
        Ok::<_, StoreError>((page, total))
    });
    let (page, total) = read.await.map_err(Fault::from)?;
    let page = asked.page(page, |(seq, row)| key(by, *seq, row));
    let data: Vec<_> = page.data.iter().map(|(_, row)| row).collect();
    let mut body = json!({ "data": data, "next": page.next });
    if let Some((total, fields)) = total.zip(body.as_object_mut()) {
        fields.insert("total".to_owned(), total.into());
    }
    Ok(Reply::json(200, &body))
}

/// Where a notification stands in a list, for its cursor.
fn key(by: Standing, seq: i64, row: &Notification) -> Key {
    let (number, text) = match by.of(row) {
        Value::Int(number) => (number, String::new()),
        Value::Text(text) => (0, text),
        Value::Null | Value::Bytes(_) => (0, row.id.to_string()),
    };
    (number, text, seq.to_string())
}

/// Where the page before ended, as its cursor says.
fn past(by: Standing, (number, text, seq): &Key) -> Result<(Value, i64), ApiError> {
    let bad = || ApiError::invalid("pageCursor", "a cursor of an answer to the same question");
    let at = match by {
        Standing::CreatedAt | Standing::UpdatedAt => (*number).into(),
        Standing::Status | Standing::EventType | Standing::ResourceId => text.into(),
        Standing::Id => {
            let id: NotificationId = text.parse().map_err(|_| bad())?;
            id.0.as_bytes().as_slice().into()
        }
    };
    Ok((at, seq.parse().map_err(|_| bad())?))
}

/// What a list is ordered by.
fn sorted_by(field: Option<&str>) -> Result<Standing, ApiError> {
    Ok(match field {
        None | Some("updatedAt") => Standing::UpdatedAt,
        Some("createdAt") => Standing::CreatedAt,
        Some("id") => Standing::Id,
        Some("status") => Standing::Status,
        Some("eventType") => Standing::EventType,
        Some("resourceId") => Standing::ResourceId,
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
