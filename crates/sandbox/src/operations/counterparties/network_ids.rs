//! Names in the network: the workspace's own, and those that its peers let it see.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use ledger::Fault;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::model::transaction::PeerKind;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::deed::Deed;
use crate::hall::Hall;
use crate::holdings::network::{
    ASSET_GROUPS, Connection, DstType, NetworkId, Route, RoutingPolicy, Whose, usual_for_id,
};
use crate::operations::paging::{First, page};
use crate::operations::{Visit, area};

area! { visit;
    "getNetworkIds" => list(visit).await,
    "searchNetworkIds" => search(visit).await,
    "getNetworkId" => one(visit).await,
    "createNetworkId" => create(visit).await,
    "deleteNetworkId" => delete(visit).await,
    "setNetworkIdName" => rename(visit).await,
    "setNetworkIdDiscoverability" => discoverability(visit).await,
    "setNetworkIdRoutingPolicy" => route(visit).await,
    "getRoutingPolicyAssetGroups" => Ok(Reply::json(200, &ASSET_GROUPS)),
}

/// Longest name.
const MAX_NAME: usize = 255;
/// Rows of a page where the query does not say.
const PAGE: usize = 50;

pub(super) fn not_found() -> ApiError {
    ApiError::uncoded(404, "Network ID not found")
}

/// As the API shows it: a peer's routing is the peer's.
fn shown(id: &NetworkId) -> Value {
    let mut shown = json!({
        "id": id.id,
        "name": id.name,
        "isDiscoverable": id.is_discoverable,
    });
    if id.whose == Whose::Own {
        shown["routingPolicy"] = json!(id.routing_policy);
    }
    shown
}

/// Whether the workspace sees it.
fn seen(id: &NetworkId) -> bool {
    id.whose == Whose::Own || id.is_discoverable
}

/// `GET /network_ids`.
async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let all = visit.hall.all_kept::<NetworkId>().await?;
    let shown: Vec<_> = all.iter().filter(|id| seen(id)).map(shown).collect();
    Ok(Reply::json(200, &shown))
}

/// `GET /network_ids/search`.
async fn search(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let query = &visit.call.query;
    let word = query.one("search").map(str::to_lowercase);
    let asks = |name| query.one(name) == Some("true");
    let connections = visit.hall.all_kept::<Connection>().await?;
    let connected: BTreeSet<_> = connections
        .iter()
        .filter(|connection| connection.status.is_live())
        .flat_map(|connection| [&connection.local, &connection.remote])
        .collect();
    let mut all = visit.hall.all_kept::<NetworkId>().await?;
    all.retain(|id| {
        let own = id.whose == Whose::Own;
        let told = |word: &String| id.name.to_lowercase().contains(word) || id.id == *word;
        seen(id)
            && word.as_ref().is_none_or(told)
            && !(own && asks("excludeSelf"))
            && (own || !asks("onlySelf"))
            && !(connected.contains(&id.id) && asks("excludeConnected"))
    });
    let key = |id: &NetworkId| (0, id.name.clone(), id.id.clone());
    let page = page(query, all, PAGE, First::Oldest, key)?;
    let mut answer = json!({ "data": page.data.iter().map(shown).collect::<Vec<_>>() });
    if let Some(next) = page.next {
        answer["next"] = next.into();
    }
    Ok(Reply::json(200, &answer))
}

/// `GET /network_ids/{networkId}`.
async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let found = visit.hall.kept::<NetworkId>(visit.params.get("networkId"));
    let found = found.await?.filter(seen);
    Ok(Reply::json(200, &shown(&found.ok_or_else(not_found)?)))
}

fn checked_name(name: &str) -> Result<(), ApiError> {
    let long = name.chars().count() > MAX_NAME;
    if name.trim().is_empty() || long || name.chars().any(char::is_control) {
        let must = format_args!("1 to {MAX_NAME} characters, none of them control characters");
        return Err(ApiError::invalid("name", must));
    }
    Ok(())
}

/// Whether another of the workspace's has the name.
fn is_free(deed: &mut Deed<'_, '_>, id: &str, name: &str) -> Result<(), Fault> {
    let taken =
        |other: &NetworkId| other.whose == Whose::Own && other.name == name && other.id != id;
    if deed.all_kept::<NetworkId>()?.iter().any(taken) {
        return Err(ApiError::invalid("name", "another network ID has it").into());
    }
    Ok(())
}

