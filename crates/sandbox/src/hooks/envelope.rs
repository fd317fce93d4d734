//! What is posted, in either generation of webhooks.

use protocol::model::event::{Envelope, EventType};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::StoreError;

use crate::hall::doc;

/// A generation of webhooks: which envelope, and which schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Generation {
    /// `{type, tenantId, timestamp, data}`, as the Console's webhooks were until June 2026.
    V1,
    /// `{id, resourceId, webhookId, workspaceId, eventType, createdAt, data}`.
    #[default]
    V2,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FirstGeneration<'a> {
    r#type: String,
    tenant_id: String,
    timestamp: i64,
    data: &'a RawValue,
}

impl Generation {
    /// Whether there is such an event in this generation.
    pub(crate) fn has(self, event: &EventType) -> bool {
        self == Self::V2 || first_name(event).is_some()
    }

    /// The body that is posted.
    pub(crate) fn body(self, envelope: &Envelope) -> Result<String, StoreError> {
        match (self, first_name(&envelope.event_type)) {
            (Self::V1, Some(name)) => doc(&FirstGeneration {
                r#type: name,
                tenant_id: envelope.workspace_id.to_string(),
                timestamp: envelope.created_at.0,
                data: &envelope.data,
            }),
            _ => doc(envelope),
        }
    }

    pub(crate) fn waits(self) -> &'static [i64] {
        match self {
            Self::V1 => &wire::hooks_out::WAITS_V1,
            Self::V2 => &wire::hooks_out::WAITS,
        }
    }
}

/// What an event is called in the first generation, if it was one there.
fn first_name(event: &EventType) -> Option<String> {
    let upper = |text: &str| text.to_uppercase().replace('.', "_");
    Some(match event.as_str() {
        "vault_account.created" => "VAULT_ACCOUNT_ADDED".to_owned(),
        "vault_account.asset.added" => "VAULT_ACCOUNT_ASSET_ADDED".to_owned(),
        "vault_account.asset.balance_updated" => "VAULT_BALANCE_UPDATE".to_owned(),
        "vault_account.nft.balance_updated" => "VAULT_ACCOUNT_NFT_BALANCE_UPDATED".to_owned(),
        "exchange_account.connected" => "EXCHANGE_ACCOUNT_ADDED".to_owned(),
        "fiat_account.connected" => "FIAT_ACCOUNT_ADDED".to_owned(),
        "connection.added" => "NETWORK_CONNECTION_ADDED".to_owned(),
        "connection.removed" => "NETWORK_CONNECTION_REMOVED".to_owned(),
        "connection.request.waiting_peer_approval" => "WAITING_FOR_PEER_APPROVAL".to_owned(),
        "connection.request.rejected_by_peer" => "REJECTED_BY_PEER".to_owned(),
        "transaction.created"
        | "transaction.status.updated"
        | "transaction.approval_status.updated"
        | "settlement.created" => upper(event.as_str()),
        other if other.starts_with("ticket.") => upper(other),
        other if other.contains("_wallet.asset.") && !other.starts_with("embedded") => upper(other),
        other => format!("NCW_{}", upper(other.strip_prefix("embedded_wallet.")?)),
    })
}

/// The `data` of a body of either generation.
pub(crate) fn data_of(body: &str) -> Option<Box<RawValue>> {
    #[derive(Deserialize)]
    struct Body {
        data: Box<RawValue>,
    }
    serde_json::from_str::<Body>(body)
        .ok()
        .map(|read| read.data)
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::ids::{NotificationId, WorkspaceId};
    use protocol::time::Millis;
    use uuid::Uuid;

    fn name(event: &str) -> Option<String> {
        first_name(&event.parse().expect("an event"))
    }

    #[test]
    fn events_have_their_names_of_the_first_generation() {
        for (event, first) in [
            (
                "transaction.status.updated",
                Some("TRANSACTION_STATUS_UPDATED"),
            ),
            (
                "internal_wallet.asset.removed",
                Some("INTERNAL_WALLET_ASSET_REMOVED"),
            ),
            (
                "vault_account.asset.balance_updated",
                Some("VAULT_BALANCE_UPDATE"),
            ),
            ("embedded_wallet.asset.added", Some("NCW_ASSET_ADDED")),
            ("ticket.term.added", Some("TICKET_TERM_ADDED")),
            ("transaction.alert.stuck", None),
            ("order.updated", None),
        ] {
            assert_eq!(name(event).as_deref(), first, "{event}");
        }
    }

    #[test]
    fn both_bodies_are_as_documented_and_hold_the_same_data() {
        let envelope = Envelope {
            id: NotificationId(Uuid::nil()),
            resource_id: None,
            webhook_id: None,
            workspace_id: WorkspaceId(Uuid::nil()),
            event_type: EventType::TransactionCreated,
            created_at: Millis(5),
            data: RawValue::from_string(r#"{"b":1,"a":2.50}"#.to_owned()).expect("JSON"),
        };
        let (first, second) = (
            Generation::V1.body(&envelope),
            Generation::V2.body(&envelope),
        );
        let first = first.expect("a body");
        let start = r#"{"type":"TRANSACTION_CREATED","tenantId":"00000000-0000-0000-0000-000000000000","timestamp":5,"data":"#;
        assert!(first.starts_with(start), "{first}");
        for body in [first, second.expect("a body")] {
            assert_eq!(data_of(&body).expect("data").get(), envelope.data.get());
        }
    }
}
