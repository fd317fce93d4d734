//! Webhooks V2 and their notifications, as the newest clients read them (times are numbers).

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::event::EventType;
use crate::ids::{NotificationId, WebhookId};
use crate::time::Millis;

/// A webhook of a workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Its id.
    pub id: WebhookId,
    /// Where it sends to.
    pub url: String,
    /// What people call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it sends, in the newest clients' spelling.
    pub events: Vec<EventType>,
    /// Whether it sends.
    pub status: WebhookStatus,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last changed.
    pub updated_at: Millis,
    /// The certificate that it presents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_mtls_id: Option<Uuid>,
    /// The credentials that it fetches a bearer token with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webhook_oauth_id: Option<Uuid>,
    /// The same certificate, as older clients read it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtls: Option<WebhookMtls>,
    /// The same credentials, as older clients read them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth: Option<WebhookOauth>,
    /// The names of the headers that it adds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub custom_headers: Vec<String>,
}

/// A webhook's certificate, within the webhook.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookMtls {
    /// PEM.
    pub client_signed_cert: String,
}

/// A webhook's credentials, within the webhook. The secret is never shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookOauth {
    /// Who the client is.
    pub client_id: String,
    /// The token endpoint.
    pub url: String,
    /// The certificate that the endpoint is shown, PEM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtls_client_signed_cert: Option<String>,
}

/// Whether a webhook sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WebhookStatus {
    /// It sends.
    Enabled,
    /// People turned it off.
    Disabled,
    /// It failed too often.
    Suspended,
}

/// One event for one webhook.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// Its id, the envelope's.
    pub id: NotificationId,
    /// When the event happened.
    pub created_at: Millis,
    /// When its delivery last changed.
    pub updated_at: Millis,
    /// How far its delivery is.
    pub status: NotificationStatus,
    /// What happened.
    pub event_type: EventType,
    /// To what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// What was sent, when asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Box<RawValue>>,
}

/// How far a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NotificationStatus {
    /// It will be tried again.
    InProgress,
    /// The receiver took it.
    Completed,
    /// The schedule has ended.
    Failed,
    /// The webhook does not send now.
    OnHold,
}

impl NotificationStatus {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::InProgress,
        Self::Completed,
        Self::Failed,
        Self::OnHold,
    ];
}

/// One try to deliver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationAttempt {
    /// When.
    pub sent_time: Millis,
    /// How long it took, in milliseconds.
    pub duration: i64,
    /// What the receiver answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_code: Option<u16>,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<FailureReason>,
}

/// Why a receiver gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FailureReason {
    /// It was too slow.
    TimedOut,
    /// It could not be reached, or hung up.
    NoResponse,
}
