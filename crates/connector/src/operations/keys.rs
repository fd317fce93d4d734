//! `connector keys new|adopt|csr|list`: one key a client; only its request ever leaves (practices P2, P3).

use std::path::PathBuf;

use protocol::keys::KeySize;
use serde::Serialize;

use crate::client_name::ClientName;
use crate::keystore::{ForeignPassphrase, KeyEntry, KeystoreError};
use crate::{Connector, Error, files};

/// Largest file of a key that is read, in bytes.
const MAX_FILE: u64 = 64 * 1024;

/// A key, and all of it that may leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyMade {
    /// Which key.
    #[serde(flatten)]
    pub key: KeyEntry,
    /// The certificate signing request, PEM.
    pub csr: String,
}

/// A key from elsewhere.
#[derive(Debug)]
pub struct Adopt {
    /// For which client.
    pub client: ClientName,
    /// The file: PEM, PKCS#8 (encrypted or not) or PKCS#1.
    pub file: PathBuf,
    /// What opens the file, where it is encrypted.
    pub sealed_with: Option<ForeignPassphrase>,
}

/// Makes a client's key, born encrypted.
pub async fn new(
    connector: &Connector,
    client: &ClientName,
    size: KeySize,
) -> Result<KeyMade, Error> {
    let (name, now) = (client.clone(), connector.now());
    let key = blocking(connector, move |connector| {
        connector
            .keystore()
            .make(&name, size, connector.passphrase(), now)
    })
    .await?;
    with_request(connector, key).await
}

/// Takes in a key that was made elsewhere, and marks it so.
pub async fn adopt(connector: &Connector, adopt: Adopt) -> Result<KeyMade, Error> {
    let read = files::read_limited(&adopt.file, MAX_FILE);
    let content = zeroize::Zeroizing::new(read.map_err(|why| Error::file(&adopt.file, why))?);
    let text = std::str::from_utf8(&content)
        .map(|text| zeroize::Zeroizing::new(text.to_owned()))
        .map_err(|_| Error::Invalid(format!("{} is not PEM", adopt.file.display())))?;
    let now = connector.now();
    let key = blocking(connector, move |connector| {
        let sealed = adopt.sealed_with.as_ref();
        connector
            .keystore()
            .adopt(&adopt.client, &text, sealed, connector.passphrase(), now)
    })
    .await?;
    with_request(connector, key).await
}

/// A client's certificate signing request, again.
pub async fn csr(connector: &Connector, client: &ClientName) -> Result<KeyMade, Error> {
    let key = connector.keystore().entry(client)?;
    with_request(connector, key).await
}

/// Every key, as far as it may be shown.
pub fn list(connector: &Connector) -> Result<Vec<KeyEntry>, Error> {
    Ok(connector.keystore().list()?)
}

async fn with_request(connector: &Connector, key: KeyEntry) -> Result<KeyMade, Error> {
    let name = key.client.clone();
    let request = blocking(connector, move |connector| {
        let organization = &connector.settings().organization;
        connector
            .keystore()
            .request(&name, organization, connector.passphrase())
    });
    Ok(KeyMade {
        csr: request.await?.to_pem(),
        key,
    })
}

/// Keys are made, opened and sealed off the runtime's own threads.
async fn blocking<T: Send + 'static>(
    connector: &Connector,
    work: impl FnOnce(&Connector) -> Result<T, KeystoreError> + Send + 'static,
) -> Result<T, Error> {
    let connector = connector.clone();
    let done = tokio::task::spawn_blocking(move || work(&connector)).await;
    let done = done.map_err(|error| Error::Invalid(format!("the keystore: {error}")))?;
    Ok(done?)
}
