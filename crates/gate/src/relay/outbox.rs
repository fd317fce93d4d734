//! The deliveries to every addressee. A body is signed once, when it is first due; again only where the
//! connection has another scope by then, in which the event is seen anew.

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

use crate::connections::{Provider, Target};
use crate::gate::Gate;
use crate::relay::anew;
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
    /// Whose scope the parcel is made in, if it is in one.
    provider: Option<Arc<Provider>>,
    parcel: Parcel,
    /// Whether it was seen anew, and that is to be kept.
    is_anew: bool,
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
        // Another gate may just have narrowed a scope.
        if !self.0.may_serve() {
            return Err(failed("whether a connection was changed is not known now"));
        }
        let workspace = self.0.workspace();
        let mut idle = self.0.addressees(now);
        // What waits for a walk of the accounts that have a tag is not lost: it waits.
        let follows = |of: &Arc<Provider>| self.0.follows(&of.connection).is_ok();
        idle.retain(|(one, of)| !busy.contains(&one.target.id) && of.as_ref().is_none_or(follows));
        let read = self.0.store.read(move |reading| {
            let mut due = Vec::new();
            let mut next: Option<Millis> = None;
            for (to, provider) in &idle {
                for parcel in deliveries::due(reading, workspace, &to.name, now, limit)? {
                    let anew = match provider {
                        Some(of) => anew::of_now(reading, &parcel, &of.scope, of.scope_id)?,
                        None => None,
                    };
                    due.push(Addressed {
                        name: to.name.clone(),
                        target: to.target.clone(),
                        provider: provider.clone(),
                        is_anew: anew.is_some(),
                        parcel: anew.unwrap_or(parcel),
                    });
                }
                let later = deliveries::next_due(reading, workspace, &to.name, now)?;
                next = next.into_iter().chain(later).min();
            }
            Ok::<_, StoreError>((due, next))
        });
        let (due, mut next) = read.await.map_err(failed)?;
        let mut due = self.signed(due).await?;
        let before = due.len();
        due.retain(|one| self.is_as_seen(one, now));
        if due.len() < before {
            next = Some(now);
        }
        let deliveries = due.into_iter().filter_map(delivery).collect();
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
    /// Whether its connection may come in still, with the scope that it was looked at in: signing takes a while.
    fn is_as_seen(&self, one: &Addressed, now: Millis) -> bool {
        let directory = self.0.directory.load();
        one.provider.as_ref().is_none_or(|then| {
            directory.named(&one.name).is_some_and(|provider| {
                provider.scope_id == then.scope_id && provider.connection.comes_in(now)
            })
        })
    }

    async fn signed(&self, mut due: Vec<Addressed>) -> Result<Vec<Addressed>, OutboxError> {
        if due
            .iter()
            .all(|one| one.parcel.jws.is_some() && !one.is_anew)
        {
            return Ok(due);
        }
        let key = Arc::clone(&self.0.webhook_key);
        let work = move || {
            let mut fresh = Vec::new();
            for Addressed {
                name,
                target,
                parcel,
                is_anew,
                ..
            } in &mut due
            {
                let is_signed = parcel.jws.is_some();
                if parcel.jws.is_none() {
                    parcel.jws = Some(key.sign_jws(&parcel.body)?);
                    if target.legacy_signature {
                        parcel.legacy = Some(key.sign_legacy(&parcel.body)?);
                    }
                }
                // What is withdrawn stays as it was, for a scope that shows it again.
                let is_withdrawn = parcel.event_type == anew::WITHDRAWN;
                if (!is_signed || *is_anew) && !is_withdrawn {
                    fresh.push((name.clone(), parcel.clone(), *is_anew));
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
            for (name, parcel, is_anew) in &fresh {
                if *is_anew {
                    deliveries::keep_body(writing, workspace, name, parcel)?;
                }
                deliveries::keep_signature(writing, workspace, name, parcel)?;
            }
            Ok(())
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
