//! What was written becomes a plan: people, groups and policy here; what they have beside it.

mod beside;
mod people;
mod policy;
mod vault;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use protocol::amount::Amount;
use toml::Spanned;

use super::pattern::Pattern;
use super::plan::{Names, Plan};
use super::problems::{Found, near};
use super::shipped::Shipped;
use super::written::{Called, File, Word};
use crate::world::Network;
use crate::world::assets::{self, AssetRow};

/// Longest name of anything, in characters.
const MAX_NAME: usize = 255;
/// Every asset of the network.
const ALL: &str = "*";

/// The plan; whole only if nothing was found to be wrong.
pub(super) fn check(file: &File, network: Option<Network>, found: &mut Found) -> Plan {
    let mut checker = Checker::new(file, network, found);
    let (people, groups) = checker.people(file);
    let tags = checker.tags(&file.tags);
    let accounts = checker.accounts(&file.accounts, &tags);
    let whitelists = checker.whitelists(&file.whitelists);
    let policy = checker.policy(file, &people, &groups, &accounts);
    let usual = |name: &str| people.iter().any(|member| member.name == name);
    let history = file.history.as_ref();
    let history = history.and_then(|history| checker.history(history, &accounts, &usual));
    let quorum = checker.quorum(file, &people);
    Plan {
        name: checker.name(file),
        network: checker.network,
        quorum,
        policy,
        exchanges: checker.exchanges(&file.exchange_accounts),
        fiat: checker.fiat(&file.fiat_accounts),
        gas_stations: checker.gas_stations(&file.gas_stations),
        webhooks: checker.webhooks(&file.webhooks),
        examples: checker.examples(&file.examples, &accounts),
        people,
        groups,
        tags,
        accounts,
        whitelists,
        history,
    }
}

/// The shipped fund of a network, for what a file leaves away.
fn usual() -> std::sync::Arc<Plan> {
    Shipped::Fund.plan(Network::Mainnet)
}

struct Checker<'f> {
    found: &'f mut Found,
    network: Network,
    /// The network was chosen from outside: the name says so.
    chosen: bool,
    assets: BTreeMap<&'static str, &'static AssetRow>,
}

impl<'f> Checker<'f> {
    fn new(file: &File, network: Option<Network>, found: &'f mut Found) -> Self {
        let own = file.network.as_ref();
        if let (Some(own), Some(chosen)) = (own, network)
            && *own.get_ref() != chosen
        {
            let what = format!(
                "the file is of another network than was asked for: {}",
                chosen.name()
            );
            found.add(own.span(), what);
        }
        let written = own.map(|own| *own.get_ref());
        let network = written.or(network).unwrap_or(Network::Mainnet);
        let known = assets::of_network(network == Network::Testnet);
        Self {
            found,
            network,
            chosen: written.is_none(),
            assets: known.map(|asset| (asset.id, asset)).collect(),
        }
    }

    fn wrong(&mut self, at: Range<usize>, what: impl Into<String>) {
        self.found.add(at, what);
    }

    fn name(&mut self, file: &File) -> String {
        let name = file.name.as_ref().map(|name| self.text(name));
        let name = name.unwrap_or_else(|| "Workspace".to_owned());
        if self.chosen && self.network == Network::Testnet {
            format!("{name} (testnet)")
        } else {
            name
        }
    }

    /// A text that has something in it and is not too long.
    fn text(&mut self, word: &Word) -> String {
        let text = word.get_ref();
        if text.trim().is_empty() || text.chars().count() > MAX_NAME {
            let what = format!("expected 1 to {MAX_NAME} characters");
            self.wrong(word.span(), what);
        }
        text.clone()
    }

    /// Tells of a word that is there twice.
    fn once(&mut self, seen: &mut BTreeSet<String>, what: &str, word: &Word) {
        if !seen.insert(word.get_ref().clone()) {
            self.wrong(
                word.span(),
                format!("{what} {:?} is there twice", word.get_ref()),
            );
        }
    }

