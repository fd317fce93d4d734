//! Whatever is true of a described workspace, one thing after another: nobody need hold all of it.

use std::collections::HashMap;
use std::sync::Arc;

use ledger::{Change, Version};
use protocol::amount::Amount;
use protocol::ids::{WalletId, WorkspaceId};
use protocol::model::vault::Tag;
use protocol::model::whitelist::{
    WhitelistKind, WhitelistStatus, WhitelistedAsset, WhitelistedWallet,
};
use protocol::time::Millis;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::addresses::{self, Address};
use super::assets::{self, AddressForm, AssetRow};
use super::history::{Actors, Life, began};
use super::keys::Keyring;
use super::network::Network;
use super::vault::Vault;
use crate::described::{History, Listed, Plan};

/// A workspace as it comes into being.
#[derive(Debug)]
pub(crate) struct Grown {
    life: Life,
    tags: HashMap<String, Tag>,
    began: Millis,
    now: Millis,
    /// What comes next, the last first.
    ready: Vec<Change>,
    stage: Stage,
}

/// How far it is: the number of the next thing of each kind.
#[derive(Clone, Copy, Debug)]
enum Stage {
    Accounts(u32),
    Transactions,
    Wallets(usize),
}

/// What every workspace of a network knows: its chains and assets.
fn bare(network: Network) -> impl Iterator<Item = Change> {
    let test = network == Network::Testnet;
    let chains = assets::chains_of_network(test).map(|chain| Change::Blockchain(chain.described()));
    let assets = assets::of_network(test)
        .map(AssetRow::described)
        .map(|(supported, asset)| Change::Asset(supported, asset));
    chains.chain(assets)
}

impl Grown {
    /// Of a plan, in a workspace; its history ends now. The same arguments give the same.
    pub(crate) fn new(plan: &Arc<Plan>, workspace: WorkspaceId, seed: u64, now: Millis) -> Self {
        let network = plan.network;
        let test = network == Network::Testnet;
        let mut random = StdRng::seed_from_u64(seed ^ if test { 0x7e57 } else { 0 });
        let vault = Vault::open(plan, Keyring::of(seed, network), &mut random);
        let mut listed = Vec::new();
        for block in &plan.whitelists {
            for at in 0..block.names.count() {
                listed.push((block.kind, whitelisted(block, at, &mut random)));
            }
        }
        let payees = listed
            .iter()
            .filter(|(kind, _)| *kind == WhitelistKind::External);
        let payees = payees.map(|(_, wallet)| wallet.clone()).collect();
        let history = plan.history.clone();
        let id = |name: &str| crate::people::id_in(workspace, name).to_string();
        let actors = history
            .as_ref()
            .map_or_else(Actors::default, |history| Actors {
                initiator: id(&history.initiator),
                signer: id(&history.signer),
            });
        let users = plan
            .people
            .iter()
            .map(|member| Change::User(member.user(workspace)));
        let mut ready: Vec<_> = users.chain(bare(network)).collect();
        ready.extend(
            listed
                .into_iter()
                .map(|(kind, wallet)| Change::Whitelist(kind, wallet)),
        );
        ready.reverse();
        Self {
            began: began(history.as_ref(), now),
            now,
            tags: plan
                .tags(now)
                .into_iter()
                .map(|tag| (tag.label.clone(), tag))
                .collect(),
            life: Life::new(
                history.unwrap_or(History::NONE),
                random,
                vault,
                payees,
                actors,
                now,
            ),
            ready,
            stage: Stage::Accounts(0),
        }
    }

    /// As of when something is true.
    fn version(&self, change: &Change) -> Version {
        match change {
            Change::Transaction(transaction, _) => Version::of_transaction(transaction),
            Change::Wallet(..) => Version::at(self.now),
            _ => Version::at(self.began),
        }
    }

    fn change(&mut self) -> Option<Change> {
        loop {
            if let Some(change) = self.ready.pop() {
                return Some(change);
            }
            match self.stage {
                Stage::Accounts(number) if number < self.life.vault.accounts() => {
                    self.stage = Stage::Accounts(number + 1);
                    self.ready
                        .extend(self.life.vault.account(number, &self.tags));
                }
                Stage::Accounts(_) => self.stage = Stage::Transactions,
                Stage::Transactions => match self.life.next() {
                    Some(made) => {
                        let origin = ledger::change::Origin::default();
                        return Some(Change::Transaction(Box::new(made), origin));
                    }
                    None => self.stage = Stage::Wallets(0),
                },
                // What they hold is known only now.
                Stage::Wallets(at) if at < self.life.vault.wallets.len() => {
                    self.stage = Stage::Wallets(at + 1);
                    self.life.vault.changes(at, self.began, &mut self.ready);
                }
                Stage::Wallets(_) => return None,
            }
        }
    }
}

impl Iterator for Grown {
    type Item = (Version, Change);

    fn next(&mut self) -> Option<Self::Item> {
        let change = self.change()?;
        Some((self.version(&change), change))
    }
}

