//! Webhooks V2: made, listed, changed, deleted.

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::WebhookId;
use protocol::model::event::EventType;
use protocol::model::webhook::{Webhook, WebhookStatus};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;
use uuid::Uuid;

use super::events;
use super::mtls::{certificate, mtls_named};
use super::oauth::credentials;
use crate::deed::Deed;
use crate::hall::Hall;
use crate::hooks::{self, ClientSecret, Endpoint, OauthFields, Settings, given};
use crate::hosts;
use crate::operations::paging::{First, page};
use crate::operations::{Visit, area};
use crate::rows;
use ledger::Fault;

area! { visit;
    "getWebhooks" => list(visit).await,
    "createWebhook" => create(visit).await,
    "getWebhook" => one(visit).await,
    "updateWebhook" => update(visit).await,
    "deleteWebhook" => delete(visit).await,
    "getMetrics" => metric(visit).await,
}

/// Most webhooks of a workspace.
const MAX_WEBHOOKS: usize = 10;
/// Longest URL.
const MAX_URL: usize = 255;

#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wanted {
    url: Option<String>,
    description: Option<String>,
    events: Option<Vec<EventType>>,
    enabled: Option<bool>,
    #[serde(deserialize_with = "given")]
    custom_headers: Option<Option<Map<String, Value>>>,
    #[serde(deserialize_with = "given")]
    webhook_mtls_id: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    webhook_oauth_id: Option<Option<String>>,
    #[serde(deserialize_with = "given")]
    mtls: Option<Option<Mtls>>,
    #[serde(deserialize_with = "given")]
    oauth: Option<Option<Oauth>>,
}

/// A certificate within a webhook, as older clients send it.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mtls {
    client_signed_cert: String,
}

/// Credentials within a webhook, as older clients send them.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Oauth {
    client_id: String,
    client_secret: ClientSecret,
    url: String,
    mtls_client_signed_cert: Option<String>,
}

/// Whether a webhook can go to a URL of that text.
pub(super) fn target(
    hall: &Hall,
    field: &'static str,
    text: &str,
    longest: usize,
) -> Result<Url, ApiError> {
    if text.len() > longest {
        let must = format_args!("at most {longest} characters");
        return Err(ApiError::invalid(field, must));
    }
    let url: Url = text
        .parse()
        .map_err(|_| ApiError::invalid(field, "a whole http or https URL"))?;
    let checked = hall.house.targets.check(&url);
    checked.map_err(|refused| ApiError::invalid(field, refused))?;
    let own = hosts::not_fireblocks(&url);
    own.map_err(|refused| ApiError::invalid(field, refused))?;
    Ok(url)
}

/// The webhooks, and what they share.
async fn all(visit: &Visit<'_>) -> Result<(Vec<Endpoint>, Settings), ApiError> {
    let hall = std::sync::Arc::clone(visit.hall);
    let store = visit.hall.books.store();
    let read = store.read(move |reading| {
        Ok::<_, store::StoreError>((hall.endpoints(reading)?, Settings::read(reading, &hall)?))
    });
    Ok(read.await.map_err(Fault::from)?)
}

/// The webhook that the path names.
pub(super) async fn by_id(visit: &Visit<'_>) -> Result<Webhook, ApiError> {
    let id: WebhookId = visit.param("webhookId", hooks::unknown)?;
    let (endpoints, settings) = all(visit).await?;
    let found = endpoints.into_iter().find(|one| one.webhook.id == id);
    Ok(found.ok_or_else(hooks::unknown)?.shown(&settings))
}

/// `GET /webhooks`.
async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let (endpoints, settings) = all(visit).await?;
    let webhooks = endpoints.iter().map(|one| one.shown(&settings)).collect();
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
    let url = wanted.url.clone();
    let url = url.ok_or_else(|| ApiError::invalid("url", "it is required"))?;
    let events = events::wanted(wanted.events.clone().unwrap_or_default())?;
    let work = move |deed: &mut Deed<'_, '_>| {
        if deed.hall.endpoints(deed.writing)?.len() >= MAX_WEBHOOKS {
            let why = format!("A workspace has at most {MAX_WEBHOOKS} webhooks");
            return Err(ApiError::uncoded(400, why).into());
        }
        let webhook = Webhook {
            id: WebhookId(deed.chance.uuid()),
            url: url.clone(),
            description: None,
            events: events.clone(),
            status: WebhookStatus::Enabled,
            created_at: deed.at,
            updated_at: deed.at,
            webhook_mtls_id: None,
            webhook_oauth_id: None,
            mtls: None,
            oauth: None,
            custom_headers: Vec::new(),
        };
        let endpoint = Endpoint {
            webhook,
            headers: hooks::CustomHeaders::default(),
            generation: hooks::Generation::default(),
            faults: Vec::new(),
            judged_from: deed.at,
        };
        Ok(Reply::json(201, &change(deed, endpoint, &wanted)?))
    };
    visit.hall.effect(visit.call, work).await
}

/// `PATCH /webhooks/{webhookId}`.
async fn update(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Wanted = visit.body()?;
    let id = by_id(visit).await?.id;
    let work = move |deed: &mut Deed<'_, '_>| {
        let endpoint = deed.endpoint(id)?;
        Ok(Reply::json(200, &change(deed, endpoint, &wanted)?))
    };
    visit.hall.effect(visit.call, work).await
}

