//! The coins of each wallet, kept in step with its transactions.

use ledger::{Fault, Scope};
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::ids::{AssetId, VaultAccountId};
use protocol::model::transaction::{Transaction, TransactionStatus};
use protocol::time::Millis;
use serde::{Deserialize, Serialize};

use crate::deed::Deed;
use crate::flight::{Effect, Flight, parts};
use crate::hall::Hall;
use crate::shelf::Kept;
use crate::utxo::{self, Coin, CoinStatus, NoChoice, Outpoint, Selection};
use crate::world::assets::{self, AddressForm, AssetRow};

/// The coins of one wallet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct UtxoSet {
    account: VaultAccountId,
    asset: AssetId,
    pub(crate) coins: Vec<Coin>,
}

impl Kept for UtxoSet {
    const KIND: &'static str = "utxo_set";

    fn key(&self) -> String {
        key(self.account, &self.asset)
    }
}

fn key(account: VaultAccountId, asset: &AssetId) -> String {
    format!("{account}/{asset}")
}

/// Whether an asset's transactions spend coins.
pub(crate) fn has_coins(asset: &AssetRow) -> bool {
    let form = assets::chain_of(asset).map(|chain| chain.form);
    matches!(form, Some(AddressForm::Segwit(_) | AddressForm::Base58(_)))
}

/// The coins of a wallet that holds so much and whose coins nobody has kept yet.
fn minted(
    hall: &Hall,
    account: VaultAccountId,
    asset: &AssetRow,
    total: &Amount,
    at: Millis,
) -> UtxoSet {
    let chain = assets::chain_of(asset);
    let address = chain.map(|chain| hall.keys().address(chain, account.number(), 0).text);
    let id = asset.asset_id();
    let wallet = format!("{}/{}", hall.network.name(), key(account, &id));
    let address = address.unwrap_or_default();
    UtxoSet {
        account,
        coins: utxo::minted(&wallet, &address, total, asset.decimals, at),
        asset: id,
    }
}

impl Hall {
    /// The coins of a wallet, as they are now.
    pub(crate) async fn utxo_set(
        self: &std::sync::Arc<Self>,
        account: VaultAccountId,
        asset: &'static AssetRow,
    ) -> Result<UtxoSet, ApiError> {
        let id = asset.asset_id();
        if let Some(kept) = self.kept::<UtxoSet>(&key(account, &id)).await? {
            return Ok(kept);
        }
        let wallet = self.books.wallet(&Scope::whole(self.id()), account, &id);
        let wallet = wallet.ok_or_else(ApiError::vault_asset_not_found)?;
        Ok(minted(
            self,
            account,
            asset,
            &wallet.balance.total,
            wallet.created_at,
        ))
    }
}

impl Deed<'_, '_> {
    /// The coins of a wallet.
    pub(crate) fn utxo_set(
        &mut self,
        account: VaultAccountId,
        asset: &AssetRow,
    ) -> Result<UtxoSet, Fault> {
        let id = asset.asset_id();
        if let Some(kept) = self.kept::<UtxoSet>(&key(account, &id))? {
            return Ok(kept);
        }
        let wallet = self.batch.wallet(self.writing, account, &id)?;
        let (total, since) = wallet
            .map(|wallet| (wallet.balance.total, wallet.created_at))
            .unwrap_or_default();
        Ok(minted(self.hall, account, asset, &total, since))
    }

    /// The coins that a transaction of a wallet would spend.
    pub(crate) fn choose(
        &mut self,
        account: VaultAccountId,
        asset: &AssetRow,
        choice: &utxo::Choice,
        need: impl Fn(usize) -> Option<Amount>,
    ) -> Result<Result<Selection, NoChoice>, Fault> {
        let usual = self.strategy(account, asset)?;
        let set = self.utxo_set(account, asset)?;
        Ok(utxo::choose(&set.coins, choice, usual, need))
    }

    /// Keeps the coins of both sides in step with a transaction that has just become what it is.
    /// Must be told before the balances change.
    pub(crate) fn follow(
        &mut self,
        transaction: &Transaction,
        flight: &Flight,
    ) -> Result<(), Fault> {
        let Some(asset) = assets::find(&transaction.asset_id).filter(|asset| has_coins(asset))
        else {
            return Ok(());
        };
        if let Some(account) = transaction.source.vault_account() {
            let mut set = self.utxo_set(account, asset)?;
            self.spent(&mut set, transaction, flight, asset)?;
            self.keep(&set)?;
        }
        if flight.effect != Effect::Moves {
            return Ok(());
        }
        let arrived: Vec<_> = parts(transaction)
            .into_iter()
            .map(|(peer, amount)| (peer.vault_account(), amount))
            .collect();
        for (index, (account, amount)) in (0_u32..).zip(arrived) {
            let Some(account) = account else { continue };
            let mut set = self.utxo_set(account, asset)?;
            let address = match transaction.destinations.is_empty() {
                true => transaction.destination_address.clone(),
                false => self.first_address(account, asset),
            };
            become_(
                &mut set,
                transaction,
                &output(transaction, index, address, amount),
            );
            self.keep(&set)?;
        }
        Ok(())
    }

