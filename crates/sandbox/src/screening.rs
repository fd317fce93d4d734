//! Screening: whether transactions wait for a service that looks where money comes from and goes,
//! and for one that says more of them, and what these services say.

use ledger::Fault;
use protocol::error::ApiError;
use protocol::ids::TxId;
use protocol::model::transaction::{Transaction, TransactionStatus};
use serde::{Deserialize, Serialize};

use crate::chain;
use crate::deed::Deed;
use crate::flight::{Act, Flight};
use crate::shelf::Kept;

/// What a workspace's services do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Screening {
    pub(crate) aml: Service,
    pub(crate) enrichment: Service,
}

/// What one of them does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Service {
    /// There is none.
    #[default]
    Off,
    /// It lets everything through.
    Pass,
    /// It refuses everything.
    Reject,
    /// It answers when it is told to.
    Wait,
}

impl Kept for Screening {
    const KIND: &'static str = "screening";

    fn key(&self) -> String {
        String::new()
    }
}

impl Deed<'_, '_> {
    /// What the workspace's services do.
    pub(crate) fn screening(&mut self) -> Result<Screening, Fault> {
        Ok(self.kept::<Screening>("")?.unwrap_or_default())
    }
}

/// What happens next by itself to one that the services come first to; nothing: they have not
/// answered.
pub(crate) fn next(
    deed: &mut Deed<'_, '_>,
    transaction: &Transaction,
    flight: &Flight,
) -> Result<Option<Act>, Fault> {
    use TransactionStatus as S;
    let screening = deed.screening()?;
    match (transaction.status, screening.aml, screening.enrichment) {
        (S::Submitted, aml, _) if aml != Service::Off => Ok(Some(Act::Screen)),
        (S::PendingAmlScreening, Service::Wait, _)
        | (S::PendingEnrichment, _, Service::Wait | Service::Reject) => Ok(None),
        (S::PendingAmlScreening, Service::Reject, _) => Ok(Some(Act::ScreenedOut)),
        _ => onward(deed, transaction, flight).map(Some),
    }
}

/// What follows where the services have let one through so far.
fn onward(
    deed: &mut Deed<'_, '_>,
    transaction: &Transaction,
    flight: &Flight,
) -> Result<Act, Fault> {
    use TransactionStatus as S;
    if came_in(transaction) {
        return Ok(Act::LetIn);
    }
    let enriched = transaction.status == S::PendingEnrichment;
    if !enriched && deed.screening()?.enrichment != Service::Off {
        return Ok(Act::Enrich);
    }
    Ok(Act::Judge(deed.judged(transaction, flight)?))
}

/// Whether the chain has it, and nobody of the workspace's has asked for it.
fn came_in(transaction: &Transaction) -> bool {
    transaction.block_info.is_some() && transaction.created_by.is_empty()
}

/// The service that a transaction waits for lets it through.
pub(crate) fn pass(deed: &mut Deed<'_, '_>, id: TxId) -> Result<(), Fault> {
    use TransactionStatus as S;
    let waits = |status| matches!(status, S::PendingAmlScreening | S::PendingEnrichment);
    match chain::under_way(deed, id)? {
        Some((transaction, flight)) if waits(transaction.status) => {
            let act = onward(deed, &transaction, &flight)?;
            chain::take(deed, id, act)
        }
        _ => Err(ApiError::uncoded(409, "The transaction waits for no service").into()),
    }
}
