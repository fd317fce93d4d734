//! Tags, and which accounts bear them. Protected tags are for administrators alone, and the quorum
//! decides on what changes of them.

use ledger::{Change, Fault};
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::model::vault::Tag;
use protocol::role::Role;
use protocol::token::TokenError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::paging::{First, page, words};
use super::{Visit, area};
use crate::audit::By;
use crate::deed::Deed;
use crate::quorum::{Ask, Request, TagLook};
use crate::shelf::Kept;

area! { visit;
    "getTags" => list(visit).await,
    "createTag" => create(visit).await,
    "getTag" => one(visit).await,
    "updateTag" => update(visit).await,
    "deleteTag" => delete(visit).await,
    "getApprovalRequest" => request(visit).await,
    "cancelApprovalRequest" => cancel(visit).await,
}

/// Operations whose stated roles are for protected tags alone: on others every role may.
pub(crate) const ROLES_FOR_PROTECTED: [&str; 4] = [
    "createTag",
    "updateTag",
    "deleteTag",
    "attachOrDetachTagsFromVaultAccounts",
];

/// Rows of a page where the query does not say.
const PAGE: usize = 100;

/// A tag, and what it may be attached to.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    #[serde(flatten)]
    pub(super) tag: Tag,
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(default = "accounts_alone")]
    allowed_entity_types: Vec<EntityType>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EntityType {
    VaultAccount,
    Contact,
}

fn accounts_alone() -> Vec<EntityType> {
    vec![EntityType::VaultAccount]
}

impl Entry {
    /// Whether accounts may bear it.
    pub(super) fn is_for_accounts(&self) -> bool {
        self.allowed_entity_types
            .contains(&EntityType::VaultAccount)
    }
}

impl From<Tag> for Entry {
    fn from(tag: Tag) -> Self {
        Self {
            tag,
            kind: None,
            allowed_entity_types: accounts_alone(),
        }
    }
}

impl Kept for Entry {
    const KIND: &'static str = "tag";

    fn key(&self) -> String {
        self.tag.id.clone()
    }
}

pub(super) fn not_found() -> ApiError {
    ApiError::uncoded(404, "Tag not found")
}

/// Whether the guest may change protected tags.
pub(super) fn administers(visit: &Visit<'_>) -> bool {
    matches!(
        visit.guest.role,
        Role::Owner | Role::Admin | Role::NonSigningAdmin
    )
}

/// `GET /tags`.
async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let query = &visit.call.query;
    let label = query.one("label").map(str::to_lowercase);
    let ids: Vec<_> = query.many("tagIds").collect();
    let protected = query.read::<bool, _>("isProtected", |_| {
        ApiError::invalid("isProtected", "true or false")
    })?;
    let kinds: Vec<_> = query.many("type").collect();
    let of: Vec<EntityType> = words(query, "allowedEntityType")?;
    let mut tags = visit.hall.all_kept::<Entry>().await?;
    tags.retain(|entry| {
        let tag = &entry.tag;
        let kind = entry.kind.as_deref().unwrap_or_default();
        label
            .as_ref()
            .is_none_or(|label| tag.label.to_lowercase().starts_with(label))
            && (ids.is_empty() || ids.contains(&tag.id.as_str()))
            && (kinds.is_empty() || kinds.contains(&kind))
            && of.iter().all(|of| entry.allowed_entity_types.contains(of))
            && protected.is_none_or(|protected| tag.is_protected == protected)
    });
    let key = |entry: &Entry| (0, entry.tag.label.clone(), entry.tag.id.clone());
    let page = page(query, tags, PAGE, First::Oldest, key)?;
    let open = if query.one("includePendingApprovalsInfo") == Some("true") {
        visit.hall.open_requests().await?
    } else {
        Vec::new()
    };
    Ok(Reply::json(200, &page.map(|entry| shown(entry, &open))))
}

