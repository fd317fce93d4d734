//! Vault accounts, tags, whitelists, and what has happened.

use std::collections::BTreeSet;

use protocol::model::whitelist::WhitelistKind;
use toml::Spanned;

use super::super::plan::{Accounts, History, Kinds, Label, Listed, MAX_WEIGHT, Place, Wallets};
use super::super::written::{self, Called, Holding, ListKind, Tag, Word};
use super::Checker;
use crate::world::addresses;
use crate::world::assets::{self, AddressForm, AssetRow};

/// Most accounts of a file.
const MAX_ACCOUNTS: u32 = 1_000_000;
/// Most entries of its whitelists.
const MAX_LISTED: u32 = 100_000;
/// Most transactions of its history.
const MAX_TRANSACTIONS: u32 = 10_000_000;
/// Most days of it.
const MAX_DAYS: u32 = 3_650;
/// Most addresses of a wallet beside its first.
const MAX_ADDRESSES: u32 = 1_000;

impl Checker<'_> {
    pub(super) fn tags(&mut self, tags: &[Spanned<Tag>]) -> Vec<Label> {
        let mut seen = BTreeSet::new();
        let each = tags.iter().map(Spanned::get_ref).map(|tag| {
            self.once(&mut seen, "the tag", &tag.label);
            Label {
                label: self.text(&tag.label),
                description: tag.description.clone(),
                protected: tag.protected,
            }
        });
        each.collect()
    }

    pub(super) fn accounts(
        &mut self,
        blocks: &[Spanned<written::Accounts>],
        tags: &[Label],
    ) -> Vec<Accounts> {
        let mut all = Vec::new();
        let mut count = 0_u32;
        for written in blocks {
            let (at, block) = (written.span(), written.get_ref());
            let called = Called {
                at: at.clone(),
                name: block.name.as_ref(),
                names: block.names.as_ref(),
                count: block.count.as_ref(),
                from: block.from,
            };
            let names = self.names(&called, MAX_ACCOUNTS);
            let wallets = self.wallets(block);
            for word in &block.tags {
                if tags.iter().all(|tag| tag.label != *word.get_ref()) {
                    let labels = tags.iter().map(|tag| tag.label.as_str());
                    let near = super::near(word.get_ref(), labels);
                    let what = format!("no such tag: {:?}{near}", word.get_ref());
                    self.wrong(word.span(), what);
                }
            }
            let reference = block.customer_ref_id.as_ref();
            let Some(names) = names else { continue };
            count = count.saturating_add(names.count());
            if count > MAX_ACCOUNTS {
                self.wrong(at, format!("a file has at most {MAX_ACCOUNTS} accounts"));
                break;
            }
            all.push(Accounts {
                customer_ref_id: reference.and_then(|word| self.pattern(word)),
                hidden: block.hidden,
                auto_fuel: block.auto_fuel,
                tags: block
                    .tags
                    .iter()
                    .map(|word| word.get_ref().clone())
                    .collect(),
                wallets,
                share: self.between(block.share.as_ref(), 1, 100),
                more_addresses: self
                    .between(block.more_addresses.as_ref(), 0, MAX_ADDRESSES)
                    .unwrap_or(0),
                funded: block
                    .funded_usd
                    .as_ref()
                    .map(|usd| self.cents(usd.span(), *usd.get_ref())),
                names,
            });
        }
        all
    }

    fn cents(&mut self, at: std::ops::Range<usize>, usd: u64) -> u64 {
        const MOST: u64 = 1_000_000_000_000;
        if usd > MOST {
            self.wrong(at, format!("expected at most {MOST} dollars, found {usd}"));
        }
        usd.min(MOST) * 100
    }

    /// The wallets of a block's accounts, in the network's order: also those of the assets that fees
    /// are paid in.
    fn wallets(&mut self, block: &written::Accounts) -> Vec<Wallets> {
        let mut wanted: BTreeSet<_> = self.assets(&block.assets).iter().map(|it| it.id).collect();
        let mut holds = std::collections::BTreeMap::new();
        for (word, holding) in &block.balances {
            if let Some(asset) = self.asset(word) {
                wanted.insert(asset.id);
                holds.insert(asset.id, self.holding(asset, holding));
            }
        }
        let natives = wanted.iter().filter_map(|id| self.assets.get(id));
        let natives: Vec<_> = natives.map(|asset| asset.native).collect();
        wanted.extend(natives);
        let test = self.network == crate::world::Network::Testnet;
        let known = assets::of_network(test).filter(|asset| wanted.contains(asset.id));
        let wallets = known.map(|asset| Wallets {
            asset,
            holds: holds.get(asset.id).copied().unwrap_or_default(),
        });
        wallets.collect()
    }

    fn holding(&mut self, asset: &AssetRow, holding: &Spanned<Holding>) -> (i128, i128) {
        let at = holding.span();
        let mut units = |text: &str| {
            let amount = self.amount(at.clone(), text, asset.decimals)?;
            let units = amount.to_units(asset.decimals);
            if units.is_none() {
                self.wrong(at.clone(), format!("{text} is more than a wallet can hold"));
            }
            units
        };
        match holding.get_ref() {
            Holding::One(text) => {
                let units = units(text).unwrap_or_default();
                (units, units)
            }
            Holding::Between([least, most]) => {
                let (least, most) = (units(least), units(most));
                let (least, most) = (least.unwrap_or_default(), most.unwrap_or_default());
                if least > most {
                    self.wrong(at, "expected the least first, then the most");
                }
                (least, most)
            }
        }
    }

    pub(super) fn whitelists(&mut self, blocks: &[Spanned<written::Listed>]) -> Vec<Listed> {
        let mut all = Vec::new();
        for written in blocks {
            let block = written.get_ref();
            let called = Called {
                at: written.span(),
                name: block.name.as_ref(),
                names: block.names.as_ref(),
                count: block.count.as_ref(),
                from: block.from,
            };
            let names = self.names(&called, MAX_LISTED);
            let mut given = std::collections::BTreeMap::new();
            for (word, address) in &block.addresses {
                if let Some(asset) = self.asset(word) {
                    given.insert(asset.id, self.place(asset, address));
                }
            }
            let mut words: Vec<Word> = block.assets.clone();
            words.extend(
                block
                    .addresses
                    .keys()
                    .filter(|key| {
                        let known = self.known(key.get_ref()).is_some();
                        known
                            && block
                                .assets
                                .iter()
                                .all(|word| word.get_ref() != key.get_ref())
                    })
                    .cloned(),
            );
            let kind = match block.kind.get_ref() {
                ListKind::Internal => WhitelistKind::Internal,
                ListKind::External => WhitelistKind::External,
                ListKind::Contract => WhitelistKind::Contract,
            };
            let assets = self.assets(&words);
            self.contracts(kind, block);
            let reference = block.customer_ref_id.as_ref();
            let Some(names) = names else { continue };
            all.push(Listed {
                kind,
                customer_ref_id: reference.and_then(|word| self.pattern(word)),
                assets: assets
                    .into_iter()
                    .map(|asset| (asset, given.get(asset.id).cloned().flatten()))
                    .collect(),
                names,
            });
        }
        all
    }

    /// Contracts are where there are contracts.
    fn contracts(&mut self, kind: WhitelistKind, block: &written::Listed) {
        if kind != WhitelistKind::Contract {
            return;
        }
        for word in block.assets.iter().chain(block.addresses.keys()) {
            let chain = self.known(word.get_ref()).and_then(assets::chain_of);
            if chain.is_some_and(|chain| chain.form != AddressForm::Evm) {
                let what = format!(
                    "{} has no contracts: expected an asset of an EVM chain",
                    word.get_ref()
                );
                self.wrong(word.span(), what);
            }
        }
    }

    fn place(&mut self, asset: &AssetRow, written: &Spanned<written::Address>) -> Option<Place> {
        let (address, tag) = match written.get_ref() {
            written::Address::Plain(address) => (address.clone(), String::new()),
            written::Address::Tagged { address, tag } => (address.clone(), tag.clone()),
        };
        let chain = assets::chain_of(asset)?;
        if !addresses::is_valid(chain, &address) {
            let what = format!("{address:?} is no address of {}", chain.native);
            self.wrong(written.span(), what);
        }
        if !addresses::is_valid_tag(chain, &tag) {
            self.wrong(
                written.span(),
                format!("{tag:?} is no tag of {}", chain.native),
            );
        }
        Some(Place { address, tag })
    }

    pub(super) fn history(
        &mut self,
        written: &Spanned<written::History>,
        accounts: &[Accounts],
        knows: &dyn Fn(&str) -> bool,
    ) -> Option<History> {
        let history = written.get_ref();
        let transactions = self.between(Some(&history.transactions), 0, MAX_TRANSACTIONS)?;
        let kinds = history.kinds.as_ref();
        if let Some(kinds) = kinds {
            let total = kinds.get_ref().total();
            if !(1..=u64::from(MAX_WEIGHT)).contains(&total) {
                let what =
                    format!("expected weights that are 1 to {MAX_WEIGHT} together, found {total}");
                self.wrong(kinds.span(), what);
            }
        }
        let mut weights = Vec::new();
        for (word, weight) in &history.assets {
            let Some(asset) = self.asset(word) else {
                continue;
            };
            self.between(Some(weight), 1, MAX_WEIGHT / 100);
            let has = |block: &Accounts| block.wallets.iter().any(|it| it.asset.id == asset.id);
            if !accounts.iter().any(has) {
                let what = format!("no account has a wallet of {}", asset.id);
                self.wrong(word.span(), what);
            }
            weights.push((asset, *weight.get_ref()));
        }
        let deposits = history.deposits_usd.as_ref();
        if let Some(deposits) = deposits
            && deposits.get_ref()[0] >= deposits.get_ref()[1]
        {
            self.wrong(
                deposits.span(),
                "expected the least first, then more than that",
            );
        }
        let [least, most] = deposits.map_or([1_000, 250_000], |deposits| *deposits.get_ref());
        let wallets = |block: &Accounts| !block.wallets.is_empty();
        if transactions > 0 && !accounts.iter().any(wallets) {
            let what = "a history moves what accounts hold, and there is no account with a wallet";
            self.wrong(written.span(), what);
        }
        let who = |checker: &mut Self, word: &Option<Word>, usual: &str| match word {
            Some(word) => {
                if !knows(word.get_ref()) {
                    let what = format!("no such person or API user: {:?}", word.get_ref());
                    checker.wrong(word.span(), what);
                }
                word.get_ref().clone()
            }
            None => usual.to_owned(),
        };
        let at = deposits.map_or(0..0, Spanned::span);
        Some(History {
            days: self
                .between(history.days.as_ref(), 1, MAX_DAYS)
                .unwrap_or(365),
            transactions,
            initiator: who(self, &history.initiator, "signing-officer"),
            signer: who(self, &history.signer, "signing-officer"),
            deposits: (self.cents(at.clone(), least), self.cents(at, most)),
            kinds: kinds.map_or(Kinds::USUAL, |kinds| *kinds.get_ref()),
            assets: weights,
            skips: history.skip_unaffordable,
        })
    }
}
