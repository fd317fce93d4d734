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
}

/// Everybody who may come in.
#[derive(Debug, Default)]
pub(crate) struct Doors(RwLock<HashMap<UserId, Arc<Guest>>>);

impl Doors {
    /// Of that workspace these may come in, and nobody else.
    pub(crate) fn open_to(&self, workspace: WorkspaceId, guests: Vec<Guest>) {
        let mut doors = self.0.write();
        doors.retain(|_, guest| guest.workspace != workspace);
        doors.extend(
            guests
                .into_iter()
                .map(|guest| (guest.user, Arc::new(guest))),
        );
    }

    pub(crate) fn get(&self, user: UserId) -> Option<Arc<Guest>> {
        self.0.read().get(&user).cloned()
    }

    /// Whoever the key belongs to, if it may come from there. Whether it may come in at all, its
    /// workspace says.
    pub(crate) fn open(&self, user: UserId, from: IpAddr) -> Option<Arc<Guest>> {
        let from = from.to_canonical();
        self.get(user)
            .filter(|guest| guest.addresses.is_empty() || guest.addresses.contains(&from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::{self, PEOPLE};
    use crate::world::Network;

    #[test]
    fn only_who_is_known_and_from_where_it_may_come() {
        let person = PEOPLE.iter().find(|person| person.name == "viewer");
        let key = person.and_then(people::Person::key).expect("a key");
        let key = key.expect("a key").public().clone();
        let (doors, user) = (Doors::default(), UserId(uuid::Uuid::from_u128(7)));
        let guest = |addresses: &[&str]| Guest {
            user,
            workspace: people::workspace_id(Network::Mainnet),
            role: Role::Viewer,
            key: key.clone(),
            addresses: addresses
                .iter()
                .map(|text| text.parse().expect("an address"))
                .collect(),
        };
        let opens = |from: &str| {
            doors
                .open(user, from.parse().expect("an address"))
                .is_some()
        };
        assert!(!opens("127.0.0.1"), "a stranger");
        let put = |guest: Guest| doors.open_to(guest.workspace, vec![guest]);
        put(guest(&[]));
        assert!(opens("127.0.0.1") && opens("2001:db8::1"));
        put(guest(&["203.0.113.7"]));
        assert!(opens("203.0.113.7") && opens("::ffff:203.0.113.7"));
        assert!(!opens("203.0.113.8") && !opens("127.0.0.1") && !opens("::1"));
    }
}
