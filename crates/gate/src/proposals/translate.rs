//! Upstream's transactions under the ids that they have here.

use std::collections::HashMap;

use ledger::change::Origin;
use parking_lot::RwLock;
use protocol::ids::TxId;
use protocol::model::transaction::{Transaction, TransactionStatus};
use protocol::time::Millis;
use sync::Translate;

use super::{EXTERNAL_PREFIX, Proposal};

/// What a proposal keeps when it is upstream.
#[derive(Clone, Debug)]
struct Own {
    connection: String,
    created_at: Millis,
    external_tx_id: Option<String>,
}

/// Every proposal that may be upstream.
#[derive(Debug, Default)]
pub(crate) struct Translations(RwLock<HashMap<TxId, Own>>);

impl Translations {
    /// Knows a proposal from now on. Before it is sent: its first event may overtake the answer.
    pub(crate) fn know(&self, proposal: &Proposal) {
        let own = Own {
            connection: proposal.connection.clone(),
            created_at: proposal.created_at,
            external_tx_id: proposal.transfer.external_tx_id.clone(),
        };
        self.0.write().insert(proposal.id, own);
    }
}

impl Translate for Translations {
    fn transaction(&self, mut transaction: Transaction) -> (Transaction, Origin) {
        let external = transaction.external_tx_id.as_deref();
        let id = external
            .and_then(|id| id.strip_prefix(EXTERNAL_PREFIX))
            .and_then(|id| id.parse::<TxId>().ok());
        let Some((id, own)) = id.and_then(|id| Some((id, self.0.read().get(&id).cloned()?))) else {
            return (transaction, Origin::default());
        };
        let origin = Origin {
            upstream_id: Some(transaction.id),
            proposer: Some(own.connection),
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
