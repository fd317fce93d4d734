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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_one_lane_take_turns_in_their_order() {
        use TransactionStatus as S;
        let one = |number: u128, status: S, lane: Option<&str>| UnderWay {
            id: TxId(uuid::Uuid::from_u128(number)),
            since: Millis(i64::try_from(number).expect("small")),
            status: Some(status),
            lane: lane.map(str::to_owned),
            expires: None,
        };
        let due = |all: &[UnderWay], manual| -> Vec<u128> {
            let due = due(all, Millis(1_000), manual);
            due.into_iter().map(|id| id.0.as_u128()).collect()
        };
        let queue = [
            one(1, S::Queued, Some("0/EVM")),
            one(2, S::Queued, Some("0/EVM")),
            one(3, S::Queued, Some("1/EVM")),
            one(4, S::Queued, Some("0/BTC")),
            one(5, S::Submitted, Some("0/EVM")),
            one(950, S::Queued, Some("2/EVM")),
        ];
        assert_eq!(due(&queue, false), [1, 3, 4, 5]);
        for status in [S::PendingSignature, S::Broadcasting, S::Confirming] {
            let mut busy = queue.to_vec();
            busy.push(one(6, status, Some("0/EVM")));
            assert_eq!(due(&busy, false), [3, 4, 5, 6], "{status}");
            let at_once = [3, 4, 5, 950];
            assert_eq!(due(&busy, true), at_once, "{status}, nobody acts");
        }
        let free = [
            one(1, S::Queued, None),
            one(2, S::Confirming, None),
            one(3, S::Queued, None),
        ];
        assert_eq!(
            due(&free, false),
            [1, 2, 3],
            "what comes in keeps nobody waiting"
        );
        let late = [UnderWay {
            since: Millis(1_000 - PATIENCE),
            ..one(1, S::PendingAuthorization, None)
        }];
        assert_eq!(due(&late, true), [1], "nobody approved in time");
        let until = |expires| UnderWay {
            expires: Some(Millis(expires)),
            ..one(1, S::PendingSignature, None)
        };
        assert_eq!(due(&[until(1_000)], true), [1], "its own time is over");
        assert_eq!(due(&[until(1_001)], true), [], "its own time is not over");
    }
}
