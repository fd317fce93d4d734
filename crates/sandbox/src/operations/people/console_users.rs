//! People of the workspace: asked for, deleted, their devices reset; the quorum decides.

use ledger::{Change, Fault};
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::UserId;
use protocol::model::user::{User, UserStatus, UserType};
use protocol::role::Role;
use serde::Deserialize;
use uuid::Uuid;

use crate::deed::Deed;
use crate::lives;
use crate::operations::{Visit, area};
use crate::quorum::{Ask, DeleteUsers};

area! { visit;
    "createConsoleUser" => create(visit).await,
    "deleteConsoleUser" => delete(visit).await,
    "resetDevice" => reset_device(visit).await,
}

/// Longest name, and longest address.
const MAX_TEXT: usize = 255;

fn invalid(why: impl Into<String>) -> ApiError {
    ApiError::typed(400, "VALIDATION", why)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewPerson {
    first_name: String,
    last_name: String,
    email: String,
    role: Role,
}

impl NewPerson {
    fn user(self) -> Result<User, ApiError> {
        for (name, text) in [
            ("firstName", &self.first_name),
            ("lastName", &self.last_name),
        ] {
            let fits = !text.trim().is_empty()
                && text.chars().count() <= MAX_TEXT
                && !text.chars().any(char::is_control);
            if !fits {
                return Err(invalid(format!(
                    "{name} must have 1 to {MAX_TEXT} characters"
                )));
            }
        }
        if !is_address(&self.email) {
            return Err(invalid("email must be a valid email address"));
        }
        if self.role == Role::Owner {
            return Err(invalid("a workspace has one owner"));
        }
        Ok(User {
            id: UserId(Uuid::nil()),
            first_name: Some(self.first_name),
            last_name: Some(self.last_name),
            email: Some(self.email),
            name: None,
            role: self.role,
            enabled: false,
            status: UserStatus::PendingActivation,
            user_type: UserType::Console,
        })
    }
}

/// Whether a text has the form of a mail address: something, one `@`, a name with a dot.
fn is_address(text: &str) -> bool {
    let plain = |text: &str| {
        !text.is_empty()
            && !text
                .chars()
                .any(|c| c.is_whitespace() || c.is_control() || c == '@')
    };
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    let labels: Vec<_> = domain.split('.').collect();
    text.chars().count() <= MAX_TEXT
        && plain(local)
        && labels.len() >= 2
        && labels.into_iter().all(plain)
}

/// `POST /management/users`: an empty answer, as of an API user.
async fn create(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let new: NewPerson = visit.body().map_err(|error| invalid(error.message()))?;
    let (user, by) = (new.user()?, visit.guest.user);
    let work = move |deed: &mut Deed<'_, '_>| {
        let same = |other: &User| {
            let (mine, other) = (user.email.as_deref(), other.email.as_deref());
            matches!((mine, other), (Some(a), Some(b)) if a.eq_ignore_ascii_case(b))
        };
        if deed.batch.users(deed.writing)?.iter().any(same) {
            return Err(invalid("a user with that email exists").into());
        }
        let id = UserId(deed.chance.uuid());
        deed.apply(Change::User(User { id, ..user.clone() }))?;
        deed.ask(Ask::NewUser { user: id }, Some(by))?;
        Ok(Reply::empty(200))
    };
    visit.hall.effect(visit.call, work).await
}

/// A person of the workspace.
fn person(deed: &mut Deed<'_, '_>, id: UserId, unknown: fn() -> ApiError) -> Result<User, Fault> {
    let user = deed.batch.user(deed.writing, id)?;
    let user = user.filter(|user| user.user_type == UserType::Console);
    user.ok_or_else(|| unknown().into())
}

/// `POST /management/users/{id}/reset_device`.
async fn reset_device(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id: UserId = visit.param("id", lives::not_found)?;
    let by = visit.guest.user;
    let work = move |deed: &mut Deed<'_, '_>| {
        let user = person(deed, id, lives::not_found)?;
        if !user.enabled {
            return Err(invalid("the user is not active").into());
        }
        deed.ask(Ask::DeviceReset { user: id }, Some(by))?;
        Ok(Reply::empty(200))
    };
    visit.hall.effect(visit.call, work).await
}

fn unknown_person() -> ApiError {
    ApiError::uncoded(404, "Console user not found")
}

/// `DELETE /management/users/{id}`: asked of the quorum, where the Owner has left it to the quorum.
async fn delete(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id: UserId = visit.param("id", unknown_person)?;
    let force = visit
        .call
        .query
        .read::<bool, _>("force", |_| ApiError::invalid("force", "true or false"))?;
    let (force, by) = (force.unwrap_or(false), visit.guest.user);
    let work = move |deed: &mut Deed<'_, '_>| {
        let user = person(deed, id, unknown_person)?;
        if user.role == Role::Owner {
            return Err(ApiError::uncoded(422, "The owner cannot be deleted").into());
        }
        if !user.enabled {
            return Err(ApiError::uncoded(409, "The user is not active").into());
        }
        let settings = deed.quorum_settings()?;
        if settings.delete_users == DeleteUsers::OwnerOnly {
            let why = "OWNER_ONLY: the Owner deletes users in the Console";
            return Err(ApiError::new(403, 2760, why).into());
        }
        if !force {
            harmless(deed, id)?;
        }
        deed.ask(Ask::DeleteUser { user: id }, Some(by))?;
        let user = person(deed, id, unknown_person)?;
        Ok(Reply::json(202, &user))
    };
    visit.hall.effect(visit.call, work).await
}

/// Whether the workspace does without a user: no rule of the policy names it, and the quorum has
/// enough members without it.
fn harmless(deed: &mut Deed<'_, '_>, id: UserId) -> Result<(), Fault> {
    let rules = serde_json::to_string(&deed.policy()?.active).unwrap_or_default();
    if rules.contains(&id.to_string()) {
        let why = "USER_REFERENCED_IN_TAP: rules of the policy name the user";
        return Err(ApiError::uncoded(409, why).into());
    }
    let (members, settings) = (deed.members()?, deed.quorum_settings()?);
    let left = members.all().len().saturating_sub(1);
    if members.has(id) && left < settings.threshold.of(left) {
        let why = "QUORUM_INTEGRITY: the Admin Quorum would have too few members";
        return Err(ApiError::uncoded(409, why).into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_mail() {
        for good in ["a@b.c", "first.last+tag@mail.example.com", "ü@fund.example"] {
            assert!(is_address(good), "{good}");
        }
        for bad in [
            "", "a", "a@b", "@b.c", "a@.c", "a@b.", "a b@c.d", "a@b@c.d", "a@b..c",
        ] {
            assert!(!is_address(bad), "{bad}");
        }
    }
}