/// A webhook as it is wanted, kept; and as it is shown then.
fn change(
    deed: &mut Deed<'_, '_>,
    mut endpoint: Endpoint,
    wanted: &Wanted,
) -> Result<Webhook, Fault> {
    let webhook = &mut endpoint.webhook;
    if let Some(url) = &wanted.url {
        webhook.url.clone_from(url);
    }
    if let Some(description) = &wanted.description {
        webhook.description = Some(description.clone());
    }
    if let Some(wanted) = &wanted.events {
        webhook.events = events::wanted(wanted.clone())?;
    }
    if let Some(change) = &wanted.custom_headers {
        endpoint.headers = endpoint.headers.changed(change.as_ref())?;
    }
    match (&wanted.webhook_mtls_id, &wanted.mtls) {
        (None, None) => {}
        (Some(id), None) => endpoint.webhook.webhook_mtls_id = mtls_named(deed, id.as_deref())?,
        (None, Some(within)) => {
            let within = within.as_ref().map(|mtls| &mtls.client_signed_cert);
            let made = within.map(|cert| certificate(deed, cert)).transpose()?;
            endpoint.webhook.webhook_mtls_id = made.map(|config| config.id);
        }
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid("mtls", "not together with webhookMtlsId").into());
        }
    }
    match (&wanted.webhook_oauth_id, &wanted.oauth) {
        (None, None) => {}
        (Some(id), None) => {
            endpoint.webhook.webhook_oauth_id = oauth_named(deed, id.as_deref())?;
        }
        (None, Some(within)) => {
            let made = within.as_ref().map(|oauth| {
                let mtls = oauth.mtls_client_signed_cert.as_ref();
                let mtls = mtls.map(|cert| certificate(deed, cert)).transpose()?;
                let fields = OauthFields {
                    client_id: Some(oauth.client_id.clone()),
                    client_secret: Some(oauth.client_secret.clone()),
                    url: Some(oauth.url.clone()),
                    ..OauthFields::default()
                };
                credentials(deed, &fields, mtls.map(|config| config.id))
            });
            endpoint.webhook.webhook_oauth_id = made.transpose()?;
        }
        (Some(_), Some(_)) => {
            return Err(ApiError::invalid("oauth", "not together with webhookOauthId").into());
        }
    }
    check(deed, &endpoint)?;
    if let Some(enabled) = wanted.enabled {
        let status = if enabled {
            WebhookStatus::Enabled
        } else {
            WebhookStatus::Disabled
        };
        deed.set_status(&mut endpoint, status)?;
    }
    endpoint.webhook.updated_at = deed.at;
    deed.keep(&endpoint)?;
    let settings = Settings::read(deed.writing, deed.hall)?;
    Ok(endpoint.shown(&settings))
}

fn oauth_named(deed: &mut Deed<'_, '_>, id: Option<&str>) -> Result<Option<Uuid>, Fault> {
    let Some(id) = id else { return Ok(None) };
    let found = deed.kept::<hooks::OauthCredentials>(id)?;
    let found = found.ok_or_else(super::oauth::unknown)?;
    Ok(Some(found.id))
}

/// Whether a webhook fits together, and beside the others.
fn check(deed: &mut Deed<'_, '_>, endpoint: &Endpoint) -> Result<(), Fault> {
    let webhook = &endpoint.webhook;
    let url = target(deed.hall, "url", &webhook.url, MAX_URL)?;
    if webhook.webhook_mtls_id.is_some() && url.scheme() != "https" {
        return Err(ApiError::invalid("url", "https, where a certificate is presented").into());
    }
    if webhook.webhook_oauth_id.is_some() && endpoint.headers.has("authorization") {
        let must = "no 'authorization' together with OAuth";
        return Err(ApiError::invalid("customHeaders", must).into());
    }
    let there = deed.hall.endpoints(deed.writing)?;
    let taken = |one: &Endpoint| one.webhook.url == webhook.url && one.webhook.id != webhook.id;
    if there.iter().any(taken) {
        return Err(ApiError::invalid("url", "a webhook with this URL exists already").into());
    }
    Ok(())
}

/// `DELETE /webhooks/{webhookId}`: answers the deleted one.
async fn delete(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let webhook = by_id(visit).await?;
    let work = move |deed: &mut Deed<'_, '_>| {
        if !deed.discard::<Endpoint>(&webhook.id.to_string())? {
            return Err(hooks::unknown().into());
        }
        rows::delete_deliveries(deed.writing, deed.hall.id(), webhook.id)?;
        Ok(Reply::json(200, &webhook))
    };
    visit.hall.effect(visit.call, work).await
}

/// `GET /webhooks/{webhookId}/metrics/{metricName}`.
async fn metric(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let webhook = by_id(visit).await?.id;
    if visit.params.get("metricName") != "LAST_ACTIVE_HOUR_ERROR_RATE" {
        let must = "LAST_ACTIVE_HOUR_ERROR_RATE";
        return Err(ApiError::invalid("metricName", must));
    }
    let workspace = visit.hall.id();
    let read = visit.hall.books.store().read(move |reading| {
        // The hour that its last attempt ended.
        match rows::last_attempt(reading, workspace, webhook)? {
            None => Ok(hooks::Tally::default()),
            Some(last) => {
                let since = last.plus(-protocol::time::Millis::HOUR);
                rows::tally(reading, workspace, webhook, since)
            }
        }
    });
    let tally = read.await.map_err(Fault::from)?;
    Ok(Reply::json(
        200,
        &json!({ "value": tally.error_rate().to_string() }),
    ))
}
