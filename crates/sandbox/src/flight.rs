//! A transaction under way: which act leads to which status, and what it moves. Pure.

mod afterwards;
mod due;
mod judged;
mod moves;

use protocol::amount::Amount;
use protocol::ids::{AssetId, TxId};
use protocol::model::transaction::{AuthorizationInfo, BlockInfo, Transaction, TransactionStatus};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::holdings::stake::Errand;
use crate::operations::Message;
use crate::policy::Verdict;
use crate::utxo::{Choice, Outpoint};

pub(crate) use afterwards::{Changed, frozen, undone};
pub(crate) use due::{PACE, UnderWay, due, occupies};
use judged::{answer, judged};
pub(crate) use moves::{Credit, Effect, Move, Pot, inflow, outflow, parts};

/// Blocks that make a transaction final.
pub(crate) const CONFIRMATIONS: u32 = 3;
/// How long approvers and signers have.
pub(crate) const PATIENCE: i64 = 2 * Millis::HOUR;

/// What is known of a transaction under way beside what it shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flight {
    pub(crate) fee: Amount,
    pub(crate) fee_asset: AssetId,
    /// Whether the initiator holds a key share.
    pub(crate) initiator_signs: bool,
    /// Who may sign, one of them, once the policy has said so.
    #[serde(default, alias = "signer", deserialize_with = "one_or_many")]
    pub(crate) signers: Vec<String>,
    /// What is shown once it is on the chain.
    pub(crate) source_address: String,
    pub(crate) destination_address: String,
    pub(crate) destination_tag: String,
    /// In which lane it waits for its turn: its source and the chain's standard.
    #[serde(default)]
    pub(crate) lane: Option<String>,
    /// What is paid for each unit of the chain's work, in the fee asset's smallest unit.
    #[serde(default)]
    pub(crate) price: Amount,
    /// What it does to the books.
    #[serde(default)]
    pub(crate) effect: Effect,
    /// How long approvers and signers have, where it is not the usual.
    #[serde(default)]
    pub(crate) patience: Option<i64>,
    /// Blocks that make it final, where they are not the usual.
    #[serde(default)]
    pub(crate) threshold: Option<u32>,
    /// Why it never gets through, in the contract's words.
    #[serde(default)]
    pub(crate) doom: Option<String>,
    /// Which coins it may spend, and those it does once its turn has come.
    #[serde(default)]
    pub(crate) coins: Choice,
    #[serde(default)]
    pub(crate) inputs: Vec<Outpoint>,
    /// What is signed where no chain is told.
    #[serde(default)]
    pub(crate) messages: Vec<Message>,
    /// Whether somebody else than the vault sends it: an exchange, a bank.
    #[serde(default)]
    pub(crate) third_party: bool,
    /// The transaction whose place on the chain it takes.
    #[serde(default)]
    pub(crate) replaces: Option<TxId>,
    /// The one that takes its place.
    #[serde(default)]
    pub(crate) replaced_by: Option<TxId>,
    /// What it asks of a stake.
    #[serde(default)]
    pub(crate) errand: Option<Errand>,
}

impl Flight {
    /// One that costs so much, and of which nothing else is known.
    pub(crate) fn costing(fee: Amount, fee_asset: AssetId) -> Self {
        Self {
            fee,
            fee_asset,
            initiator_signs: false,
            signers: Vec::new(),
            source_address: String::new(),
            destination_address: String::new(),
            destination_tag: String::new(),
            lane: None,
            price: Amount::zero(),
            effect: Effect::Moves,
            patience: None,
            threshold: None,
            doom: None,
            coins: Choice::default(),
            inputs: Vec::new(),
            messages: Vec::new(),
            third_party: false,
            replaces: None,
            replaced_by: None,
            errand: None,
        }
    }

    /// How long approvers and signers have.
    pub(crate) fn patience(&self) -> i64 {
        self.patience.unwrap_or(PATIENCE)
    }
}

/// Older releases knew one signer, or none.
fn one_or_many<'de, D: serde::Deserializer<'de>>(kept: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Kept {
        Many(Vec<String>),
        One(Option<String>),
    }
    Ok(match Kept::deserialize(kept)? {
        Kept::Many(signers) => signers,
        Kept::One(signer) => signer.into_iter().collect(),
    })
}

/// Something done to a transaction.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// The policy is asked.
    Judge(Verdict),
    /// A service looks where it comes from and goes.
    Screen,
    /// That service does not let it through.
    ScreenedOut,
    /// That service lets in what came from outside.
    LetIn,
    /// A service says more of it.
    Enrich,
    /// An approver says yes.
    Approve(String),
    /// An approver or the signer says no.
    Reject(String),
    /// Its turn has come.
    Turn,
    /// The third party that sends it has taken it up, under a number of its own.
    Process { hash: String, reference: String },
    /// The third party looks at it first.
    Hold,
    /// The third party does not send it.
    Decline,
    /// Whoever was to sign it is no user any more.
    Orphan { user: String },
    /// The signer signs.
    Sign { user: String, signed: Signed },
    /// The chain takes it in.
    Include { block: BlockInfo },
    /// One more block.
    Confirm,
    /// Its initiator wants it no more.
    Cancel,
    /// The cancellation is through.
    Cancelled,
    /// Nobody approved or signed in time.
    Expire,
    /// It fails, in the contract's words for why.
    Fail { sub_status: String },
    /// So many blocks make it final.
    Threshold(u32),
}

