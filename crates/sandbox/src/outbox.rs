//! The deliveries of a workspace. A body is signed once, when it is first due.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use http::HeaderMap;
use protocol::ids::WebhookId;
use protocol::keys::KeyError;
use protocol::model::webhook::NotificationAttempt;
use protocol::signature::{JWS_HEADER, LEGACY_HEADER};
use protocol::time::Millis;
use store::StoreError;
use wire::hooks_out::{Delivery, Due, Next, Outbox, OutboxError};

use crate::hall::Hall;
use crate::hooks::{self, Endpoint, Settings};
use crate::rows::{self, Parcel};

pub(crate) struct SandboxOutbox {
    pub(crate) hall: Arc<Hall>,
}

/// A notification, and how its webhook is reached.
#[derive(Clone)]
struct Addressed {
    to: Arc<Address>,
    parcel: Parcel,
}

struct Address {
    endpoint: Endpoint,
    settings: Arc<Settings>,
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
            let mut settings = None;
            for endpoint in hall.endpoints(reading)? {
                let webhook = endpoint.webhook.id;
                if !endpoint.sends() || busy.contains(&webhook) {
                    continue;
                }
                let due = rows::due(reading, hall.id(), webhook, now, limit)?;
                let later = rows::next_due(reading, hall.id(), webhook, now)?;
                next = next.into_iter().chain(later).min();
                if due.is_empty() {
                    continue;
                }
                let settings = match &settings {
                    Some(read) => Arc::clone(read),
                    None => Arc::clone(settings.insert(Settings::read(reading, &hall)?.into())),
                };
                let to = Arc::new(Address { endpoint, settings });
                parcels.extend(due.into_iter().map(|parcel| Addressed {
                    to: Arc::clone(&to),
                    parcel,
                }));
            }
            Ok::<_, StoreError>((parcels, next))
        });
        let (parcels, next) = read.await.map_err(failed)?;
        // Where time stands nothing comes due by waiting; whoever moves the clock says so.
        let next = next.filter(|_| !self.hall.clock.is_frozen());
        let parcels = self.signed(parcels).await?;
        let deliveries = parcels.into_iter().filter_map(delivery).collect();
        Ok(Due { deliveries, next })
    }

    async fn record(
        &self,
        delivery: Delivery,
        attempt: NotificationAttempt,
        next: Next,
    ) -> Result<(), OutboxError> {
        let (workspace, now) = (self.hall.id(), self.hall.clock.now());
        let (webhook, id) = (delivery.webhook, delivery.notification);
        let write = self.hall.books.store().write(move |writing| {
            let known = rows::record(writing, workspace, webhook, id, &attempt, next, now)?;
            if known && next != Next::Completed {
                hooks::judge(writing, workspace, webhook, now)?;
            }
            Ok(())
        });
        write.await.map_err(|error: StoreError| failed(error))
    }
}

impl SandboxOutbox {
    /// The same parcels, each with its signatures; new ones are kept.
    async fn signed(&self, mut parcels: Vec<Addressed>) -> Result<Vec<Addressed>, OutboxError> {
        if parcels.iter().all(|one| one.parcel.signatures.is_some()) {
            return Ok(parcels);
        }
        let house = Arc::clone(&self.hall.house);
        let work = move || {
            let mut fresh = Vec::new();
            for Addressed { parcel, .. } in &mut parcels {
                if parcel.signatures.is_none() {
                    parcel.signatures = Some(house.hooks.sign(&parcel.body, parcel.forged)?);
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

fn delivery(one: Addressed) -> Option<Delivery> {
    let Addressed { to, parcel } = one;
    let (webhook, settings) = (&to.endpoint.webhook, &to.settings);
    let mut headers = HeaderMap::new();
    to.endpoint.headers.add_to(&mut headers);
    let (jws, legacy) = parcel.signatures?;
    headers.insert(JWS_HEADER, jws.parse().ok()?);
    headers.insert(LEGACY_HEADER, legacy.parse().ok()?);
    let mtls = settings.mtls(webhook.webhook_mtls_id);
    let oauth = settings.oauth(webhook.webhook_oauth_id);
    Some(Delivery {
        notification: parcel.id,
        webhook: parcel.webhook,
        url: webhook.url.parse().ok()?,
        headers,
        identity: mtls.and_then(hooks::MtlsConfig::identity),
        oauth: oauth.and_then(|oauth| oauth.credentials(settings.mtls(oauth.webhook_mtls_id))),
        body: Bytes::from(parcel.body),
        attempt: parcel.attempt,
        waits: to.endpoint.generation.waits(),
    })
}
