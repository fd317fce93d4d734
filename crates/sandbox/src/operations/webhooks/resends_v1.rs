//! Events sent again by the calls of the first generation: to every webhook of the workspace.

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::TxId;
use protocol::model::event::EventType;
use protocol::model::webhook::{Notification, NotificationStatus};
use protocol::time::Millis;
use serde::Deserialize;
use serde_json::json;

use super::resends::{RESEND_WINDOW, again};
use crate::deed::Deed;
use crate::operations::{Visit, area};
use crate::rows;
use ledger::Fault;

area! { visit;
    "resendWebhooks" => failed(visit).await,
    "resendTransactionWebhooks" => of_transaction(visit).await,
}

/// `POST /webhooks/resend`: all that failed.
async fn failed(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let work = |deed: &mut Deed<'_, '_>| {
        let takes = |rows: &[Notification]| {
            let failed = |row: &&Notification| row.status == NotificationStatus::Failed;
            rows.iter().filter(failed).map(|row| row.id).collect()
        };
        let count = everywhere(deed, takes)?;
        Ok(Reply::json(200, &json!({ "messagesCount": count })))
    };
    visit.hall.effect(visit.call, work).await
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Wanted {
    resend_created: bool,
    resend_status_updated: bool,
}

/// `POST /webhooks/resend/{txId}`: that it was created, what its status is now, or both.
async fn of_transaction(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Wanted = visit.body()?;
    if !wanted.resend_created && !wanted.resend_status_updated {
        let why = "At least one of resendCreated and resendStatusUpdated must be true";
        return Err(ApiError::new(400, 2501, why));
    }
    let id: TxId = visit.param("txId", ApiError::transaction_not_found)?;
    let work = move |deed: &mut Deed<'_, '_>| {
        let known = deed.batch.transaction(deed.writing, id)?;
        known.ok_or_else(ApiError::transaction_not_found)?;
        let resource = id.to_string();
        let takes = |rows: &[Notification]| {
            let mut theirs = rows.to_vec();
            theirs.retain(|row| row.resource_id.as_deref() == Some(resource.as_str()));
            let of = |kind| theirs.iter().rev().find(move |row| row.event_type == kind);
            let created = of(EventType::TransactionCreated).filter(|_| wanted.resend_created);
            let updated = of(EventType::TransactionStatusUpdated);
            let updated = updated.filter(|_| wanted.resend_status_updated);
            created
                .into_iter()
                .chain(updated)
                .map(|row| row.id)
                .collect()
        };
        everywhere(deed, takes)?;
        Ok(Reply::json(200, &json!({ "success": true })))
    };
    visit.hall.effect(visit.call, work).await
}

/// Sends again what is chosen of each webhook's notifications; how many.
fn everywhere(
    deed: &mut Deed<'_, '_>,
    takes: impl Fn(&[Notification]) -> Vec<protocol::ids::NotificationId>,
) -> Result<usize, Fault> {
    let (workspace, since) = (deed.hall.id(), deed.at.plus(-RESEND_WINDOW));
    let mut count = 0;
    for endpoint in deed.hall.endpoints(deed.writing)? {
        if !endpoint.sends() {
            continue;
        }
        let webhook = endpoint.webhook.id;
        let to = Millis(i64::MAX);
        let chosen = rows::Chosen::between(webhook, since, to);
        let rows = rows::notifications(deed.writing, workspace, &chosen)?;
        count += again(deed, webhook, &takes(&rows))?;
    }
    Ok(count)
}
