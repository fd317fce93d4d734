//! Tags, and which accounts bear them. Protected tags are for administrators alone; the quorum,
//! which says yes to whatever they ask, is not waited for.

use ledger::Change;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::VaultAccountId;
use protocol::model::vault::Tag;
use protocol::role::Role;
use protocol::token::TokenError;
use serde::Deserialize;
use serde_json::json;

use super::paging::{First, page};
use super::{Visit, area};
use crate::deed::Deed;
use crate::shelf::Kept;

area! { visit;
    "getTags" => list(visit).await,
    "createTag" => create(visit).await,
    "getTag" => one(visit).await,
    "updateTag" => update(visit).await,
    "deleteTag" => delete(visit).await,
    "attachOrDetachTagsFromVaultAccounts" => attach(visit).await,
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
/// Most tags of one account.
const MAX_TAGS: usize = 20;

impl Kept for Tag {
    const KIND: &'static str = "tag";

    fn key(&self) -> String {
        self.id.clone()
    }
}

fn not_found() -> ApiError {
    ApiError::uncoded(404, "Tag not found")
}

/// Whether the guest may change protected tags.
fn administers(visit: &Visit<'_>) -> bool {
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
    let mut tags = visit.hall.all_kept::<Tag>().await?;
    tags.retain(|tag| {
        label
            .as_ref()
            .is_none_or(|label| tag.label.to_lowercase().contains(label))
            && (ids.is_empty() || ids.contains(&tag.id.as_str()))
            && protected.is_none_or(|protected| tag.is_protected == protected)
    });
    let key = |tag: &Tag| (0, tag.label.clone(), tag.id.clone());
    Ok(Reply::json(
        200,
        &page(query, tags, PAGE, First::Oldest, key)?,
    ))
}

/// `GET /tags/{tagId}`.
async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let found = visit.hall.kept::<Tag>(visit.params.get("tagId")).await?;
    Ok(Reply::json(200, &found.ok_or_else(not_found)?))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    color: Option<String>,
    #[serde(default)]
    is_protected: bool,
}

impl Wanted {
    fn read(visit: &Visit<'_>) -> Result<Self, ApiError> {
        let wanted: Self = visit.body()?;
        let bad = |label: &String| !(2..=30).contains(&label.chars().count());
        if wanted.label.as_ref().is_some_and(bad) {
            return Err(ApiError::invalid("label", "2 to 30 characters"));
        }
        Ok(wanted)
    }

    fn apply(&self, deed: &mut Deed<'_, '_>, tag: &mut Tag) -> Result<(), ledger::Fault> {
        if let Some(label) = &self.label {
            tag.label.clone_from(label);
        }
        if self.description.is_some() {
            tag.description.clone_from(&self.description);
        }
        if self.color.is_some() {
            tag.color.clone_from(&self.color);
        }
        tag.updated_at = deed.at;
        let taken = |other: &Tag| other.label == tag.label && other.id != tag.id;
        if deed.all_kept::<Tag>()?.iter().any(taken) {
            return Err(ApiError::invalid("label", "another tag has it").into());
        }
        deed.keep(tag)?;
        Ok(())
    }
}

/// `POST /tags`.
async fn create(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted = Wanted::read(visit)?;
    if wanted.label.is_none() {
        return Err(ApiError::invalid("label", "it is required"));
    }
    if wanted.is_protected && !administers(visit) {
        return Err(TokenError::Role.into());
    }
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut tag = Tag {
            id: deed.chance.uuid().to_string(),
            label: String::new(),
            description: None,
            color: None,
            is_protected: wanted.is_protected,
            updated_at: deed.at,
        };
        wanted.apply(deed, &mut tag)?;
        Ok(Reply::json(201, &tag))
    };
    visit.hall.effect(visit.call, work).await
}

/// The tag, as who may change it finds it.
fn mine(deed: &mut Deed<'_, '_>, id: &str, administers: bool) -> Result<Tag, ledger::Fault> {
    let tag = deed.kept::<Tag>(id)?.ok_or_else(not_found)?;
    if tag.is_protected && !administers {
        return Err(ApiError::from(TokenError::Role).into());
    }
    Ok(tag)
}

/// `PATCH /tags/{tagId}`: every account that bears it shows the change.
async fn update(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted = Wanted::read(visit)?;
    let (id, administers) = (visit.params.get("tagId").to_owned(), administers(visit));
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut tag = mine(deed, &id, administers)?;
        wanted.apply(deed, &mut tag)?;
        on_every_account(deed, &id, Some(&tag))?;
        Ok(Reply::json(200, &tag))
    };
    visit.hall.effect(visit.call, work).await
}

/// `DELETE /tags/{tagId}`: no account bears it any more.
async fn delete(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let (id, administers) = (visit.params.get("tagId").to_owned(), administers(visit));
    let work = move |deed: &mut Deed<'_, '_>| {
        mine(deed, &id, administers)?;
        deed.discard::<Tag>(&id)?;
        on_every_account(deed, &id, None)?;
        Ok(Reply::empty(204))
    };
    visit.hall.effect(visit.call, work).await
}

fn on_every_account(
    deed: &mut Deed<'_, '_>,
    id: &str,
    now: Option<&Tag>,
) -> Result<(), ledger::Fault> {
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attachments {
    vault_account_ids: Vec<VaultAccountId>,
    #[serde(default)]
    tag_ids_to_attach: Vec<String>,
    #[serde(default)]
    tag_ids_to_detach: Vec<String>,
}

/// `POST /vault/accounts/attached_tags`.
async fn attach(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Attachments = visit.body()?;
    let administers = administers(visit);
    let work = move |deed: &mut Deed<'_, '_>| {
        let (mut applied, mut rejected) = (Vec::new(), Vec::new());
        let tags = |deed: &mut Deed<'_, '_>, ids: &[String]| {
            ids.iter()
                .map(|id| mine(deed, id, administers))
                .collect::<Result<Vec<_>, _>>()
        };
        let on = tags(deed, &wanted.tag_ids_to_attach)?;
        let off = tags(deed, &wanted.tag_ids_to_detach)?;
        for id in &wanted.vault_account_ids {
            let known = deed.batch.account(deed.writing, *id)?;
            let mut account = known.ok_or_else(ApiError::vault_account_not_found)?;
            for (tag, action) in on
                .iter()
                .map(|tag| (tag, "ATTACH"))
                .chain(off.iter().map(|tag| (tag, "DETACH")))
            {
                let there = account.tags.iter().position(|known| known.id == tag.id);
                let refusal = match (action, there) {
                    ("ATTACH", Some(_)) => Some("ATTACHMENT_ALREADY_EXISTS"),
                    ("ATTACH", None) if account.tags.len() >= MAX_TAGS => Some("CAPACITY_EXCEEDED"),
                    ("ATTACH", None) => {
                        account.tags.push(tag.clone());
                        None
                    }
                    (_, Some(at)) => {
                        account.tags.remove(at);
                        None
                    }
                    (_, None) => Some("ATTACHMENT_DOES_NOT_EXIST"),
                };
                let mut told = json!({"vaultAccountId": id, "tagId": tag.id, "action": action});
                match refusal {
                    None => applied.push(told),
                    Some(reason) => {
                        told["reason"] = reason.into();
                        rejected.push(told);
                    }
                }
            }
            deed.apply(Change::Account(account))?;
        }
        let told = json!({
            "appliedOperations": applied,
            "pendingOperations": [],
            "rejectedOperations": rejected,
        });
        Ok(Reply::json(200, &told))
    };
    visit.hall.effect(visit.call, work).await
}
