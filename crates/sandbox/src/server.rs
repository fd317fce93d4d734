//! The door of the sandbox, as the wire's server sees it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::{UserId, WorkspaceId};
use protocol::operations::Operation;
use protocol::time::Millis;
use protocol::token::TokenError;
use wire::server::{Admitted, Call, Workspace};

use crate::doors::Guest;
use crate::hall::{Hall, House};
use crate::operations;

/// Many workspaces behind one door, chosen by API key.
#[derive(Debug)]
pub(crate) struct Sandbox {
    pub(crate) house: Arc<House>,
    pub(crate) halls: BTreeMap<WorkspaceId, Arc<Hall>>,
}

impl Workspace for Sandbox {
    type Guest = Guest;

    fn door(&self, user: UserId, from: IpAddr) -> Option<Admitted<Guest>> {
        let guest = self.house.doors.open(user, from)?;
        if !self.halls.get(&guest.workspace)?.lets_in(user) {
            return None;
        }
        Some(Admitted {
            key: guest.key.clone(),
            guest,
        })
    }

    fn failed(&self, _user: UserId, _from: IpAddr) {}

    fn may(&self, guest: &Guest, operation: &'static Operation) -> Result<(), ApiError> {
        // Where no source names a role, every role may.
        let open = !operation.roles_stated
            || operations::ROLES_FOR_PROTECTED.contains(&operation.id.as_str());
        if open || operation.roles.contains(guest.role) {
            Ok(())
        } else {
            Err(TokenError::Role.into())
        }
    }

    async fn answer(&self, guest: Arc<Guest>, call: Call) -> Reply {
        match self.halls.get(&guest.workspace) {
            Some(hall) => operations::answer(hall, &guest, &call).await,
            None => ApiError::internal().into(),
        }
    }

    fn date(&self, _guest: &Guest) -> Option<Millis> {
        Some(self.house.clock.now())
    }
}
