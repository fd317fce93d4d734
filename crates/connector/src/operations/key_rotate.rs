//! `connector keys rotate`: a client's key is replaced while everything runs. Each call takes the next
//! step: makes and offers a new key, looks whether the client has confirmed it, puts it in place.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use protocol::keys::{KeyFingerprint, KeySize};
use serde::Serialize;
use wire::client::{Budget, Client as Wire, ClientError, LocalKey};

use crate::client_name::ClientName;
use crate::clients::Client;
use crate::gate_api::{self, GateKey};
use crate::keystore::{KeyEntry, KeystoreError};
use crate::{Connector, Error};

/// How often the client's answer is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Calls a minute with the new key, before it is the client's.
const CALLS: NonZeroU32 = NonZeroU32::MIN.saturating_add(29);
/// What a provider does where there is no gate.
const BY_HAND: &str = "the client's API is Fireblocks' own, which has no operation for this: make a key with `keys rotate CLIENT --by-hand`, give the client its CSR, and run `keys rotate CLIENT` once it has put it on the API user";

/// How a rotation is to be done.
#[derive(Clone, Copy, Debug)]
pub struct Rotate {
    /// How long the new key is.
    pub size: KeySize,
    /// Only make the key: its CSR goes to the client by other ways.
    pub by_hand: bool,
}

/// How far a rotation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// A key was made; nobody was told.
    Made,
    /// The gate has it; the client decides.
    Offered,
    /// The client has not decided yet.
    Waiting,
    /// The new key is in use, and the old one is no more.
    Switched,
}

/// A rotation, after a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rotated {
    /// How far it is.
    pub step: Step,
    /// The new key.
    #[serde(flatten)]
    pub key: KeyEntry,
    /// Its request, PEM.
    pub csr: String,
}

/// Takes the next step.
pub async fn rotate(
    connector: &Connector,
    name: &ClientName,
    how: Rotate,
) -> Result<Rotated, Error> {
    let (client, _) = connector.client(name).await?;
    let (at, of, now) = (connector.clone(), name.clone(), connector.now());
    let waiting = connector.keystore().next(name)?;
    let (key, fresh) = match waiting {
        Some(key) => (key, false),
        None => {
            let make = move || at.keystore().make_next(&of, how.size, at.passphrase(), now);
            (blocking(make).await?, true)
        }
    };
    let (at, of) = (connector.clone(), name.clone());
    let request = move || {
        let organization = &at.settings().organization;
        at.keystore()
            .next_request(&of, organization, at.passphrase())
    };
    let csr = blocking(request).await?.to_pem();
    let step = if how.by_hand {
        Step::Made
    } else {
        step(connector, &client, key.fingerprint, &csr, fresh).await?
    };
    Ok(Rotated { step, key, csr })
}

/// Takes steps until the new key is in use, or the time is up.
pub async fn rotate_waiting(
    connector: &Connector,
    name: &ClientName,
    how: Rotate,
    patience: Duration,
) -> Result<Rotated, Error> {
    let deadline = tokio::time::Instant::now() + patience;
    loop {
        let rotated = rotate(connector, name, how).await?;
        let done = matches!(rotated.step, Step::Made | Step::Switched);
        if done || tokio::time::Instant::now() >= deadline {
            return Ok(rotated);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn step(
    connector: &Connector,
    client: &Client,
    next: KeyFingerprint,
    csr: &str,
    fresh: bool,
) -> Result<Step, Error> {
    if !client.is_gate() {
        // Whether the new key is let in is all that can be asked.
        return match known(&with_next(connector, client).await?).await {
            Ok(_) => switch(connector, client).await,
            Err(error) if !fresh && !is_refusal(&error) => Err(error.into()),
            Err(_) => Err(Error::Invalid(BY_HAND.to_owned())),
        };
    }
    let now = connector.upstream(client).await?;
    let keys = match gate_api::keys(&now).await {
        Ok(keys) => keys,
        // The client may have replaced the old key at once.
        Err(error) if is_refusal(&error) && !fresh => {
            let next = with_next(connector, client).await?;
            gate_api::keys(&next).await.map_err(|_| error)?
        }
        Err(error) => return Err(error.into()),
    };
    let print = next.to_string();
    let at_gate = keys.iter().find(|key| key.fingerprint == print);
    match at_gate.map(GateKey::state) {
        Some("ACTIVE") => switch(connector, client).await,
        Some("NEXT") => Ok(Step::Waiting),
        None => {
            let body = serde_json::json!({ "csr": csr }).to_string();
            gate_api::offer(&now, Bytes::from(body)).await?;
            Ok(Step::Offered)
        }
        Some(_) => {
            connector.keystore().discard_next(&client.name)?;
            Err(Error::Invalid(format!(
                "the client did not take the key {print}: it is given up; run this again to make another"
            )))
        }
    }
}

/// Whether what is called there says that it does not know the key.
fn is_refusal(error: &ClientError) -> bool {
    matches!(error, ClientError::Status { status: 401, .. })
}

async fn known(next: &Wire) -> Result<(), ClientError> {
    next.get("/v1/vault/accounts_paged?limit=1").await.map(drop)
}

async fn switch(connector: &Connector, client: &Client) -> Result<Step, Error> {
    let (at, of) = (connector.clone(), client.name.clone());
    blocking(move || at.keystore().promote(&of, at.passphrase())).await?;
    Ok(Step::Switched)
}

/// What calls with the new key.
async fn with_next(connector: &Connector, client: &Client) -> Result<Wire, Error> {
    let (at, of) = (connector.clone(), client.name.clone());
    let key = blocking(move || at.keystore().open_next(&of, at.passphrase())).await?;
    let signer = Arc::new(LocalKey::new(client.api_key, key));
    let budget = Budget::per_minute(CALLS, CALLS, Duration::from_secs(30));
    Ok(Wire::new(
        &client.base_url,
        signer,
        budget,
        connector.clock(),
    )?)
}

/// Keys are made, opened and sealed off the runtime's own threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, KeystoreError> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| Error::Invalid(format!("the keystore: {error}")))?;
    Ok(done?)
}
