//! User groups: named sets of the workspace's people, for the policy. The quorum decides on each
//! change; until it has, a group is as it was.

use ledger::Fault;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::UserId;
use protocol::role::Role;
use serde::{Deserialize, Serialize};

use crate::deed::Deed;
use crate::operations::{Visit, area};
use crate::quorum::{Ask, State};
use crate::shelf::Kept;

area! { visit;
    "getUserGroups" => list(visit).await,
    "createUserGroup" => create(visit).await,
    "getUserGroup" => one(visit).await,
    "updateUserGroup" => update(visit).await,
    "deleteUserGroup" => delete(visit).await,
}

/// Longest name.
const MAX_NAME: usize = 100;
/// Most members.
const MAX_MEMBERS: usize = 1_000;

/// A group as the API shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Group {
    pub(crate) id: String,
    name: String,
    status: Status,
    pub(crate) member_ids: Vec<UserId>,
}

/// Whether a group counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Status {
    PendingApproval,
    Active,
}

impl Group {
    /// One that counts.
    pub(crate) const fn active(id: String, name: String, member_ids: Vec<UserId>) -> Self {
        Self {
            id,
            name,
            status: Status::Active,
            member_ids,
        }
    }
}

impl Kept for Group {
    const KIND: &'static str = "user_group";

    fn key(&self) -> String {
        self.id.clone()
    }
}

fn not_found() -> ApiError {
    ApiError::typed(404, "NOT_FOUND", "User group not found")
}

fn invalid(why: &str) -> ApiError {
    ApiError::typed(400, "VALIDATION", why)
}

async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    Ok(Reply::json(200, &visit.hall.all_kept::<Group>().await?))
}

async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let found = visit
        .hall
        .kept::<Group>(visit.params.get("groupId"))
        .await?;
    Ok(Reply::json(200, &found.ok_or_else(not_found)?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    #[serde(default)]
    group_name: Option<String>,
    #[serde(default)]
    member_ids: Option<Vec<UserId>>,
}

impl Wanted {
    fn read(visit: &Visit<'_>) -> Result<Self, ApiError> {
        let wanted: Self = visit.body().map_err(|error| invalid(error.message()))?;
        let long = |name: &String| name.trim().is_empty() || name.chars().count() > MAX_NAME;
        if wanted.group_name.as_ref().is_some_and(long) {
            return Err(invalid("groupName must have 1 to 100 characters"));
        }
        if wanted
            .member_ids
            .as_ref()
            .is_some_and(|ids| ids.len() > MAX_MEMBERS)
        {
            return Err(invalid("a group has at most 1000 members"));
        }
        Ok(wanted)
    }
}

/// Whether they can be a group's: people of the workspace, and none of them a Viewer.
fn check_members(deed: &mut Deed<'_, '_>, members: &[UserId]) -> Result<(), Fault> {
    let users = deed.batch.users(deed.writing)?;
    for member in members {
        let user = users.iter().find(|user| user.id == *member);
        match user.filter(|user| user.enabled) {
            None => return Err(invalid(&format!("{member} is no user of this workspace")).into()),
            Some(user) if user.role == Role::Viewer => {
                return Err(invalid("a Viewer cannot be in a group").into());
            }
            Some(_) => {}
        }
    }
    Ok(())
}

impl Group {
    fn take(&mut self, name: Option<&str>, members: Option<&[UserId]>) {
        if let Some(name) = name {
            name.clone_into(&mut self.name);
        }
        if let Some(members) = members {
            self.member_ids = members.to_vec();
            self.member_ids.sort();
            self.member_ids.dedup();
        }
    }
}

/// Whether a group may be like this.
fn check(deed: &mut Deed<'_, '_>, group: &Group) -> Result<(), Fault> {
    check_members(deed, &group.member_ids)?;
    let taken = |other: &Group| other.name == group.name && other.id != group.id;
    if deed.all_kept::<Group>()?.iter().any(taken) {
        return Err(invalid("a group of that name exists").into());
    }
    Ok(())
}

fn known(deed: &mut Deed<'_, '_>, id: &str) -> Result<Group, Fault> {
    deed.kept::<Group>(id)?.ok_or_else(|| not_found().into())
}

/// `POST /management/user_groups`.
async fn create(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted = Wanted::read(visit)?;
    if wanted.group_name.is_none() {
        return Err(invalid("groupName is required"));
    }
    let by = visit.guest.user;
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut group = Group {
            id: deed.chance.uuid().to_string(),
            name: String::new(),
            status: Status::PendingApproval,
            member_ids: Vec::new(),
        };
        group.take(wanted.group_name.as_deref(), wanted.member_ids.as_deref());
        check(deed, &group)?;
        deed.keep(&group)?;
        let id = group.id.clone();
        deed.ask(Ask::NewUserGroup { group: id.clone() }, Some(by))?;
        Ok(Reply::json(201, &known(deed, &id)?))
    };
    visit.hall.effect(visit.call, work).await
}

/// `PUT /management/user_groups/{groupId}`: the answer shows what is asked for.
async fn update(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted = Wanted::read(visit)?;
    let (id, by) = (visit.params.get("groupId").to_owned(), visit.guest.user);
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut group = known(deed, &id)?;
        group.take(wanted.group_name.as_deref(), wanted.member_ids.as_deref());
        check(deed, &group)?;
        let ask = Ask::UserGroupChange {
            group: id.clone(),
            name: wanted.group_name.clone(),
            members: wanted.member_ids.clone(),
        };
        let request = deed.ask(ask, Some(by))?;
        if request.state == State::Pending {
            group.status = Status::PendingApproval;
        }
        Ok(Reply::json(200, &group))
    };
    visit.hall.effect(visit.call, work).await
}

/// `DELETE /management/user_groups/{groupId}`.
async fn delete(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let (id, by) = (visit.params.get("groupId").to_owned(), visit.guest.user);
    let work = move |deed: &mut Deed<'_, '_>| {
        known(deed, &id)?;
        deed.ask(Ask::UserGroupDeletion { group: id.clone() }, Some(by))?;
        Ok(Reply::empty(204))
    };
    visit.hall.effect(visit.call, work).await
}

/// The quorum lets a new group be.
pub(crate) fn admit(deed: &mut Deed<'_, '_>, id: &str) -> Result<(), Fault> {
    let mut group = known(deed, id)?;
    group.status = Status::Active;
    Ok(deed.keep(&group)?)
}

/// The quorum lets a group change.
pub(crate) fn change(
    deed: &mut Deed<'_, '_>,
    id: &str,
    name: Option<&str>,
    members: Option<&[UserId]>,
) -> Result<(), Fault> {
    let mut group = known(deed, id)?;
    group.take(name, members);
    check(deed, &group)?;
    Ok(deed.keep(&group)?)
}

/// A group is no more.
pub(crate) fn remove(deed: &mut Deed<'_, '_>, id: &str) -> Result<(), Fault> {
    deed.discard::<Group>(id)?;
    Ok(())
}

/// A user is in no group any more.
pub(crate) fn leave(deed: &mut Deed<'_, '_>, user: UserId) -> Result<(), Fault> {
    for mut group in deed.all_kept::<Group>()? {
        if group.member_ids.contains(&user) {
            group.member_ids.retain(|member| *member != user);
            deed.keep(&group)?;
        }
    }
    Ok(())
}
