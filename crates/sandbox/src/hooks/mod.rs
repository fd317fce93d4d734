//! Webhooks as a workspace keeps them: what is shown of them, what is not, and what is done to
//! their deliveries.

mod breaker;
mod envelope;
mod faults;
mod headers;
mod keys;
mod maps;
mod mtls;
mod oauth;

use ledger::Fault;
use protocol::error::ApiError;
use protocol::ids::{WebhookId, WorkspaceId};
use protocol::model::webhook::{Webhook, WebhookStatus};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use store::{Query, StoreError, Writing};

use crate::deed::Deed;
use crate::hall::{Hall, doc};
use crate::rows;
use crate::rows::shelf;
use crate::shelf::{self as documents, Kept};

pub(crate) use breaker::{Breaker, Tally, judge};
pub(crate) use envelope::{Generation, data_of};
pub(crate) use faults::{Forged, Kind, Planned, Treatment};
pub(crate) use headers::CustomHeaders;
pub(crate) use keys::{Turn, WebhookKeys};
pub(crate) use maps::given;
pub(crate) use mtls::{KeyAlgorithm, MtlsConfig};
pub(crate) use oauth::{ClientSecret, MAX_URL as OAUTH_MAX_URL, OauthCredentials, OauthFields};

/// A webhook, with what is never shown of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Endpoint {
    pub(crate) webhook: Webhook,
    #[serde(default)]
    pub(crate) headers: CustomHeaders,
    #[serde(default)]
    pub(crate) generation: Generation,
    /// What is to go wrong with its next notifications.
    #[serde(default)]
    pub(crate) faults: Vec<Planned>,
    /// Attempts before that are not held against it.
    #[serde(default)]
    pub(crate) judged_from: Millis,
}

impl Kept for Endpoint {
    const KIND: &'static str = "webhook";

    fn key(&self) -> String {
        self.webhook.id.to_string()
    }
}

impl Endpoint {
    /// The webhook as the API shows it.
    pub(crate) fn shown(&self, settings: &Settings) -> Webhook {
        let mut webhook = self.webhook.clone();
        webhook.custom_headers = self.headers.names();
        webhook.mtls = settings
            .mtls(webhook.webhook_mtls_id)
            .map(MtlsConfig::within);
        webhook.oauth = settings
            .oauth(webhook.webhook_oauth_id)
            .map(|oauth| oauth.within(settings));
        webhook
    }

    /// Whether what happens is written down for it.
    pub(crate) fn hears(&self) -> bool {
        self.webhook.status != WebhookStatus::Disabled
    }

    pub(crate) fn sends(&self) -> bool {
        self.webhook.status == WebhookStatus::Enabled
    }
}

/// What webhooks of a workspace share: certificates and credentials.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) mtls: Vec<MtlsConfig>,
    pub(crate) oauth: Vec<OauthCredentials>,
}

impl Settings {
    pub(crate) fn read(query: &mut impl Query, hall: &Hall) -> Result<Self, StoreError> {
        Ok(Self {
            mtls: documents::all(query, hall)?,
            oauth: documents::all(query, hall)?,
        })
    }

    pub(crate) fn mtls(&self, id: Option<uuid::Uuid>) -> Option<&MtlsConfig> {
        self.mtls.iter().find(|config| Some(config.id) == id)
    }

    pub(crate) fn oauth(&self, id: Option<uuid::Uuid>) -> Option<&OauthCredentials> {
        self.oauth.iter().find(|known| Some(known.id) == id)
    }
}

impl Hall {
    /// The webhooks of the workspace, the oldest first.
    pub(crate) fn endpoints(&self, query: &mut impl Query) -> Result<Vec<Endpoint>, StoreError> {
        documents::all(query, self)
    }
}

impl Deed<'_, '_> {
    /// The webhook of that id.
    pub(crate) fn endpoint(&mut self, id: WebhookId) -> Result<Endpoint, Fault> {
        let found = self.kept(&id.to_string())?;
        Ok(found.ok_or_else(unknown)?)
    }

    /// A webhook has another status now. What was on its way to one that sends no longer waits.
    pub(crate) fn set_status(
        &mut self,
        endpoint: &mut Endpoint,
        status: WebhookStatus,
    ) -> Result<(), Fault> {
        if status == WebhookStatus::Enabled && !endpoint.sends() {
            endpoint.judged_from = self.at;
        }
        endpoint.webhook.status = status;
        if !endpoint.sends() {
            rows::hold(self.writing, self.hall.id(), endpoint.webhook.id, self.at)?;
        }
        Ok(())
    }
}

/// Keeps a webhook that was there before; also outside of a deed.
fn put(
    writing: &mut Writing<'_>,
    workspace: WorkspaceId,
    endpoint: &Endpoint,
) -> Result<(), StoreError> {
    let text = doc(endpoint)?;
    shelf::put(writing, workspace, Endpoint::KIND, &endpoint.key(), &text)
}

/// There is no such webhook.
pub(crate) fn unknown() -> ApiError {
    ApiError::uncoded(404, "Webhook not found")
}
