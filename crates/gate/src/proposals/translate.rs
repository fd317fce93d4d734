//! Upstream's transactions under the ids that they have here.

use std::collections::HashMap;
use std::mem::replace;

use ledger::change::Origin;
use parking_lot::RwLock;
use protocol::ids::{TxId, UserId};
use protocol::model::transaction::{Transaction, TransactionStatus};
use protocol::time::Millis;
use sync::Translate;

use super::{EXTERNAL_PREFIX, Proposal};
use crate::connections::Connection;

/// What a proposal keeps when it is upstream.
#[derive(Clone, Debug)]
struct Own {
    connection: String,
    created_at: Millis,
    external_tx_id: Option<String>,
}

/// Every proposal that may be upstream, and who the connections are here.
#[derive(Debug, Default)]
pub(crate) struct Translations {
    proposals: RwLock<HashMap<TxId, Own>>,
    /// The API key that each connection calls with: here it is who made what the gate's Editor sent.
    keys: RwLock<HashMap<String, UserId>>,
}

impl Translations {
    /// Knows a proposal from now on. Before it is sent: its first event may overtake the answer.
    pub(crate) fn know(&self, proposal: &Proposal) {
        let own = Own {
            connection: proposal.connection.clone(),
            created_at: proposal.created_at,
            external_tx_id: proposal.transfer.external_tx_id.clone(),
        };
        self.proposals.write().insert(proposal.id, own);
    }

    /// Knows who these connections are from now on. A connection's API key never becomes another.
    pub(crate) fn call(&self, connections: &[Connection]) {
        let keys = connections
            .iter()
            .map(|one| (one.name.clone(), one.api_key));
        self.keys.write().extend(keys);
    }
}

impl Translate for Translations {
    fn transaction(&self, mut transaction: Transaction) -> (Transaction, Origin) {
        let external = transaction.external_tx_id.as_deref();
        let id = external
            .and_then(|id| id.strip_prefix(EXTERNAL_PREFIX))
            .and_then(|id| id.parse::<TxId>().ok());
        let Some((id, own)) =
            id.and_then(|id| Some((id, self.proposals.read().get(&id).cloned()?)))
        else {
            return (transaction, Origin::default());
        };
        let key = self.keys.read().get(&own.connection).copied();
        let created_by = key.map(|key| replace(&mut transaction.created_by, key.to_string()));
        let origin = Origin {
            upstream_id: Some(transaction.id),
            proposer: Some(own.connection),
            created_by,
        };
        transaction.id = id;
        transaction.created_at = own.created_at;
        transaction.external_tx_id = own.external_tx_id;
        // It was shown as waiting for approval before it went up: its status never goes back.
        if transaction.status < TransactionStatus::PendingAuthorization {
            transaction.status = TransactionStatus::PendingAuthorization;
        }
        (transaction, origin)
    }
}
