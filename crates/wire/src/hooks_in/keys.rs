//! The keys that webhooks are verified with: pinned, and fetched again when a name is unknown.

use std::fmt;
use std::time::Duration;

use arc_swap::ArcSwap;
use http::HeaderMap;
use protocol::keys::PublicKey;
use protocol::signature::{self, JWS_HEADER, Jwks, LEGACY_HEADER, SignatureError};
use tokio::sync::Mutex;
use tokio::time::Instant;
use url::Url;

/// Longest wait for a key set.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// Largest key set read, in bytes.
const MAX_JWKS_LEN: usize = 256 * 1024;
/// How often a key set is fetched at most: anyone can name an unknown key.
const FETCH_EVERY: Duration = Duration::from_secs(30);

/// Where the keys come from. What a signature itself says about that (`jku`, `x5u`) is not read.
pub struct KeySource {
    current: ArcSwap<Jwks>,
    url: Option<Url>,
    fetched_at: Mutex<Option<Instant>>,
    legacy: Option<PublicKey>,
}

impl fmt::Debug for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySource")
            .field("current", &self.current.load())
            .finish_non_exhaustive()
    }
}

impl KeySource {
    /// These keys.
    pub fn pinned(keys: Jwks) -> Self {
        Self {
            current: ArcSwap::from_pointee(keys),
            url: None,
            fetched_at: Mutex::new(None),
            legacy: None,
        }
    }

    /// And those that this URL lists, asked when a key is unknown.
    #[must_use]
    pub fn refetching(mut self, url: Url) -> Self {
        self.url = Some(url);
        self
    }

    /// And this key for the legacy header, where it stands alone.
    #[must_use]
    pub fn with_legacy(mut self, key: PublicKey) -> Self {
        self.legacy = Some(key);
        self
    }

    /// Whether the headers sign the body. Where both signatures stand, the new one decides.
    pub(super) async fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<(), SignatureError> {
        if let Some(jws) = single(headers, JWS_HEADER)? {
            return match signature::verify_jws(jws, body, &self.current.load()) {
                Err(SignatureError::UnknownKid(kid)) if self.refetch(&kid).await => {
                    signature::verify_jws(jws, body, &self.current.load())
                }
                verdict => verdict,
            };
        }
        match (single(headers, LEGACY_HEADER)?, &self.legacy) {
            (Some(header), Some(key)) => signature::verify_legacy(header, body, key),
            _ => Err(SignatureError::Form),
        }
    }

    /// Whether the keys are worth another look.
    async fn refetch(&self, kid: &str) -> bool {
        let Some(url) = &self.url else { return false };
        let mut fetched_at = self.fetched_at.lock().await;
        // Someone else may have fetched them while this one waited.
        if self.current.load().get(kid).is_some() {
            return true;
        }
        if fetched_at.is_some_and(|at| at.elapsed() < FETCH_EVERY) {
            return false;
        }
        *fetched_at = Some(Instant::now());
        match fetch(url).await {
            Ok(keys) => {
                self.current.store(keys.into());
                true
            }
            Err(why) => {
                tracing::warn!(%url, why, "webhook keys cannot be fetched");
                false
            }
        }
    }
}

/// A header that stands at most once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, SignatureError> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_| SignatureError::Form),
        _ => Err(SignatureError::Form),
    }
}

async fn fetch(url: &Url) -> Result<Jwks, String> {
    let text = |error: reqwest::Error| error.without_url().to_string();
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(FETCH_TIMEOUT)
        .build()
        .map_err(text)?;
    let mut response = http.get(url.clone()).send().await.map_err(text)?;
    if !response.status().is_success() {
        return Err(format!("status {}", response.status()));
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(text)? {
        if body.len() + chunk.len() > MAX_JWKS_LEN {
            return Err("it is too large".to_owned());
        }
        body.extend_from_slice(&chunk);
    }
    let keys = Jwks::parse(&body).map_err(|error| error.to_string())?;
    if keys.keys.is_empty() {
        Err("it lists no usable key".to_owned())
    } else {
        Ok(keys)
    }
}
