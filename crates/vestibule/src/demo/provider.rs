//! A provider: its connector with a folder of its own, and how clients know it.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use connector::keystore::Passphrase;
use connector::operations::run::{Run, Running};
use connector::operations::{client_handover, init, keys, run};
use connector::{ClientName, Connector, Settings};
use ipnet::IpNet;
use protocol::handover::{HandOver, WantedScope};
use protocol::ids::UserId;
use protocol::keys::{KeySize, PrivateKey};
use protocol::role::ProviderRole;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::files;

/// What every provider calls the client.
pub(crate) const CLIENT: &str = "fund";

/// A provider.
pub(crate) struct Provider {
    pub(crate) name: &'static str,
    pub(crate) connector: Connector,
    pub(crate) running: Running,
    pub(crate) client: ClientName,
    /// A key that a person may try things with, for those providers that have one.
    pub(crate) key_path: Option<PathBuf>,
    /// The API key, once the client has let it in.
    pub(crate) api_key: std::sync::OnceLock<UserId>,
}

impl Provider {
    /// Makes the provider's folder and keystore, and starts its connector. `open_key`: its key is
    /// also kept where a person may try things with it.
    pub(crate) async fn start(
        data: &Path,
        name: &'static str,
        open_key: bool,
        shutdown: CancellationToken,
    ) -> anyhow::Result<Self> {
        let folder = data.join("providers").join(name);
        let settings = Settings {
            organization: format!("Example {name}"),
            egress: vec![IpNet::from(std::net::IpAddr::from(Ipv4Addr::LOCALHOST))],
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            ..Settings::default()
        };
        init::init(&folder, &settings).await?;
        let passphrase = Uuid::new_v4().to_string();
        files::write_secret(&folder.join("passphrase"), passphrase.as_bytes())?;
        let connector = Connector::open(&folder, Passphrase::new(passphrase)?).await?;
        let client: ClientName = CLIENT.parse()?;
        let key_path = if open_key {
            let file = folder.join("secret_key.pem");
            let key =
                tokio::task::spawn_blocking(|| PrivateKey::generate(KeySize::Rsa4096)).await??;
            files::write_secret(&file, key.to_pkcs8_pem()?.as_bytes())?;
            let adopt = keys::Adopt {
                client: client.clone(),
                file: file.clone(),
                sealed_with: None,
            };
            keys::adopt(&connector, adopt).await?;
            Some(file)
        } else {
            keys::new(&connector, &client, KeySize::Rsa4096).await?;
            None
        };
        let running = run::run(
            &connector,
            Run {
                shutdown,
                first_sync: true,
            },
        )
        .await?;
        Ok(Self {
            name,
            connector,
            running,
            client,
            key_path,
            api_key: std::sync::OnceLock::new(),
        })
    }

    /// The hand-over file.
    pub(crate) async fn handover(
        &self,
        role: ProviderRole,
        scope: WantedScope,
    ) -> anyhow::Result<HandOver> {
        let ask = client_handover::Handover {
            client: self.client.clone(),
            role,
            scope,
            webhooks: true,
            webhook_url: None,
            legacy_signature: false,
        };
        Ok(client_handover::client_handover(&self.connector, &ask).await?)
    }
}
