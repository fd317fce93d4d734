//! The HTTP clients that webhooks go out by: one for all, and one for each certificate.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::target::{Refused, TargetPolicy};

/// Longest time of one request.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Most clients kept for certificates.
const MAX_KEPT: usize = 64;

/// A certificate and its private key, presented to whoever asks for one.
#[derive(Clone)]
pub struct Identity {
    /// Which one: another certificate has another name.
    pub name: String,
    /// The private key and the certificate with its chain, PEM.
    pub pem: SecretString,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({})", self.name)
    }
}

/// The HTTP client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("no HTTP client for webhooks: {0}")]
pub struct NoClient(#[from] reqwest::Error);

/// Why there is no client for a target.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoWay {
    /// Nothing is sent there.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The certificate cannot be presented.
    #[error(transparent)]
    Client(#[from] NoClient),
}

#[derive(Debug)]
pub(super) struct Clients {
    policy: TargetPolicy,
    bare: reqwest::Client,
    known: Mutex<HashMap<String, reqwest::Client>>,
}

impl Clients {
    pub(super) fn new(policy: TargetPolicy) -> Result<Self, NoClient> {
        Ok(Self {
            bare: client(&policy, None)?,
            policy,
            known: Mutex::default(),
        })
    }

    /// The client that goes to a target with this certificate, if it may go there.
    pub(super) fn to(
        &self,
        url: &Url,
        identity: Option<&Identity>,
    ) -> Result<reqwest::Client, NoWay> {
        self.policy.check(url)?;
        let Some(identity) = identity else {
            return Ok(self.bare.clone());
        };
        let mut known = self.known.lock();
        if let Some(client) = known.get(&identity.name) {
            return Ok(client.clone());
        }
        if known.len() >= MAX_KEPT {
            known.clear();
        }
        let made = client(&self.policy, Some(identity))?;
        known.insert(identity.name.clone(), made.clone());
        Ok(made)
    }
}

fn client(policy: &TargetPolicy, identity: Option<&Identity>) -> Result<reqwest::Client, NoClient> {
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(TIMEOUT)
        // A proxy would resolve names by itself, past the policy.
        .no_proxy()
        .dns_resolver(Arc::new(policy.clone()));
    if let Some(identity) = identity {
        let pem = identity.pem.expose_secret().as_bytes();
        builder = builder.identity(reqwest::Identity::from_pem(pem)?);
    }
    Ok(builder.build()?)
}
