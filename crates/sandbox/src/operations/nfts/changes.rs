//! NFTs changed: what people say of them, and what the chain is looked at for.

use std::sync::Arc;

use ledger::Fault;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::ids::VaultAccountId;
use protocol::model::event::EventType;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::tokens::{MAX_IDS, not_found};
use crate::deed::Deed;
use crate::hall::Hall;
use crate::holdings::nft::{Collection, Ownership, Status, Token};
use crate::operations::{Visit, area};

area! { visit;
    "refreshNFTMetadata" => refresh(visit).await,
    "updateOwnershipTokens" => look(visit).await,
    "updateTokenOwnershipStatus" => set_status(visit).await,
    "updateTokensOwnershipStatus" => set_statuses(visit).await,
    "updateTokensOwnershipSpam" => set_spam(visit).await,
}

/// `PUT /nfts/tokens/{id}`: its metadata are read (again).
async fn refresh(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id = visit.params.get("id").to_owned();
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut token = deed.kept::<Token>(&id)?.ok_or_else(not_found)?;
        token.read = true;
        deed.keep(&token)?;
        Ok(Reply::empty(202))
    };
    visit.hall.effect(visit.call, work).await
}

/// `PUT /nfts/ownership/tokens`: the chain is looked at for an account.
async fn look(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let query = &visit.call.query;
    let account = query.read("vaultAccountId", |_| ApiError::vault_account_not_found())?;
    let account: VaultAccountId = account.ok_or_else(ApiError::vault_account_not_found)?;
    let chain = query.one("blockchainDescriptor").unwrap_or_default();
    let chain = chain.to_owned();
    let work = move |deed: &mut Deed<'_, '_>| {
        if deed.batch.account(deed.writing, account)?.is_none() {
            return Err(ApiError::vault_account_not_found().into());
        }
        for mut token in deed.all_kept::<Token>()? {
            if token.collection.blockchain == chain
                && let Some(new) = token.look(account, deed.at).cloned()
            {
                deed.keep(&token)?;
                tell(deed, &token, &new)?;
            }
        }
        Ok(Reply::empty(202))
    };
    visit.hall.effect(visit.call, work).await
}

fn tell(deed: &mut Deed<'_, '_>, token: &Token, owner: &Ownership) -> Result<(), Fault> {
    let told = json!({
        "vaultAccountId": owner.account,
        "assetId": token.id,
        "tokenId": token.number.to_string(),
        "blockchainDescriptor": token.collection.blockchain,
        "balance": owner.balance.to_string(),
    });
    let event = EventType::VaultAccountNftBalanceUpdated;
    Ok(deed.announce(event, Some(token.id.clone()), &told)?)
}

/// Changes what the workspace says of some tokens, all of them or none.
async fn say<T: Clone + Send + 'static>(
    visit: &Visit<'_>,
    all: Vec<(String, T)>,
    how: fn(&mut Ownership, T),
) -> Result<Reply, ApiError> {
    let work = move |deed: &mut Deed<'_, '_>| {
        for (id, word) in &all {
            let found = deed.kept::<Token>(id)?;
            let owned = found.filter(|token| token.owners().next().is_some());
            let mut token = owned.ok_or_else(not_found)?;
            token.each_owner(deed.at, |owner| how(owner, word.clone()));
            deed.keep(&token)?;
        }
        Ok(Reply::empty(200))
    };
    visit.hall.effect(visit.call, work).await
}

#[derive(Deserialize)]
struct NewStatus {
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OneStatus {
    asset_id: String,
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OneSpam {
    asset_id: String,
    spam: bool,
}

/// `PUT /nfts/ownership/tokens/{id}/status`.
async fn set_status(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let NewStatus { status } = visit.body()?;
    let all = vec![(visit.params.get("id").to_owned(), status)];
    say(visit, all, |owner, status| owner.status = status).await
}

/// `PUT /nfts/ownership/tokens/status`.
async fn set_statuses(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let all: Vec<OneStatus> = list(visit)?;
    let all = all.into_iter().map(|one| (one.asset_id, one.status));
    say(visit, all.collect(), |owner, status| owner.status = status).await
}

/// `PUT /nfts/ownership/tokens/spam`.
async fn set_spam(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let all: Vec<OneSpam> = list(visit)?;
    let all = all.into_iter().map(|one| (one.asset_id, one.spam));
    say(visit, all.collect(), |owner, spam| owner.spam = Some(spam)).await
}

/// A body that is a list.
fn list<T: DeserializeOwned>(visit: &Visit<'_>) -> Result<Vec<T>, ApiError> {
    let all: Vec<T> = visit.body()?;
    if all.len() > MAX_IDS {
        return Err(ApiError::bad_body(format!("at most {MAX_IDS} tokens")));
    }
    Ok(all)
}

/// A new token of a collection comes to an account; the first collection where none is named.
pub(crate) async fn incoming(
    hall: &Arc<Hall>,
    account: VaultAccountId,
    collection: Option<String>,
    seen: bool,
) -> Result<String, ApiError> {
    let work = move |deed: &mut Deed<'_, '_>| {
        if deed.batch.account(deed.writing, account)?.is_none() {
            return Err(ApiError::vault_account_not_found().into());
        }
        let mut all = deed.all_kept::<Collection>()?.into_iter();
        let found = all.find(|known| collection.as_ref().is_none_or(|id| known.id == *id));
        let collection = found.ok_or_else(|| ApiError::uncoded(404, "no such collection"))?;
        let tokens = deed.all_kept::<Token>()?;
        let of_it = |token: &&Token| token.collection.id == collection.id;
        let last = tokens.iter().filter(of_it).map(|token| token.number).max();
        let number = last.unwrap_or(0) + 1;
        let owner = Ownership {
            account,
            balance: 1,
            since: deed.at,
            updated: deed.at,
            status: Status::Listed,
            spam: None,
            seen,
        };
        let token = Token {
            id: format!("NFT-{}", hex::encode(deed.chance.bytes::<20>())),
            number,
            name: format!("{} #{number}", collection.name),
            spam: tokens.iter().filter(of_it).any(|token| token.spam),
            collection,
            read: true,
            owners: vec![owner.clone()],
        };
        deed.keep(&token)?;
        if seen {
            tell(deed, &token, &owner)?;
        }
        Ok(token.id)
    };
    Ok(hall.deed(work).await?)
}
