//! A server without guests: the connector takes webhooks in, and answers no API.

use std::net::IpAddr;
use std::sync::Arc;

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::UserId;
use protocol::operations::Operation;
use wire::server::{Admitted, Call, Workspace};

/// Lets nobody in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Nobody;

impl Workspace for Nobody {
    type Guest = ();

    fn door(&self, _: UserId, _: IpAddr) -> Option<Admitted<()>> {
        None
    }

    fn failed(&self, _: UserId, _: IpAddr) {}

    fn may(&self, (): &(), _: &'static Operation) -> Result<(), ApiError> {
        Err(ApiError::internal())
    }

    async fn answer(&self, _: Arc<()>, _: Call) -> Reply {
        ApiError::internal().into()
    }
}
