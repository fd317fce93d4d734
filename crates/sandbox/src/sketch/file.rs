//! A sketch becomes a workspace file that can be read again.

use std::collections::{BTreeMap, BTreeSet};

use protocol::amount::Amount;
use protocol::ids::AssetId;
use protocol::model::whitelist::WhitelistKind;
use protocol::time::Millis;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::Serialize;

use super::Sketch;
use crate::described::Kind;
use crate::world::Network;
use crate::world::assets::{self, AssetRow};

/// What amounts are multiplied with: a half to double, in thousandths. It is written nowhere.
#[derive(Clone, Copy)]
pub struct Factor(u32);

impl std::fmt::Debug for Factor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Factor")
    }
}

impl Factor {
    /// One that nobody can guess.
    pub fn secret() -> Self {
        Self::of(rand::random())
    }

    /// The one of a seed: the same workspace becomes the same file.
    pub fn of(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed).random_range(500..2_000))
    }

    /// An amount by it, with two digits that say something.
    fn apply(self, amount: &Amount, asset: &AssetRow) -> Amount {
        let units = amount.to_units(asset.decimals).unwrap_or_default().max(0);
        let factor = i128::from(self.0);
        // Thousandths last where they would not fit first.
        let scaled = units
            .checked_mul(factor)
            .map_or_else(|| units / 1_000 * factor, |product| product / 1_000);
        Amount::from_units(rounded(scaled), asset.decimals)
    }

    fn dollars(self, usd: u64) -> u64 {
        let scaled = i128::from(usd) * i128::from(self.0) / 1_000;
        u64::try_from(rounded(scaled)).unwrap_or(u64::MAX)
    }
}

/// To two digits that say something.
fn rounded(units: i128) -> i128 {
    let mut step = 1;
    while units / step >= 100 {
        step *= 10;
    }
    (units + step / 2) / step * step
}

#[derive(Serialize)]
struct File {
    name: &'static str,
    network: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Tag>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accounts: Vec<Account>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    whitelists: Vec<Listed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    history: Option<History>,
}

#[derive(Serialize)]
struct Tag {
    label: String,
    protected: bool,
}

#[derive(Serialize)]
struct Account {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_ref_id: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    hidden: bool,
    #[serde(skip_serializing_if = "is_false")]
    auto_fuel: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    balances: BTreeMap<&'static str, Amount>,
}

#[derive(Serialize)]
struct Listed {
    kind: &'static str,
    name: String,
    assets: Vec<&'static str>,
}

#[derive(Serialize)]
struct History {
    days: u32,
    transactions: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    deposits_usd: Option<[u64; 2]>,
    kinds: BTreeMap<&'static str, u32>,
    assets: BTreeMap<&'static str, u32>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
const fn is_false(is: &bool) -> bool {
    !*is
}

const HEAD: &str = "\
# A workspace as somebody's is, made by `vestibule sandbox import`.
#
# Names, ids, addresses, tags' texts, notes and moments are made up; amounts are rounded, and
# multiplied with a number that is written nowhere. What a Viewer cannot read is left away, and so is as
# in the shipped fund: people, API users, groups, quorum, policy. Write them here, if they matter.
";

impl Sketch {
    /// The workspace file.
    ///
    /// # Errors
    /// If it cannot be written as TOML: a fault of ours.
    pub fn file(&self, factor: Factor) -> Result<String, toml::ser::Error> {
        let network = self.network();
        let known: BTreeMap<_, _> = assets::of_network(network == Network::Testnet)
            .map(|asset| (asset.id, asset))
            .collect();
        let find = |id: &AssetId| known.get(id.as_str()).copied();
        let tags: BTreeMap<_, _> = self
            .tags
            .keys()
            .zip(1..)
            .map(|(id, number)| (id, format!("Tag {number}")))
            .collect();
        let mut left_out = BTreeSet::new();
        let mut accounts = Vec::new();
        for ((id, account), number) in self.accounts.iter().zip(1..) {
            let mut balances = BTreeMap::new();
            for (asset, held) in self.wallets.get(id).into_iter().flatten() {
                match find(asset) {
                    Some(row) => drop(balances.insert(row.id, factor.apply(held, row))),
                    None => drop(left_out.insert(asset)),
                }
            }
            accounts.push(Account {
                name: format!("Account {number}"),
                customer_ref_id: account.has_reference.then(|| format!("customer-{number}")),
                hidden: account.hidden,
                auto_fuel: account.auto_fuel,
                tags: account
                    .tags
                    .iter()
                    .filter_map(|id| tags.get(id).cloned())
                    .collect(),
                balances,
            });
        }
        let mut counts = BTreeMap::new();
        let listed = self.listed.values().map(|(kind, assets)| {
            let (kind, word) = match kind {
                WhitelistKind::Internal => ("internal", "Internal"),
                WhitelistKind::External => ("external", "External"),
                WhitelistKind::Contract => ("contract", "Contract"),
            };
            let number = counts.entry(kind).or_insert(0);
            *number += 1;
            Listed {
                kind,
                name: format!("{word} {number}"),
                assets: assets.iter().filter_map(|id| Some(find(id)?.id)).collect(),
            }
        });
        let file = File {
            name: "Imported Workspace",
            network: network.name(),
            whitelists: listed.collect(),
            tags: tags
                .values()
                .zip(self.tags.values())
                .map(|(label, tag)| Tag {
                    label: label.clone(),
                    protected: tag.protected,
                })
                .collect(),
            accounts,
            history: self.history(factor, &find),
        };
        let mut text = HEAD.to_owned();
        if !left_out.is_empty() {
            text.push_str(&format!(
                "# Left out: {} assets that a sandbox does not know.\n",
                left_out.len()
            ));
        }
        text.push('\n');
        text.push_str(&toml::to_string(&file)?);
        Ok(text)
    }

