//! Tags put on accounts and taken off them. What is done to protected ones waits for the quorum.

use ledger::{AccountFacts, Change, Fault};
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::VaultAccountId;
use protocol::model::vault::Tag;
use serde::Deserialize;
use serde_json::{Value, json};

use super::tags::{administers, known, mine};
use super::{Visit, area};
use crate::deed::Deed;
use crate::quorum::{Action, Ask, Attachment, State};

area! { visit;
    "attachOrDetachTagsFromVaultAccounts" => attach(visit).await,
}

/// Most tags of one account.
const MAX_TAGS: usize = 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    vault_account_ids: Vec<VaultAccountId>,
    #[serde(default)]
    tag_ids_to_attach: Vec<String>,
    #[serde(default)]
    tag_ids_to_detach: Vec<String>,
}

/// Does one thing to an account; or says why it cannot be done.
fn take(account: &mut AccountFacts, tag: &Tag, action: Action) -> Result<(), &'static str> {
    let there = account.tags.iter().position(|known| known.id == tag.id);
    match (action, there) {
        (Action::Attach, Some(_)) => Err("ATTACHMENT_ALREADY_EXISTS"),
        (Action::Attach, None) if account.tags.len() >= MAX_TAGS => Err("CAPACITY_EXCEEDED"),
        (Action::Attach, None) => {
            account.tags.push(tag.clone());
            Ok(())
        }
        (Action::Detach, Some(at)) => {
            account.tags.remove(at);
            Ok(())
        }
        (Action::Detach, None) => Err("ATTACHMENT_DOES_NOT_EXIST"),
    }
}

/// `POST /vault/accounts/attached_tags`.
async fn attach(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Wanted = visit.body()?;
    let both = |id: &String| wanted.tag_ids_to_detach.contains(id);
    if wanted.tag_ids_to_attach.iter().any(both) {
        return Err(ApiError::invalid(
            "tagIdsToDetach",
            "none of tagIdsToAttach",
        ));
    }
    let (administers, by) = (administers(visit), visit.guest.user);
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut todo: Vec<(Tag, Action)> = Vec::new();
        for (ids, action) in [
            (&wanted.tag_ids_to_attach, Action::Attach),
            (&wanted.tag_ids_to_detach, Action::Detach),
        ] {
            for id in ids {
                let entry = mine(deed, id, administers)?;
                if !entry.is_for_accounts() {
                    let why = "the tag is not for vault accounts";
                    return Err(ApiError::invalid("tagIdsToAttach", why).into());
                }
                todo.push((entry.tag, action));
            }
        }
        let waiting = waiting(deed)?;
        let (mut applied, mut rejected, mut asked) = (Vec::new(), Vec::new(), Vec::new());
        for id in &wanted.vault_account_ids {
            let found = deed.batch.account(deed.writing, *id)?;
            let before = found.ok_or_else(ApiError::vault_account_not_found)?;
            // What the account would be like with all of it, and what it is like at once.
            let (mut after, mut now) = (before.clone(), before.clone());
            for (tag, action) in &todo {
                let one = Attachment {
                    vault_account_id: *id,
                    tag_id: tag.id.clone(),
                    action: *action,
                };
                let same = |other: &Attachment| {
                    other.vault_account_id == one.vault_account_id && other.tag_id == one.tag_id
                };
                let taken = if waiting.iter().any(same) {
                    Err("PENDING_REQUEST_EXISTS")
                } else {
                    take(&mut after, tag, *action)
                };
                match taken {
                    Err(reason) => rejected.push(shown(&one, Some(("reason", reason.into())))),
                    Ok(()) if tag.is_protected => asked.push(one),
                    Ok(()) => {
                        // It can be done to the whole, so it can be done to a part.
                        let _ = take(&mut now, tag, *action);
                        applied.push(shown(&one, None));
                    }
                }
            }
            if now != before {
                deed.apply(Change::Account(now))?;
            }
        }
        let mut pending = Vec::new();
        if !asked.is_empty() {
            let operations = asked.clone();
            let request = deed.ask(Ask::TagAttachDetach { operations }, Some(by))?;
            if request.state == State::Pending {
                let id = Value::from(request.id.to_string());
                let show = |one| shown(one, Some(("approvalRequestId", id.clone())));
                pending.extend(asked.iter().map(show));
            } else {
                applied.extend(asked.iter().map(|one| shown(one, None)));
            }
        }
        let told = json!({
            "appliedOperations": applied,
            "pendingOperations": pending,
            "rejectedOperations": rejected,
        });
        Ok(Reply::json(200, &told))
    };
    visit.hall.effect(visit.call, work).await
}

fn shown(one: &Attachment, more: Option<(&str, Value)>) -> Value {
    let mut told = serde_json::to_value(one).unwrap_or_default();
    if let Some((name, value)) = more {
        told[name] = value;
    }
    told
}

/// The tags that new accounts are to bear from the beginning: no protected ones, which the quorum
/// would have to decide on.
pub(super) fn at_birth(deed: &mut Deed<'_, '_>, ids: &[String]) -> Result<Vec<Tag>, Fault> {
    if ids.len() > MAX_TAGS {
        let must = format_args!("at most {MAX_TAGS}");
        return Err(ApiError::invalid("tagIds", must).into());
    }
    let mut tags: Vec<Tag> = Vec::new();
    for id in ids {
        let entry = known(deed, id)?;
        if entry.tag.is_protected || !entry.is_for_accounts() {
            return Err(ApiError::invalid("tagIds", "tags of accounts, not protected").into());
        }
        if tags.iter().all(|tag| tag.id != entry.tag.id) {
            tags.push(entry.tag);
        }
    }
    Ok(tags)
}

/// What waits for the quorum.
fn waiting(deed: &mut Deed<'_, '_>) -> Result<Vec<Attachment>, Fault> {
    let requests = deed.open_requests()?.into_iter();
    let operations = requests.filter_map(|request| match request.ask {
        Ask::TagAttachDetach { operations } => Some(operations),
        _ => None,
    });
    Ok(operations.flatten().collect())
}

/// Does all of it; refused, with nothing done, where something of it has become impossible.
pub(crate) fn apply(deed: &mut Deed<'_, '_>, operations: &[Attachment]) -> Result<(), Fault> {
    let mut accounts: Vec<AccountFacts> = Vec::new();
    for one in operations {
        let tag = known(deed, &one.tag_id)?.tag;
        let at = match accounts
            .iter()
            .position(|known| known.id == one.vault_account_id)
        {
            Some(at) => at,
            None => {
                let found = deed.batch.account(deed.writing, one.vault_account_id)?;
                accounts.push(found.ok_or_else(ApiError::vault_account_not_found)?);
                accounts.len() - 1
            }
        };
        if let Some(account) = accounts.get_mut(at) {
            take(account, &tag, one.action).map_err(|reason| ApiError::uncoded(409, reason))?;
        }
    }
    for account in accounts {
        deed.apply(Change::Account(account))?;
    }
    Ok(())
}
