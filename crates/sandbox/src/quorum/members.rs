//! Who is in the Admin Quorum: every active Owner, Admin, Non-Signing Admin and Security Admin. Pure.

use protocol::ids::UserId;
use protocol::model::user::{User, UserStatus, UserType};
use protocol::role::Role;

/// The members, the Owner first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Members {
    owner: Option<UserId>,
    all: Vec<UserId>,
    api_admins: Vec<UserId>,
}

impl Members {
    pub(crate) fn of(users: &[User]) -> Self {
        let active = users
            .iter()
            .filter(|user| user.enabled && user.status == UserStatus::Ready)
            .filter(|user| is_of(user.role));
        let mut members = Self::default();
        for user in active {
            if user.role == Role::Owner {
                members.owner = Some(user.id);
                members.all.insert(0, user.id);
            } else {
                members.all.push(user.id);
            }
            if user.user_type == UserType::Api && user.role == Role::Admin {
                members.api_admins.push(user.id);
            }
        }
        members
    }

    pub(crate) const fn owner(&self) -> Option<UserId> {
        self.owner
    }

    pub(crate) fn all(&self) -> &[UserId] {
        &self.all
    }

    /// Those who are programs, and say yes to every change of the threshold.
    pub(crate) fn api_admins(&self) -> &[UserId] {
        &self.api_admins
    }

    pub(crate) fn has(&self, user: UserId) -> bool {
        self.all.contains(&user)
    }
}

const fn is_of(role: Role) -> bool {
    matches!(
        role,
        Role::Owner | Role::Admin | Role::NonSigningAdmin | Role::SecurityAdmin
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn user(number: u128, role: Role, user_type: UserType) -> User {
        User {
            id: UserId(Uuid::from_u128(number)),
            first_name: None,
            last_name: None,
            email: None,
            name: None,
            role,
            enabled: true,
            status: UserStatus::Ready,
            user_type,
        }
    }

    #[test]
    fn active_administrators_the_owner_first() {
        let mut users = vec![
            user(1, Role::Admin, UserType::Api),
            user(2, Role::Editor, UserType::Api),
            user(3, Role::Owner, UserType::Console),
            user(4, Role::NonSigningAdmin, UserType::Console),
            user(5, Role::Admin, UserType::Console),
        ];
        users[3].enabled = false;
        users[4].status = UserStatus::PendingDevicePairing;
        let members = Members::of(&users);
        let id = |number| UserId(Uuid::from_u128(number));
        assert_eq!(members.all(), [id(3), id(1)]);
        assert_eq!(members.owner(), Some(id(3)));
        assert_eq!(members.api_admins(), [id(1)]);
        assert!(!members.has(id(4)) && !members.has(id(2)));
    }
}
