//! What people must agree to before it becomes true: who asked, and who has said yes.

use protocol::error::ApiError;
use protocol::model::user::User;
use protocol::role::Role;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

use crate::flight::PACE;

/// How long people have to agree.
const PATIENCE: i64 = 7 * Millis::DAY;
/// How many administrators agree where the quorum is asked; the owner is one of them.
const QUORUM: usize = 1;

/// Something that waits for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    pub(crate) asked_by: String,
    pub(crate) asked_at: Millis,
    pub(crate) approved_by: Vec<String>,
}

/// Whose word it waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    OwnerAndQuorum,
    Owner,
    /// Any administrator.
    Admin,
}

/// What became of it by now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Waits,
    Agreed,
    Expired,
}

impl Request {
    pub(crate) fn new(asked_by: String, asked_at: Millis) -> Self {
        Self {
            asked_by,
            asked_at,
            approved_by: Vec::new(),
        }
    }

    /// How it stands where nobody has to be told to agree (`manual`: where somebody has).
    pub(crate) fn standing(&self, now: Millis, manual: bool) -> Standing {
        if now >= self.asked_at.plus(PATIENCE) {
            Standing::Expired
        } else if !manual && now >= self.asked_at.plus(PACE) {
            Standing::Agreed
        } else {
            Standing::Waits
        }
    }

    /// A person says yes; whether that was the last word needed.
    pub(crate) fn approve(
        &mut self,
        person: &User,
        needs: Needs,
        now: Millis,
    ) -> Result<bool, ApiError> {
        administers(person)?;
        if self.standing(now, true) == Standing::Expired {
            return Err(ApiError::uncoded(409, "It is too late for that"));
        }
        let id = person.id.to_string();
        if self.approved_by.contains(&id) {
            return Err(ApiError::uncoded(409, "The user has approved it already"));
        }
        let owner = person.role == Role::Owner;
        if needs == Needs::Owner && !owner {
            return Err(ApiError::uncoded(403, "The owner alone approves that"));
        }
        if owner {
            self.approved_by.insert(0, id);
        } else {
            self.approved_by.push(id);
        }
        Ok(match needs {
            Needs::Owner | Needs::Admin => true,
            Needs::OwnerAndQuorum => owner && self.approved_by.len() >= QUORUM,
        })
    }
}

/// Whether a person may decide on what administrators decide on.
pub(crate) fn administers(person: &User) -> Result<(), ApiError> {
    match person.role {
        Role::Owner | Role::Admin | Role::NonSigningAdmin => Ok(()),
        _ => Err(ApiError::uncoded(403, "The user is no administrator")),
    }
}

#[cfg(test)]
mod tests {
    use protocol::ids::UserId;
    use protocol::model::user::{UserStatus, UserType};

    use super::*;

    fn person(number: u128, role: Role) -> User {
        User {
            id: UserId(uuid::Uuid::from_u128(number)),
            first_name: None,
            last_name: None,
            email: None,
            name: None,
            role,
            enabled: true,
            status: UserStatus::Ready,
            user_type: UserType::Console,
        }
    }

    fn asked() -> Request {
        Request::new("somebody".to_owned(), Millis(0))
    }

    #[test]
    fn the_owner_has_the_last_word_where_it_is_needed() {
        let (owner, admin) = (person(1, Role::Owner), person(2, Role::Admin));
        let now = Millis(1);
        let mut one = asked();
        assert_eq!(one.approve(&admin, Needs::OwnerAndQuorum, now), Ok(false));
        assert!(
            one.approve(&admin, Needs::OwnerAndQuorum, now).is_err(),
            "twice"
        );
        assert_eq!(one.approve(&owner, Needs::OwnerAndQuorum, now), Ok(true));
        assert!(asked().approve(&admin, Needs::Owner, now).is_err());
        assert_eq!(asked().approve(&owner, Needs::Owner, now), Ok(true));
        assert_eq!(asked().approve(&admin, Needs::Admin, now), Ok(true));
        for role in [Role::Signer, Role::Approver, Role::Editor, Role::Viewer] {
            assert!(
                asked()
                    .approve(&person(3, role), Needs::Admin, now)
                    .is_err(),
                "{role}"
            );
        }
    }

    #[test]
    fn it_waits_for_a_week_and_by_itself_for_a_moment() {
        let at = |millis, manual| asked().standing(Millis(millis), manual);
        assert_eq!(at(PACE - 1, false), Standing::Waits);
        assert_eq!(at(PACE, false), Standing::Agreed);
        assert_eq!(at(PATIENCE - 1, true), Standing::Waits);
        assert_eq!(at(PATIENCE, true), Standing::Expired);
        let late = asked().approve(&person(1, Role::Owner), Needs::Owner, Millis(PATIENCE));
        assert!(late.is_err());
    }
}
