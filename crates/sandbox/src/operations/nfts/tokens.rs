//! NFTs: which the workspace's accounts own.

use std::collections::BTreeMap;

use protocol::error::ApiError;
use protocol::exchange::{Query, Reply};
use serde_json::{Value, json};

use crate::holdings::nft::{Collection, Ownership, Status, Token};
use crate::operations::paging::{First, page, words};
use crate::operations::{Visit, area};

area! { visit;
    "getOwnershipTokens" => owned(visit).await,
    "listOwnedTokens" => tokens(visit).await,
    "listOwnedCollections" => collections(visit).await,
    "getNFTs" => named(visit).await,
    "getNFT" => one(visit).await,
}

/// Most ids of a list.
pub(super) const MAX_IDS: usize = 100;
/// Rows of a page where the query does not say.
const PAGE: usize = 100;

pub(super) fn not_found() -> ApiError {
    ApiError::uncoded(404, "NFT not found")
}

/// What everybody may know of a token.
fn shown(token: &Token) -> Value {
    let collection = &token.collection;
    let uri = format!(
        "https://metadata.nft.example/{}/{}",
        collection.contract, token.number
    );
    let mut shown = json!({
        "id": token.id,
        "tokenId": token.number.to_string(),
        "standard": collection.standard,
        "blockchainDescriptor": collection.blockchain,
        "metadataURI": uri,
        "collection": {
            "id": collection.id,
            "name": collection.name,
            "symbol": collection.symbol,
        },
        "spam": { "result": token.spam },
        "media": [],
    });
    if token.read {
        shown["name"] = token.name.clone().into();
        shown["description"] = format!("One of {}", collection.name).into();
        shown["cachedMetadataURI"] = uri.replace("metadata.", "cache.").into();
        let url = uri.replace("metadata.", "media.") + ".png";
        shown["media"] = json!([{"url": url, "contentType": "IMAGE"}]);
    }
    shown
}

fn shown_of(token: &Token, owner: &Ownership) -> Value {
    let mut shown = shown(token);
    let (spam, source) = token.spam_of(owner);
    shown["spam"] = json!({"result": spam, "source": source});
    shown["balance"] = owner.balance.to_string().into();
    shown["vaultAccountId"] = owner.account.to_string().into();
    shown["ownershipStartTime"] = owner.since.0.into();
    shown["ownershipLastUpdateTime"] = owner.updated.0.into();
    shown["status"] = json!(owner.status);
    shown
}

/// The values of a list that are told with commas between them.
fn listed(query: &Query, name: &'static str) -> Result<Vec<String>, ApiError> {
    let texts = query.many(name).flat_map(|text| text.split(','));
    let ids: Vec<_> = texts.map(|text| text.trim().to_owned()).collect();
    if ids.len() > MAX_IDS {
        return Err(ApiError::invalid(
            name,
            format_args!("at most {MAX_IDS} of them"),
        ));
    }
    Ok(ids)
}

/// Which ownerships a query asks for.
struct Asked {
    status: Option<Status>,
    spam: Option<bool>,
    /// End users' wallets are asked for: there are none.
    nobodys: bool,
    search: Option<String>,
}

impl Asked {
    fn read(query: &Query) -> Result<Self, ApiError> {
        Ok(Self {
            status: words(query, "status")?.into_iter().next(),
            spam: match query.one("spam") {
                Some("true") => Some(true),
                Some("false") => Some(false),
                _ => None,
            },
            nobodys: query.one("ncwId").is_some()
                || query.one("walletType") == Some("END_USER_WALLET"),
            search: query.one("search").map(str::to_lowercase),
        })
    }

    fn takes(&self, token: &Token, owner: &Ownership) -> bool {
        !self.nobodys
            && self.status.is_none_or(|status| owner.status == status)
            && self.spam.is_none_or(|spam| token.spam_of(owner).0 == spam)
    }

    /// Whether one of the texts holds what is searched for.
    fn finds(&self, texts: &[&str]) -> bool {
        let Some(search) = &self.search else {
            return true;
        };
        texts
            .iter()
            .any(|text| text.to_lowercase().contains(search))
    }
}

/// A token's name, where it is known.
fn name(token: &Token) -> &str {
    if token.read { &token.name } else { "" }
}

/// What a row is ordered by, as the query says, as one text.
fn order(query: &Query, token: &Token, owner: Option<&Ownership>) -> String {
    let word = |field: &str| match field {
        "name" => name(token).to_owned(),
        "collection.name" => token.collection.name.clone(),
        "blockchainDescriptor" => token.collection.blockchain.clone(),
        _ => format!("{:020}", owner.map_or(0, |owner| owner.updated.0)),
    };
    let words: Vec<_> = query.many("sort").map(word).collect();
    words.join("\u{0}")
}

