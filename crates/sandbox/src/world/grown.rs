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
                "beed827385c010503b42d034880bfa94048d5b3b42bd334ba373471dd22c1697",
                "0a469bf5710c5f2ebbf2baf94b3bea35e8d2553f5ca683eef7f73276b429fbe9"
            ]
        );
    }
}
