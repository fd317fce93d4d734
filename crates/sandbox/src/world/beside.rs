//! What a new workspace has beside its books, as documents. Each kind has a chance of its own: one
//! more of them changes no other.

use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use serde_json::Error;

use super::Network;
use super::earn;
use super::exchanges;
use super::gas_stations;
use super::nfts;
use super::payments;
use super::peers;
use super::things;
use super::venues;
use crate::chance::Chance;
use crate::described::{Example, Plan};
use crate::shelf::Kept;

/// A document of a kind.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) kind: &'static str,
    pub(crate) key: String,
    pub(crate) text: String,
}

impl Document {
    pub(super) fn of<T: Kept>(thing: &T) -> Result<Self, Error> {
        Ok(Self {
            kind: T::KIND,
            key: thing.key(),
            text: serde_json::to_string(thing)?,
        })
    }
}

/// What a seed makes a workspace's things of.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) chance: Chance,
    pub(super) network: Network,
    pub(super) now: Millis,
}

/// How a kind of things is made.
type Maker = fn(&mut Ground) -> Result<Vec<Document>, Error>;

/// Every kind that is made up; its place is its number, never to be changed.
const MAKERS: [(Example, Maker); 7] = [
    (Example::GasStations, gas_stations::seeded),
    (Example::ExchangeAccounts, exchanges::seeded),
    (Example::Network, peers::seeded),
    (Example::Nfts, nfts::seeded),
    (Example::ConnectedAccounts, venues::seeded),
    (Example::Earn, earn::seeded),
    (Example::Payments, payments::seeded),
];

/// Everything that a plan has beside the books: what it wants to be made up, then what it describes.
pub(crate) fn beside(
    plan: &Plan,
    seed: u64,
    workspace: WorkspaceId,
    now: Millis,
) -> Result<Vec<Document>, Error> {
    let ground = |number: i64| Ground {
        // Changes are numbered from 1: before them there is room.
        chance: Chance::of(seed, workspace, -number),
        network: plan.network,
        now,
    };
    let mut all = Vec::new();
    let mut number = 1;
    for (example, make) in MAKERS {
        if plan.examples.contains(&example) {
            all.extend(make(&mut ground(number))?);
        }
        number += 1;
    }
    all.extend(things::described(plan, workspace, &mut ground(number))?);
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract;
    use crate::described::Shipped;
    use crate::people;
    use serde_json::Value;

    fn all(seed: u64, network: Network) -> Vec<Document> {
        let now = Millis(1_790_000_000_000);
        let plan = Shipped::Fund.plan(network);
        beside(&plan, seed, people::workspace_id(network), now).expect("documents")
    }

    #[test]
    fn the_same_seed_makes_the_same_things_and_no_key_twice() {
        for network in [Network::Mainnet, Network::Testnet] {
            let told = |seed| -> Vec<_> {
                let all = all(seed, network).into_iter();
                all.map(|one| (one.kind, one.key, one.text)).collect()
            };
            let first = told(1);
            assert_eq!(first, told(1));
            assert_ne!(first, told(2));
            let mut keys: Vec<_> = first.iter().map(|(kind, key, _)| (kind, key)).collect();
            assert!(keys.iter().all(|(_, key)| !key.is_empty()));
            keys.sort();
            keys.dedup();
            assert_eq!(keys.len(), first.len());
        }
    }

    #[test]
    fn what_is_shown_as_it_is_made_is_the_contracts() {
        for network in [Network::Mainnet, Network::Testnet] {
            let mut seen = 0;
            for document in all(1, network) {
                let operation = match document.kind {
                    "connected_account" => "getConnectedAccount",
                    "trading_provider" => "getTradingProviderById",
                    "trading_order" => "getOrder",
                    "collateral_account" => "getOffExchangeCollateralAccounts",
                    "earn_action" => "getEarnAction",
                    "payout" => "getPayout",
                    "flow_configuration" => "getFlowConfiguration",
                    "flow_execution" => "getFlowExecution",
                    _ => continue,
                };
                let value: Value = serde_json::from_str(&document.text).expect("JSON");
                assert_eq!(contract::answer_fits(operation, 200, &value), Ok(()));
                seen += 1;
            }
            assert!(seen > 15, "{seen}");
        }
    }
}
