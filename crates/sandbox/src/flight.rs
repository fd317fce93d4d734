//! A transaction under way: which act leads to which status, and what it moves. Pure.

use std::collections::BTreeSet;

use protocol::amount::Amount;
use protocol::ids::{AssetId, TxId, VaultAccountId, WalletId};
use protocol::model::transaction::{
    AuthorizationGroup, AuthorizationInfo, BlockInfo, PeerKind, Transaction, TransactionStatus,
};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

use crate::policy::Verdict;

/// Blocks that make a transaction final.
pub(crate) const CONFIRMATIONS: u32 = 3;
/// How long approvers and signers have.
pub(crate) const PATIENCE: i64 = 2 * Millis::HOUR;

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
                !manual || now >= one.since.plus(PATIENCE)
            }
            Some(S::Broadcasting | S::Confirming) => !manual,
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
const fn occupies(status: TransactionStatus) -> bool {
    use TransactionStatus as S;
    matches!(
        status,
        S::PendingSignature | S::Broadcasting | S::Confirming
    )
}

/// What is known of a transaction under way beside what it shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flight {
    pub(crate) fee: Amount,
    pub(crate) fee_asset: AssetId,
    /// Whether the initiator holds a key share.
    pub(crate) initiator_signs: bool,
    /// Who signs, once the policy has said so.
    pub(crate) signer: Option<String>,
    /// What is shown once it is on the chain.
    pub(crate) source_address: String,
    pub(crate) destination_address: String,
    pub(crate) destination_tag: String,
    /// In which lane it waits for its turn: its source and the chain's standard.
    #[serde(default)]
    pub(crate) lane: Option<String>,
}

/// Something done to a transaction.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// The policy is asked.
    Judge(Verdict),
    /// An approver says yes.
    Approve(String),
    /// An approver or the signer says no.
    Reject(String),
    /// Its turn has come.
    Turn,
    /// The signer signs.
    Sign(String),
    /// The chain takes it in: its hash there, and the block.
    Include { hash: String, block: BlockInfo },
    /// One more block.
    Confirm,
    /// Its initiator wants it no more.
    Cancel,
    /// The cancellation is through.
    Cancelled,
    /// Nobody approved or signed in time.
    Expire,
}

/// What an act comes to.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) transaction: Transaction,
    pub(crate) flight: Flight,
    pub(crate) moves: Vec<Move>,
    /// What has arrived at a wallet of the client's own outside the vault.
    pub(crate) credit: Option<Credit>,
    /// Whether somebody's approval is what changed.
    pub(crate) approval: bool,
}

/// A change of a wallet's balances.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Move {
    pub(crate) account: VaultAccountId,
    pub(crate) asset: AssetId,
    pub(crate) amount: Amount,
    pub(crate) from: Pot,
    pub(crate) to: Pot,
}

/// What has arrived at an internal wallet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credit {
    pub(crate) wallet: WalletId,
    pub(crate) asset: AssetId,
    pub(crate) amount: Amount,
}

/// Where in a wallet an amount is. `Outside` is no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pot {
    Outside,
    Available,
    Pending,
    Locked,
}

/// The act does not fit where the transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unfit;

/// Takes a transaction one act further.
pub(crate) fn step(
    flight: &Flight,
    transaction: &Transaction,
    act: Act,
    at: Millis,
) -> Result<Step, Unfit> {
    use TransactionStatus as S;
    let mut step = Step {
        transaction: transaction.clone(),
        flight: flight.clone(),
        moves: Vec::new(),
        credit: None,
        approval: false,
    };
    let status = transaction.status;
    let t = &mut step.transaction;
    t.last_updated = at;
    match act {
        Act::Judge(verdict) if status == S::Submitted => judged(&mut step, verdict),
        Act::Approve(user) if status == S::PendingAuthorization => {
            if !answer(t, &user, "APPROVED") {
                return Err(Unfit);
            }
            if t.authorization_info
                .as_ref()
                .is_some_and(AuthorizationInfo::is_approved)
            {
                t.status = S::Queued;
            }
            step.approval = true;
        }
        Act::Reject(user) => {
            let named = match status {
                S::PendingAuthorization => answer(t, &user, "REJECTED"),
                S::PendingSignature => flight.signer.as_ref() == Some(&user),
                _ => false,
            };
            if !named {
                return Err(Unfit);
            }
            t.rejected_by = user;
            step.approval = status == S::PendingAuthorization;
            end(&mut step, S::Cancelled, "REJECTED_BY_USER");
        }
        Act::Turn if status == S::Queued => t.status = S::PendingSignature,
        Act::Sign(user)
            if status == S::PendingSignature && flight.signer.as_ref() == Some(&user) =>
        {
            t.signed_by = vec![user];
            t.status = S::Broadcasting;
        }
        Act::Include { hash, block } if status == S::Broadcasting => {
            t.status = S::Confirming;
            t.sub_status = "PENDING_BLOCKCHAIN_CONFIRMATIONS".to_owned();
            t.tx_hash = hash;
            t.block_info = Some(block);
            t.num_of_confirmations = 1;
            t.source_address.clone_from(&flight.source_address);
            t.destination_address
                .clone_from(&flight.destination_address);
            t.destination_tag.clone_from(&flight.destination_tag);
            t.fee_info.network_fee = Some(flight.fee.clone());
            step.moves.extend(inflow(t, Pot::Outside, Pot::Pending));
        }
        Act::Confirm if status == S::Confirming => {
            t.num_of_confirmations += 1;
            if t.num_of_confirmations >= CONFIRMATIONS {
                t.status = S::Completed;
                t.sub_status = "CONFIRMED".to_owned();
                step.moves
                    .extend(outflow(flight, t, Pot::Locked, Pot::Outside));
                step.moves.extend(inflow(t, Pot::Pending, Pot::Available));
                step.credit = credit(t);
            }
        }
        Act::Cancel if cancellable(status) => t.status = S::Cancelling,
        Act::Cancelled if status == S::Cancelling => {
            end(&mut step, S::Cancelled, "CANCELLED_BY_USER");
        }
        Act::Expire if matches!(status, S::PendingAuthorization | S::PendingSignature) => {
            end(&mut step, S::Failed, "TIMEOUT");
        }
        _ => return Err(Unfit),
    }
    Ok(step)
}

