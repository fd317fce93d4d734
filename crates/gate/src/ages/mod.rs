//! The books by subject: as of when each is, how often it is walked, when it is too old. Pure.
//!
//! Events tell of some of it at once; of what has no event, and of an event that was lost, only a
//! walk tells. So each subject has a time at which it was last walked, and a greatest age: past it,
//! what is made of it is refused, never told as if it were new.

mod pace;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;

use protocol::error::ApiError;
use protocol::time::Millis;
use serde::Serialize;
use sync::Area;

pub use pace::{Areas, Pace, TooSeldom};

/// What the books are about. In this order: later ones build on earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The blockchains.
    Blockchains,
    /// The assets.
    Assets,
    /// The vault accounts, without their wallets.
    Accounts,
    /// Every wallet's balances.
    Wallets,
    /// The deposit addresses.
    Addresses,
    /// Internal wallets, external wallets and contracts.
    Whitelists,
    /// The transactions.
    Transactions,
}

impl Subject {
    /// All of them, in their order.
    pub const ALL: [Self; 7] = [
        Self::Blockchains,
        Self::Assets,
        Self::Accounts,
        Self::Wallets,
        Self::Addresses,
        Self::Whitelists,
        Self::Transactions,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blockchains => "blockchains",
            Self::Assets => "assets",
            Self::Accounts => "accounts",
            Self::Wallets => "wallets",
            Self::Addresses => "addresses",
            Self::Whitelists => "whitelists",
            Self::Transactions => "transactions",
        }
    }

    /// Whether events tell of it: then a walk only finds what they did not.
    pub const fn told(self) -> bool {
        match self {
            Self::Accounts | Self::Wallets | Self::Whitelists | Self::Transactions => true,
            Self::Blockchains | Self::Assets | Self::Addresses => false,
        }
    }

    /// Whether what is told of it hangs on the vault accounts of a scope: which those are, a scope that follows
    /// tags knows from walks alone. (An asset that the workspace registered itself is shown to who holds it.)
    pub const fn by_account(self) -> bool {
        match self {
            Self::Accounts
            | Self::Assets
            | Self::Wallets
            | Self::Addresses
            | Self::Transactions => true,
            Self::Blockchains | Self::Whitelists => false,
        }
    }

    /// What is walked for it; of transactions, those made since then.
    pub fn area(self, since: Millis) -> Area {
        match self {
            Self::Blockchains => Area::Blockchains,
            Self::Assets => Area::Assets,
            Self::Accounts => Area::Accounts,
            Self::Wallets => Area::AssetWallets,
            Self::Addresses => Area::Addresses,
            Self::Whitelists => Area::Whitelists,
            Self::Transactions => Area::Transactions { after: since },
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// By what a proposal is judged.
pub const PROPOSED: [Subject; 2] = [Subject::Accounts, Subject::Whitelists];

/// What the answer of an operation is made of; of one that is not named here: of everything.
pub fn behind(operation: &str) -> &'static [Subject] {
    match operation {
        "getPagedVaultAccounts"
        | "getVaultAccount"
        | "getVaultAccountAsset"
        | "getVaultAssets"
        | "getVaultBalanceByAsset"
        | "getAssetWallets" => &[Subject::Accounts, Subject::Wallets],
        "getVaultAccountAssetAddresses" | "getVaultAccountAssetAddressesPaginated" => {
            &[Subject::Wallets, Subject::Addresses]
        }
        "getTransactions" | "getTransaction" | "getTransactionByExternalId" => {
            &[Subject::Transactions]
        }
        "getSupportedAssets" | "listAssets" | "getAsset" => &[Subject::Assets],
        "listBlockchains" | "getBlockchain" => &[Subject::Blockchains],
        "getInternalWallets"
        | "getInternalWallet"
        | "getInternalWalletAsset"
        | "getInternalWalletAssetsPaginated"
        | "getExternalWallets"
        | "getExternalWallet"
        | "getExternalWalletAsset"
        | "getContracts"
        | "getContract"
        | "getContractAsset" => &[Subject::Whitelists],
        _ => &Subject::ALL,
    }
}

/// As of when each subject is: when its last walk began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ages(BTreeMap<Subject, Millis>);

/// What is asked for is not in the books, or too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stale {
    /// It was never walked.
    #[error("The gate's books are not filled yet: try again in a minute")]
    Never(Subject),
    /// It was walked longer ago than the configuration allows.
    #[error(
        "The gate's {subject} are as of {as_of} (milliseconds since the epoch): that is too old to be told, try again later"
    )]
    TooOld {
        /// What.
        subject: Subject,
        /// As of when it is.
        as_of: Millis,
    },
}