/// How a transaction can fail that a fault befalls, in the contract's words.
pub(crate) const FAILURES: [&str; 22] = [
    "ACTUAL_AMOUNT_TOO_LOW",
    "ADDRESS_NOT_WHITELISTED",
    "AMOUNT_TOO_SMALL",
    "AUTHORIZATION_FAILED",
    "DOUBLE_SPENDING",
    "DROPPED_BY_BLOCKCHAIN",
    "INCOMPLETE_USER_SETUP",
    "INSUFFICIENT_FUNDS",
    "INSUFFICIENT_FUNDS_FOR_FEE",
    "INTERNAL_ERROR",
    "INVALID_ADDRESS",
    "INVALID_SIGNATURE",
    "MAX_FEE_EXCEEDED",
    "NETWORK_ROUTING_MISMATCH",
    "REJECTED_BY_BLOCKCHAIN",
    "SIGNING_ERROR",
    "SMART_CONTRACT_EXECUTION_FAILED",
    "TIMEOUT",
    "TOO_MANY_INPUTS",
    "UNAUTHORISED_DEVICE",
    "UNAUTHORISED_USER",
    "UNKNOWN_ERROR",
];

/// What a signature leads to.
#[derive(Clone, Debug)]
pub(crate) enum Signed {
    /// A transaction of this hash, and the account's counter where the chain has one.
    Sent { hash: String, nonce: Option<String> },
    /// Messages with their signatures.
    Messages(Vec<Value>),
}

/// What an act comes to.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) transaction: Transaction,
    pub(crate) flight: Flight,
    pub(crate) moves: Vec<Move>,
    /// What has arrived at wallets of the client's own outside the vault.
    pub(crate) credits: Vec<Credit>,
    /// Whether somebody's approval is what changed.
    pub(crate) approval: bool,
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
        credits: Vec::new(),
        approval: false,
    };
    let status = transaction.status;
    let t = &mut step.transaction;
    t.last_updated = at;
    match act {
        Act::Screen if status == S::Submitted => t.status = S::PendingAmlScreening,
        Act::ScreenedOut if status == S::PendingAmlScreening => {
            let held = inflow(flight.effect, t, Pot::Pending, Pot::Frozen);
            if t.block_info.is_some() {
                step.moves.extend(held);
            }
            end(&mut step, S::Rejected, "REJECTED_AML_SCREENING");
        }
        Act::LetIn if status == S::PendingAmlScreening && t.block_info.is_some() => {
            t.status = S::Confirming;
            t.sub_status = "PENDING_BLOCKCHAIN_CONFIRMATIONS".to_owned();
        }
        Act::Enrich if matches!(status, S::Submitted | S::PendingAmlScreening) => {
            t.status = S::PendingEnrichment;
        }
        Act::Judge(verdict)
            if matches!(
                status,
                S::Submitted | S::PendingAmlScreening | S::PendingEnrichment
            ) =>
        {
            judged(&mut step, verdict);
        }
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
                S::PendingSignature => flight.signers.contains(&user),
                _ => false,
            };
            if !named {
                return Err(Unfit);
            }
            t.rejected_by = user;
            step.approval = status == S::PendingAuthorization;
            end(&mut step, S::Cancelled, "REJECTED_BY_USER");
        }
        Act::Turn if status == S::Queued => match flight.doom.as_deref() {
            Some(doom) if !on_chain(doom) => end(&mut step, S::Failed, doom),
            _ if flight.third_party => {
                t.status = S::Pending3rdParty;
                t.sub_status = "3RD_PARTY_PROCESSING".to_owned();
            }
            _ => t.status = S::PendingSignature,
        },
        Act::Hold if status == S::Pending3rdParty => {
            t.status = S::Pending3rdPartyManualApproval;
            t.sub_status = "PENDING_3RD_PARTY_MANUAL_APPROVAL".to_owned();
        }
        Act::Decline if with_third_party(status) => {
            end(&mut step, S::Cancelled, "3RD_PARTY_REJECTED");
        }
        Act::Orphan { user } if signs_to_come(status) => {
            step.flight.signers.retain(|signer| *signer != user);
            step.flight.initiator_signs &= t.created_by != user;
            let nobody = step.flight.signers.is_empty() && status == S::PendingSignature;
            if nobody && !flight.signers.is_empty() {
                end(&mut step, S::Failed, "UNAUTHORISED_USER");
            }
        }
        Act::Process { hash, reference } if with_third_party(status) => {
            t.status = S::Broadcasting;
            t.sub_status = String::new();
            t.tx_hash = hash;
            t.exchange_tx_id = reference;
        }
        Act::Sign { user, signed }
            if status == S::PendingSignature && flight.signers.contains(&user) =>
        {
            t.signed_by = vec![user];
            match signed {
                Signed::Sent { hash, nonce } => {
                    t.status = S::Broadcasting;
                    t.tx_hash = hash;
                    t.nonce = nonce;
                }
                Signed::Messages(messages) => {
                    t.status = S::Completed;
                    t.signed_messages = messages;
                }
            }
        }
        Act::Include { block } if status == S::Broadcasting => {
            t.block_info = Some(block);
            t.num_of_confirmations = 1;
            t.source_address.clone_from(&flight.source_address);
            t.destination_address
                .clone_from(&flight.destination_address);
            t.destination_tag.clone_from(&flight.destination_tag);
            t.fee_info.network_fee = Some(flight.fee.clone());
            match flight.doom.as_deref().filter(|doom| on_chain(doom)) {
                Some(doom) => fail_on_chain(&mut step, doom),
                None => {
                    t.status = S::Confirming;
                    t.sub_status = "PENDING_BLOCKCHAIN_CONFIRMATIONS".to_owned();
                    let arrives = inflow(flight.effect, t, Pot::Outside, Pot::Pending);
                    step.moves.extend(arrives);
                    confirmed(&mut step);
                }
            }
        }
        Act::Confirm if status == S::Confirming => {
            t.num_of_confirmations += 1;
            confirmed(&mut step);
        }
        Act::Threshold(blocks) if !status.is_final() => {
            step.flight.threshold = Some(blocks);
            if status == S::Confirming {
                confirmed(&mut step);
            }
        }
        Act::Fail { sub_status } if status == S::Broadcasting && on_chain(&sub_status) => {
            t.fee_info.network_fee = Some(flight.fee.clone());
            fail_on_chain(&mut step, &sub_status);
        }
        Act::Fail { sub_status } if !status.is_final() && !on_chain(&sub_status) => {
            if is_on_its_way_in(t) {
                let back = inflow(flight.effect, t, Pot::Pending, Pot::Outside);
                step.moves.extend(back);
                t.fee_info.network_fee = None;
            }
            end(&mut step, S::Failed, &sub_status);
        }
        Act::Cancel if cancellable(status) && t.block_info.is_none() => t.status = S::Cancelling,
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

