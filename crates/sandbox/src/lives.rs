//! The life of a user: asked for, admitted by the quorum, with a device or without, deleted.

use protocol::error::ApiError;
use protocol::ids::UserId;
use protocol::model::user::{User, UserStatus, UserType};
use protocol::role::Role;

use crate::audit::By;
use crate::chain;
use crate::deed::Deed;
use crate::operations::people::{approval_keys, groups};
use crate::quorum::Ask;
use ledger::{Change, Fault};

/// What happens to a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// The quorum lets it in.
    Admitted,
    /// The quorum does not.
    Refused,
    /// Its device counts no more.
    DeviceReset,
    /// It has set a device up.
    DeviceSetUp,
    Deleted,
}

/// The user after that; nothing: that cannot happen to it now. `waits`: whether it sets its device
/// up only when told to. Pure.
fn after(mut user: User, turn: Turn, waits: bool) -> Option<User> {
    use UserStatus as S;
    let with_device = if waits && has_device(&user) {
        S::PendingDevicePairing
    } else {
        S::Ready
    };
    let person = user.user_type == UserType::Console;
    match turn {
        Turn::Admitted if user.status == S::PendingActivation && !user.enabled => {
            user.enabled = true;
            user.status = with_device;
        }
        Turn::Refused if user.status == S::PendingActivation => user.enabled = false,
        Turn::DeviceReset if person && user.enabled => user.status = with_device,
        Turn::DeviceSetUp if user.enabled && user.status == S::PendingDevicePairing => {
            user.status = S::Ready;
        }
        Turn::Deleted if user.enabled && user.role != Role::Owner => user.enabled = false,
        _ => return None,
    }
    Some(user)
}

/// Whether a user approves and signs on a device: people, and not those who only read or initiate.
fn has_device(user: &User) -> bool {
    user.user_type == UserType::Console
        && !matches!(
            user.role,
            Role::Viewer | Role::Editor | Role::Auditor | Role::SecurityAuditor
        )
}

pub(crate) fn not_found() -> ApiError {
    ApiError::typed(404, "NOT_FOUND", "User not found")
}

/// Something happens to a user.
pub(crate) fn turn(deed: &mut Deed<'_, '_>, id: UserId, turn: Turn) -> Result<(), Fault> {
    let user = deed.batch.user(deed.writing, id)?.ok_or_else(not_found)?;
    let waits = deed.hall.house.manual;
    let user = after(user, turn, waits)
        .ok_or_else(|| ApiError::typed(409, "CONFLICT", "The user is not at that point"))?;
    Ok(deed.apply(Change::User(user))?)
}

/// A user is deleted: its key opens nothing any more, it leaves its groups, and what waited for it
/// alone waits no longer. What only it could still sign fails.
pub(crate) fn delete(deed: &mut Deed<'_, '_>, id: UserId) -> Result<(), Fault> {
    turn(deed, id, Turn::Deleted)?;
    chain::orphan(deed, &id.to_string())?;
    groups::leave(deed, id)?;
    approval_keys::remove_all(deed, id)?;
    let about = |ask: &Ask| match ask {
        Ask::DeviceReset { user } | Ask::DeleteUser { user } => *user == id,
        Ask::ApprovalKeyRegistration { user, .. } | Ask::ApprovalKeyDeletion { user, .. } => {
            *user == id
        }
        _ => false,
    };
    let requests = deed.open_requests()?;
    for request in requests.iter().filter(|request| about(&request.ask)) {
        deed.take_back(request.id, By::Fireblocks)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use UserStatus as S;
    use uuid::Uuid;

    fn asked_for(role: Role, user_type: UserType) -> User {
        User {
            id: UserId(Uuid::from_u128(7)),
            first_name: None,
            last_name: None,
            email: None,
            name: None,
            role,
            enabled: false,
            status: S::PendingActivation,
            user_type,
        }
    }

    fn admitted(role: Role, user_type: UserType) -> User {
        after(asked_for(role, user_type), Turn::Admitted, true).expect("admitted")
    }

    #[test]
    fn people_who_approve_set_a_device_up() {
        let approver = admitted(Role::Approver, UserType::Console);
        assert_eq!(
            (approver.status, approver.enabled),
            (S::PendingDevicePairing, true)
        );
        let ready = after(approver, Turn::DeviceSetUp, true).expect("set up");
        assert_eq!(ready.status, S::Ready);
        assert_eq!(after(ready.clone(), Turn::DeviceSetUp, true), None);
        let reset = after(ready.clone(), Turn::DeviceReset, true).expect("reset");
        assert_eq!(reset.status, S::PendingDevicePairing);
        let at_once = after(ready, Turn::DeviceReset, false).expect("reset");
        assert_eq!(at_once.status, S::Ready);
    }

    #[test]
    fn keys_and_those_who_read_have_none() {
        assert_eq!(admitted(Role::Viewer, UserType::Console).status, S::Ready);
        let key = admitted(Role::Signer, UserType::Api);
        assert_eq!(key.status, S::Ready);
        assert_eq!(after(key, Turn::DeviceReset, true), None);
    }

    #[test]
    fn what_has_happened_once_does_not_again() {
        let refused = after(asked_for(Role::Viewer, UserType::Api), Turn::Refused, true);
        assert!(!refused.expect("refused").enabled);
        let user = admitted(Role::Admin, UserType::Api);
        assert_eq!(after(user.clone(), Turn::Admitted, true), None);
        let gone = after(user, Turn::Deleted, true).expect("deleted");
        assert!(!gone.enabled);
        assert_eq!(after(gone, Turn::Deleted, true), None);
        let mut owner = admitted(Role::Viewer, UserType::Console);
        owner.role = Role::Owner;
        assert_eq!(
            after(owner, Turn::Deleted, true),
            None,
            "somebody must own it"
        );
    }
}
