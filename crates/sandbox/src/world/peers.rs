//! The network of a new workspace: its own id, its peers, and one connection.

use serde_json::Error;

use super::Network;
use super::beside::{Document, Ground};
use crate::holdings::network::{
    Connection, DstType, NetworkId, Route, RoutingPolicy, Status, Whose, usual_for_connection,
    usual_for_id,
};

/// Name, whether others see it, and whether an exchange takes what it is sent.
const PEERS: [(&str, bool, bool); 5] = [
    ("Northwind Trading", true, false),
    ("Blue Harbor OTC", true, true),
    ("Meridian Custody", true, false),
    ("Alder Street Capital", true, false),
    ("Quiet Family Office", false, false),
];

pub(super) fn seeded(ground: &mut Ground) -> Result<Vec<Document>, Error> {
    let own = NetworkId {
        id: ground.chance.uuid().to_string(),
        name: match ground.network {
            Network::Mainnet => "Example Fund".to_owned(),
            Network::Testnet => "Example Fund (testnet)".to_owned(),
        },
        whose: Whose::Own,
        is_discoverable: true,
        routing_policy: usual_for_id(),
    };
    let mut documents = vec![Document::of(&own)?];
    for (at, (name, seen, third_party)) in PEERS.into_iter().enumerate() {
        let peer = NetworkId {
            id: ground.chance.uuid().to_string(),
            name: name.to_owned(),
            whose: Whose::Peer,
            is_discoverable: seen,
            routing_policy: policy(third_party),
        };
        documents.push(Document::of(&peer)?);
        if at == 0 {
            documents.push(Document::of(&Connection {
                id: ground.chance.uuid().to_string(),
                local: own.id.clone(),
                remote: peer.id,
                status: Status::Approved,
                routing_policy: usual_for_connection(),
            })?);
        }
    }
    Ok(documents)
}

fn policy(third_party: bool) -> RoutingPolicy {
    let mut policy = usual_for_id();
    if third_party {
        let route = Route::Custom {
            dst_type: DstType::Exchange,
            dst_id: "main".to_owned(),
        };
        policy.insert("crypto".to_owned(), route);
    }
    policy
}
