//! Who gets webhooks: the providers that named a place for them, and the client itself.

use std::sync::Arc;

use protocol::ids::{WebhookId, WorkspaceId};
use protocol::time::Millis;
use url::Url;
use uuid::Uuid;

use crate::connections::{Connection, Provider, Target};
use crate::gate::Gate;

/// Under which name the client's own deliveries are kept: no connection can have it.
pub(crate) const CLIENT: &str = "client:webhook";

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Addressee {
    /// Under which its deliveries are kept.
    pub(crate) name: String,
    /// Whose position its events count.
    pub(crate) subscriber: String,
    pub(crate) target: Target,
}

impl Addressee {
    /// A provider that has named a place.
    pub(crate) fn of(connection: &Connection) -> Option<Self> {
        Some(Self {
            name: connection.name.clone(),
            subscriber: connection.subscriber(),
            target: connection.webhook.clone()?,
        })
    }

    /// The client, at this place. The webhook's id is the place's: another place is another webhook.
    pub(crate) fn client(workspace: WorkspaceId, url: &Url) -> Self {
        Self {
            name: CLIENT.to_owned(),
            subscriber: CLIENT.to_owned(),
            target: Target {
                id: WebhookId(Uuid::new_v5(&workspace.0, url.as_str().as_bytes())),
                url: url.clone(),
                legacy_signature: false,
            },
        }
    }
}

impl Gate {
    /// The client as one who gets webhooks, if it has named a place.
    pub(crate) fn client_addressee(&self) -> Option<Addressee> {
        let own = self.config.webhook.as_ref()?;
        Some(Addressee::client(self.workspace(), &own.url))
    }

    /// Everybody who gets webhooks now, and whose scope it is that they are held against.
    pub(super) fn addressees(&self, now: Millis) -> Vec<(Addressee, Option<Arc<Provider>>)> {
        let directory = self.directory.load();
        let providers = directory.active(now);
        providers
            .filter_map(|provider| {
                let addressee = Addressee::of(&provider.connection)?;
                Some((addressee, Some(Arc::clone(provider))))
            })
            .chain(self.client_addressee().map(|client| (client, None)))
            .collect()
    }

    /// Under which name a webhook's deliveries are kept, whoever may come in now.
    pub(super) fn kept_under(&self, webhook: WebhookId) -> Option<String> {
        let directory = self.directory.load();
        let providers = directory.all();
        providers
            .filter_map(|provider| Addressee::of(&provider.connection))
            .chain(self.client_addressee())
            .find(|one| one.target.id == webhook)
            .map(|one| one.name)
    }
}
