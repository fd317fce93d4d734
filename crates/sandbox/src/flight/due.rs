//! Whose turn it is: which transactions under way something happens to by itself. Pure.

use std::collections::BTreeSet;

use protocol::ids::TxId;
use protocol::model::transaction::TransactionStatus;
use protocol::time::Millis;

use super::PATIENCE;

/// How long each stage takes when all act by themselves, in milliseconds.
pub(crate) const PACE: i64 = 100;

/// A transaction under way, as far as it matters whose turn it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnderWay {
    pub(crate) id: TxId,
    /// When it last changed.
    pub(crate) since: Millis,
    /// How far it is; nothing: an older release began it and did not write it here.
    pub(crate) status: Option<TransactionStatus>,
    /// Those of one lane are signed and sent one at a time. What comes in has none.
    pub(crate) lane: Option<String>,
    /// Until when somebody must have approved or signed.
    pub(crate) expires: Option<Millis>,
}

/// Which of them something may happen to by itself now, given all of a workspace in the order in
/// which they last changed. `manual`: people and chain wait to be told, and nothing else takes time.
pub(crate) fn due(all: &[UnderWay], now: Millis, manual: bool) -> Vec<TxId> {
    let lane = |one: &'_ UnderWay| one.lane.clone();
    let mut taken: BTreeSet<String> = all
        .iter()
        .filter(|one| one.status.is_some_and(occupies))
        .filter_map(lane)
        .collect();
    let mut is_due = |one: &UnderWay| {
        use TransactionStatus as S;
        let turn = match one.status {
            // The first that waits; the others see the lane taken.
            Some(S::Queued) => lane(one).is_none_or(|lane| taken.insert(lane)),
            Some(S::PendingAuthorization | S::PendingSignature) => {
                !manual || now >= one.expires.unwrap_or(one.since.plus(PATIENCE))
            }
            Some(S::Pending3rdPartyManualApproval) => false,
            Some(S::Pending3rdParty | S::Broadcasting | S::Confirming) => !manual,
            _ => true,
        };
        turn && now >= one.since.plus(if manual { 0 } else { PACE })
    };
    all.iter()
        .filter(|one| is_due(one))
        .map(|one| one.id)
        .collect()
}

/// Whether a transaction that is so far keeps the others of its lane waiting.
pub(crate) const fn occupies(status: TransactionStatus) -> bool {
    use TransactionStatus as S;
    matches!(
        status,
        S::PendingSignature | S::Broadcasting | S::Confirming
    )
}
