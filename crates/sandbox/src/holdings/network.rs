//! The network: the workspace's own ids, those of its peers, and connections between them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::shelf::Kept;

/// The kinds of assets that routing policies are told for.
pub(crate) const ASSET_GROUPS: [&str; 2] = ["crypto", "fiat"];

/// Where what comes in is put, by group of assets.
pub(crate) type RoutingPolicy = BTreeMap<String, Route>;

/// Where what comes in of one group is put.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scheme", rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Route {
    /// As the network id of the connection says.
    Default,
    /// Nowhere: it fails.
    None,
    /// To an account.
    #[serde(rename_all = "camelCase")]
    Custom { dst_type: DstType, dst_id: String },
}

/// What kind of account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum DstType {
    FiatAccount,
    Vault,
    Exchange,
}

/// Whose network id it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Whose {
    Own,
    Peer,
}

/// A name in the network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NetworkId {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) whose: Whose,
    pub(crate) is_discoverable: bool,
    pub(crate) routing_policy: RoutingPolicy,
}

impl Kept for NetworkId {
    const KIND: &'static str = "network_id";

    fn key(&self) -> String {
        self.id.clone()
    }
}

/// How a network id routes where nobody says.
pub(crate) fn usual_for_id() -> RoutingPolicy {
    let custom = Route::Custom {
        dst_type: DstType::Vault,
        dst_id: "0".to_owned(),
    };
    BTreeMap::from([
        ("crypto".to_owned(), custom),
        ("fiat".to_owned(), Route::None),
    ])
}

/// How a connection routes where nobody says.
pub(crate) fn usual_for_connection() -> RoutingPolicy {
    ASSET_GROUPS
        .map(|group| (group.to_owned(), Route::Default))
        .into()
}

/// Two network ids that are, were or are to be connected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Connection {
    pub(crate) id: String,
    pub(crate) local: String,
    pub(crate) remote: String,
    pub(crate) status: Status,
    pub(crate) routing_policy: RoutingPolicy,
}

impl Kept for Connection {
    const KIND: &'static str = "network_connection";

    fn key(&self) -> String {
        self.id.clone()
    }
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    WaitingForApproval,
    WaitingForPeerApproval,
    Approved,
    Cancelled,
    Rejected,
    RejectedByPeer,
    Removed,
    RemovedByPeer,
}

impl Status {
    /// Whether it is, or may yet become, a connection.
    pub(crate) const fn is_live(self) -> bool {
        matches!(
            self,
            Self::WaitingForApproval | Self::WaitingForPeerApproval | Self::Approved
        )
    }

    /// The event that tells of a connection's coming to this.
    pub(crate) const fn event(self) -> Option<&'static str> {
        match self {
            Self::WaitingForPeerApproval => Some("connection.request.waiting_peer_approval"),
            Self::RejectedByPeer => Some("connection.request.rejected_by_peer"),
            Self::Approved => Some("connection.added"),
            Self::Removed | Self::RemovedByPeer => Some("connection.removed"),
            _ => None,
        }
    }
}

/// Something done to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// The workspace's quorum says yes.
    Approve,
    /// The workspace's quorum says no.
    Reject,
    /// The peer says yes.
    PeerApprove,
    /// The peer says no.
    PeerReject,
    /// The workspace wants it no more.
    Remove,
    /// The peer wants it no more.
    PeerRemove,
}

/// What an act comes to; `None`: it does not fit.
pub(crate) const fn step(status: Status, act: Act) -> Option<Status> {
    use Status as S;
    Some(match (status, act) {
        (S::WaitingForApproval, Act::Approve) => S::WaitingForPeerApproval,
        (S::WaitingForApproval, Act::Reject) => S::Rejected,
        (S::WaitingForPeerApproval, Act::PeerApprove) => S::Approved,
        (S::WaitingForPeerApproval, Act::PeerReject) => S::RejectedByPeer,
        (S::WaitingForApproval | S::WaitingForPeerApproval, Act::Remove) => S::Cancelled,
        (S::Approved, Act::Remove) => S::Removed,
        (S::Approved, Act::PeerRemove) => S::RemovedByPeer,
        _ => return None,
    })
}

/// What a sender is told of where a peer puts what it is sent: whether that is a third party's, and
/// why.
pub(crate) fn third_party(peer: &NetworkId, group: &str) -> (bool, String) {
    let name = &peer.name;
    match peer.routing_policy.get(group) {
        Some(Route::Custom {
            dst_type: DstType::Exchange | DstType::FiatAccount,
            ..
        }) => (true, format!("{name} routes {group} to a third party")),
        Some(Route::Custom { .. }) => (false, format!("{name} routes {group} to its own vault")),
        _ => (false, format!("{name} takes no {group}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_connection_wants_both_sides() {
        let walk = |acts: &[Act]| {
            let begin = Some(Status::WaitingForApproval);
            acts.iter().fold(begin, |status, act| step(status?, *act))
        };
        use Act::{Approve, PeerApprove, PeerReject, PeerRemove, Reject, Remove};
        assert_eq!(walk(&[Approve, PeerApprove]), Some(Status::Approved));
        assert_eq!(walk(&[Reject]), Some(Status::Rejected));
        assert_eq!(walk(&[Approve, PeerReject]), Some(Status::RejectedByPeer));
        assert_eq!(walk(&[Approve, Remove]), Some(Status::Cancelled));
        assert_eq!(walk(&[Approve, PeerApprove, Remove]), Some(Status::Removed));
        for unfit in [
            &[PeerApprove][..],
            &[PeerRemove],
            &[Approve, Approve],
            &[Approve, PeerRemove],
            &[Approve, PeerApprove, PeerReject],
            &[Approve, PeerApprove, Remove, Remove],
            &[Reject, Approve],
        ] {
            assert_eq!(walk(unfit), None, "{unfit:?}");
        }
    }

    #[test]
    fn routes_are_the_contracts() {
        let custom = json!({"scheme": "CUSTOM", "dstType": "FIAT_ACCOUNT", "dstId": "5"});
        for text in [
            custom,
            json!({"scheme": "NONE"}),
            json!({"scheme": "DEFAULT"}),
        ] {
            let route: Route = serde_json::from_value(text.clone()).expect("a route");
            assert_eq!(serde_json::to_value(route).expect("JSON"), text);
        }
    }
}
