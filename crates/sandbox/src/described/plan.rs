//! A workspace that was described, as far as it can be known before it is made: everything in it
//! exists, fits, and is named once.

use std::collections::{BTreeMap, BTreeSet};

use protocol::amount::Amount;
use protocol::model::event::EventType;
use protocol::model::whitelist::WhitelistKind;
use protocol::role::Role;
use serde_json::Value;

use super::pattern::Pattern;
use crate::holdings::gas_station::Configuration;
use crate::quorum::QuorumSettings;
use crate::world::Network;
use crate::world::assets::AssetRow;

/// A workspace as it is described.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) name: String,
    pub(crate) network: Network,
    pub(crate) people: Vec<Member>,
    pub(crate) groups: Vec<Group>,
    pub(crate) quorum: Option<QuorumSettings>,
    /// Rules as Fireblocks writes them, but that people and groups go by their names.
    pub(crate) policy: Vec<Value>,
    pub(crate) tags: Vec<Label>,
    pub(crate) accounts: Vec<Accounts>,
    pub(crate) whitelists: Vec<Listed>,
    pub(crate) exchanges: Vec<Exchange>,
    pub(crate) fiat: Vec<Fiat>,
    pub(crate) gas_stations: Vec<Station>,
    pub(crate) webhooks: Vec<Hook>,
    pub(crate) examples: BTreeSet<Example>,
    pub(crate) history: Option<History>,
}

/// A person, or a program.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) role: Role,
    /// The development key that a program signs with, PEM; people have none.
    pub(crate) key_pem: Option<&'static str>,
}

/// Some of them.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub(crate) name: String,
    pub(crate) members: Vec<String>,
}

/// A tag.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    pub(crate) label: String,
    pub(crate) description: Option<String>,
    pub(crate) protected: bool,
}

/// Vault accounts that are alike.
#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    pub(crate) names: Names,
    pub(crate) customer_ref_id: Option<Pattern>,
    pub(crate) hidden: bool,
    pub(crate) auto_fuel: bool,
    /// Labels.
    pub(crate) tags: Vec<String>,
    /// Which wallets each has, in the order in which the network has their assets.
    pub(crate) wallets: Vec<Wallets>,
    /// How many of a hundred of them each has; nothing: all.
    pub(crate) share: Option<u32>,
    /// How many addresses each wallet has, beside its first.
    pub(crate) more_addresses: u32,
    /// What each wallet was sent when history began, in US cents.
    pub(crate) funded: Option<u64>,
}

/// What a wallet of an account holds when history begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wallets {
    pub(crate) asset: &'static AssetRow,
    /// From so many of the asset's smallest units to so many.
    pub(crate) holds: (i128, i128),
}

/// What accounts are called.
#[derive(Clone, Debug)]
pub(crate) enum Names {
    Each(Vec<String>),
    Counted {
        pattern: Pattern,
        from: u32,
        count: u32,
    },
}

impl Names {
    pub(crate) fn count(&self) -> u32 {
        match self {
            Self::Each(names) => u32::try_from(names.len()).unwrap_or(u32::MAX),
            Self::Counted { count, .. } => *count,
        }
    }

    /// The number that patterns write of the one at a place.
    pub(crate) fn number(&self, at: u32) -> u32 {
        match self {
            Self::Each(_) => at + 1,
            Self::Counted { from, .. } => from.saturating_add(at),
        }
    }

    /// The name of the one at a place.
    pub(crate) fn name(&self, at: u32) -> String {
        match self {
            Self::Each(names) => {
                let name = usize::try_from(at).ok().and_then(|at| names.get(at));
                name.cloned().unwrap_or_default()
            }
            Self::Counted { pattern, .. } => pattern.fill(self.number(at)),
        }
    }
}

/// Entries of a whitelist that are alike.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) kind: WhitelistKind,
    pub(crate) names: Names,
    pub(crate) customer_ref_id: Option<Pattern>,
    /// Of each an address; nothing said: somebody's.
    pub(crate) assets: Vec<(&'static AssetRow, Option<Place>)>,
}

/// An address that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) address: String,
    pub(crate) tag: String,
}

/// An account at an exchange.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) exchange: String,
    pub(crate) name: String,
    /// What it holds, by trading account and asset.
    pub(crate) holds: BTreeMap<String, BTreeMap<String, Amount>>,
}

/// A fiat account.
#[derive(Clone, Debug)]
pub(crate) struct Fiat {
    pub(crate) name: String,
    pub(crate) currency: String,
    pub(crate) balance: Amount,
    pub(crate) bank_balance: Amount,
}

/// A gas station.
#[derive(Clone, Debug)]
pub(crate) struct Station {
    pub(crate) asset: &'static AssetRow,
    pub(crate) balance: Amount,
    pub(crate) configuration: Configuration,
}

/// A webhook.
#[derive(Clone, Debug)]
pub(crate) struct Hook {
    pub(crate) url: String,
    pub(crate) description: Option<String>,
    pub(crate) events: Vec<EventType>,
    pub(crate) enabled: bool,
}

/// Things that are made up where nobody describes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Example {
    GasStations,
    ExchangeAccounts,
    Network,
    Nfts,
    ConnectedAccounts,
    Earn,
    Payments,
}

/// What has happened.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) days: u32,
    pub(crate) transactions: u32,
    /// Who has asked for what went out, by name.
    pub(crate) initiator: String,
    /// Who has signed it.
    pub(crate) signer: String,
    /// What a deposit is worth, in US cents: from so much to less than so much.
    pub(crate) deposits: (u64, u64),
    pub(crate) kinds: Kinds,
    /// How often each asset moves; nothing: every wallet as often as any other.
    pub(crate) assets: Vec<(&'static AssetRow, u32)>,
    /// What happens in the turn of a wallet that cannot pay: nothing, or a deposit.
    pub(crate) skips: bool,
}

/// How often each kind of transaction happens, of all of them together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Kinds {
    pub(crate) deposit: u32,
    pub(crate) internal: u32,
    pub(crate) payment: u32,
    pub(crate) failed: u32,
    pub(crate) rejected: u32,
    pub(crate) blocked: u32,
}

/// The most that all of a kind may weigh together.
pub(crate) const MAX_WEIGHT: u32 = 1_000_000_000;

impl Kinds {
    /// Those of a history that says none.
    pub(crate) const USUAL: Self = Self {
        deposit: 40,
        internal: 20,
        payment: 28,
        failed: 4,
        rejected: 3,
        blocked: 5,
    };

    pub(crate) fn all(self) -> [(Kind, u32); 6] {
        [
            (Kind::Deposit, self.deposit),
            (Kind::Internal, self.internal),
            (Kind::Payment, self.payment),
            (Kind::Failed, self.failed),
            (Kind::Rejected, self.rejected),
            (Kind::Blocked, self.blocked),
        ]
    }

    /// What all of them weigh.
    pub(crate) fn total(self) -> u64 {
        self.all()
            .iter()
            .map(|(_, weight)| u64::from(*weight))
            .sum()
    }
}

/// A kind of transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// From somebody outside.
    Deposit,
    /// To another account.
    Internal,
    /// To somebody on the external whitelist.
    Payment,
    Failed,
    /// A person said no.
    Rejected,
    /// The policy did.
    Blocked,
}