    /// The asset of that id. Where the network was chosen from outside, the mainnet's ids are good
    /// for the testnet, too.
    fn asset(&mut self, word: &Word) -> Option<&'static AssetRow> {
        let found = self.known(word.get_ref());
        if found.is_none() {
            let near = near(word.get_ref(), self.assets.keys().copied());
            let known: Vec<_> = self.assets.keys().copied().collect();
            let what = format!(
                "no such asset on {}: {:?}; there are {}{near}",
                self.network.name(),
                word.get_ref(),
                known.join(", ")
            );
            self.wrong(word.span(), what);
        }
        found
    }

    fn known(&self, id: &str) -> Option<&'static AssetRow> {
        let test = self.chosen && self.network == Network::Testnet;
        let id = assets::on_testnet(id).filter(|_| test).unwrap_or(id);
        self.assets.get(id).copied()
    }

    /// These assets, in the order in which the network has them; `*` is all of them.
    fn assets(&mut self, words: &[Word]) -> Vec<&'static AssetRow> {
        let mut wanted = BTreeSet::new();
        let mut all = false;
        for word in words {
            if word.get_ref() == ALL {
                all = true;
            } else if let Some(asset) = self.asset(word)
                && !wanted.insert(asset.id)
            {
                self.wrong(word.span(), format!("asset {:?} is there twice", asset.id));
            }
        }
        let known = assets::of_network(self.network == Network::Testnet);
        known
            .filter(|asset| all || wanted.contains(asset.id))
            .collect()
    }

    /// An amount that is not below nothing and fits so many decimals.
    fn amount(&mut self, at: Range<usize>, text: &str, decimals: u8) -> Option<Amount> {
        let read = text.parse::<Amount>().ok().filter(|it| !it.is_negative());
        let Some(amount) = read else {
            let what = format!("expected an amount such as \"1.5\", found {text:?}");
            self.wrong(at, what);
            return None;
        };
        if amount.decimals() > u64::from(decimals) {
            let what = format!("{text} has more decimals than there are: {decimals}");
            self.wrong(at, what);
            return None;
        }
        Some(amount)
    }

    fn money(&mut self, word: &Word, decimals: u8) -> Amount {
        let amount = self.amount(word.span(), word.get_ref(), decimals);
        amount.unwrap_or_default()
    }

    fn pattern(&mut self, word: &Word) -> Option<Pattern> {
        self.text(word);
        match word.get_ref().parse() {
            Ok(pattern) => Some(pattern),
            Err(must) => {
                self.wrong(word.span(), format!("expected {must}"));
                None
            }
        }
    }

    /// What a thing is called, or each of some that are alike.
    fn names(&mut self, called: &Called<'_>, most: u32) -> Option<Names> {
        match (called.name, called.names, called.count) {
            (Some(name), None, None) => {
                let pattern = self.pattern(name)?;
                Some(Names::Counted {
                    pattern,
                    from: called.from.unwrap_or(1),
                    count: 1,
                })
            }
            (Some(name), None, Some(count)) => {
                let pattern = self.pattern(name)?;
                if !pattern.counts() {
                    let what = "with a count, expected a {n} where the number goes";
                    self.wrong(name.span(), what);
                }
                if !(1..=most).contains(count.get_ref()) {
                    let what = format!("expected 1 to {most}, found {}", count.get_ref());
                    self.wrong(count.span(), what);
                }
                Some(Names::Counted {
                    pattern,
                    from: called.from.unwrap_or(1),
                    count: *count.get_ref(),
                })
            }
            (None, Some(names), None) => {
                if names.get_ref().is_empty() {
                    self.wrong(names.span(), "expected at least one name");
                }
                let names = names.get_ref().iter();
                Some(Names::Each(names.map(|name| self.text(name)).collect()))
            }
            (_, _, Some(count)) => {
                self.wrong(count.span(), "a count goes with a name that has {n} in it");
                None
            }
            _ => {
                let what = "expected a name, or names, and not both";
                self.wrong(called.at.clone(), what);
                None
            }
        }
    }

    /// A number from one to another; nothing: what is usual.
    fn between(&mut self, number: Option<&Spanned<u32>>, least: u32, most: u32) -> Option<u32> {
        let number = number?;
        if !(least..=most).contains(number.get_ref()) {
            let what = format!("expected {least} to {most}, found {}", number.get_ref());
            self.wrong(number.span(), what);
        }
        Some(*number.get_ref())
    }
}
