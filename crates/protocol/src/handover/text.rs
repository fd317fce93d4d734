//! The files as they are written: text in every field, turned into values one field at a time.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check::{self, Field};
use super::{HandBack, HandOver, HandoverError, MAX_SCOPE, VERSION, WantedScope, WebhookKeys};

/// The one field that every form has.
#[derive(Deserialize)]
pub(super) struct Version {
    pub(super) version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HandOverText {
    version: u32,
    provider: String,
    role: String,
    csr: String,
    addresses: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    webhook_url: Option<String>,
    #[serde(default)]
    legacy_signature: bool,
    scope: ScopeText,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeText {
    vault_accounts: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    assets: Option<Vec<String>>,
    #[serde(default)]
    whitelists: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HandBackText {
    version: u32,
    connection: String,
    role: String,
    base_url: String,
    api_key: String,
    workspace_id: String,
    scope: ScopeText,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    webhooks: Option<WebhookText>,
    log_key: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookText {
    webhook_id: String,
    jwks: Value,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jwks_url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    legacy_key_pem: Option<String>,
    #[serde(default)]
    sender_addresses: Vec<String>,
}

impl TryFrom<HandOverText> for HandOver {
    type Error = HandoverError;

    fn try_from(text: HandOverText) -> Result<Self, HandoverError> {
        version(text.version)?;
        let webhook_url = Field("webhook_url");
        Ok(Self {
            provider: Field("provider").one(&text.provider, check::name)?,
            role: Field("role").one(&text.role, check::role)?,
            csr: Field("csr").one(&text.csr, check::csr)?,
            addresses: check::ranges(Field("addresses"), &text.addresses)?,
            webhook_url: webhook_url.maybe(text.webhook_url.as_deref(), check::url)?,
            legacy_signature: text.legacy_signature,
            scope: text.scope.try_into()?,
        })
    }
}

impl TryFrom<HandBackText> for HandBack {
    type Error = HandoverError;

    fn try_from(text: HandBackText) -> Result<Self, HandoverError> {
        version(text.version)?;
        Ok(Self {
            connection: Field("connection").one(&text.connection, check::name)?,
            role: Field("role").one(&text.role, check::role)?,
            base_url: Field("base_url").one(&text.base_url, check::base_url)?,
            api_key: Field("api_key").one(&text.api_key, check::id)?,
            workspace_id: Field("workspace_id").one(&text.workspace_id, check::id)?,
            scope: text.scope.try_into()?,
            webhooks: text.webhooks.map(WebhookKeys::try_from).transpose()?,
            log_key: Field("log_key").one(&text.log_key, check::log_key)?,
        })
    }
}

impl TryFrom<ScopeText> for WantedScope {
    type Error = HandoverError;

    fn try_from(text: ScopeText) -> Result<Self, HandoverError> {
        let accounts = Field("scope.vault_accounts");
        let assets = |texts: Vec<String>| Field("scope.assets").set(&texts, MAX_SCOPE);
        Ok(Self {
            vault_accounts: accounts.set(&text.vault_accounts, MAX_SCOPE)?,
            assets: text.assets.map(assets).transpose()?,
            whitelists: Field("scope.whitelists").set(&text.whitelists, MAX_SCOPE)?,
        })
    }
}

impl TryFrom<WebhookText> for WebhookKeys {
    type Error = HandoverError;

    fn try_from(text: WebhookText) -> Result<Self, HandoverError> {
        let url = Field("webhooks.jwks_url");
        let legacy = Field("webhooks.legacy_key_pem");
        let senders = Field("webhooks.sender_addresses");
        Ok(Self {
            webhook_id: Field("webhooks.webhook_id").one(&text.webhook_id, check::id)?,
            jwks: check::jwks(&text.jwks).map_err(|problem| Field("webhooks.jwks").is(problem))?,
            jwks_url: url.maybe(text.jwks_url.as_deref(), check::url)?,
            legacy_key_pem: legacy.maybe(text.legacy_key_pem.as_deref(), check::public_key)?,
            sender_addresses: senders.list(
                &text.sender_addresses,
                super::MAX_ADDRESSES,
                check::address,
            )?,
        })
    }
}

fn version(version: u32) -> Result<(), HandoverError> {
    if version == VERSION {
        Ok(())
    } else {
        Err(HandoverError::Version(version))
    }
}

impl From<HandOver> for HandOverText {
    fn from(value: HandOver) -> Self {
        Self {
            version: VERSION,
            provider: value.provider,
            role: value.role.to_string(),
            csr: value.csr,
            addresses: texts(value.addresses),
            webhook_url: value.webhook_url.map(String::from),
            legacy_signature: value.legacy_signature,
            scope: value.scope.into(),
        }
    }
}

impl From<HandBack> for HandBackText {
    fn from(value: HandBack) -> Self {
        Self {
            version: VERSION,
            connection: value.connection,
            role: value.role.to_string(),
            base_url: value.base_url.into(),
            api_key: value.api_key.to_string(),
            workspace_id: value.workspace_id.to_string(),
            scope: value.scope.into(),
            webhooks: value.webhooks.map(WebhookText::from),
            log_key: value.log_key.to_string(),
        }
    }
}

impl From<WantedScope> for ScopeText {
    fn from(value: WantedScope) -> Self {
        Self {
            vault_accounts: texts(value.vault_accounts),
            assets: value.assets.map(texts),
            whitelists: texts(value.whitelists),
        }
    }
}

impl From<WebhookKeys> for WebhookText {
    fn from(value: WebhookKeys) -> Self {
        Self {
            webhook_id: value.webhook_id.to_string(),
            jwks: serde_json::from_str(&value.jwks.to_json()).unwrap_or_default(),
            jwks_url: value.jwks_url.map(String::from),
            legacy_key_pem: value.legacy_key_pem,
            sender_addresses: texts(value.sender_addresses),
        }
    }
}

fn texts<T: ToString>(values: impl IntoIterator<Item = T>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}
