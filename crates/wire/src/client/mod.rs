//! Calling Fireblocks' API, or a gate's: signed, within a budget, tried again only where that is safe.
//!
//! The target that is signed is the target that is sent: the URL is built once, and a target that
//! would be changed on its way there is refused. Redirects are not followed.

mod answer;
mod budget;
mod download;
mod pages;
mod signer;
#[cfg(test)]
mod tests;
mod turns;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method};
use protocol::time::Millis;
use protocol::token::{self, LIFETIME, TokenDraft};
use url::Url;
use uuid::Uuid;

pub use answer::{Answer, ClientError};
pub use budget::{Budget, Exhausted};
pub use download::download;
pub use pages::Pages;
pub use signer::{LocalKey, RequestSigner, SignError};

use crate::clock::WallClock;

/// Largest answer read, in bytes.
pub const MAX_ANSWER_LEN: usize = 64 * 1024 * 1024;
/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for a whole answer, where nobody says otherwise.
const TIMEOUT: Duration = Duration::from_secs(60);
/// How often a request is sent at most.
const MAX_TRIES: u32 = 4;
/// The first wait before another try; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// Longest `Retry-After` that is believed.
const MAX_WAIT: Duration = Duration::from_secs(60);

/// A client of one API user at one upstream. Cheap to clone.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    http: reqwest::Client,
    origin: String,
    signer: Arc<dyn RequestSigner>,
    budget: Budget,
    timeout: Duration,
    /// Largest answer read, in bytes.
    most: usize,
    clock: Arc<dyn WallClock>,
    /// Whether nothing but GET is signed.
    reads_only: bool,
}

/// A URL that cannot be an upstream's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not the base URL of an API (http or https, at the root of a host name, with or without /v1): {0}"
)]
pub struct BadBaseUrl(String);

/// How a write may be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Once<'a> {
    /// Sent once; an unknown outcome is the caller's to settle.
    Unkeyed,
    /// Sent with this `Idempotency-Key` (at most 40 characters), so it may be sent again.
    Keyed(&'a str),
    /// Sent once with this `Idempotency-Key`.
    KeyedUnrepeated(&'a str),
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({} at {})", self.0.signer.user(), self.0.origin)
    }
}

impl Client {
    /// A client of the API at this URL.
    pub fn new(
        base_url: &str,
        signer: Arc<dyn RequestSigner>,
        budget: Budget,
        clock: Arc<dyn WallClock>,
    ) -> Result<Self, BadBaseUrl> {
        let bad = || BadBaseUrl(base_url.to_owned());
        let url = Url::parse(base_url).map_err(|_| bad())?;
        let plain = matches!(url.scheme(), "http" | "https")
            && matches!(url.path().trim_end_matches('/'), "" | "/v1")
            && url.has_host()
            && url.query().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !plain {
            return Err(bad());
        }
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .build()
            .map_err(|error| BadBaseUrl(error.to_string()))?;
        let origin = url.origin().ascii_serialization();
        Ok(Self(Arc::new(Inner {
            http,
            origin,
            signer,
            budget,
            timeout: TIMEOUT,
            most: MAX_ANSWER_LEN,
            clock,
            reads_only: false,
        })))
    }

    /// The same, waiting this long for a whole answer.
    #[must_use]
    pub fn waiting(&self, timeout: Duration) -> Self {
        let mut inner = Inner::clone(&self.0);
        inner.timeout = timeout;
        Self(Arc::new(inner))
    }

    /// The same, taking no answer of more than this many bytes.
    #[must_use]
    pub fn taking(&self, most: usize) -> Self {
        let mut inner = Inner::clone(&self.0);
        inner.most = most;
        Self(Arc::new(inner))
    }

    /// The same, for reading alone: whatever is no GET is neither signed nor sent.
    #[must_use]
    pub fn reading(&self) -> Self {
        let mut inner = Inner::clone(&self.0);
        inner.reads_only = true;
        Self(Arc::new(inner))
    }

    /// The same, within this budget: a part of the whole one, mostly ([`Budget::part`]).
    #[must_use]
    pub fn within(&self, budget: Budget) -> Self {
        let mut inner = Inner::clone(&self.0);
        inner.budget = budget;
        Self(Arc::new(inner))
    }

    /// Reads. The target is whole: `/v1/transactions?limit=1`.
    pub async fn get(&self, target: &str) -> Result<Answer, ClientError> {
        self.call(Method::GET, target, Bytes::new(), None, true)
            .await
    }

    /// Writes. The body is JSON; it is signed and sent as it is.
    pub async fn write(
        &self,
        method: Method,
        target: &str,
        body: Bytes,
        once: Once<'_>,
    ) -> Result<Answer, ClientError> {
        let (key, again) = match once {
            Once::Unkeyed => (None, false),
            Once::Keyed(key) => (Some(key), true),
            Once::KeyedUnrepeated(key) => (Some(key), false),
        };
        self.call(method, target, body, key, again).await
    }

