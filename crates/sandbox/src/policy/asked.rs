//! A transaction in the policy's words.

use protocol::amount::Amount;
use protocol::ids::TxId;
use protocol::model::policy::AmountCurrency;
use protocol::model::transaction::{Peer, PeerKind, Transaction, TransactionStatus};

/// Euros of a US dollar, in hundredths: a sandbox's own rate, which does not move.
const EURO_CENTS_OF_A_DOLLAR: u64 = 90;
/// The most places after the point that an asset has.
const DECIMALS: u8 = 18;
/// Places after the point of a euro amount.
const EURO_DECIMALS: u8 = 8;

/// What is asked for: one destination of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) id: TxId,
    pub(crate) kind: String,
    pub(crate) initiator: String,
    pub(crate) asset: String,
    pub(crate) is_nft: bool,
    pub(crate) source: Place,
    pub(crate) destination: Place,
    pub(crate) amount: Option<Amount>,
    pub(crate) usd: Option<Amount>,
    /// Whether it moves something, or still may.
    pub(crate) counts: bool,
}

/// A place in the policy's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) peer: PeerKind,
    pub(crate) kind: &'static str,
    pub(crate) sub_type: String,
    pub(crate) id: String,
    pub(crate) address: String,
    pub(crate) tags: Vec<String>,
}

impl Asked {
    /// What a transaction asks for, destination by destination.
    pub(crate) fn all(transaction: &Transaction) -> Vec<Self> {
        let amounts = &transaction.amount_info;
        if transaction.destinations.is_empty() {
            let mut destination = Place::of(&transaction.destination);
            destination
                .address
                .clone_from(&transaction.destination_address);
            return vec![Self::one(
                transaction,
                destination,
                amounts.amount.clone(),
                amounts.amount_usd.clone(),
            )];
        }
        let worth = |part: &Amount| {
            let (whole, usd) = (amounts.amount.as_ref()?, amounts.amount_usd.as_ref()?);
            share(part, whole, usd)
        };
        let parts = transaction.destinations.iter().map(|part| {
            let mut destination = Place::of(&part.destination);
            destination.address.clone_from(&part.destination_address);
            let usd = worth(&part.amount);
            Self::one(transaction, destination, Some(part.amount.clone()), usd)
        });
        parts.collect()
    }

    fn one(
        transaction: &Transaction,
        destination: Place,
        amount: Option<Amount>,
        usd: Option<Amount>,
    ) -> Self {
        use TransactionStatus as S;
        let asset_type = transaction.asset_type.as_str();
        Self {
            id: transaction.id,
            kind: kind(&transaction.operation).to_owned(),
            initiator: transaction.created_by.clone(),
            asset: transaction.asset_id.to_string(),
            is_nft: matches!(asset_type, "ERC721" | "ERC1155"),
            source: Place::of(&transaction.source),
            destination,
            amount,
            usd,
            // What came in was asked for by nobody.
            counts: !transaction.created_by.is_empty()
                && transaction.source.kind != PeerKind::Unknown
                && !matches!(
                    transaction.status,
                    S::Blocked | S::Cancelled | S::Rejected | S::Failed
                ),
        }
    }

    /// Whether it goes to an address that stands on no list.
    pub(crate) fn is_one_time(&self) -> bool {
        self.destination.peer == PeerKind::OneTimeAddress
    }

    /// How much it is, if that is known.
    pub(crate) fn amount_in(&self, currency: AmountCurrency) -> Option<Amount> {
        match currency {
            AmountCurrency::Native => self.amount.clone(),
            AmountCurrency::Usd => self.usd.clone(),
            AmountCurrency::Eur => {
                let rate = Amount::from_units(EURO_CENTS_OF_A_DOLLAR, 2);
                self.usd.as_ref()?.checked_mul(&rate, EURO_DECIMALS)
            }
        }
    }
}

/// What a part is worth where the whole is worth so much, cut to cents.
fn share(part: &Amount, whole: &Amount, usd: &Amount) -> Option<Amount> {
    let (mut part, mut whole) = (part.to_units(DECIMALS)?, whole.to_units(DECIMALS)?);
    // Eighteen digits say enough, and leave room for what they are multiplied with.
    while whole > 1_000_000_000_000_000_000 {
        (part, whole) = (part / 10, whole / 10);
    }
    let cents = usd.to_units(2)?.checked_mul(part)?.checked_div(whole)?;
    Some(Amount::from_units(cents, 2))
}

/// The type of rule that judges an operation.
fn kind(operation: &str) -> &str {
    match operation {
        "SUPPLY_TO_COMPOUND" => "SUPPLY",
        "REDEEM_FROM_COMPOUND" => "REDEEM",
        "UNSTAKE" | "WITHDRAW" | "CLAIM_REWARDS" => "STAKE",
        "ENABLE_ASSET" => "TRANSFER",
        other => other,
    }
}

impl Place {
    /// A peer in the policy's words.
    pub(crate) fn of(peer: &Peer) -> Self {
        let (kind, sub_type) = match peer.kind {
            PeerKind::VaultAccount => ("VAULT", String::new()),
            PeerKind::InternalWallet => ("UNMANAGED", "INTERNAL".to_owned()),
            PeerKind::ExternalWallet => ("UNMANAGED", "EXTERNAL".to_owned()),
            PeerKind::Contract => ("UNMANAGED", "CONTRACT".to_owned()),
            PeerKind::UnmanagedWallet => ("UNMANAGED", String::new()),
            PeerKind::ExchangeAccount => ("EXCHANGE", peer.sub_type.to_uppercase()),
            other => (other.as_str(), peer.sub_type.to_uppercase()),
        };
        Self {
            peer: peer.kind,
            kind,
            sub_type,
            id: peer.id.clone().unwrap_or_default(),
            address: String::new(),
            tags: Vec::new(),
        }
    }

    /// Whether it is the same place. Addresses that stand on no list are told apart by themselves.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.peer == other.peer
            && if self.peer == PeerKind::OneTimeAddress {
                !self.address.is_empty() && self.address.eq_ignore_ascii_case(&other.address)
            } else {
                self.id == other.id
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_worth_its_share() {
        let amount = |text: &str| text.parse::<Amount>().expect("an amount");
        let share = |part, whole, usd| share(&amount(part), &amount(whole), &amount(usd));
        assert_eq!(share("1", "4", "10"), Some(amount("2.5")));
        assert_eq!(share("0.000000000000000001", "3", "10"), Some(amount("0")));
        assert_eq!(share("1", "0", "10"), None);
        let many = "4000000000000000000";
        assert_eq!(
            share("1000000000000000000", many, "8000000"),
            Some(amount("2000000"))
        );
        assert_eq!(
            share("1000000", "3000000", "10000000000"),
            Some(amount("3333333333.33"))
        );
    }
}
