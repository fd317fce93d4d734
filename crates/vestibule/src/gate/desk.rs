//! The admin listener of a running gate, called with an operator's key.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use gate::{Config, Folder, KeyName};
use protocol::ids::UserId;
use protocol::keys::PrivateKey;
use protocol::operations::Paging;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use wire::client::{Budget, Client, ClientError, LocalKey, Once};
use wire::clock::SystemClock;
use wire::server::OWN_PREFIX;

use super::{At, settings};

/// Calls a minute: a person's.
const CALLS: NonZeroU32 = NonZeroU32::MIN.saturating_add(599);

/// An operator at a running gate.
pub(crate) struct Desk {
    client: Client,
    /// What the operator's tokens are made out to.
    pub(crate) id: UserId,
    /// The operator's key: decisions are signed with it, too.
    pub(crate) key: PrivateKey,
}

/// The gate's configuration.
pub(crate) fn config(at: &At) -> anyhow::Result<(Folder, Config)> {
    let folder = Folder::new(&at.dir);
    let file = folder.config();
    if !file.exists() {
        bail!(
            "{} is no gate's folder: run `vestibule gate init` first, or name the folder with --dir",
            at.dir.display()
        );
    }
    let config = settings::read(&file)?;
    Ok((folder, config))
}

impl Desk {
    /// The desk of the gate in this folder, as its first owner or as whoever is named.
    pub(crate) fn open(at: &At) -> anyhow::Result<Self> {
        let named = at.operator_id.zip(at.operator_key.as_ref());
        let key = |file: &Path| -> anyhow::Result<PrivateKey> {
            let text = SecretString::from(std::fs::read_to_string(file)?);
            Ok(PrivateKey::from_pem(text.expose_secret())?)
        };
        let named = named.map(|(id, file)| {
            let key = key(file).with_context(|| format!("the key {}", file.display()));
            key.map(|key| (id, key))
        });
        let named = named.transpose()?;
        if let (Some((id, key)), Some(url)) = (&named, &at.admin_url) {
            return Self::of(*id, key.clone(), url);
        }
        let (folder, config) = config(at)?;
        let url = match std::fs::read_to_string(folder.admin_url_path()) {
            Ok(url) => url.trim().to_owned(),
            Err(_) => format!("http://{}", config.serve.admin),
        };
        match named {
            Some((id, key)) => Self::of(id, key, &url),
            None => Self::at(&folder, &url),
        }
    }

    /// The desk at this URL.
    pub(crate) fn at(folder: &Folder, url: &str) -> anyhow::Result<Self> {
        let id: UserId = folder.read(&folder.owner_id_path())?.trim().parse()?;
        Self::of(id, folder.key(KeyName::Owner)?, url)
    }

    fn of(id: UserId, key: PrivateKey, url: &str) -> anyhow::Result<Self> {
        let signer = Arc::new(LocalKey::new(id, key.clone()));
        let budget = Budget::per_minute(CALLS, CALLS, Duration::from_secs(30));
        let client = Client::new(url, signer, budget, Arc::new(SystemClock))?;
        Ok(Self { client, id, key })
    }

    /// A list, all its pages.
    pub(crate) async fn list<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<Vec<T>> {
        let target = format!("{OWN_PREFIX}{path}");
        let (mut pages, mut all) = (self.client.pages(&target, Paging::Headers), Vec::new());
        while let Some(page) = pages.next().await.map_err(told)? {
            all.extend(page.json::<Vec<T>>()?);
        }
        Ok(all)
    }

    /// Asks.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.try_get(path).await.map_err(told)
    }

    /// Asks; why there is no answer can be told apart.
    pub(crate) async fn try_get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let answer = self.client.get(&format!("{OWN_PREFIX}{path}")).await?;
        answer.json()
    }

    /// Acts.
    pub(crate) async fn send<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        let body = Bytes::from(serde_json::to_vec(body)?);
        let target = format!("{OWN_PREFIX}{path}");
        let answer = self
            .client
            .write(method.parse()?, &target, body, Once::Unkeyed)
            .await
            .map_err(told)?;
        if answer.body.is_empty() {
            return Ok(serde_json::from_str("null")?);
        }
        Ok(answer.json()?)
    }
}

/// The gate's no to one thing that was asked for, in its own words: other things can be asked for.
#[derive(Debug)]
pub(crate) struct Refused(String);

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// The gate's no as a value; whatever else went wrong stays an error.
pub(crate) fn refused<T>(done: anyhow::Result<T>) -> anyhow::Result<Result<T, Refused>> {
    match done {
        Ok(done) => Ok(Ok(done)),
        Err(error) => error.downcast().map(Err),
    }
}

/// What the gate said, in its own words.
pub(crate) fn told(error: ClientError) -> anyhow::Error {
    match error {
        ClientError::Status {
            status: 400..=499,
            message,
            ..
        } => Refused(message).into(),
        ClientError::Status { message, .. } => anyhow::anyhow!("{message}"),
        ClientError::Unreachable { sent: false, why } => {
            anyhow::anyhow!("the gate does not answer ({why}): is `vestibule gate run` running?")
        }
        other => other.into(),
    }
}