    /// The network that most of the wallets are of.
    fn network(&self) -> Network {
        let of_test = |asset: &AssetId| {
            let chain = assets::find(asset).and_then(assets::chain_of);
            chain.map(assets::Chain::is_test)
        };
        let wallets = self.wallets.values().flat_map(BTreeMap::keys);
        let all: Vec<_> = wallets.filter_map(of_test).collect();
        let test = all.iter().filter(|test| **test).count();
        if test * 2 > all.len() {
            Network::Testnet
        } else {
            Network::Mainnet
        }
    }

    fn history(
        &self,
        factor: Factor,
        find: &impl Fn(&AssetId) -> Option<&'static AssetRow>,
    ) -> Option<History> {
        let with_wallets: BTreeSet<_> = self.wallets.values().flat_map(BTreeMap::keys).collect();
        let known = || {
            let all = self.transactions.values();
            all.filter(|moved| find(&moved.asset).is_some() && with_wallets.contains(&moved.asset))
        };
        let first = known().map(|moved| moved.at).min()?;
        let last = known().map(|moved| moved.at).max().unwrap_or(first);
        let days = (last.0 - first.0) / Millis::DAY + 1;
        let (mut kinds, mut assets) = (BTreeMap::new(), BTreeMap::new());
        for moved in known() {
            let kind = match moved.kind {
                Kind::Deposit => "deposit",
                Kind::Internal => "internal",
                Kind::Payment => "payment",
                Kind::Failed => "failed",
                Kind::Rejected => "rejected",
                Kind::Blocked => "blocked",
            };
            *kinds.entry(kind).or_insert(0) += 1;
            if let Some(asset) = find(&moved.asset) {
                *assets.entry(asset.id).or_insert(0) += 1;
            }
        }
        let deposits = known().filter(|moved| moved.kind == Kind::Deposit);
        let usd = deposits.filter_map(|moved| {
            let dollars = moved.usd.as_ref()?.to_units(18)? / 10_i128.pow(18);
            u64::try_from(dollars).ok()
        });
        let usd: Vec<_> = usd.map(|usd| factor.dollars(usd)).collect();
        let between = usd.iter().min().zip(usd.iter().max());
        Some(History {
            days: u32::try_from(days.clamp(1, 3_650)).unwrap_or(365),
            transactions: u32::try_from(known().count()).unwrap_or(u32::MAX),
            deposits_usd: between
                .filter(|(least, most)| least < most)
                .map(|(least, most)| [*least, *most]),
            kinds,
            assets,
        })
    }
}