/// An entry of a whitelist, with an address for each of its assets.
fn whitelisted(block: &Listed, at: u32, random: &mut StdRng) -> WhitelistedWallet {
    let mut entries = Vec::new();
    let (internal, contract) = (WhitelistKind::Internal, WhitelistKind::Contract);
    for (asset, given) in &block.assets {
        let bytes = random.random();
        let Some(chain) = assets::chain_of(asset) else {
            continue;
        };
        if block.kind == contract && chain.form != AddressForm::Evm {
            continue;
        }
        let address = match given {
            Some(place) => Address {
                text: place.address.clone(),
                tag: place.tag.clone(),
                ..Address::default()
            },
            None => addresses::of_nobody(chain, &bytes),
        };
        let nothing = || (block.kind == internal).then(Amount::zero);
        entries.push(WhitelistedAsset {
            id: asset.asset_id(),
            status: WhitelistStatus::Approved,
            balance: nothing(),
            locked_amount: nothing(),
            address: address.text,
            tag: address.tag,
            activation_time: None,
        });
    }
    let reference = block.customer_ref_id.as_ref();
    WhitelistedWallet {
        id: WalletId(uuid::Builder::from_random_bytes(random.random()).into_uuid()),
        name: block.names.name(at),
        customer_ref_id: reference.map(|pattern| pattern.fill(block.names.number(at))),
        assets: entries,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::described::Shipped;
    use crate::people;
    use crate::world::keys::sha256;
    use protocol::model::transaction::{Peer, TransactionStatus};

    const NOW: Millis = Millis(1_790_000_000_000);

    fn grown(shipped: Shipped, network: Network, seed: u64) -> Grown {
        let workspace = people::workspace_id(network);
        Grown::new(&shipped.plan(network), workspace, seed, NOW)
    }

    /// Tests, demos and documents know its accounts, ids and addresses.
    #[test]
    fn the_fund_is_the_one_that_it_has_always_been() {
        let digest = |network| {
            let grown = grown(Shipped::Fund, network, 1);
            let mut lines: Vec<_> = grown
                .map(|(version, change)| format!("{version:?} {change:?}"))
                .collect();
            lines.sort();
            hex::encode(sha256(lines.join("\n").as_bytes()))
        };
        assert_eq!(
            [Network::Mainnet, Network::Testnet].map(digest),
            [
                "743634e0e5652ebebdfc5f9138802effa47c165f6b4242e4ec464c3c04e3fd44",
                "e5afc5c46b65e358492d34abe40e3a39bd0e76e67cfa68f36233612f39dd8c49"
            ]
        );
    }

    /// What every wallet holds in the end is what it held and what has moved, fees and all.
    #[test]
    fn balances_are_what_was_there_and_the_sum_of_the_history() {
        let text = "[[accounts]]\nname = \"A {n}\"\ncount = 30\n\
            balances = { BTC = [\"0\", \"2\"], USDC = \"1000\", ETH = \"0.5\" }\n\
            [[whitelists]]\nkind = \"external\"\nname = \"P\"\nassets = [\"*\"]\n\
            [history]\ntransactions = 700\nassets = { USDC = 5, BTC = 1, ETH = 1 }\n";
        let plan = Arc::new(crate::described::read("f.toml", text).expect("a file"));
        let workspace = people::workspace_id(Network::Mainnet);
        let before = Vault::open(
            &plan,
            Keyring::of(3, Network::Mainnet),
            &mut StdRng::seed_from_u64(3),
        );
        let mut held: HashMap<(String, String), i128> = HashMap::new();
        for wallet in &before.wallets {
            let key = (wallet.account.to_string(), wallet.asset.id.to_owned());
            held.insert(key, wallet.units);
        }
        let (mut transactions, mut wallets) = (0, 0);
        for (_, change) in Grown::new(&plan, workspace, 3, NOW) {
            match change {
                Change::Transaction(made, _) => {
                    transactions += 1;
                    assert!(made.created_at < NOW && made.created_at.plus(366 * Millis::DAY) > NOW);
                    if made.status != TransactionStatus::Completed {
                        continue;
                    }
                    let asset = assets::find(&made.asset_id).expect("an asset");
                    let amount = made.amount_info.amount.expect("an amount");
                    let units = amount.to_units(asset.decimals).expect("units");
                    let mut moved = |side: &Peer, asset: &str, units: i128| {
                        if let Some(account) = side.vault_account() {
                            let key = (account.to_string(), asset.to_owned());
                            *held.entry(key).or_default() += units;
                        }
                    };
                    moved(&made.source, asset.id, -units);
                    moved(&made.destination, asset.id, units);
                    if let Some(fee) = made.fee_info.network_fee {
                        let native = asset.native.parse().expect("an id");
                        let decimals = assets::find(&native).expect("an asset").decimals;
                        let fee = fee.to_units(decimals).expect("units");
                        moved(&made.source, asset.native, -fee);
                    }
                }
                Change::Wallet(account, facts) => {
                    wallets += 1;
                    let id = facts.balance.id.to_string();
                    let asset = assets::find(&facts.balance.id).expect("an asset");
                    let units = facts.balance.total.to_units(asset.decimals);
                    assert_eq!(units, held.get(&(account.to_string(), id)).copied());
                    assert!(units >= Some(0));
                }
                _ => {}
            }
        }
        assert_eq!((transactions, wallets), (700, 90));
    }

    #[test]
    fn the_same_seed_makes_the_same_workspace_and_another_one_another() {
        let whole = |seed| -> Vec<_> { grown(Shipped::Treasury, Network::Mainnet, seed).collect() };
        assert_eq!(whole(5), whole(5));
        assert_ne!(whole(5), whole(6));
    }
}
