//! The deliveries to every addressee. A body is signed once, when it is first due.

use std::collections::HashSet;
use std::sync::Arc;

use http::HeaderMap;
use protocol::ids::WebhookId;
use protocol::keys::KeyError;
use protocol::model::webhook::NotificationAttempt;
use protocol::signature::{JWS_HEADER, LEGACY_HEADER};
use protocol::time::Millis;
use store::StoreError;
use wire::hooks_out::{Delivery, Due, Next, Outbox, OutboxError, WAITS};

use crate::connections::Target;
use crate::gate::Gate;
use crate::relay::Addressee;
use crate::rows::deliveries::{self, Parcel};

/// Names the position that an event holds for.
const POSITION_HEADER: &str = "vestibule-position";

#[derive(Debug)]
pub(crate) struct RelayOutbox(pub(crate) Arc<Gate>);

fn failed(error: impl std::fmt::Display) -> OutboxError {
    OutboxError(error.to_string())
}

struct Addressed {
    name: String,
    target: Target,
    parcel: Parcel,
}

impl Outbox for RelayOutbox {
    async fn due(
        &self,
        now: Millis,
        busy: HashSet<WebhookId>,
        limit: usize,
    ) -> Result<Due, OutboxError> {
        if self.0.is_quarantined() {
            return Ok(Due {
                deliveries: Vec::new(),
                next: None,
            });
        }
        let workspace = self.0.workspace();
        let mut idle = self.0.addressees(now);
        idle.retain(|one| !busy.contains(&one.target.id));
        let read = self.0.store.read(move |reading| {
            let mut due = Vec::new();
            let mut next: Option<Millis> = None;
            for Addressee { name, target, .. } in &idle {
                for parcel in deliveries::due(reading, workspace, name, now, limit)? {
                    due.push(Addressed {
                        name: name.clone(),
                        target: target.clone(),
                        parcel,
                    });
                }
                let later = deliveries::next_due(reading, workspace, name, now)?;
                next = next.into_iter().chain(later).min();
            }
            Ok::<_, StoreError>((due, next))
        });
        let (due, next) = read.await.map_err(failed)?;
        let deliveries = self
            .signed(due)
            .await?
            .into_iter()
            .filter_map(delivery)
            .collect();
        Ok(Due { deliveries, next })
    }

    async fn record(
        &self,
        delivery: Delivery,
        attempt: NotificationAttempt,
        next: Next,
    ) -> Result<(), OutboxError> {
        let Some(name) = self.0.kept_under(delivery.webhook) else {
            return Ok(());
        };
        let (workspace, id) = (self.0.workspace(), delivery.notification);
        let write = self.0.store.write(move |writing| {
            deliveries::record(writing, workspace, &name, id, &attempt, next)
        });
        write.await.map_err(|error: StoreError| failed(error))
    }
}

impl RelayOutbox {
    async fn signed(&self, mut due: Vec<Addressed>) -> Result<Vec<Addressed>, OutboxError> {
        if due.iter().all(|one| one.parcel.jws.is_some()) {
            return Ok(due);
        }
        let key = Arc::clone(&self.0.webhook_key);
        let work = move || {
            let mut fresh = Vec::new();
            for Addressed {
                name,
                target,
                parcel,
            } in &mut due
            {
                if parcel.jws.is_none() {
                    parcel.jws = Some(key.sign_jws(&parcel.body)?);
                    if target.legacy_signature {
                        parcel.legacy = Some(key.sign_legacy(&parcel.body)?);
                    }
                    fresh.push((name.clone(), parcel.clone()));
                }
            }
            Ok::<_, KeyError>((due, fresh))
        };
        let (due, fresh) = tokio::task::spawn_blocking(work)
            .await
            .map_err(failed)?
            .map_err(failed)?;
        let workspace = self.0.workspace();
        let keep = self.0.store.write(move |writing| {
            fresh.iter().try_for_each(|(name, parcel)| {
                deliveries::keep_signature(writing, workspace, name, parcel)
            })
        });
        keep.await.map_err(|error: StoreError| failed(error))?;
        Ok(due)
    }
}

fn delivery(one: Addressed) -> Option<Delivery> {
    let Addressed { target, parcel, .. } = one;
    let mut headers = HeaderMap::new();
    headers.insert(JWS_HEADER, parcel.jws?.parse().ok()?);
    headers.insert(POSITION_HEADER, parcel.position.into());
    if let Some(legacy) = parcel.legacy {
        headers.insert(LEGACY_HEADER, legacy.parse().ok()?);
    }
    Some(Delivery {
        notification: parcel.id,
        webhook: target.id,
        url: target.url,
        headers,
        identity: None,
        oauth: None,
        body: parcel.body,
        attempt: parcel.attempt,
        waits: &WAITS,
    })
}