/// A tag, and the request about it that is pending.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    #[serde(flatten)]
    entry: Entry,
    #[serde(skip_serializing_if = "Option::is_none")]
    pending_approval_request: Option<Value>,
}

fn shown(entry: Entry, open: &[Request]) -> Shown {
    let tag = &entry.tag;
    let about = |request: &&Request| match &request.ask {
        Ask::TagUpdate { tag: id, .. } | Ask::TagDelete { tag: id } => *id == tag.id,
        Ask::TagAttachDetach { operations } => operations.iter().any(|one| one.tag_id == tag.id),
        _ => false,
    };
    let pending_approval_request = open.iter().find(about).map(told);
    Shown {
        entry,
        pending_approval_request,
    }
}

/// A request, as the API shows it.
fn told(request: &Request) -> Value {
    json!({
        "id": request.id.to_string(),
        "type": request.ask.word(),
        "state": request.state,
    })
}

/// `GET /tags/{tagId}`.
async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let found = visit.hall.kept::<Entry>(visit.params.get("tagId")).await?;
    let open = visit.hall.open_requests().await?;
    Ok(Reply::json(
        200,
        &shown(found.ok_or_else(not_found)?, &open),
    ))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    #[serde(flatten)]
    look: TagLook,
    #[serde(default)]
    is_protected: bool,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    allowed_entity_types: Option<Vec<EntityType>>,
}

impl Wanted {
    fn read(visit: &Visit<'_>) -> Result<Self, ApiError> {
        let wanted: Self = visit.body()?;
        let bad = |label: &String| !(2..=30).contains(&label.chars().count());
        if wanted.look.label.as_ref().is_some_and(bad) {
            return Err(ApiError::invalid("label", "2 to 30 characters"));
        }
        Ok(wanted)
    }
}

/// Keeps a tag with another look.
fn dress(deed: &mut Deed<'_, '_>, entry: &mut Entry, look: &TagLook) -> Result<(), Fault> {
    let tag = &mut entry.tag;
    if let Some(label) = &look.label {
        tag.label.clone_from(label);
    }
    if look.description.is_some() {
        tag.description.clone_from(&look.description);
    }
    if look.color.is_some() {
        tag.color.clone_from(&look.color);
    }
    tag.updated_at = deed.at;
    free(deed, &tag.id, &tag.label)?;
    Ok(deed.keep(entry)?)
}

/// Whether no other tag has the label.
fn free(deed: &mut Deed<'_, '_>, id: &str, label: &str) -> Result<(), Fault> {
    let taken = |other: &Entry| other.tag.label == label && other.tag.id != id;
    if deed.all_kept::<Entry>()?.iter().any(taken) {
        return Err(ApiError::invalid("label", "another tag has it").into());
    }
    Ok(())
}

/// `POST /tags`.
async fn create(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted = Wanted::read(visit)?;
    if wanted.look.label.is_none() {
        return Err(ApiError::invalid("label", "it is required"));
    }
    if wanted.is_protected && !administers(visit) {
        return Err(TokenError::Role.into());
    }
    let work = move |deed: &mut Deed<'_, '_>| {
        let tag = Tag {
            id: deed.chance.uuid().to_string(),
            label: String::new(),
            description: None,
            color: None,
            is_protected: wanted.is_protected,
            updated_at: deed.at,
        };
        let allowed = wanted.allowed_entity_types.clone();
        let mut entry = Entry {
            tag,
            kind: wanted.kind.clone(),
            allowed_entity_types: allowed.unwrap_or_else(accounts_alone),
        };
        dress(deed, &mut entry, &wanted.look)?;
        Ok(Reply::json(201, &entry))
    };
    visit.hall.effect(visit.call, work).await
}

/// The tag, as who may change it finds it.
pub(super) fn mine(deed: &mut Deed<'_, '_>, id: &str, administers: bool) -> Result<Entry, Fault> {
    let entry = known(deed, id)?;
    if entry.tag.is_protected && !administers {
        return Err(ApiError::from(TokenError::Role).into());
    }
    Ok(entry)
}