/// Every group is one that is known, and every account is there.
pub(super) fn check_routes(deed: &mut Deed<'_, '_>, policy: &RoutingPolicy) -> Result<(), Fault> {
    let wrong = |must: String| Fault::from(ApiError::invalid("routingPolicy", must));
    for (group, route) in policy {
        if !ASSET_GROUPS.contains(&group.as_str()) {
            return Err(wrong(format!("'{group}' is no asset group")));
        }
        let Route::Custom { dst_type, dst_id } = route else {
            continue;
        };
        let there = match dst_type {
            DstType::Vault => match dst_id.parse() {
                Ok(id) => deed.batch.account(deed.writing, id)?.is_some(),
                Err(_) => false,
            },
            DstType::Exchange => deed.outside(PeerKind::ExchangeAccount, dst_id)?.is_some(),
            DstType::FiatAccount => deed.outside(PeerKind::FiatAccount, dst_id)?.is_some(),
        };
        if !there {
            return Err(wrong(format!(
                "there is no account '{dst_id}' of that type"
            )));
        }
    }
    Ok(())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct New {
    name: String,
    #[serde(default)]
    routing_policy: RoutingPolicy,
}

/// `POST /network_ids`: nobody else sees it before it is made discoverable.
async fn create(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let new: New = visit.body()?;
    checked_name(&new.name)?;
    let work = move |deed: &mut Deed<'_, '_>| {
        check_routes(deed, &new.routing_policy)?;
        is_free(deed, "", &new.name)?;
        let mut policy = usual_for_id();
        policy.extend(new.routing_policy.clone());
        let made = NetworkId {
            id: deed.chance.uuid().to_string(),
            name: new.name.clone(),
            whose: Whose::Own,
            is_discoverable: false,
            routing_policy: policy,
        };
        deed.keep(&made)?;
        Ok(Reply::json(201, &shown(&made)))
    };
    visit.hall.effect(visit.call, work).await
}

/// One of the workspace's own.
pub(super) fn own(deed: &mut Deed<'_, '_>, id: &str) -> Result<NetworkId, Fault> {
    let found = deed.kept::<NetworkId>(id)?;
    let own = found.filter(|id| id.whose == Whose::Own);
    Ok(own.ok_or_else(not_found)?)
}

/// Changes one of the workspace's own.
async fn change(
    visit: &Visit<'_>,
    how: impl Fn(&mut Deed<'_, '_>, &mut NetworkId) -> Result<(), Fault> + Send + 'static,
) -> Result<Reply, ApiError> {
    let id = visit.params.get("networkId").to_owned();
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut own = own(deed, &id)?;
        how(deed, &mut own)?;
        deed.keep(&own)?;
        Ok(Reply::json(200, &json!({ "success": true })))
    };
    visit.hall.effect(visit.call, work).await
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

/// `PATCH .../set_name`.
async fn rename(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let Name { name } = visit.body()?;
    checked_name(&name)?;
    change(visit, move |deed, own| {
        is_free(deed, &own.id, &name)?;
        own.name.clone_from(&name);
        Ok(())
    })
    .await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Discoverability {
    is_discoverable: bool,
}

/// `PATCH .../set_discoverability`.
async fn discoverability(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let wanted: Discoverability = visit.body()?;
    change(visit, move |_, own| {
        own.is_discoverable = wanted.is_discoverable;
        Ok(())
    })
    .await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Routing {
    pub(super) routing_policy: RoutingPolicy,
}

/// `PATCH .../set_routing_policy`: groups that it does not name stay as they are.
async fn route(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let Routing { routing_policy } = visit.body()?;
    change(visit, move |deed, own| {
        check_routes(deed, &routing_policy)?;
        own.routing_policy.extend(routing_policy.clone());
        Ok(())
    })
    .await
}

/// `DELETE /network_ids/{networkId}`: not while it is connected. What it was connected to is
/// forgotten with it.
async fn delete(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id = visit.params.get("networkId").to_owned();
    let work = move |deed: &mut Deed<'_, '_>| {
        let own = own(deed, &id)?;
        let mut its = deed.all_kept::<Connection>()?;
        its.retain(|connection| connection.local == own.id);
        if its.iter().any(|connection| connection.status.is_live()) {
            return Err(ApiError::uncoded(400, "The network ID has connections").into());
        }
        for connection in its {
            deed.discard::<Connection>(&connection.id)?;
        }
        deed.discard::<NetworkId>(&own.id)?;
        Ok(Reply::json(200, &json!({ "success": true })))
    };
    visit.hall.effect(visit.call, work).await
}

/// What every network id is called.
pub(super) fn names(ids: Vec<NetworkId>) -> HashMap<String, String> {
    ids.into_iter().map(|id| (id.id, id.name)).collect()
}

/// A peer comes into the network.
pub(crate) async fn add_peer(
    hall: &Arc<Hall>,
    name: String,
    is_discoverable: bool,
) -> Result<String, ApiError> {
    checked_name(&name)?;
    let work = move |deed: &mut Deed<'_, '_>| {
        let peer = NetworkId {
            id: deed.chance.uuid().to_string(),
            name: name.clone(),
            whose: Whose::Peer,
            is_discoverable,
            routing_policy: usual_for_id(),
        };
        deed.keep(&peer)?;
        Ok(peer.id)
    };
    Ok(hall.deed(work).await?)
}
