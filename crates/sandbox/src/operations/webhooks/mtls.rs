//! Certificates that webhooks present: the request they are made for, and those that were made.

use protocol::error::ApiError;
use protocol::exchange::Reply;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::deed::Deed;
use crate::hooks::{KeyAlgorithm, MtlsConfig, OauthCredentials, given};
use crate::operations::{Visit, area};
use crate::shelf::Kept;
use ledger::Fault;

area! { visit;
    "getMtlsCsr" => csr(visit),
    "getMtlsCsr_2" => csr(visit),
    "getWebhookMtlsConfigs" => list(visit).await,
    "createWebhookMtlsConfig" => create(visit).await,
    "getWebhookMtlsConfig" => one(visit).await,
    "updateWebhookMtlsConfig" => update(visit).await,
    "deleteWebhookMtlsConfig" => delete(visit).await,
}

/// Most ids that a list asks about.
const MAX_IDS: usize = 100;

fn unknown() -> ApiError {
    ApiError::uncoded(404, "mTLS configuration not found")
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wanted {
    #[serde(deserialize_with = "given")]
    name: Option<Option<String>>,
    signed_cert: Option<String>,
}

/// `GET /webhooks_settings/mtls_csr`; and `GET /webhooks/mtls/csr`, which knows RSA alone.
fn csr(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let algorithm = match visit.call.query.one("keyAlgorithm") {
        None | Some("RSA") => KeyAlgorithm::Rsa,
        Some("ECDSA") => KeyAlgorithm::Ecdsa,
        Some(_) => return Err(ApiError::invalid("keyAlgorithm", "RSA or ECDSA")),
    };
    let shown = json!({ "csr": algorithm.csr(), "keyAlgorithm": algorithm });
    Ok(Reply::json(200, &shown))
}

/// `GET /webhooks_settings/mtls`: all, or those that are asked about.
async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let asked: Vec<&str> = visit.call.query.many("ids").collect();
    if asked.len() > MAX_IDS {
        let must = format_args!("at most {MAX_IDS} of them");
        return Err(ApiError::invalid("ids", must));
    }
    let mut configs: Vec<MtlsConfig> = visit.hall.all_kept().await?;
    configs.retain(|config| asked.is_empty() || asked.contains(&config.id.to_string().as_str()));
    configs.reverse();
    Ok(Reply::json(200, &configs))
}

async fn by_id(visit: &Visit<'_>) -> Result<MtlsConfig, ApiError> {
    let kept = visit.hall.kept(visit.params.get("webhookMtlsId")).await?;
    kept.ok_or_else(unknown)
}

/// `GET /webhooks_settings/mtls/{webhookMtlsId}`.
async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::json(200, &by_id(visit).await?))
}

/// `POST /webhooks_settings/mtls`. A certificate that is there already is found again.
async fn create(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Wanted = visit.body()?;
    let work = move |deed: &mut Deed<'_, '_>| {
        let signed_cert = wanted.signed_cert.as_deref();
        let signed_cert =
            signed_cert.ok_or_else(|| ApiError::invalid("signedCert", "it is required"))?;
        let mut config = certificate(deed, signed_cert)?;
        if config.created_at == deed.at
            && let Some(name) = &wanted.name
        {
            config.rename(name.clone())?;
            deed.keep(&config)?;
        }
        Ok(Reply::json(201, &config))
    };
    visit.hall.effect(visit.call, work).await
}

/// The configuration of a certificate, made if it is new.
pub(super) fn certificate(deed: &mut Deed<'_, '_>, signed_cert: &str) -> Result<MtlsConfig, Fault> {
    let known = deed.all_kept::<MtlsConfig>()?;
    let same = |config: &MtlsConfig| config.signed_cert.trim() == signed_cert.trim();
    if let Some(config) = known.into_iter().find(same) {
        return Ok(config);
    }
    let config = MtlsConfig::new(deed.chance.uuid(), signed_cert, deed.at)?;
    deed.keep(&config)?;
    Ok(config)
}

/// The configuration that a field names, if it names one.
pub(super) fn mtls_named(deed: &mut Deed<'_, '_>, id: Option<&str>) -> Result<Option<Uuid>, Fault> {
    let Some(id) = id else { return Ok(None) };
    let found = deed.kept::<MtlsConfig>(id)?.ok_or_else(unknown)?;
    Ok(Some(found.id))
}

/// `PATCH /webhooks_settings/mtls/{webhookMtlsId}`: another name, another certificate, or both.
async fn update(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Wanted = visit.body()?;
    if wanted.name.is_none() && wanted.signed_cert.is_none() {
        return Err(ApiError::bad_body("name, signedCert or both are needed"));
    }
    let id = by_id(visit).await?.id;
    let work = move |deed: &mut Deed<'_, '_>| {
        let kept = deed.kept::<MtlsConfig>(&id.to_string())?;
        let mut config = kept.ok_or_else(unknown)?;
        if let Some(name) = &wanted.name {
            config.rename(name.clone())?;
        }
        if let Some(signed_cert) = &wanted.signed_cert {
            config.replace(signed_cert.clone())?;
        }
        config.updated_at = deed.at;
        deed.keep(&config)?;
        Ok(Reply::json(200, &config))
    };
    visit.hall.effect(visit.call, work).await
}

/// Whether what something refers to is deleted all the same.
pub(super) fn force(visit: &Visit<'_>) -> Result<bool, ApiError> {
    match visit.call.query.one("forceDelete") {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(ApiError::invalid("forceDelete", "true or false")),
    }
}

/// `DELETE /webhooks_settings/mtls/{webhookMtlsId}`: what uses it is let go of, if that is forced.
async fn delete(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let force = force(visit)?;
    let id = by_id(visit).await?.id;
    let work = move |deed: &mut Deed<'_, '_>| {
        let config = deed.kept::<MtlsConfig>(&id.to_string())?;
        let config = config.ok_or_else(unknown)?;
        let mut hooks = deed.hall.endpoints(deed.writing)?;
        hooks.retain(|one| one.webhook.webhook_mtls_id == Some(id));
        let mut oauths = deed.all_kept::<OauthCredentials>()?;
        oauths.retain(|one| one.webhook_mtls_id == Some(id));
        let hook_ids: Vec<_> = hooks.iter().map(Kept::key).collect();
        let oauth_ids: Vec<_> = oauths.iter().map(Kept::key).collect();
        let used = !hooks.is_empty() || !oauths.is_empty();
        if used && !force {
            let why = format!(
                "The mTLS configuration is in use: webhooks {}, OAuth credentials {}",
                hook_ids.join(", "),
                oauth_ids.join(", ")
            );
            return Err(ApiError::uncoded(409, why).into());
        }
        for mut hook in hooks {
            hook.webhook.webhook_mtls_id = None;
            hook.webhook.updated_at = deed.at;
            deed.keep(&hook)?;
        }
        for mut oauth in oauths {
            oauth.webhook_mtls_id = None;
            oauth.updated_at = deed.at;
            deed.keep(&oauth)?;
        }
        deed.discard::<MtlsConfig>(&id.to_string())?;
        let mut shown = json!(config);
        shown["detachedWebhookIds"] = json!(hook_ids);
        shown["detachedWebhookOauthIds"] = json!(oauth_ids);
        Ok(Reply::json(200, &shown))
    };
    visit.hall.effect(visit.call, work).await
}
