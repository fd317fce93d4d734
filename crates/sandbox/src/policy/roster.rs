//! Who is who, as rules name people.

use std::collections::{BTreeMap, BTreeSet};

use protocol::role::Role;

use super::rule::People;

/// The workspace's users and groups.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roster {
    /// Those who may act at all.
    pub(crate) roles: BTreeMap<String, Role>,
    pub(crate) groups: BTreeMap<String, Vec<String>>,
}

/// Whether a user of this role can approve what others ask for.
pub(crate) const fn approves(role: Role) -> bool {
    matches!(
        role,
        Role::Owner | Role::Admin | Role::NonSigningAdmin | Role::Signer | Role::Approver
    )
}

impl Roster {
    /// Everybody who is named.
    pub(crate) fn members(&self, people: &People) -> BTreeSet<String> {
        let of_groups = people.groups.iter().filter_map(|id| self.groups.get(id));
        people
            .users
            .iter()
            .chain(of_groups.flatten())
            .cloned()
            .collect()
    }

    /// Those of them who can approve.
    pub(crate) fn approvers(&self, people: &People) -> BTreeSet<String> {
        self.of_role(people, approves)
    }

    /// Those of them who can sign, in the order in which they are named.
    pub(crate) fn signers(&self, people: &People) -> Vec<String> {
        let able = self.of_role(people, Role::signs);
        let of_groups = people.groups.iter().filter_map(|id| self.groups.get(id));
        let mut signers: Vec<String> = Vec::new();
        for user in people.users.iter().chain(of_groups.flatten()) {
            if able.contains(user) && !signers.contains(user) {
                signers.push(user.clone());
            }
        }
        signers
    }

    fn of_role(&self, people: &People, can: fn(Role) -> bool) -> BTreeSet<String> {
        let mut members = self.members(people);
        members.retain(|user| self.roles.get(user).copied().is_some_and(can));
        members
    }
}
