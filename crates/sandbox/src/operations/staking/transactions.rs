//! The transactions of staking: what each costs, and what it leaves in the books. What is staked
//! stays in its wallet, as `staked`; a change is on its chain at once.

use ledger::Fault;
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::ids::{AssetId, TxId, VaultAccountId};
use protocol::model::event::EventType;
use protocol::model::transaction::{AmountInfo, Peer, PeerKind, Transaction, TransactionStatus};
use protocol::model::transaction_request::FeeLevel;
use serde::Deserialize;

use super::positions::asked;
use crate::chain;
use crate::deed::Deed;
use crate::flight::{CONFIRMATIONS, Move, Pot};
use crate::holdings::stake::{Chain, Form, Position, Related};
use crate::operations::Visit;
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
    user: String,
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
            user: visit.guest.user.to_string(),
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

    /// Whether the account can pay so much, and the fee.
    pub(super) fn covered(
        &self,
        deed: &mut Deed<'_, '_>,
        account: VaultAccountId,
        amount: &Amount,
    ) -> Result<(), Fault> {
        let wallet = deed.batch.wallet(deed.writing, account, &self.asset()?)?;
        let wallet = wallet.ok_or_else(ApiError::vault_asset_not_found)?;
        let need = amount.checked_add(&self.fee);
        if need.is_none_or(|need| wallet.balance.available < need) {
            return Err(ApiError::new(400, 1402, "The source's balance is too low").into());
        }
        Ok(())
    }

    /// What has been done is on the chain: the transaction, its fee, and what moved with it.
    pub(super) fn done(
        &self,
        deed: &mut Deed<'_, '_>,
        position: &mut Position,
        operation: &str,
        amount: &Amount,
        moves: &[(Amount, Pot, Pot)],
    ) -> Result<(), Fault> {
        let account = position.account;
        self.covered(deed, account, &Amount::zero())?;
        let (id, transaction) = (TxId(deed.chance.uuid()), operation == "STAKE");
        let name = deed.batch.account(deed.writing, account)?;
        let row = assets::find(&self.asset()?).ok_or_else(ApiError::internal)?;
        let (hash, block) = (chain::hash(row, deed), chain::block(deed));
        // What is staked leaves its wallet as little as what is called back: only the fee does.
        let shown = if transaction {
            amount.clone()
        } else {
            Amount::zero()
        };
        let price = deed.price(row)?;
        let mut told = Transaction {
            operation: match (transaction, self.chain.form) {
                (true, _) => "STAKE",
                (false, Form::Ethereum) => "CONTRACT_CALL",
                (false, Form::Solana) => "PROGRAM_CALL",
            }
            .to_owned(),
            asset_type: row.kind.to_owned(),
            note: self.note.clone().unwrap_or_default(),
            source: Peer {
                kind: PeerKind::VaultAccount,
                id: Some(account.to_string()),
                name: name.map(|facts| facts.name).unwrap_or_default(),
                sub_type: String::new(),
            },
            destination_address: position.validator.clone(),
            amount_info: AmountInfo {
                amount_usd: price.and_then(|price| shown.checked_mul(&price, 2)),
                amount: Some(shown.clone()),
                requested_amount: Some(shown.clone()),
                net_amount: Some(shown),
            },
            fee_currency: Some(self.asset()?),
            created_by: self.user.clone(),
            ..Transaction::new(id, self.asset()?, deed.at)
        };
        deed.transaction(EventType::TransactionCreated, &told)?;
        told.status = TransactionStatus::Completed;
        told.sub_status = "CONFIRMED".to_owned();
        told.fee_info.network_fee = Some(self.fee.clone());
        told.tx_hash.clone_from(&hash);
        told.block_info = Some(block);
        told.num_of_confirmations = CONFIRMATIONS;
        told.signed_by = vec![self.user.clone()];
        deed.transaction(EventType::TransactionStatusUpdated, &told)?;
        let asset = self.asset()?;
        let fee = (self.fee.clone(), Pot::Available, Pot::Outside);
        let moves: Vec<_> = moves
            .iter()
            .cloned()
            .chain([fee])
            .map(|(amount, from, to)| Move {
                account,
                asset: asset.clone(),
                amount,
                from,
                to,
            })
            .collect();
        deed.moves(&moves)?;
        position.related.push(Related {
            tx_id: id.to_string(),
            tx_hash: hash,
            operation: operation.to_owned(),
            at: deed.at,
            amount: amount.clone(),
            note: self.note.clone(),
        });
        Ok(deed.keep(position)?)
    }
}
