//! One call at an address that a client named, with an answer that is read.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use url::Url;

use super::{NoClient, TargetPolicy};

/// Longest answer read, in bytes.
const MAX_ANSWER: usize = 64 * 1024;

/// Calls addresses that clients named.
#[derive(Clone, Debug)]
pub struct Caller {
    http: reqwest::Client,
    policy: TargetPolicy,
}

/// Whatever came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The status.
    pub status: u16,
    /// The header `Content-Type`, as far as it is text.
    pub content_type: Option<String>,
    /// The body, read whole.
    pub body: Bytes,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// Nothing may be sent there.
    #[error("{0}")]
    Refused(#[from] super::Refused),
    /// It took too long.
    #[error("no answer in time")]
    TimedOut,
    /// No connection, or it broke.
    #[error("no answer")]
    Nothing,
    /// Not 200.
    #[error("the answer's status is {0}, not 200")]
    Status(u16),
    /// More than any answer needs.
    #[error("the answer is too long")]
    TooLong,
}

impl Caller {
    /// A caller that goes where the policy lets it go.
    pub fn new(policy: TargetPolicy) -> Result<Self, NoClient> {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            // A proxy would resolve names by itself, past the policy.
            .no_proxy()
            // A connection that the other side has closed meanwhile would be no answer.
            .pool_max_idle_per_host(0)
            .dns_resolver(Arc::new(policy.clone()))
            .build()?;
        Ok(Self { http, policy })
    }

    /// Whether it may call there.
    pub fn check(&self, url: &Url) -> Result<(), super::Refused> {
        self.policy.check(url)
    }

    /// Posts a text and reads the whole answer, which must be 200, both within this time.
    pub async fn post(&self, url: Url, text: String, within: Duration) -> Result<Bytes, NoAnswer> {
        let answered = self.exchange(url, text, within).await?;
        match answered.status {
            200 => Ok(answered.body),
            other => Err(NoAnswer::Status(other)),
        }
    }

    /// Posts a text and reads whatever is answered whole, both within this time.
    pub async fn exchange(
        &self,
        url: Url,
        text: String,
        within: Duration,
    ) -> Result<Answered, NoAnswer> {
        self.policy.check(&url)?;
        let call = async {
            let request = self.http.post(url).header("content-type", "text/plain");
            let sent = request.body(text).send().await;
            let mut response = sent.map_err(|_| NoAnswer::Nothing)?;
            let kind = response.headers().get("content-type");
            let content_type = kind.and_then(|kind| kind.to_str().ok()).map(str::to_owned);
            let mut body = Vec::new();
            while let Some(part) = response.chunk().await.map_err(|_| NoAnswer::Nothing)? {
                if body.len() + part.len() > MAX_ANSWER {
                    return Err(NoAnswer::TooLong);
                }
                body.extend_from_slice(&part);
            }
            Ok(Answered {
                status: response.status().as_u16(),
                content_type,
                body: body.into(),
            })
        };
        let answered = tokio::time::timeout(within, call).await;
        answered.unwrap_or(Err(NoAnswer::TimedOut))
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::post;

    use super::*;

    #[tokio::test]
    async fn an_answer_is_read_in_time_and_up_to_a_length() {
        let app = Router::new()
            .route("/echo", post(|text: String| async move { text }))
            .route("/long", post(|| async { "x".repeat(MAX_ANSWER + 1) }))
            .route("/error", post(|| async { http::StatusCode::CREATED }))
            .route("/never", post(std::future::pending::<String>));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let at = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, app).await });
        let caller = Caller::new(TargetPolicy::Any).expect("a client");
        let ask = |path: &str| {
            let url = format!("http://{at}/{path}").parse().expect("a URL");
            caller.post(url, "hello".to_owned(), Duration::from_millis(500))
        };
        assert_eq!(ask("echo").await, Ok(Bytes::from("hello")));
        assert_eq!(ask("long").await, Err(NoAnswer::TooLong));
        assert_eq!(ask("error").await, Err(NoAnswer::Status(201)));
        assert_eq!(ask("never").await, Err(NoAnswer::TimedOut));
        let nobody = "http://127.0.0.1:1/".parse().expect("a URL");
        let refused = caller.post(nobody, String::new(), Duration::from_secs(5));
        assert_eq!(refused.await, Err(NoAnswer::Nothing));
        let strict = Caller::new(TargetPolicy::Public { except: vec![] }).expect("a client");
        let inside = format!("http://{at}/echo").parse().expect("a URL");
        let refused = strict.post(inside, String::new(), Duration::from_secs(5));
        assert!(matches!(refused.await, Err(NoAnswer::Refused(_))));
    }
}