impl From<Stale> for ApiError {
    fn from(stale: Stale) -> Self {
        Self::uncoded(503, stale.to_string())
    }
}

/// How old one subject is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Age {
    /// What.
    pub area: Subject,
    /// When its last walk began, in milliseconds since the epoch.
    pub as_of: Option<Millis>,
    /// How often it is walked, and its greatest age.
    #[serde(flatten)]
    pub pace: Pace,
    /// Whether what is made of it is refused.
    pub too_old: bool,
}

impl FromIterator<(Subject, Millis)> for Ages {
    fn from_iter<T: IntoIterator<Item = (Subject, Millis)>>(walked: T) -> Self {
        Self(walked.into_iter().collect())
    }
}

impl Ages {
    /// A walk that began then is done.
    pub fn walked(&mut self, subject: Subject, began: Millis) {
        self.0.insert(subject, began);
    }

    /// As of when a subject is.
    pub fn of(&self, subject: Subject) -> Option<Millis> {
        self.0.get(&subject).copied()
    }

    /// Whether every subject was walked once.
    pub fn whole(&self) -> bool {
        Subject::ALL
            .iter()
            .all(|subject| self.0.contains_key(subject))
    }

    /// As of when all is that events tell of, as far as walks know.
    pub fn told(&self) -> Option<Millis> {
        let told = Subject::ALL.iter().filter(|subject| subject.told());
        told.map(|subject| self.of(*subject)).min().flatten()
    }

    /// As of when an answer is that is made of these, where `told` is what events and walks make of
    /// the subjects that events tell of.
    pub fn as_of(&self, subjects: &[Subject], told: Millis) -> Millis {
        let untold = subjects.iter().filter(|subject| !subject.told());
        let oldest = untold.map(|subject| self.of(*subject).unwrap_or_default());
        let events = subjects
            .iter()
            .any(|subject| subject.told())
            .then_some(told);
        oldest.chain(events).min().unwrap_or(told)
    }

    /// Whether these may be told.
    pub fn check(&self, subjects: &[Subject], areas: &Areas, now: Millis) -> Result<(), Stale> {
        for subject in subjects {
            let as_of = self.of(*subject).ok_or(Stale::Never(*subject))?;
            if now > as_of.plus(areas.pace(*subject).max_age_millis()) {
                return Err(Stale::TooOld {
                    subject: *subject,
                    as_of,
                });
            }
        }
        Ok(())
    }

    /// How old each is.
    pub fn table(&self, areas: &Areas, now: Millis) -> Vec<Age> {
        let age = |subject: Subject| Age {
            area: subject,
            as_of: self.of(subject),
            pace: areas.pace(subject),
            too_old: self.check(&[subject], areas, now).is_err(),
        };
        Subject::ALL.into_iter().map(age).collect()
    }
}

impl Age {
    /// In a few words.
    pub fn words(&self, now: Millis) -> String {
        let Some(as_of) = self.as_of else {
            return format!("{} never", self.area);
        };
        let old = words(now.0.saturating_sub(as_of.0));
        if self.too_old {
            let most = words(self.pace.max_age_millis());
            format!("{} {old} ago, TOO OLD (at most {most})", self.area)
        } else {
            format!("{} {old} ago", self.area)
        }
    }
}

/// A span of time in the largest unit that it fills.
fn words(millis: i64) -> String {
    let units = [
        (Millis::DAY, "d"),
        (Millis::HOUR, "h"),
        (Millis::MINUTE, "min"),
    ];
    let unit = units.into_iter().find(|(length, _)| millis >= 2 * length);
    let (length, name) = unit.unwrap_or((Millis::SECOND, "s"));
    format!("{} {name}", millis.max(0) / length)
}
