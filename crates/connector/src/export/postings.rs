//! The books as double entry, before any tool's spelling.
//!
//! - A completed transaction takes its amount from its source and gives it to its destination; the
//!   network fee leaves the source's vault account in the asset that fees are paid in. With
//!   `treatAsGrossAmount` what arrives is the amount less the fee.
//! - One that failed on the chain still paid its fee.
//! - Between two vault accounts it is one entry.
//! - What the history does not explain of a balance is opened with, on the day before it begins.
//! - The last word is the books': every account's balance, asserted.

use std::collections::{BTreeMap, BTreeSet};

use protocol::amount::Amount;
use protocol::ids::{AssetId, TxId, VaultAccountId};
use protocol::model::transaction::{Peer, PeerKind, Transaction, TransactionStatus};
use protocol::time::Millis;

use super::Holdings;

/// An account of the double entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Account {
    /// A vault account: named by its number, which never changes.
    Vault(VaultAccountId),
    /// Fees paid to chains.
    NetworkFees,
    /// What was there before the history begins.
    Opening,
    /// Somebody or something outside the vault.
    Outside(PeerKind, Option<String>),
}

/// One side of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// Where.
    pub account: Account,
    /// How much, with its sign.
    pub amount: Amount,
    /// Of what.
    pub asset: AssetId,
}

/// One entry: its postings sum to nothing, asset by asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Millis,
    /// Which transaction; none for the opening.
    pub transaction: Option<TxId>,
    /// What a reader is told.
    pub text: String,
    /// Its hash on the chain.
    pub hash: String,
    /// Its sides.
    pub postings: Vec<Posting>,
}

/// The whole double entry.
#[derive(Clone, Debug)]
pub struct Journal {
    /// When the first entry is.
    pub begins: Millis,
    /// The opening, then transactions by time.
    pub entries: Vec<Entry>,
    /// What every vault account ends with; also where that is nothing.
    pub closing: BTreeMap<(VaultAccountId, AssetId), Amount>,
    /// When that holds: not before the last entry.
    pub closes: Millis,
}

/// Why the books cannot be told as double entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PostingError {
    /// A sum has more digits than an amount may have.
    #[error("the sums of {asset} have more digits than an amount may have")]
    TooLarge {
        /// Of which asset.
        asset: AssetId,
    },
}

type Sums = BTreeMap<(VaultAccountId, AssetId), Amount>;

/// Tells the books as double entry.
pub fn journal(holdings: &Holdings) -> Result<Journal, PostingError> {
    let mut transactions: Vec<_> = holdings.transactions.iter().collect();
    transactions.sort_by_key(|transaction| (transaction.created_at, transaction.id));
    let mut moved = Sums::new();
    let mut entries = Vec::new();
    for transaction in transactions {
        let postings = postings(transaction)?;
        for posting in &postings {
            if let Account::Vault(id) = posting.account {
                add(&mut moved, (id, posting.asset.clone()), &posting.amount)?;
            }
        }
        if !postings.is_empty() {
            entries.push(Entry {
                at: transaction.created_at,
                transaction: Some(transaction.id),
                text: told(transaction),
                hash: transaction.tx_hash.clone(),
                postings,
            });
        }
    }
    let mut closing: Sums = moved
        .keys()
        .map(|key| (key.clone(), Amount::zero()))
        .collect();
    for account in &holdings.accounts {
        for wallet in &account.assets {
            closing.insert((account.id, wallet.id.clone()), wallet.total.clone());
        }
    }
    let first = entries
        .first()
        .map_or(holdings.as_of, |entry| entry.at.min(holdings.as_of));
    let begins = first.plus(-Millis::DAY);
    let closes = entries
        .last()
        .map_or(holdings.as_of, |entry| entry.at.max(holdings.as_of));
    let opening = opening(&closing, &moved)?;
    if !opening.is_empty() {
        let text = "Opening balances: what the history does not explain".to_owned();
        let entry = Entry {
            at: begins,
            transaction: None,
            text,
            hash: String::new(),
            postings: opening,
        };
        entries.insert(0, entry);
    }
    Ok(Journal {
        begins,
        entries,
        closing,
        closes,
    })
}

impl Journal {
    /// Every account that something is posted to or asserted of.
    pub fn accounts(&self) -> BTreeSet<Account> {
        let posted = self
            .entries
            .iter()
            .flat_map(|entry| &entry.postings)
            .map(|posting| posting.account.clone());
        posted
            .chain(self.closing.keys().map(|(id, _)| Account::Vault(*id)))
            .collect()
    }

