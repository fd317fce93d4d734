//! `connector client list`.

use protocol::ids::{UserId, WorkspaceId};
use protocol::keys::KeyFingerprint;
use protocol::time::Millis;
use serde::Serialize;

use crate::client_name::ClientName;
use crate::clients::Upstream;
use crate::keystore::KeystoreError;
use crate::{Connector, Error};

/// A client in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ListedClient {
    /// What we call it.
    pub client: ClientName,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// The API key it gave us.
    pub api_key: UserId,
    /// Its API.
    pub base_url: String,
    /// `gate`, or Fireblocks' environment.
    pub upstream: String,
    /// The key that signs, if the keystore has it: SHA-256 of the modulus.
    pub key: Option<String>,
    /// Where it sends its webhooks.
    pub webhook_url: Option<String>,
    /// When its books were first filled.
    pub first_sync: Option<Millis>,
}

/// Every client, by name.
pub async fn client_list(connector: &Connector) -> Result<Vec<ListedClient>, Error> {
    let mut listed = Vec::new();
    for (client, progress) in connector.clients().all().await? {
        let key: Option<KeyFingerprint> = match connector.keystore().entry(&client.name) {
            Ok(entry) => Some(entry.fingerprint),
            Err(KeystoreError::None(_)) => None,
            Err(error) => return Err(error.into()),
        };
        listed.push(ListedClient {
            webhook_url: connector
                .webhook_url(&client.name)
                .filter(|_| client.webhooks.is_some())
                .map(Into::into),
            workspace: client.workspace,
            api_key: client.api_key,
            upstream: match &client.upstream {
                Upstream::Gate { .. } => "gate".to_owned(),
                Upstream::Fireblocks { environment } => environment.clone(),
            },
            base_url: client.base_url,
            key: key.map(|key| key.to_string()),
            first_sync: progress.first_sync.map(|first| first.at),
            client: client.name,
        });
    }
    Ok(listed)
}
