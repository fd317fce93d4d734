//! The workspace files that are part of the program.

use std::fmt;
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use super::plan::Plan;
use super::summary::Summary;
use crate::world::Network;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shipped {
    /// A fund with a year of history.
    Fund,
    /// An exchange with 100,000 deposit accounts.
    Exchange,
    /// The treasury of a company.
    Treasury,
    /// Users, chains and assets, and nothing else.
    Empty,
}

/// A name that no shipped file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are fund, exchange, treasury and empty")]
pub struct UnknownName;

impl Shipped {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Fund, Self::Exchange, Self::Treasury, Self::Empty];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fund => "fund",
            Self::Exchange => "exchange",
            Self::Treasury => "treasury",
            Self::Empty => "empty",
        }
    }

    /// Its text.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Fund => include_str!("shipped/fund.toml"),
            Self::Exchange => include_str!("shipped/exchange.toml"),
            Self::Treasury => include_str!("shipped/treasury.toml"),
            Self::Empty => include_str!("shipped/empty.toml"),
        }
    }

    /// How much of everything it describes, on a network.
    pub fn summary(self, network: Network) -> Summary {
        self.plan(network).summary()
    }

    /// What it describes, on a network.
    pub(crate) fn plan(self, network: Network) -> Arc<Plan> {
        type Plans = [LazyLock<Arc<Plan>>; 4];
        fn read(shipped: Shipped, network: Network) -> Arc<Plan> {
            match super::of_network(shipped.name(), shipped.text(), Some(network)) {
                Ok(plan) => Arc::new(plan),
                // A test reads each of them.
                Err(problems) => unreachable!("{problems}"),
            }
        }
        macro_rules! plans {
            ($network:ident) => {
                [
                    LazyLock::new(|| read(Shipped::Fund, Network::$network)),
                    LazyLock::new(|| read(Shipped::Exchange, Network::$network)),
                    LazyLock::new(|| read(Shipped::Treasury, Network::$network)),
                    LazyLock::new(|| read(Shipped::Empty, Network::$network)),
                ]
            };
        }
        static MAINNET: Plans = plans!(Mainnet);
        static TESTNET: Plans = plans!(Testnet);
        let [fund, exchange, treasury, empty] = match network {
            Network::Mainnet => &MAINNET,
            Network::Testnet => &TESTNET,
        };
        Arc::clone(match self {
            Self::Fund => fund,
            Self::Exchange => exchange,
            Self::Treasury => treasury,
            Self::Empty => empty,
        })
    }
}

impl fmt::Display for Shipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Shipped {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|shipped| shipped.name() == text);
        found.ok_or(UnknownName)
    }
}