    async fn call(
        &self,
        method: Method,
        target: &str,
        body: Bytes,
        key: Option<&str>,
        again: bool,
    ) -> Result<Answer, ClientError> {
        if self.0.reads_only && method != Method::GET {
            return Err(ClientError::ReadsOnly);
        }
        let url = self.url(target)?;
        let mut wait = FIRST_WAIT;
        for tries_left in (0..MAX_TRIES).rev() {
            self.0.budget.take().await?;
            let tried = self
                .once(method.clone(), &url, target, body.clone(), key)
                .await;
            let (error, asked) = match tried {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            if let Some(asked) = asked {
                self.0.budget.pause(asked);
            }
            if !again || tries_left == 0 || !worth_another(&error) {
                return Err(error);
            }
            tracing::debug!(target, %error, "trying again");
            tokio::time::sleep(asked.unwrap_or(wait)).await;
            wait *= 2;
        }
        Err(ClientError::Unreachable {
            sent: true,
            why: "too many tries".to_owned(),
        })
    }

    /// Sends a request once, within the budget, and takes whatever is answered as it is.
    pub async fn exchange(
        &self,
        method: Method,
        target: &str,
        body: Bytes,
        key: Option<&str>,
    ) -> Result<Answer, ClientError> {
        let url = self.url(target)?;
        self.0.budget.take().await?;
        self.sent(method, &url, target, body, key).await
    }

    /// One try: the answer, or why not and how long upstream asks to wait.
    async fn once(
        &self,
        method: Method,
        url: &Url,
        target: &str,
        body: Bytes,
        key: Option<&str>,
    ) -> Result<Answer, (ClientError, Option<Duration>)> {
        let sent = self.sent(method, url, target, body, key).await;
        let mut answer = sent.map_err(|error| (error, None))?;
        if !(200..300).contains(&answer.status) {
            let asked = (answer.status == 429).then(|| retry_after(&answer.headers));
            return Err((ClientError::of(answer.status, &answer.body), asked));
        }
        let next = self.next_page(&answer.headers);
        answer.next_page = next.map_err(|error| (error, None))?;
        Ok(answer)
    }

    /// Sends a request once.
    async fn sent(
        &self,
        method: Method,
        url: &Url,
        target: &str,
        body: Bytes,
        key: Option<&str>,
    ) -> Result<Answer, ClientError> {
        let token = self.token(target, &body).await?;
        let mut request = self
            .0
            .http
            .request(method, url.clone())
            .timeout(self.0.timeout)
            .header("X-API-Key", self.0.signer.user().to_string())
            .bearer_auth(token);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        if !body.is_empty() {
            request = request
                .header("Content-Type", "application/json")
                .body(body);
        }
        let unreachable = |error: reqwest::Error| ClientError::Unreachable {
            sent: !error.is_connect() && !error.is_builder(),
            why: why(&error),
        };
        let mut response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let mut whole = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
            if whole.len() + chunk.len() > self.0.most {
                return Err(ClientError::TooLarge);
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(Answer {
            status: status.as_u16(),
            date: date(&headers),
            next_page: None,
            headers,
            body: whole.freeze(),
        })
    }

    async fn token(&self, target: &str, body: &[u8]) -> Result<String, SignError> {
        let nonce = Uuid::new_v4().to_string();
        let draft = TokenDraft {
            user: self.0.signer.user(),
            target,
            nonce: &nonce,
            issued_at: self.0.clock.now().seconds(),
            lifetime: LIFETIME,
            body,
        };
        let input = draft.signing_input();
        let signature = self.0.signer.sign(input.clone().into_bytes()).await?;
        Ok(token::finish(&input, &signature))
    }

    /// The URL of a target, if it will be on the wire exactly as it stands here.
    fn url(&self, target: &str) -> Result<Url, ClientError> {
        let bad = || ClientError::Target(target.to_owned());
        if !target.starts_with('/') {
            return Err(bad());
        }
        let url = Url::parse(&format!("{}{target}", self.0.origin)).map_err(|_| bad())?;
        if url.fragment().is_none() && target_of(&url) == target {
            Ok(url)
        } else {
            Err(bad())
        }
    }

    fn next_page(&self, headers: &HeaderMap) -> Result<Option<String>, ClientError> {
        let Some(next) = headers.get("next-page").filter(|next| !next.is_empty()) else {
            return Ok(None);
        };
        let elsewhere = ClientError::Pages("the next one is at another place");
        match next.to_str().ok().and_then(|next| Url::parse(next).ok()) {
            Some(url) if url.origin().ascii_serialization() == self.0.origin => {
                Ok(Some(target_of(&url)))
            }
            _ => Err(elsewhere),
        }
    }
}

fn target_of(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

fn worth_another(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. } => true,
        ClientError::Status { status, .. } => matches!(status, 408 | 429 | 500 | 502..=504),
        _ => false,
    }
}

/// Whole seconds; a second where it is missing or a date.
fn retry_after(headers: &HeaderMap) -> Duration {
    let text = headers
        .get("retry-after")
        .and_then(|value| value.to_str().ok());
    let seconds = text.and_then(|text| text.trim().parse().ok()).unwrap_or(1);
    Duration::from_secs(seconds).min(MAX_WAIT)
}

fn date(headers: &HeaderMap) -> Option<Millis> {
    let text = headers.get("date").map(HeaderValue::to_str)?.ok()?;
    let since = httpdate::parse_http_date(text)
        .ok()?
        .duration_since(std::time::UNIX_EPOCH)
        .ok()?;
    i64::try_from(since.as_millis()).ok().map(Millis)
}

/// An error with what caused it, without the URL (queries can hold what logs should not).
fn why(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        String::new()
    };
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    if text.is_empty() {
        "the exchange failed".to_owned()
    } else {
        text
    }
}
