//! A change that waits for the quorum. Pure.

use protocol::error::ApiError;
use protocol::ids::UserId;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::ask::Ask;
use super::members::Members;

/// How long a request waits.
pub(crate) const PATIENCE: i64 = 7 * Millis::DAY;

/// A request: what is asked, and what has been said to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Request {
    pub(crate) id: i64,
    pub(crate) ask: Ask,
    pub(crate) asked_by: Option<UserId>,
    pub(crate) asked_at: Millis,
    /// How many must say yes: as many as when it was made, whatever the threshold becomes.
    pub(crate) threshold: usize,
    /// The Owner, where one of those must be the Owner.
    pub(crate) owner: Option<UserId>,
    pub(crate) approved_by: Vec<UserId>,
    pub(crate) state: State,
}

/// How far a request is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum State {
    Pending,
    Approved,
    Rejected,
    /// What it asks for had become impossible.
    Failed,
    Cancelled,
    Expired,
}

/// Why what somebody says to a request does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unheard {
    NotPending,
    NotAMember,
    SaidYesAlready,
}

impl From<Unheard> for ApiError {
    fn from(unheard: Unheard) -> Self {
        match unheard {
            Unheard::NotPending => Self::uncoded(409, "The request is not pending any more"),
            Unheard::SaidYesAlready => Self::uncoded(409, "The user has approved already"),
            Unheard::NotAMember => Self::uncoded(403, "The user may not decide on the request"),
        }
    }
}

impl Request {
    /// Somebody says yes. It is approved with the last who is needed.
    pub(crate) fn approve(&mut self, who: UserId, members: &Members) -> Result<(), Unheard> {
        self.hear(who, members)?;
        if self.approved_by.contains(&who) {
            return Err(Unheard::SaidYesAlready);
        }
        self.approved_by.push(who);
        self.settle();
        Ok(())
    }

    /// Approved, if enough have said yes.
    pub(crate) fn settle(&mut self) {
        let owner = self
            .owner
            .is_none_or(|owner| self.approved_by.contains(&owner));
        if self.state == State::Pending && owner && self.approved_by.len() >= self.threshold {
            self.state = State::Approved;
        }
    }

    /// Somebody says no: one is enough.
    pub(crate) fn reject(&mut self, who: UserId, members: &Members) -> Result<(), Unheard> {
        self.hear(who, members)?;
        self.state = State::Rejected;
        Ok(())
    }

    fn hear(&self, who: UserId, members: &Members) -> Result<(), Unheard> {
        if self.state != State::Pending {
            Err(Unheard::NotPending)
        } else if members.has(who) {
            Ok(())
        } else {
            Err(Unheard::NotAMember)
        }
    }

    /// Who could still say yes, the Owner first.
    pub(crate) fn silent<'a>(&'a self, members: &'a Members) -> impl Iterator<Item = UserId> + 'a {
        let said = |user: &UserId| self.approved_by.contains(user);
        members
            .all()
            .iter()
            .copied()
            .filter(move |user| !said(user))
    }

    pub(crate) const fn expires_at(&self) -> Millis {
        self.asked_at.plus(PATIENCE)
    }

    /// What whoever approves by a key signs, byte for byte the same whenever it is asked for.
    pub(crate) fn payload(&self) -> String {
        json!({
            "requestId": self.id.to_string(),
            "requestType": self.ask.word(),
            "requestTimestamp": self.asked_at,
            "expiresAt": self.expires_at().seconds(),
            "requestData": self.ask.data(),
        })
        .to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::model::user::{User, UserStatus, UserType};
    use protocol::role::Role;
    use uuid::Uuid;

    fn id(number: u128) -> UserId {
        UserId(Uuid::from_u128(number))
    }

    fn members() -> Members {
        let users: Vec<_> = [Role::Owner, Role::Admin, Role::NonSigningAdmin]
            .into_iter()
            .zip(1..)
            .map(|(role, number)| User {
                id: id(number),
                first_name: None,
                last_name: None,
                email: None,
                name: None,
                role,
                enabled: true,
                status: UserStatus::Ready,
                user_type: UserType::Console,
            })
            .collect();
        Members::of(&users)
    }

    fn request(threshold: usize, owner: Option<UserId>) -> Request {
        Request {
            id: 7,
            ask: Ask::OneTimeAddress { enabled: true },
            asked_by: None,
            asked_at: Millis(1_000),
            threshold,
            owner,
            approved_by: Vec::new(),
            state: State::Pending,
        }
    }

    #[test]
    fn approved_with_the_last_who_is_needed() {
        let (members, mut request) = (members(), request(2, None));
        assert_eq!(request.approve(id(2), &members), Ok(()));
        assert_eq!(request.state, State::Pending);
        let again = request.approve(id(2), &members);
        assert_eq!(again, Err(Unheard::SaidYesAlready));
        assert_eq!(request.approve(id(9), &members), Err(Unheard::NotAMember));
        assert_eq!(request.silent(&members).collect::<Vec<_>>(), [id(1), id(3)]);
        assert_eq!(request.approve(id(3), &members), Ok(()));
        assert_eq!(request.state, State::Approved);
        assert_eq!(request.approve(id(1), &members), Err(Unheard::NotPending));
        assert_eq!(request.reject(id(1), &members), Err(Unheard::NotPending));
    }

    #[test]
    fn the_owner_is_waited_for_where_one_must_be_the_owner() {
        let (members, mut request) = (members(), request(2, Some(id(1))));
        request.approve(id(2), &members).expect("a member");
        request.approve(id(3), &members).expect("a member");
        assert_eq!(request.state, State::Pending);
        request.approve(id(1), &members).expect("the owner");
        assert_eq!(request.state, State::Approved);
    }

    #[test]
    fn one_no_is_enough() {
        let (members, mut request) = (members(), request(3, None));
        request.approve(id(1), &members).expect("a member");
        assert_eq!(request.reject(id(9), &members), Err(Unheard::NotAMember));
        request.reject(id(3), &members).expect("a member");
        assert_eq!(request.state, State::Rejected);
    }

    #[test]
    fn what_is_signed_does_not_change_while_people_answer() {
        let (members, mut request) = (members(), request(2, None));
        let payload = request.payload();
        request.approve(id(1), &members).expect("a member");
        assert_eq!(request.payload(), payload);
        let read: serde_json::Value = serde_json::from_str(&payload).expect("JSON");
        assert_eq!(read["requestId"], "7");
        assert_eq!(read["expiresAt"], 1 + 7 * 24 * 3600);
    }
}
