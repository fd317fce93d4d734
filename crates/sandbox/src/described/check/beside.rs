//! What a workspace has beside its vault: accounts elsewhere, gas stations, webhooks.

use std::collections::{BTreeMap, BTreeSet};

use protocol::model::event::EventType;
use toml::Spanned;
use url::Url;

use super::super::plan::{Accounts, Example, Exchange, Fiat, Hook, Station};
use super::super::problems::near;
use super::super::written::{self, Word};
use super::Checker;
use crate::holdings::exchange::EXCHANGES;
use crate::holdings::gas_station::Configuration;
use crate::operations::is_event;
use crate::world::assets::AddressForm;
use crate::world::{assets, fiat};

/// Most webhooks of a workspace.
const MAX_WEBHOOKS: usize = 10;
/// Longest URL.
const MAX_URL: usize = 255;
/// Accounts that the made-up things belong to, of those that come first.
const OWNERS: u32 = 4;

impl Checker<'_> {
    pub(super) fn exchanges(&mut self, written: &[Spanned<written::Exchange>]) -> Vec<Exchange> {
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        for one in written.iter().map(Spanned::get_ref) {
            self.once(&mut seen, "the exchange account", &one.name);
            let exchange = one.exchange.get_ref();
            if !EXCHANGES.contains(&exchange.as_str()) {
                let near = near(exchange, EXCHANGES);
                let what = format!(
                    "no such exchange: {exchange:?}{near}; there are {}",
                    EXCHANGES.join(", ")
                );
                self.wrong(one.exchange.span(), what);
            }
            let mut holds = BTreeMap::new();
            for (kind, balances) in &one.balances {
                let mut purse = BTreeMap::new();
                for (asset, amount) in balances {
                    if let Some((id, decimals)) = self.held(asset) {
                        purse.insert(id.to_owned(), self.money(amount, decimals));
                    }
                }
                holds.insert(self.text(kind), purse);
            }
            all.push(Exchange {
                exchange: exchange.clone(),
                name: self.text(&one.name),
                holds,
            });
        }
        all
    }

    /// An asset or a currency, and how many decimals it has.
    fn held(&mut self, word: &Word) -> Option<(&'static str, u8)> {
        match fiat::currency(word.get_ref()) {
            Some(currency) => Some((currency.code, currency.decimals)),
            None => self.asset(word).map(|asset| (asset.id, asset.decimals)),
        }
    }

    pub(super) fn fiat(&mut self, written: &[Spanned<written::Fiat>]) -> Vec<Fiat> {
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        for one in written.iter().map(Spanned::get_ref) {
            self.once(&mut seen, "the fiat account", &one.name);
            let currency = fiat::currency(one.currency.get_ref());
            if currency.is_none() {
                let what = format!(
                    "no such currency: {:?}, expected a code such as USD or EUR",
                    one.currency.get_ref()
                );
                self.wrong(one.currency.span(), what);
            }
            let decimals = currency.map_or(2, |currency| currency.decimals);
            all.push(Fiat {
                name: self.text(&one.name),
                currency: one.currency.get_ref().clone(),
                balance: self.money(&one.balance, decimals),
                bank_balance: one
                    .bank_balance
                    .as_ref()
                    .map(|word| self.money(word, decimals))
                    .unwrap_or_default(),
            });
        }
        all
    }

    pub(super) fn gas_stations(&mut self, written: &[Spanned<written::Station>]) -> Vec<Station> {
        let mut seen = BTreeSet::new();
        let mut all = Vec::new();
        for station in written {
            let one = station.get_ref();
            self.once(&mut seen, "the gas station of", &one.asset);
            let Some(asset) = self.asset(&one.asset) else {
                continue;
            };
            let evm = assets::chain_of(asset).is_some_and(|chain| chain.form == AddressForm::Evm);
            if asset.native != asset.id || !evm {
                let what = format!(
                    "no gas station of {}: expected an EVM chain's own asset",
                    asset.id
                );
                self.wrong(one.asset.span(), what);
            }
            let configuration = Configuration {
                gas_threshold: self.money(&one.gas_threshold, asset.decimals),
                gas_cap: self.money(&one.gas_cap, asset.decimals),
                max_gas_price: one.max_gas_price.as_ref().map(|word| self.money(word, 9)),
            };
            if let Err(bad) = configuration.check(asset.decimals) {
                self.wrong(station.span(), bad.to_string());
            }
            all.push(Station {
                asset,
                balance: self.money(&one.balance, asset.decimals),
                configuration,
            });
        }
        all
    }

    pub(super) fn webhooks(&mut self, written: &[Spanned<written::Hook>]) -> Vec<Hook> {
        if let Some(more) = written.get(MAX_WEBHOOKS) {
            self.wrong(
                more.span(),
                format!("a workspace has at most {MAX_WEBHOOKS} webhooks"),
            );
        }
        let mut all = Vec::new();
        for one in written.iter().map(Spanned::get_ref) {
            let url = one.url.get_ref();
            let http = |url: &Url| matches!(url.scheme(), "http" | "https") && url.has_host();
            if url.len() > MAX_URL || !url.parse().as_ref().is_ok_and(http) {
                let what =
                    format!("expected a whole http or https URL of at most {MAX_URL} characters");
                self.wrong(one.url.span(), what);
            }
            let mut events = Vec::new();
            for word in &one.events {
                if word.get_ref() == "*" {
                    events = EventType::ALL.to_vec();
                    continue;
                }
                let Ok(event) = word.get_ref().parse::<EventType>();
                if !is_event(&event) {
                    let near = near(word.get_ref(), EventType::ALL.iter().map(EventType::as_str));
                    self.wrong(
                        word.span(),
                        format!("no such event: {:?}{near}", word.get_ref()),
                    );
                }
                events.push(event);
            }
            if one.events.is_empty() {
                events = EventType::ALL.to_vec();
            }
            all.push(Hook {
                url: url.clone(),
                description: one.description.clone(),
                events,
                enabled: one.enabled,
            });
        }
        all
    }

    pub(super) fn examples(
        &mut self,
        written: &[Spanned<Example>],
        accounts: &[Accounts],
    ) -> BTreeSet<Example> {
        let count: u32 = accounts.iter().map(|block| block.names.count()).sum();
        let mut all = BTreeSet::new();
        for example in written {
            if *example.get_ref() == Example::Nfts && count < OWNERS {
                let what =
                    format!("NFTs belong to the first {OWNERS} accounts, and there are {count}");
                self.wrong(example.span(), what);
            }
            if !all.insert(*example.get_ref()) {
                self.wrong(example.span(), "this is there twice");
            }
        }
        all
    }
}
