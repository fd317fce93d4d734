//! Signs with a client's key as the keystore has it: when the key is replaced there, the next request
//! is signed with the new one, and nothing has to be started again.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use protocol::ids::UserId;
use protocol::keys::PrivateKey;
use wire::client::{RequestSigner, SignError};

use super::{Keystore, KeystoreError, Passphrase};
use crate::client_name::ClientName;

/// Which file it was: a rename puts another in its place.
type Stamp = Option<(u64, u64, i64)>;

pub(super) struct KeystoreSigner(Arc<Inner>);

struct Inner {
    keystore: Keystore,
    client: ClientName,
    user: UserId,
    with: Passphrase,
    held: Mutex<(Stamp, PrivateKey)>,
}

impl KeystoreSigner {
    pub(super) fn open(
        keystore: Keystore,
        client: ClientName,
        user: UserId,
        with: Passphrase,
    ) -> Result<Self, KeystoreError> {
        let stamp = stamp(&keystore.path(&client));
        let key = keystore.open_key(&client, &with)?;
        Ok(Self(Arc::new(Inner {
            keystore,
            client,
            user,
            with,
            held: Mutex::new((stamp, key)),
        })))
    }
}

fn stamp(path: &Path) -> Stamp {
    let file = std::fs::metadata(path).ok()?;
    Some((file.dev(), file.ino(), file.mtime()))
}

impl Inner {
    fn key(&self) -> Result<PrivateKey, SignError> {
        let mut held = self.held.lock();
        let now = stamp(&self.keystore.path(&self.client));
        if held.0 != now {
            let opened = self.keystore.open_key(&self.client, &self.with);
            *held = (now, opened.map_err(|error| SignError(error.to_string()))?);
        }
        Ok(held.1.clone())
    }
}

impl RequestSigner for KeystoreSigner {
    fn user(&self) -> UserId {
        self.0.user
    }

    /// On a thread of its own: an RSA-4096 signature takes 9 ms, opening a key some 50.
    fn sign(&self, input: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, SignError>> {
        let inner = Arc::clone(&self.0);
        Box::pin(async move {
            let work = move || {
                let key = inner.key()?;
                key.sign_rs256(&input)
                    .map_err(|error| SignError(error.to_string()))
            };
            tokio::task::spawn_blocking(work)
                .await
                .map_err(|error| SignError(error.to_string()))?
        })
    }
}
