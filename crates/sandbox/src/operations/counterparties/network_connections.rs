//! Connections to peers of the network: both sides must want one. By itself both say yes at once.

use std::collections::HashMap;
use std::sync::Arc;

use ledger::Fault;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use protocol::model::event::EventType;
use serde::Deserialize;
use serde_json::{Value, json};

use super::network_ids::{Routing, check_routes, names, own};
use crate::audit::By;
use crate::deed::Deed;
use crate::hall::Hall;
use crate::holdings::network::{
    ASSET_GROUPS, Act, Connection, NetworkId, RoutingPolicy, Status, Whose, step, third_party,
    usual_for_connection,
};
use crate::operations::{Visit, area};
use crate::quorum::Ask;

area! { visit;
    "getNetworkConnections" => list(visit).await,
    "getNetwork" => one(visit).await,
    "createNetworkConnection" => create(visit).await,
    "deleteNetworkConnection" => delete(visit).await,
    "setRoutingPolicy" => route(visit).await,
    "checkThirdPartyRouting" => routing(visit).await,
}

fn not_found() -> ApiError {
    ApiError::uncoded(404, "Network connection not found")
}

/// As the API shows it, in both its generations.
fn shown(connection: &Connection, names: &HashMap<String, String>) -> Value {
    let name = |id: &String| names.get(id).cloned().unwrap_or_default();
    let (local, remote) = (&connection.local, &connection.remote);
    json!({
        "id": connection.id,
        "status": connection.status,
        "localNetworkId": {"id": local, "name": name(local)},
        "remoteNetworkId": {"id": remote, "name": name(remote)},
        "localChannel": {"networkId": local, "name": name(local)},
        "remoteChannel": {"networkId": remote, "name": name(remote)},
        "routingPolicy": connection.routing_policy,
    })
}

/// `GET /network_connections`.
async fn list(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let names = names(visit.hall.all_kept().await?);
    let all = visit.hall.all_kept::<Connection>().await?;
    let shown: Vec<_> = all.iter().map(|one| shown(one, &names)).collect();
    Ok(Reply::json(200, &shown))
}

async fn found(visit: &Visit<'_>) -> Result<Connection, ApiError> {
    let id = visit.params.get("connectionId");
    let found = visit.hall.kept::<Connection>(id).await?;
    found.ok_or_else(not_found)
}