    /// Whether the coins that an ended transaction made are there, as it made them.
    pub(crate) fn has_coins_of(&mut self, transaction: &Transaction) -> Result<bool, Fault> {
        let Some(asset) = assets::find(&transaction.asset_id).filter(|asset| has_coins(asset))
        else {
            return Ok(true);
        };
        let status = match transaction.status {
            TransactionStatus::Rejected => CoinStatus::Frozen,
            _ => CoinStatus::Available,
        };
        for (peer, amount) in parts(transaction) {
            let Some(account) = peer.vault_account() else {
                continue;
            };
            let set = self.utxo_set(account, asset)?;
            let made = |coin: &&Coin| coin.made_by == Some(transaction.id) && coin.amount == amount;
            if !set
                .coins
                .iter()
                .any(|coin| made(&coin) && coin.status == status)
            {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn first_address(&self, account: VaultAccountId, asset: &AssetRow) -> String {
        let chain = assets::chain_of(asset);
        let address = chain.map(|chain| self.hall.keys().address(chain, account.number(), 0));
        address.map(|address| address.text).unwrap_or_default()
    }

    /// The source's side: what is spent, and what comes back.
    fn spent(
        &self,
        set: &mut UtxoSet,
        transaction: &Transaction,
        flight: &Flight,
        asset: &AssetRow,
    ) -> Result<(), Fault> {
        use TransactionStatus as S;
        let taken = |coin: &Coin| coin.taken_by == Some(transaction.id);
        match transaction.status {
            S::PendingSignature => {
                for coin in &mut set.coins {
                    if flight.inputs.contains(&coin.at) {
                        coin.status = CoinStatus::Selected;
                        coin.taken_by = Some(transaction.id);
                    }
                }
            }
            S::Confirming | S::Completed => {
                let spends = set.coins.iter().filter(|coin| taken(coin));
                let sum = Amount::checked_sum(spends.map(|coin| &coin.amount));
                let sum = sum.ok_or_else(ApiError::internal)?;
                if transaction.status == S::Completed {
                    set.coins.retain(|coin| !taken(coin));
                }
                let amount = transaction.amount_info.amount.clone().unwrap_or_default();
                let spent = match transaction.treat_as_gross_amount {
                    true => Some(amount),
                    false => amount.checked_add(&flight.fee),
                };
                let rest = spent.and_then(|spent| utxo::change(&sum, &spent, asset.decimals));
                let index = u32::try_from(transaction.destinations.len().max(1));
                let address = self.first_address(set.account, asset);
                if let (Some(amount), Ok(index)) = (rest, index) {
                    let back = Coin {
                        change: true,
                        ..output(transaction, index, address, amount)
                    };
                    become_(set, transaction, &back);
                }
            }
            status if status.is_final() => {
                for coin in set.coins.iter_mut().filter(|coin| taken(coin)) {
                    coin.status = CoinStatus::Available;
                    coin.taken_by = None;
                }
                set.coins
                    .retain(|coin| coin.made_by != Some(transaction.id));
            }
            _ => {}
        }
        Ok(())
    }
}

/// An output of a transaction, before anything is said of it.
fn output(transaction: &Transaction, index: u32, address: String, amount: Amount) -> Coin {
    Coin {
        at: Outpoint {
            tx_hash: transaction.tx_hash.clone(),
            index,
        },
        address,
        amount,
        status: CoinStatus::Pending,
        change: false,
        made_by: Some(transaction.id),
        taken_by: None,
        since: transaction.last_updated,
        labels: Vec::new(),
    }
}

/// An output of a transaction is what the transaction is.
fn become_(set: &mut UtxoSet, transaction: &Transaction, output: &Coin) {
    use TransactionStatus as S;
    let status = match transaction.status {
        S::Confirming => CoinStatus::Pending,
        S::Completed => CoinStatus::Available,
        // What was refused before it was in a block has made none.
        S::Rejected if transaction.block_info.is_some() => CoinStatus::Frozen,
        S::Failed => {
            set.coins.retain(|coin| coin.made_by != output.made_by);
            return;
        }
        _ => return,
    };
    let same =
        |coin: &&mut Coin| coin.made_by == output.made_by && coin.at.index == output.at.index;
    match set.coins.iter_mut().find(same) {
        Some(coin) => coin.status = status,
        None => set.coins.push(Coin {
            status,
            ..output.clone()
        }),
    }
}
