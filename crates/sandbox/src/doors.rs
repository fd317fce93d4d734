//! Who may come in: every API user of every workspace, by key.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::RwLock;
use protocol::ids::{UserId, WorkspaceId};
use protocol::keys::PublicKey;
use protocol::role::Role;

/// An API user at the door.
#[derive(Clone, Debug)]
pub(crate) struct Guest {
    pub(crate) user: UserId,
    pub(crate) workspace: WorkspaceId,
    pub(crate) role: Role,
    pub(crate) key: PublicKey,
    /// Where it may come from; none: from anywhere.
    pub(crate) addresses: Vec<IpAddr>,
    /// Whether the quorum has let it in.
    pub(crate) ready: bool,
}

/// Everybody who may come in.
#[derive(Debug, Default)]
pub(crate) struct Doors(RwLock<HashMap<UserId, Arc<Guest>>>);

impl Doors {
    pub(crate) fn put(&self, guest: Guest) {
        self.0.write().insert(guest.user, Arc::new(guest));
    }

    pub(crate) fn get(&self, user: UserId) -> Option<Arc<Guest>> {
        self.0.read().get(&user).cloned()
    }

    /// Whoever the key belongs to, if it may come from there.
    pub(crate) fn open(&self, user: UserId, from: IpAddr) -> Option<Arc<Guest>> {
        let from = from.to_canonical();
        self.get(user).filter(|guest| {
            guest.ready && (guest.addresses.is_empty() || guest.addresses.contains(&from))
        })
    }
}