/// `GET /network_connections/{connectionId}`.
async fn one(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let names = names(visit.hall.all_kept().await?);
    Ok(Reply::json(200, &shown(&found(visit).await?, &names)))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct New {
    local_network_id: String,
    remote_network_id: String,
    #[serde(default)]
    routing_policy: RoutingPolicy,
}

/// `POST /network_connections`.
async fn create(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let new: New = visit.body()?;
    let by = visit.guest.user;
    let work = move |deed: &mut Deed<'_, '_>| {
        let local = own(deed, &new.local_network_id)?;
        let remote = deed.kept::<NetworkId>(&new.remote_network_id)?;
        let remote = remote.ok_or_else(super::network_ids::not_found)?;
        if remote.whose == Whose::Own {
            let must = "the id of a peer's network ID";
            return Err(ApiError::invalid("remoteNetworkId", must).into());
        }
        check_routes(deed, &new.routing_policy)?;
        let same = |other: &Connection| {
            other.status.is_live() && other.local == local.id && other.remote == remote.id
        };
        if deed.all_kept::<Connection>()?.iter().any(same) {
            let why = "The network IDs are connected, or about to be";
            return Err(ApiError::uncoded(400, why).into());
        }
        let mut policy = usual_for_connection();
        policy.extend(new.routing_policy.clone());
        let made = Connection {
            id: deed.chance.uuid().to_string(),
            local: local.id,
            remote: remote.id,
            status: Status::WaitingForApproval,
            routing_policy: policy,
        };
        deed.keep(&made)?;
        let ask = Ask::NetworkConnection {
            connection: made.id.clone(),
        };
        deed.ask(ask, Some(by))?;
        let made = deed.kept::<Connection>(&made.id)?.ok_or_else(not_found)?;
        Ok(Reply::json(201, &told(deed, &made)?))
    };
    visit.hall.effect(visit.call, work).await
}

fn told(deed: &mut Deed<'_, '_>, connection: &Connection) -> Result<Value, Fault> {
    Ok(shown(connection, &names(deed.all_kept()?)))
}

/// Does something to a connection; subscribers hear of what it comes to.
fn take(deed: &mut Deed<'_, '_>, connection: &mut Connection, act: Act) -> Result<(), Fault> {
    let unfit = || {
        ApiError::uncoded(
            400,
            "The connection is not at a point where that can be done",
        )
    };
    connection.status = step(connection.status, act).ok_or_else(unfit)?;
    deed.keep(connection)?;
    if let Some(event) = connection.status.event() {
        let told = told(deed, connection)?;
        let event = EventType::Other(event.into());
        deed.announce(event, Some(connection.id.clone()), &told)?;
    }
    Ok(())
}

/// `DELETE /network_connections/{connectionId}`: it stays listed as removed, or as cancelled where
/// it never was one.
async fn delete(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id = visit.params.get("connectionId").to_owned();
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut known = deed.kept::<Connection>(&id)?.ok_or_else(not_found)?;
        take(deed, &mut known, Act::Remove)?;
        let about =
            |ask: &Ask| matches!(ask, Ask::NetworkConnection { connection } if *connection == id);
        deed.take_back_all(about, By::Fireblocks)?;
        Ok(Reply::json(200, &json!({ "success": true })))
    };
    visit.hall.effect(visit.call, work).await
}

/// `PATCH .../set_routing_policy`: groups that it does not name stay as they are.
async fn route(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let id = visit.params.get("connectionId").to_owned();
    let Routing { routing_policy } = visit.body()?;
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut known = deed.kept::<Connection>(&id)?.ok_or_else(not_found)?;
        check_routes(deed, &routing_policy)?;
        known.routing_policy.extend(routing_policy.clone());
        deed.keep(&known)?;
        Ok(Reply::json(200, &json!({ "success": true })))
    };
    visit.hall.effect(visit.call, work).await
}

/// `GET .../is_third_party_routing/{assetType}`.
async fn routing(visit: &Visit<'_>) -> Result<Reply, ApiError> {
    let connection = found(visit).await?;
    let group = visit.params.get("assetType");
    if !ASSET_GROUPS.contains(&group) {
        return Err(ApiError::invalid("assetType", "an asset group"));
    }
    let peer = visit.hall.kept::<NetworkId>(&connection.remote).await?;
    let (third, why) = third_party(&peer.ok_or_else(not_found)?, group);
    let told = json!({"isThirdPartyRouting": third, "description": why});
    Ok(Reply::json(200, &told))
}

/// The quorum has decided on a connection that waits for it. By itself the peer says yes too.
pub(crate) fn decided(deed: &mut Deed<'_, '_>, id: &str, yes: bool) -> Result<(), Fault> {
    let mut known = deed.kept::<Connection>(id)?.ok_or_else(not_found)?;
    if !yes && known.status != Status::WaitingForApproval {
        return Ok(()); // Who asked for it wants it no more.
    }
    take(
        deed,
        &mut known,
        if yes { Act::Approve } else { Act::Reject },
    )?;
    if yes && !deed.hall.house.manual {
        take(deed, &mut known, Act::PeerApprove)?;
    }
    Ok(())
}

/// The workspace's quorum or the peer does something to a connection.
pub(crate) async fn act(hall: &Arc<Hall>, id: String, act: Act) -> Result<(), ApiError> {
    let work = move |deed: &mut Deed<'_, '_>| {
        let mut known = deed.kept::<Connection>(&id)?.ok_or_else(not_found)?;
        take(deed, &mut known, act)
    };
    Ok(hall.deed(work).await?)
}