/// A page of rows, each with what it is ordered by and its id.
fn paged(query: &Query, rows: Vec<(String, String, Value)>) -> Result<Reply, ApiError> {
    let key = |(order, id, _): &(String, String, Value)| (0, order.clone(), id.clone());
    let page = page(query, rows, PAGE, First::Oldest, key)?;
    // The official client wants a text also where there is no more.
    let next = page.next.unwrap_or_default();
    let data: Vec<_> = page.data.into_iter().map(|(_, _, row)| row).collect();
    Ok(Reply::json(
        200,
        &json!({"paging": { "next": next }, "data": data}),
    ))
}

/// `GET /nfts/ownership/tokens`: a row for each token and account.
async fn owned(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let query = &visit.call.query;
    let asked = Asked::read(query)?;
    let accounts = listed(query, "vaultAccountIds")?;
    let (ids, collections) = (listed(query, "ids")?, listed(query, "collectionIds")?);
    let within = |list: &[String], id: &str| list.is_empty() || list.iter().any(|one| one == id);
    let mut rows = Vec::new();
    for token in visit.hall.all_kept::<Token>().await? {
        let collection = &token.collection;
        let number = token.number.to_string();
        let texts = [
            name(&token),
            &number,
            &collection.name,
            &collection.blockchain,
        ];
        let chain = query.one("blockchainDescriptor");
        if !within(&ids, &token.id)
            || !within(&collections, &collection.id)
            || chain.is_some_and(|chain| chain != collection.blockchain)
            || !asked.finds(&texts)
        {
            continue;
        }
        for owner in token.owners().filter(|owner| asked.takes(&token, owner)) {
            let account = owner.account.to_string();
            if within(&accounts, &account) {
                let id = format!("{} {account}", token.id);
                rows.push((
                    order(query, &token, Some(owner)),
                    id,
                    shown_of(&token, owner),
                ));
            }
        }
    }
    paged(query, rows)
}

/// Tokens of which somebody owns what the query asks for.
async fn asked_for(visit: &Visit<'_>, asked: &Asked) -> Result<Vec<Token>, ApiError> {
    let mut all = visit.hall.all_kept::<Token>().await?;
    all.retain(|token| token.owners().any(|owner| asked.takes(token, owner)));
    Ok(all)
}

/// `GET /nfts/ownership/assets`: each token once.
async fn tokens(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let query = &visit.call.query;
    let asked = Asked::read(query)?;
    let mut all = asked_for(visit, &asked).await?;
    all.retain(|token| asked.finds(&[name(token)]));
    let row = |token: Token| (order(query, &token, None), token.id.clone(), shown(&token));
    paged(query, all.into_iter().map(row).collect())
}

/// `GET /nfts/ownership/collections`: each collection once.
async fn collections(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let query = &visit.call.query;
    let asked = Asked::read(query)?;
    let all = asked_for(visit, &asked).await?;
    let mut found: BTreeMap<String, Collection> = BTreeMap::new();
    for token in all {
        let collection = token.collection;
        if asked.finds(&[&collection.name, &collection.contract]) {
            found.insert(collection.id.clone(), collection);
        }
    }
    let by_name = query.one("sort").is_some();
    let row = |(id, collection): (String, Collection)| {
        let shown = json!({
            "id": id,
            "name": collection.name,
            "symbol": collection.symbol,
            "standard": collection.standard,
            "blockchainDescriptor": collection.blockchain,
            "contractAddress": collection.contract,
        });
        let order = if by_name {
            collection.name
        } else {
            String::new()
        };
        (order, id, shown)
    };
    paged(query, found.into_iter().map(row).collect())
}

/// `GET /nfts/tokens`: those of the ids, whoever owns them.
async fn named(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let query = &visit.call.query;
    let ids = listed(query, "ids")?;
    let mut all = visit.hall.all_kept::<Token>().await?;
    all.retain(|token| ids.contains(&token.id));
    let row = |token: Token| (order(query, &token, None), token.id.clone(), shown(&token));
    paged(query, all.into_iter().map(row).collect())
}

/// `GET /nfts/tokens/{id}`.
async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let found = visit.hall.kept::<Token>(visit.params.get("id")).await?;
    Ok(Reply::json(200, &shown(&found.ok_or_else(not_found)?)))
}
