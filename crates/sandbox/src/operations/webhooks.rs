//! Webhooks V2: made, listed, changed, deleted.

use std::sync::Arc;

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::WebhookId;
use protocol::model::event::EventType;
use protocol::model::webhook::{Webhook, WebhookStatus};
use serde::Deserialize;
use url::Url;

use super::paging::{First, page};
use super::{Visit, area, events};
use crate::deed::Deed;
use crate::hall::{Hall, doc};
use crate::rows;
use ledger::Fault;

area! { visit;
    "getWebhooks" => list(visit).await,
    "createWebhook" => create(visit).await,
    "getWebhook" => one(visit).await,
    "updateWebhook" => update(visit).await,
    "deleteWebhook" => delete(visit).await,
}

/// Most webhooks of a workspace.
const MAX_WEBHOOKS: usize = 10;
/// A workspace has one webhook to a URL.
const TAKEN: &str = "a webhook with this URL exists already";
/// Longest URL.
const MAX_URL: usize = 255;

#[derive(Deserialize)]
struct Wanted {
    url: Option<String>,
    description: Option<String>,
    events: Option<Vec<EventType>>,
    enabled: Option<bool>,
}

fn unknown() -> ApiError {
    ApiError::uncoded(404, "Webhook not found")
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

/// The webhook that the path names.
pub(super) async fn by_id(visit: &Visit<'_>) -> Result<Webhook, ApiError> {
    let id: WebhookId = visit.param("webhookId", unknown)?;
    all(visit.hall)
        .await?
        .into_iter()
        .find(|webhook| webhook.id == id)
        .ok_or_else(unknown)
}

/// `GET /webhooks`.
async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let webhooks = all(visit.hall).await?;
    let key = |webhook: &Webhook| (webhook.created_at.0, webhook.id.to_string(), String::new());
    let page = page(&visit.call.query, webhooks, 10, First::Newest, key)?;
    Ok(Reply::json(200, &page))
}

/// `GET /webhooks/{webhookId}`.
async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::json(200, &by_id(visit).await?))
}

/// `POST /webhooks`.
async fn create(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Wanted = visit.body()?;
    let url = wanted
        .url
        .ok_or_else(|| ApiError::invalid("url", "it is required"))?;
    target(visit.hall, &url)?;
    let events = events::wanted(wanted.events.unwrap_or_default())?;
    let (description, enabled) = (wanted.description, wanted.enabled.unwrap_or(true));
    let work = move |deed: &mut Deed<'_, '_>| {
        let there = deed.hall.webhooks(deed.writing)?;
        if there.iter().any(|(webhook, _)| webhook.url == url) {
            return Err(ApiError::invalid("url", TAKEN).into());
        }
        if there.len() >= MAX_WEBHOOKS {
            return Err(ApiError::uncoded(
                400,
                format!("A workspace has at most {MAX_WEBHOOKS} webhooks"),
            )
            .into());
        }
        let webhook = Webhook {
            id: WebhookId(deed.chance.uuid()),
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
async fn update(visit: &Visit<'_>) -> Result<Reply, ApiError> {
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
        webhook.events = events::wanted(wanted)?;
    }
    if let Some(enabled) = wanted.enabled {
        webhook.status = status(enabled);
    }
    let work = move |deed: &mut Deed<'_, '_>| {
        let there = deed.hall.webhooks(deed.writing)?;
        if !there.iter().any(|(known, _)| known.id == webhook.id) {
            return Err(unknown().into());
        }
        let taken = |known: &Webhook| known.url == webhook.url && known.id != webhook.id;
        if there.iter().any(|(known, _)| taken(known)) {
            return Err(ApiError::invalid("url", TAKEN).into());
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
async fn delete(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let webhook = by_id(visit).await?;
    let work = move |deed: &mut Deed<'_, '_>| {
        rows::delete_webhook(deed.writing, deed.hall.id(), webhook.id)?;
        Ok(Reply::json(200, &webhook))
    };
    visit.hall.effect(visit.call, work).await
}
