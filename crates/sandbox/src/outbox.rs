//! The deliveries of a workspace. A body is signed once, when it is first due.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use protocol::ids::WebhookId;
use protocol::keys::KeyError;
use protocol::model::webhook::{NotificationAttempt, WebhookStatus};
use protocol::signature::{JWS_HEADER, LEGACY_HEADER, WebhookKey};
use protocol::time::Millis;
use store::StoreError;
use wire::hooks_out::{Delivery, Due, Next, Outbox, OutboxError};

use crate::hall::Hall;
use crate::rows::{self, Parcel};

pub(crate) struct SandboxOutbox {
    pub(crate) hall: Arc<Hall>,
    pub(crate) key: Arc<WebhookKey>,
}

fn failed(error: impl std::fmt::Display) -> OutboxError {
    OutboxError(error.to_string())
}

impl Outbox for SandboxOutbox {
    async fn due(
        &self,
        now: Millis,
        busy: HashSet<WebhookId>,
        limit: usize,
    ) -> Result<Due, OutboxError> {
        let hall = Arc::clone(&self.hall);
        let read = self.hall.books.store().read(move |reading| {
            let mut parcels = Vec::new();
            let mut next: Option<Millis> = None;
            for (webhook, _) in hall.webhooks(reading)? {
                if webhook.status != WebhookStatus::Enabled || busy.contains(&webhook.id) {
                    continue;
                }
                let due = rows::due(reading, hall.id(), webhook.id, now, limit)?;
                parcels.extend(due.into_iter().map(|parcel| (webhook.url.clone(), parcel)));
                let later = rows::next_due(reading, hall.id(), webhook.id, now)?;
                next = next.into_iter().chain(later).min();
            }
            Ok::<_, StoreError>((parcels, next))
        });
        let (parcels, next) = read.await.map_err(failed)?;
        // Where time stands nothing comes due by waiting; whoever moves the clock says so.
        let next = next.filter(|_| !self.hall.clock.is_frozen());
        let parcels = self.signed(parcels).await?;
        let deliveries = parcels
            .into_iter()
            .filter_map(|(url, parcel)| delivery(&url, parcel))
            .collect();
        Ok(Due { deliveries, next })
    }

    async fn record(
        &self,
        delivery: Delivery,
        attempt: NotificationAttempt,
        next: Next,
    ) -> Result<(), OutboxError> {
        let (workspace, now) = (self.hall.id(), self.hall.clock.now());
        let write = self.hall.books.store().write(move |writing| {
            rows::record(
                writing,
                workspace,
                delivery.webhook,
                delivery.notification,
                &attempt,
                next,
                now,
            )
        });
        write.await.map_err(failed)
    }
}

impl SandboxOutbox {
    /// The same parcels, each with its signatures; new ones are kept.
    async fn signed(
        &self,
        mut parcels: Vec<(String, Parcel)>,
    ) -> Result<Vec<(String, Parcel)>, OutboxError> {
        if parcels
            .iter()
            .all(|(_, parcel)| parcel.signatures.is_some())
        {
            return Ok(parcels);
        }
        let key = Arc::clone(&self.key);
        let work = move || {
            let mut fresh = Vec::new();
            for (_, parcel) in &mut parcels {
                if parcel.signatures.is_none() {
                    parcel.signatures =
                        Some((key.sign_jws(&parcel.body)?, key.sign_legacy(&parcel.body)?));
                    fresh.push(parcel.clone());
                }
            }
            Ok::<_, KeyError>((parcels, fresh))
        };
        let (parcels, fresh) = tokio::task::spawn_blocking(work)
            .await
            .map_err(failed)?
            .map_err(failed)?;
        let keep = self.hall.books.store().write(move |writing| {
            fresh
                .iter()
                .try_for_each(|parcel| rows::keep_signatures(writing, parcel))
        });
        keep.await.map_err(|error: StoreError| failed(error))?;
        Ok(parcels)
    }
}

fn delivery(url: &str, parcel: Parcel) -> Option<Delivery> {
    let (jws, legacy) = parcel.signatures?;
    Some(Delivery {
        notification: parcel.id,
        webhook: parcel.webhook,
        url: url.parse().ok()?,
        headers: vec![(JWS_HEADER, jws), (LEGACY_HEADER, legacy)],
        body: Bytes::from(parcel.body),
        attempt: parcel.attempt,
    })
}