pub(super) fn known(deed: &mut Deed<'_, '_>, id: &str) -> Result<Entry, Fault> {
    deed.kept::<Entry>(id)?.ok_or_else(|| not_found().into())
}

/// `PATCH /tags/{tagId}`: every account that bears it shows the change.
async fn update(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted = Wanted::read(visit)?.look;
    let (id, administers) = (visit.params.get("tagId").to_owned(), administers(visit));
    let by = visit.guest.user;
    let work = move |deed: &mut Deed<'_, '_>| {
        let tag = mine(deed, &id, administers)?.tag;
        if tag.is_protected {
            free(deed, &id, wanted.label.as_ref().unwrap_or(&tag.label))?;
            let ask = Ask::TagUpdate {
                tag: id.clone(),
                look: wanted.clone(),
            };
            deed.ask(ask, Some(by))?;
        } else {
            look(deed, &id, &wanted)?;
        }
        let open = deed.open_requests()?;
        Ok(Reply::json(200, &shown(known(deed, &id)?, &open)))
    };
    visit.hall.effect(visit.call, work).await
}

/// A tag looks different, wherever it is shown.
pub(crate) fn look(deed: &mut Deed<'_, '_>, id: &str, look: &TagLook) -> Result<(), Fault> {
    let mut entry = known(deed, id)?;
    dress(deed, &mut entry, look)?;
    on_every_account(deed, id, Some(&entry.tag))
}

/// `DELETE /tags/{tagId}`: no account bears it any more.
async fn delete(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let (id, administers) = (visit.params.get("tagId").to_owned(), administers(visit));
    let by = visit.guest.user;
    let work = move |deed: &mut Deed<'_, '_>| {
        if mine(deed, &id, administers)?.tag.is_protected {
            deed.ask(Ask::TagDelete { tag: id.clone() }, Some(by))?;
        } else {
            remove(deed, &id)?;
        }
        Ok(Reply::empty(204))
    };
    visit.hall.effect(visit.call, work).await
}

/// A tag is no more.
pub(crate) fn remove(deed: &mut Deed<'_, '_>, id: &str) -> Result<(), Fault> {
    known(deed, id)?;
    deed.discard::<Entry>(id)?;
    on_every_account(deed, id, None)
}

fn no_request() -> ApiError {
    ApiError::typed(404, "NOT_FOUND", "Approval request not found")
}

fn of_tags(request: Option<Request>) -> Result<Request, ApiError> {
    let request = request.filter(|request| request.ask.is_of_tags());
    request.ok_or_else(no_request)
}

/// `GET /tags/approval_requests/{id}`.
async fn request(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id: i64 = visit.param("id", no_request)?;
    let request = of_tags(visit.hall.request(id).await?)?;
    Ok(Reply::json(200, &told(&request)))
}

/// `POST /tags/approval_requests/{id}/cancel`.
async fn cancel(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id: i64 = visit.param("id", no_request)?;
    let (administers, by) = (administers(visit), visit.guest.user);
    let work = move |deed: &mut Deed<'_, '_>| {
        let request = of_tags(deed.request(id)?)?;
        if !administers {
            return Err(ApiError::from(TokenError::Role).into());
        }
        deed.take_back(request.id, By::User(by))?;
        Ok(Reply::empty(202))
    };
    visit.hall.effect(visit.call, work).await
}

fn on_every_account(deed: &mut Deed<'_, '_>, id: &str, now: Option<&Tag>) -> Result<(), Fault> {
    for mut account in deed.batch.accounts(deed.writing)? {
        let Some(at) = account.tags.iter().position(|tag| tag.id == id) else {
            continue;
        };
        match now {
            Some(tag) => account.tags[at] = tag.clone(),
            None => drop(account.tags.remove(at)),
        }
        deed.apply(Change::Account(account))?;
    }
    Ok(())
}
