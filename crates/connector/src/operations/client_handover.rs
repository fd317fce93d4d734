//! `connector client handover NAME`: what the client needs of us: the request for our key, our
//! addresses, where webhooks go, what we want to be and see (practices P2, P4).

use protocol::handover::{HandOver, WantedScope};
use protocol::role::ProviderRole;
use url::Url;

use super::keys;
use crate::client_name::ClientName;
use crate::{Connector, Error};

/// What is asked of a client.
#[derive(Clone, Debug)]
pub struct Handover {
    /// Which client. It has a key already.
    pub client: ClientName,
    /// The role we want.
    pub role: ProviderRole,
    /// What we want to see.
    pub scope: WantedScope,
    /// Whether we want webhooks.
    pub webhooks: bool,
    /// Where, if not at our own `/webhooks/NAME`.
    pub webhook_url: Option<Url>,
    /// Whether webhooks shall carry the legacy signature too.
    pub legacy_signature: bool,
}

/// The hand-over file; `HandOver::to_json` prints it.
pub async fn client_handover(connector: &Connector, ask: &Handover) -> Result<HandOver, Error> {
    let settings = connector.settings();
    if settings.egress.is_empty() {
        return Err(Error::Invalid(
            "connector.toml names no egress: the client puts those addresses on our key's list"
                .to_owned(),
        ));
    }
    let webhook_url = match (&ask.webhook_url, ask.webhooks) {
        (Some(url), _) => Some(url.clone()),
        (None, true) => Some(connector.webhook_url(&ask.client).ok_or_else(|| {
            Error::Invalid("connector.toml names no public_url, and the port is not known before `run`: say where webhooks go".to_owned())
        })?),
        (None, false) => None,
    };
    let key = keys::csr(connector, &ask.client).await?;
    Ok(HandOver {
        provider: settings.organization.clone(),
        role: ask.role,
        csr: key.csr,
        addresses: settings.egress.clone(),
        webhook_url,
        legacy_signature: ask.legacy_signature,
        scope: ask.scope.clone(),
    })
}
