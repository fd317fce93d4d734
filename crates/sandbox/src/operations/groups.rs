//! User groups: named sets of the workspace's people, for the policy.

use ledger::Scope;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::UserId;
use protocol::role::Role;
use serde::{Deserialize, Serialize};

use super::{Visit, area};
use crate::deed::Deed;
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
    status: String,
    pub(crate) member_ids: Vec<UserId>,
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

    /// Changes a group. Its members are people of the workspace, and none of them a Viewer.
    fn apply(&self, deed: &Deed<'_, '_>, group: &mut Group) -> Result<(), ApiError> {
        if let Some(name) = &self.group_name {
            group.name.clone_from(name);
        }
        let Some(members) = &self.member_ids else {
            return Ok(());
        };
        let users = deed.hall.books.users(&Scope::whole(deed.hall.id()));
        for member in members {
            match users.iter().find(|user| user.id == *member) {
                None => return Err(invalid(&format!("{member} is no user of this workspace"))),
                Some(user) if user.role == Role::Viewer => {
                    return Err(invalid("a Viewer cannot be in a group"));
                }
                Some(_) => {}
            }
        }
        group.member_ids.clone_from(members);
        group.member_ids.sort();
        group.member_ids.dedup();
        Ok(())
    }
}

async fn create(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted = Wanted::read(visit)?;
    if wanted.group_name.is_none() {
        return Err(invalid("groupName is required"));
    }
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut group = Group {
            id: deed.chance.uuid().to_string(),
            name: String::new(),
            status: "ACTIVE".to_owned(),
            member_ids: Vec::new(),
        };
        wanted.apply(deed, &mut group)?;
        let taken = |other: &Group| other.name == group.name;
        if deed.all_kept::<Group>()?.iter().any(taken) {
            return Err(invalid("a group of that name exists").into());
        }
        deed.keep(&group)?;
        Ok(Reply::json(201, &group))
    };
    visit.hall.effect(visit.call, work).await
}

async fn update(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted = Wanted::read(visit)?;
    let id = visit.params.get("groupId").to_owned();
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut group = deed.kept::<Group>(&id)?.ok_or_else(not_found)?;
        wanted.apply(deed, &mut group)?;
        let taken = |other: &Group| other.name == group.name && other.id != group.id;
        if deed.all_kept::<Group>()?.iter().any(taken) {
            return Err(invalid("a group of that name exists").into());
        }
        deed.keep(&group)?;
        Ok(Reply::json(200, &group))
    };
    visit.hall.effect(visit.call, work).await
}

async fn delete(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id = visit.params.get("groupId").to_owned();
    let work = move |deed: &mut Deed<'_, '_>| {
        if deed.discard::<Group>(&id)? {
            Ok(Reply::empty(204))
        } else {
            Err(not_found().into())
        }
    };
    visit.hall.effect(visit.call, work).await
}
