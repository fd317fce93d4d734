//! What comes back from upstream.

use bytes::Bytes;
use protocol::time::Millis;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::budget::Exhausted;
use super::signer::SignError;

/// Longest text of an error that is kept, in characters.
const MAX_MESSAGE_LEN: usize = 500;

/// An answer: a 2xx one, but where whatever comes was asked for.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Upstream's own time, from `Date`.
    pub date: Option<Millis>,
    /// The target of the next page, from `next-page`; of this upstream for certain.
    pub next_page: Option<String>,
    /// Every header, by its name.
    pub headers: http::HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as a `T`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.body).map_err(|error| ClientError::NotUnderstood {
            why: error.to_string(),
            body: excerpt(&self.body),
        })
    }
}

/// Why there is no answer to work with.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Upstream said no.
    #[error("upstream answered {status}: {message}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// Fireblocks' code, if there is one.
        code: Option<i64>,
        /// What it said, or the beginning of what was no JSON.
        message: String,
    },
    /// No whole answer came.
    #[error("upstream cannot be reached: {why}")]
    Unreachable {
        /// Whether the request may have arrived all the same.
        sent: bool,
        /// What happened.
        why: String,
    },
    /// The answer is no JSON of the expected shape (a proxy's page, mostly).
    #[error("upstream's answer is not understood: {why}: {body}")]
    NotUnderstood {
        /// What is wrong.
        why: String,
        /// How it begins.
        body: String,
    },
    /// The answer is larger than anything expected.
    #[error("upstream's answer is larger than expected")]
    TooLarge,
    /// The budget has no room.
    #[error(transparent)]
    Budget(#[from] Exhausted),
    /// There is no signature.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// It was made for reading alone.
    #[error("this client reads alone: nothing was sent")]
    ReadsOnly,
    /// Not a target that can be sent as it stands.
    #[error("'{0}' is not a request target")]
    Target(String),
    /// The next page is somewhere else, or one that was there before.
    #[error("upstream's pages do not go on properly: {0}")]
    Pages(&'static str),
}

impl ClientError {
    /// Whether upstream may have done what was asked all the same. A write of unknown outcome is
    /// looked up, never just sent again.
    pub fn outcome_unknown(&self) -> bool {
        match self {
            Self::Unreachable { sent, .. } => *sent,
            Self::Status { status, .. } => *status >= 500 || *status == 408,
            Self::NotUnderstood { .. } | Self::TooLarge => true,
            Self::Budget(_)
            | Self::Sign(_)
            | Self::Target(_)
            | Self::ReadsOnly
            | Self::Pages(_) => false,
        }
    }

    /// Fireblocks' code, if that is what upstream answered.
    pub fn code(&self) -> Option<i64> {
        match self {
            Self::Status { code, .. } => *code,
            _ => None,
        }
    }

    /// The error of an answer that is not 2xx.
    pub(super) fn of(status: u16, body: &[u8]) -> Self {
        let said: Said = serde_json::from_slice(body).unwrap_or_default();
        let inner = said.error.unwrap_or_default();
        Self::Status {
            status,
            code: said.code.or(inner.code),
            message: said
                .message
                .or(inner.message)
                .map_or_else(|| excerpt(body), |text| short(&text)),
        }
    }
}

/// Both of Fireblocks' error envelopes.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    message: Option<String>,
    code: Option<i64>,
    error: Option<Inner>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Inner {
    message: Option<String>,
    code: Option<i64>,
}

fn excerpt(body: &[u8]) -> String {
    let start = body.get(..MAX_MESSAGE_LEN * 4).unwrap_or(body);
    short(&String::from_utf8_lossy(start))
}

/// Short, and without what could break a line of a log.
fn short(text: &str) -> String {
    text.chars()
        .take(MAX_MESSAGE_LEN)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}