/// Whether its initiator may still call it back.
pub(crate) fn cancellable(status: TransactionStatus) -> bool {
    use TransactionStatus as S;
    matches!(
        status,
        S::Submitted
            | S::PendingAmlScreening
            | S::PendingEnrichment
            | S::PendingAuthorization
            | S::Queued
            | S::PendingSignature
    )
}

fn judged(step: &mut Step, verdict: Verdict) {
    use TransactionStatus as S;
    let (groups, initiator_counts, signer) = match verdict {
        Verdict::Blocked { .. } => return end(step, S::Blocked, "BLOCKED_BY_POLICY"),
        Verdict::Goes {
            groups,
            initiator_counts,
            signer,
        } => (groups, initiator_counts, signer),
    };
    let initiator = step.transaction.created_by.clone();
    let signer = signer.or_else(|| step.flight.initiator_signs.then(|| initiator.clone()));
    if signer.is_none() {
        return end(step, S::Failed, "SIGNER_NOT_FOUND");
    }
    step.flight.signer = signer;
    let asked = |user: &String| initiator_counts || *user != initiator;
    let groups: Vec<_> = groups
        .iter()
        .map(|group| AuthorizationGroup {
            th: group.th,
            users: group
                .users
                .iter()
                .filter(|user| asked(user))
                .map(|user| (user.clone(), "PENDING_AUTHORIZATION".to_owned()))
                .collect(),
        })
        .collect();
    if groups.is_empty() {
        step.transaction.status = S::Queued;
        return;
    }
    let reachable = |group: &AuthorizationGroup| {
        usize::try_from(group.th).is_ok_and(|th| group.users.len() >= th)
    };
    if !groups.iter().all(reachable) {
        return end(step, S::Failed, "AUTHORIZER_NOT_FOUND");
    }
    step.transaction.status = S::PendingAuthorization;
    step.transaction.authorization_info = Some(AuthorizationInfo {
        allow_operator_as_authorizer: initiator_counts,
        logic: "AND".to_owned(),
        groups,
    });
}

/// Writes down what an approver said; `false` if nobody waits for it.
fn answer(transaction: &mut Transaction, user: &str, word: &str) -> bool {
    let mut asked = false;
    for group in transaction
        .authorization_info
        .iter_mut()
        .flat_map(|info| &mut info.groups)
    {
        if let Some(said) = group.users.get_mut(user)
            && said == "PENDING_AUTHORIZATION"
        {
            word.clone_into(said);
            asked = true;
        }
    }
    asked
}

/// Ends it before it was on the chain: what was held is free again.
fn end(step: &mut Step, status: TransactionStatus, sub_status: &str) {
    step.transaction.status = status;
    sub_status.clone_into(&mut step.transaction.sub_status);
    let free = outflow(&step.flight, &step.transaction, Pot::Locked, Pot::Available);
    step.moves.extend(free);
}

/// What leaves the source: the amount, and the fee where it is not part of the amount.
pub(crate) fn outflow(flight: &Flight, transaction: &Transaction, from: Pot, to: Pot) -> Vec<Move> {
    let Some(account) = transaction.source.vault_account() else {
        return Vec::new();
    };
    let fee = (!transaction.treat_as_gross_amount)
        .then(|| (flight.fee_asset.clone(), flight.fee.clone()));
    let amount = transaction.amount_info.amount.clone();
    amount
        .map(|amount| (transaction.asset_id.clone(), amount))
        .into_iter()
        .chain(fee)
        .map(|(asset, amount)| Move {
            account,
            asset,
            amount,
            from,
            to,
        })
        .collect()
}

/// What arrives at the destination, if it is an internal wallet.
fn credit(transaction: &Transaction) -> Option<Credit> {
    let destination = &transaction.destination;
    let id = destination.id.as_deref();
    Some(Credit {
        wallet: id
            .filter(|_| destination.kind == PeerKind::InternalWallet)?
            .parse()
            .ok()?,
        asset: transaction.asset_id.clone(),
        amount: transaction.amount_info.net_amount.clone()?,
    })
}

/// What arrives at the destination, if it is one of the workspace's.
pub(crate) fn inflow(transaction: &Transaction, from: Pot, to: Pot) -> Option<Move> {
    Some(Move {
        account: transaction.destination.vault_account()?,
        asset: transaction.asset_id.clone(),
        amount: transaction.amount_info.net_amount.clone()?,
        from,
        to,
    })
}

#[cfg(test)]
mod tests;
