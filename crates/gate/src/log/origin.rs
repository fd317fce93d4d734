//! Where a call came from: it follows the call to whatever the log tells of it.

use std::future::Future;
use std::net::IpAddr;

use protocol::ids::RequestId;
use serde::Serialize;

use super::Entry;

tokio::task_local! {
    static HERE: Origin;
}

/// Where a call came from. Nothing: it was no call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Origin {
    /// From which address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<IpAddr>,
    /// Under which request id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<RequestId>,
}

impl Origin {
    /// The origin of a call.
    pub(crate) fn of(from: IpAddr, request: RequestId) -> Self {
        Self {
            from: Some(from),
            request: Some(request),
        }
    }

    /// Carries out what a call asked for: what is logged meanwhile names this origin.
    pub(crate) async fn during<T>(self, work: impl Future<Output = T>) -> T {
        HERE.scope(self, work).await
    }

    /// The origin of the call that is carried out now.
    pub(crate) fn here() -> Self {
        HERE.try_with(|here| *here).unwrap_or_default()
    }
}

/// An entry as it is written: with its origin beside it.
#[derive(Serialize)]
pub(super) struct Traced<'a> {
    #[serde(flatten)]
    pub(super) entry: &'a Entry,
    #[serde(flatten)]
    pub(super) origin: &'a Origin,
}
