//! Whoever watches a server from inside: hears of every request, with what it came with, and may say
//! more about an answer. It sees tokens, and says why one was refused: what a sandbox wants, and a
//! gate must not. So it is nothing that a [`super::Workspace`] could switch on: a server has one
//! only where its maker hands one in, and nobody in front of real money implements this.

use std::net::IpAddr;

use http::HeaderMap;
use http::request::Parts;
use protocol::exchange::Reply;
use protocol::ids::RequestId;
use protocol::time::Millis;

/// Hears of every request.
pub trait Onlooker: Send + Sync + 'static {
    /// A request is answered like this, if at all. Headers may be added.
    fn told(&self, told: &Told, reply: Option<&mut Reply>);
}

/// A request, as it came.
#[derive(Clone, Debug)]
pub struct Told {
    /// Names the request in answers and logs.
    pub request_id: RequestId,
    /// When it was taken in, by the world's clock.
    pub received_at: Millis,
    /// From where.
    pub from: IpAddr,
    /// The HTTP method.
    pub method: String,
    /// The request target as it was on the wire.
    pub target: String,
    /// The header `X-API-Key`, as far as it is text.
    pub api_key: Option<String>,
    /// The header `Authorization`, as far as it is text.
    pub authorization: Option<String>,
    /// The header `User-Agent`, as far as it is text.
    pub user_agent: Option<String>,
    /// The hash of the body, where it was read.
    pub body_hash: Option<String>,
}

impl Told {
    pub(super) fn new(
        request_id: RequestId,
        received_at: Millis,
        from: IpAddr,
        head: &Parts,
    ) -> Self {
        let text = |headers: &HeaderMap, name: &str| {
            let value = headers.get(name)?.to_str().ok()?;
            Some(value.to_owned())
        };
        Self {
            request_id,
            received_at,
            from,
            method: head.method.to_string(),
            target: head
                .uri
                .path_and_query()
                .map_or_else(String::new, ToString::to_string),
            api_key: text(&head.headers, "x-api-key"),
            authorization: text(&head.headers, "authorization"),
            user_agent: text(&head.headers, "user-agent"),
            body_hash: None,
        }
    }
}
