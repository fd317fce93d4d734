//! OAuth 2.0 credentials of webhooks.

use protocol::error::ApiError;
use protocol::exchange::Reply;
use serde_json::json;
use uuid::Uuid;

use super::mtls::{force, mtls_named};
use super::settings::target;
use crate::deed::Deed;
use crate::hooks::{OAUTH_MAX_URL, OauthCredentials, OauthFields};
use crate::operations::{Visit, area};
use crate::shelf::Kept;
use ledger::Fault;

area! { visit;
    "getWebhookOauths" => list(visit).await,
    "createWebhookOauth" => create(visit).await,
    "getWebhookOauth" => one(visit).await,
    "updateWebhookOauth" => update(visit).await,
    "deleteWebhookOauth" => delete(visit).await,
}

pub(super) fn unknown() -> ApiError {
    ApiError::uncoded(404, "OAuth credentials not found")
}

/// `GET /webhooks_settings/oauth`.
async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let kept: Vec<OauthCredentials> = visit.hall.all_kept().await?;
    let shown: Vec<_> = kept.iter().rev().map(OauthCredentials::shown).collect();
    Ok(Reply::json(200, &shown))
}

async fn by_id(visit: &Visit<'_>) -> Result<OauthCredentials, ApiError> {
    let kept = visit.hall.kept(visit.params.get("webhookOauthId")).await?;
    kept.ok_or_else(unknown)
}

/// `GET /webhooks_settings/oauth/{webhookOauthId}`.
async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::json(200, &by_id(visit).await?.shown()))
}

/// Whether tokens can be asked for there.
fn check(deed: &Deed<'_, '_>, credentials: &OauthCredentials) -> Result<(), ApiError> {
    let url = target(deed.hall, "url", &credentials.url, OAUTH_MAX_URL)?;
    if credentials.webhook_mtls_id.is_some() && url.scheme() != "https" {
        let must = "https, where a certificate is presented";
        return Err(ApiError::invalid("url", must));
    }
    Ok(())
}

/// `POST /webhooks_settings/oauth`.
async fn create(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: OauthFields = visit.body()?;
    let work = move |deed: &mut Deed<'_, '_>| {
        let named = wanted.webhook_mtls_id.clone().flatten();
        let mtls = mtls_named(deed, named.as_deref())?;
        let made = OauthCredentials::new(deed.chance.uuid(), &wanted, mtls, deed.at)?;
        check(deed, &made)?;
        deed.keep(&made)?;
        Ok(Reply::json(201, &made.shown()))
    };
    visit.hall.effect(visit.call, work).await
}

/// The credentials that stand within a webhook, made if they are new. Their name is their client's.
pub(super) fn credentials(
    deed: &mut Deed<'_, '_>,
    fields: &OauthFields,
    mtls: Option<Uuid>,
) -> Result<Uuid, Fault> {
    let name = fields.client_id.as_deref().unwrap_or_default();
    let named = OauthFields {
        name: Some(name.chars().take(128).collect()),
        ..fields.clone()
    };
    let made = OauthCredentials::new(deed.chance.uuid(), &named, mtls, deed.at)?;
    check(deed, &made)?;
    let known = deed.all_kept::<OauthCredentials>()?;
    if let Some(known) = known.iter().find(|known| known.same_as(&made)) {
        return Ok(known.id);
    }
    deed.keep(&made)?;
    Ok(made.id)
}

/// `PATCH /webhooks_settings/oauth/{webhookOauthId}`.
async fn update(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: OauthFields = visit.body()?;
    let id = by_id(visit).await?.id;
    let work = move |deed: &mut Deed<'_, '_>| {
        let kept = deed.kept::<OauthCredentials>(&id.to_string())?;
        let before = kept.ok_or_else(unknown)?;
        let mtls = match &wanted.webhook_mtls_id {
            None => before.webhook_mtls_id,
            Some(named) => mtls_named(deed, named.as_deref())?,
        };
        let after = before.changed(&wanted, mtls, deed.at)?;
        check(deed, &after)?;
        deed.keep(&after)?;
        Ok(Reply::json(200, &after.shown()))
    };
    visit.hall.effect(visit.call, work).await
}

/// `DELETE /webhooks_settings/oauth/{webhookOauthId}`: webhooks are let go of, if that is forced.
async fn delete(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let force = force(visit)?;
    let id = by_id(visit).await?.id;
    let work = move |deed: &mut Deed<'_, '_>| {
        let kept = deed.kept::<OauthCredentials>(&id.to_string())?;
        let credentials = kept.ok_or_else(unknown)?;
        let mut hooks = deed.hall.endpoints(deed.writing)?;
        hooks.retain(|one| one.webhook.webhook_oauth_id == Some(id));
        let ids: Vec<_> = hooks.iter().map(Kept::key).collect();
        if !force && !hooks.is_empty() {
            let why = format!(
                "The OAuth credentials are in use: webhooks {}",
                ids.join(", ")
            );
            return Err(ApiError::uncoded(409, why).into());
        }
        for mut hook in hooks {
            hook.webhook.webhook_oauth_id = None;
            hook.webhook.updated_at = deed.at;
            deed.keep(&hook)?;
        }
        deed.discard::<OauthCredentials>(&id.to_string())?;
        let mut shown = credentials.shown();
        shown["detachedWebhookIds"] = json!(ids);
        Ok(Reply::json(200, &shown))
    };
    visit.hall.effect(visit.call, work).await
}
