//! Where a transaction's public id is not its upstream one.

use ledger::change::Origin;
use protocol::model::transaction::Transaction;

/// What an upstream's transaction is in our books. A gate gives its own proposals their own ids.
pub trait Translate: Send + Sync + 'static {
    /// The transaction as the books are to hold it, and what they are to know beside it.
    fn transaction(&self, transaction: Transaction) -> (Transaction, Origin);
}

/// Every transaction is what it is upstream.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsItIs;

impl Translate for AsItIs {
    fn transaction(&self, transaction: Transaction) -> (Transaction, Origin) {
        (transaction, Origin::default())
    }
}