/// Enough blocks make it final.
fn confirmed(step: &mut Step) {
    let (t, effect) = (&mut step.transaction, step.flight.effect);
    if t.num_of_confirmations < step.flight.threshold.unwrap_or(CONFIRMATIONS) {
        return;
    }
    t.status = TransactionStatus::Completed;
    t.sub_status = "CONFIRMED".to_owned();
    let left = outflow(&step.flight, t, Pot::Locked, Pot::Outside);
    step.moves.extend(left);
    step.moves
        .extend(inflow(effect, t, Pot::Pending, Pot::Available));
    step.moves.extend(moves::stake(effect, t));
    step.credits = moves::credits(effect, t);
}

/// Whether a failure of this kind is in a block, and costs its fee.
pub(crate) fn on_chain(sub_status: &str) -> bool {
    sub_status == "SMART_CONTRACT_EXECUTION_FAILED"
}

/// It is in a block and did nothing: the amount comes back, the fee does not.
fn fail_on_chain(step: &mut Step, sub_status: &str) {
    step.transaction.error_description = "The chain executed it without success".to_owned();
    end(step, TransactionStatus::Failed, sub_status);
    let paid = moves::fee(
        &step.flight,
        &step.transaction,
        Pot::Available,
        Pot::Outside,
    );
    step.moves.extend(paid);
}

/// Whether the chain shows it, and its destination does not have it yet.
fn is_on_its_way_in(transaction: &Transaction) -> bool {
    use TransactionStatus as S;
    let screened = transaction.status == S::PendingAmlScreening;
    transaction.status == S::Confirming || (screened && transaction.block_info.is_some())
}

/// Whether a third party is about to send it.
const fn with_third_party(status: TransactionStatus) -> bool {
    use TransactionStatus as S;
    matches!(
        status,
        S::Pending3rdParty | S::Pending3rdPartyManualApproval
    )
}

/// Whether somebody may still have to sign it.
const fn signs_to_come(status: TransactionStatus) -> bool {
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

/// Whether its initiator may still call it back.
pub(crate) const fn cancellable(status: TransactionStatus) -> bool {
    signs_to_come(status)
}

/// It fails before it was on the chain.
pub(crate) fn fail(step: &mut Step, sub_status: &str) {
    end(step, TransactionStatus::Failed, sub_status);
}

/// Ends it before it was on the chain: what was held is free again.
fn end(step: &mut Step, status: TransactionStatus, sub_status: &str) {
    step.transaction.status = status;
    sub_status.clone_into(&mut step.transaction.sub_status);
    let free = outflow(&step.flight, &step.transaction, Pot::Locked, Pot::Available);
    step.moves.extend(free);
}

#[cfg(test)]
mod tests;