    /// Every asset.
    pub fn assets(&self) -> BTreeSet<AssetId> {
        let posted = self
            .entries
            .iter()
            .flat_map(|entry| &entry.postings)
            .map(|posting| posting.asset.clone());
        posted
            .chain(self.closing.keys().map(|(_, asset)| asset.clone()))
            .collect()
    }
}

fn opening(closing: &Sums, moved: &Sums) -> Result<Vec<Posting>, PostingError> {
    let mut postings = Vec::new();
    for ((id, asset), end) in closing {
        let too_large = || PostingError::TooLarge {
            asset: asset.clone(),
        };
        let explained = moved
            .get(&(*id, asset.clone()))
            .cloned()
            .unwrap_or_default();
        let start = end.checked_sub(&explained).ok_or_else(too_large)?;
        if !start.is_zero() {
            postings.push(Posting {
                account: Account::Vault(*id),
                amount: start.clone(),
                asset: asset.clone(),
            });
            postings.push(Posting {
                account: Account::Opening,
                amount: -start,
                asset: asset.clone(),
            });
        }
    }
    Ok(postings)
}

fn postings(transaction: &Transaction) -> Result<Vec<Posting>, PostingError> {
    let mut postings = Vec::new();
    let asset = &transaction.asset_id;
    let too_large = || PostingError::TooLarge {
        asset: asset.clone(),
    };
    let source = place(&transaction.source);
    let from_vault = matches!(source, Account::Vault(_));
    let fee = transaction
        .fee_info
        .network_fee
        .clone()
        .filter(|fee| fee.is_positive() && from_vault);
    let fee_asset = transaction.fee_currency.as_ref().unwrap_or(asset);
    let completed = transaction.status == TransactionStatus::Completed;
    let mut both = |account: Account, amount: Amount, asset: &AssetId| {
        postings.push(Posting {
            account: source.clone(),
            amount: -amount.clone(),
            asset: asset.clone(),
        });
        postings.push(Posting {
            account,
            amount,
            asset: asset.clone(),
        });
    };
    if completed {
        let amount = transaction.amount_info.amount.clone().unwrap_or_default();
        if transaction.destinations.is_empty() {
            let arrives = match &fee {
                Some(fee) if transaction.treat_as_gross_amount && fee_asset == asset => {
                    amount.checked_sub(fee).ok_or_else(too_large)?
                }
                _ => amount,
            };
            if !arrives.is_zero() {
                both(place(&transaction.destination), arrives, asset);
            }
        }
        for part in transaction
            .destinations
            .iter()
            .filter(|part| !part.amount.is_zero())
        {
            both(place(&part.destination), part.amount.clone(), asset);
        }
    }
    let on_chain = completed
        || (transaction.status == TransactionStatus::Failed && !transaction.tx_hash.is_empty());
    if let Some(fee) = fee.filter(|_| on_chain) {
        both(Account::NetworkFees, fee, fee_asset);
    }
    Ok(postings)
}

fn place(peer: &Peer) -> Account {
    match peer.vault_account() {
        Some(id) => Account::Vault(id),
        None => Account::Outside(peer.kind, peer.id.clone().filter(|id| !id.is_empty())),
    }
}

fn told(transaction: &Transaction) -> String {
    let name = |peer: &Peer| match (peer.name.as_str(), peer.vault_account()) {
        ("", Some(id)) => format!("vault account {id}"),
        ("", None) => peer.kind.as_str().to_lowercase().replace('_', " "),
        (name, _) => name.to_owned(),
    };
    let way = format!(
        "{} from {} to {}",
        transaction.operation,
        name(&transaction.source),
        name(&transaction.destination)
    );
    let way = if transaction.status == TransactionStatus::Completed {
        way
    } else {
        format!("{way} ({})", transaction.status)
    };
    if transaction.note.is_empty() {
        way
    } else {
        format!("{way}: {}", transaction.note)
    }
}

fn add(
    sums: &mut Sums,
    key: (VaultAccountId, AssetId),
    amount: &Amount,
) -> Result<(), PostingError> {
    let sum = sums.entry(key.clone()).or_default();
    *sum = sum
        .checked_add(amount)
        .ok_or(PostingError::TooLarge { asset: key.1 })?;
    Ok(())
}
