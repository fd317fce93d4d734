//! Who signs requests: something that need not own the key.

use std::fmt;

use futures_util::future::BoxFuture;
use protocol::ids::UserId;
use protocol::keys::PrivateKey;

/// A request that could not be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the request could not be signed: {0}")]
pub struct SignError(pub String);

/// Signs requests of one API user: a key in this process, a file, later a KMS.
pub trait RequestSigner: Send + Sync + 'static {
    /// Whose requests: the API key.
    fn user(&self) -> UserId;

    /// RSASSA-PKCS1-v1_5 with SHA-256 over the input.
    fn sign(&self, input: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, SignError>>;
}

/// A key that this process holds.
#[derive(Clone)]
pub struct LocalKey {
    user: UserId,
    key: PrivateKey,
}

impl LocalKey {
    /// The key of that API user.
    pub fn new(user: UserId, key: PrivateKey) -> Self {
        Self { user, key }
    }
}

impl fmt::Debug for LocalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LocalKey({})", self.user)
    }
}

impl RequestSigner for LocalKey {
    fn user(&self) -> UserId {
        self.user
    }

    /// On a thread of its own: an RSA-4096 signature takes 9 ms.
    fn sign(&self, input: Vec<u8>) -> BoxFuture<'_, Result<Vec<u8>, SignError>> {
        let key = self.key.clone();
        Box::pin(async move {
            tokio::task::spawn_blocking(move || key.sign_rs256(&input))
                .await
                .map_err(|error| SignError(error.to_string()))?
                .map_err(|error| SignError(error.to_string()))
        })
    }
}
