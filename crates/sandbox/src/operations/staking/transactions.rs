//! The transactions of staking: what each costs, and what it asks of its position. What is staked
//! stays in its wallet, as `staked`.

use ledger::Fault;
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::ids::AssetId;
use protocol::model::transaction::Transaction;
use protocol::model::transaction_request::FeeLevel;
use serde::Deserialize;

use super::changes::refused;
use super::positions::asked;
use crate::deed::Deed;
use crate::flight::{Effect, Flight};
use crate::holdings::stake::{Action, Chain, Errand, Form, Position, Progress, Related, Task};
use crate::operations::Visit;
use crate::operations::transactions::{Initiator, begin, blank, vault_place};
use crate::world::{assets, units_of};

fn not_found() -> ApiError {
    ApiError::uncoded(404, "Position not found")
}

/// What every request says of its transaction.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Cost {
    #[serde(default)]
    fee: Option<Amount>,
    #[serde(default)]
    fee_level: Option<FeeLevel>,
    #[serde(default)]
    tx_note: Option<String>,
}

/// Who asks, on which chain, and what they say of the transaction.
#[derive(Clone, Debug)]
pub(super) struct Asker {
    initiator: Initiator,
    pub(super) chain: &'static Chain,
    fee: Amount,
    note: Option<String>,
}

impl Asker {
    /// `fee` is the price of gas in Gwei, or of a signature in thousands of lamports.
    pub(super) fn read(visit: &Visit<'_>, cost: Cost) -> Result<Self, ApiError> {
        let chain = asked(visit)?;
        let asset = chain
            .id
            .parse()
            .ok()
            .and_then(|id: AssetId| assets::find(&id));
        let asset = asset.ok_or_else(ApiError::internal)?;
        let cents = match cost.fee_level {
            Some(FeeLevel::Low) => Some(35),
            Some(FeeLevel::Medium) => Some(80),
            Some(FeeLevel::High) => Some(210),
            None => cost.fee.is_none().then_some(80),
        };
        let fee = match (cents, cost.fee) {
            (Some(cents), _) => Amount::from_units(units_of(asset, cents), asset.decimals),
            (None, fee) => {
                let unit = match chain.form {
                    Form::Ethereum => Amount::from_units(200_000, 9),
                    Form::Solana => Amount::from_units(1_000, 9),
                };
                let fee = fee.filter(Amount::is_positive);
                let fee = fee.and_then(|fee| fee.checked_mul(&unit, asset.decimals));
                let must = "a number above 0";
                fee.ok_or_else(|| ApiError::invalid("fee", must))?
            }
        };
        Ok(Self {
            initiator: Initiator::of(visit),
            chain,
            fee,
            note: cost.tx_note,
        })
    }

    fn asset(&self) -> Result<AssetId, Fault> {
        Ok(self.chain.id.parse().map_err(|_| ApiError::internal())?)
    }

    /// The position of an id, on this chain.
    pub(super) fn position(&self, deed: &mut Deed<'_, '_>, id: &str) -> Result<Position, Fault> {
        let found = deed.kept::<Position>(id)?;
        let found = found.filter(|position| position.chain == self.chain.id);
        Ok(found.ok_or_else(not_found)?)
    }

    /// Asks something of a position, if it can be done now: the transaction, which is under way like
    /// others. `other`: what it concerns beside it.
    pub(super) fn ask(
        &self,
        deed: &mut Deed<'_, '_>,
        position: &mut Position,
        other: Option<&mut Position>,
        task: Task,
        amount: &Amount,
    ) -> Result<(), Fault> {
        let mut tried = (position.clone(), other.as_deref().cloned());
        let outcome = task.done(&mut tried.0, tried.1.as_mut(), deed.at);
        let outcome = outcome.map_err(refused)?;
        let amount = outcome.paid().unwrap_or_else(|| amount.clone());
        let row = assets::find(&self.asset()?).ok_or_else(ApiError::internal)?;
        let from = vault_place(deed, position.account, &self.asset()?)?;
        let from = from.ok_or_else(ApiError::vault_asset_not_found)?;
        // What is staked leaves its wallet as little as what is called back: only the fee does.
        let (effect, shown) = match task {
            Task::Begin | Task::Add(_) => (Effect::Stakes, amount.clone()),
            _ => (Effect::Costs, Amount::zero()),
        };
        let told = Transaction {
            operation: match (effect, self.chain.form) {
                (Effect::Stakes, _) => "STAKE",
                (_, Form::Ethereum) => "CONTRACT_CALL",
                (_, Form::Solana) => "PROGRAM_CALL",
            }
            .to_owned(),
            note: self.note.clone().unwrap_or_default(),
            source: from.peer,
            created_by: self.initiator.user.clone(),
            ..blank(row, &shown, deed)?
        };
        let standard = assets::chain_of(row).map(|chain| chain.standard());
        let flight = Flight {
            initiator_signs: self.initiator.signs,
            source_address: from.address,
            destination_address: position.validator.clone(),
            lane: standard.map(|standard| format!("{}/{standard}", position.account)),
            effect,
            errand: Some(Errand {
                position: position.id.clone(),
                task: task.clone(),
            }),
            ..Flight::costing(self.fee.clone(), self.asset()?)
        };
        begin(deed, &told, &flight)?;
        position.busy = Some(told.id);
        position.related.push(Related {
            tx_id: told.id.to_string(),
            tx_hash: String::new(),
            operation: word(&task).to_owned(),
            at: deed.at,
            amount,
            note: self.note.clone(),
            progress: Progress::Pending,
        });
        if let Some(other) = other {
            other.busy = Some(told.id);
            deed.keep(other)?;
        }
        Ok(deed.keep(position)?)
    }
}

/// The contract's word for it.
const fn word(task: &Task) -> &'static str {
    match task {
        Task::Begin => "STAKE",
        Task::Add(_) => "ADD_TO_STAKE",
        Task::Unstake => "UNSTAKE",
        Task::Withdraw(_) => "WITHDRAW",
        Task::Claim => "CLAIM_REWARDS",
        Task::Split(..) => "SPLIT",
        Task::Absorb(_, Action::Merge) => "MERGE",
        Task::Absorb(..) => "CONSOLIDATE",
    }
}
