//! A history at a workspace: after each step, what has become of all, and whether it adds up.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::time::Millis;
use serde_json::Value;

use super::ledger::{Entry, Holder, Ledger, Pot, Sums, What, read};
use super::places::Places;
use super::steps::{ACCOUNTS, ASSETS, Step};
use super::visitor::Visitor;
use crate::hall::Hall;

/// A history at a workspace.
pub(super) struct Player {
    /// Who calls; nobody, as long as nothing runs.
    who: Option<Who>,
    pub(super) places: Places,
    pub(super) ledger: Ledger,
    /// What was there before does not count.
    since: Millis,
    before: BTreeSet<String>,
    /// Every status with its sub-status that a transaction was seen in.
    pub(super) seen: BTreeSet<String>,
}

/// Users of the workspace.
pub(super) struct Who {
    pub(super) user: Visitor,
    pub(super) editor: Visitor,
    pub(super) admin: Visitor,
}

impl Who {
    fn of(hall: &Arc<Hall>) -> Self {
        let named = |name| Visitor::named(hall, name);
        Self {
            user: named("signer"),
            editor: named("editor"),
            admin: named("admin"),
        }
    }
}

/// A transaction that somebody asks for, before it has an id.
pub(super) fn entry(
    source: Option<Holder>,
    what: What,
    (asset, fee_asset, _): (&str, &str, usize),
) -> Entry {
    Entry {
        id: String::new(),
        source,
        what,
        asset: asset.to_owned(),
        amount: 0,
        fee_asset: fee_asset.to_owned(),
        fee: None,
        gross: false,
        parts: Vec::new(),
        status: "SUBMITTED".to_owned(),
        sub_status: String::new(),
        position: None,
    }
}

impl Player {
    pub(super) async fn new(hall: &Arc<Hall>) -> Self {
        let who = Who::of(hall);
        let terms = "/staking/providers/kiln/approveTermsOfService";
        who.user.call("POST", terms, None).await;
        let places = Places::find(&who.user).await;
        let mut player = Self {
            since: hall.clock.now(),
            ledger: Ledger::at(places.told(&who.user).await),
            before: BTreeSet::new(),
            seen: BTreeSet::new(),
            who: Some(who),
            places,
        };
        let there = player.listed().await;
        player.before = there.iter().map(|one| text(one, "id")).collect();
        player
    }

    pub(super) fn who(&self) -> &Who {
        self.who.as_ref().expect("a workspace that runs")
    }

    pub(super) fn user(&self) -> &Visitor {
        &self.who().user
    }

    /// Nothing runs any more.
    pub(super) fn leave(&mut self) {
        self.who = None;
    }

    /// It runs again.
    pub(super) fn enter(&mut self, hall: &Arc<Hall>) {
        self.who = Some(Who::of(hall));
    }

    /// The transactions of this history, as the API lists them.
    async fn listed(&self) -> Vec<Value> {
        let path = format!(
            "/transactions?after={}&orderBy=createdAt&sort=ASC&limit=500",
            self.since.0 - 1
        );
        let Value::Array(listed) = self.user().get(&path).await else {
            panic!("no list");
        };
        let new = |one: &Value| !self.before.contains(&text(one, "id"));
        listed.into_iter().filter(new).collect()
    }

    /// What happens, and what all hold then.
    pub(super) async fn play(&mut self, step: &Step) {
        let made = self.act(step).await;
        self.look(made).await;
    }

    /// Looks at what has become of all, and whether it adds up.
    pub(super) async fn look(&mut self, made: Option<Entry>) {
        let told = self.places.told(self.user()).await;
        self.observe(made, &told).await;
        self.check(&told);
    }

    /// The coins of all wallets are what these hold.
    pub(super) async fn coins(&self) {
        self.places.coins(self.user(), &self.ledger.sums()).await;
    }

    /// Learns what has become of all transactions, and of new ones.
    async fn observe(&mut self, made: Option<Entry>, told: &Sums) {
        let mut made = made;
        for one in self.listed().await {
            let id = text(&one, "id");
            let known = self.ledger.entries.iter().position(|entry| entry.id == id);
            let at = match known {
                Some(at) => at,
                None => {
                    let new = if text(&one["source"], "type") == "GAS_STATION" {
                        fuel(&one)
                    } else {
                        made.take()
                            .unwrap_or_else(|| panic!("nobody asked for {one}"))
                    };
                    self.ledger.entries.push(Entry { id, ..new });
                    self.learn(told, &one);
                    self.ledger.entries.len() - 1
                }
            };
            let entry = &mut self.ledger.entries[at];
            entry.status = text(&one, "status");
            entry.sub_status = text(&one, "subStatus");
            self.seen
                .insert(format!("{} {}", entry.status, entry.sub_status));
            if let Some(fee) = one["feeInfo"]["networkFee"].as_str() {
                let shown = read(fee);
                let held = *entry.fee.get_or_insert(shown);
                assert_eq!(
                    held, shown,
                    "the fee that was held is not the one shown: {one}"
                );
            }
        }
        for at in 0..self.ledger.entries.len() {
            self.rewarded(at).await;
        }
        assert!(
            made.is_none(),
            "it was accepted, and is not listed: {made:?}"
        );
    }

    /// Rewards go on until they are paid out: what was paid, its position tells.
    async fn rewarded(&mut self, at: usize) {
        let entry = self.ledger.entries[at].clone();
        let (What::Returns(0, least), Some(position)) = (entry.what, &entry.position) else {
            return;
        };
        if entry.status != "COMPLETED" {
            return;
        }
        let path = format!("/staking/positions/{position}/related_transactions?pageSize=100");
        let told = self.user().get(&path).await;
        let related = told["data"].as_array().expect("a list").iter();
        let mut own = related.filter(|one| one["txId"] == entry.id.as_str());
        let paid = read(&text(own.next().expect("its own"), "amount"));
        assert!(paid >= least, "rewards went down: {least} {paid}");
        self.ledger.entries[at].what = What::Returns(0, paid);
    }

    /// The fee of a new transaction is what is held back beside its amount.
    fn learn(&mut self, told: &Sums, one: &Value) {
        let Some(mut entry) = self.ledger.entries.pop() else {
            return;
        };
        entry.status = text(one, "status");
        entry.sub_status = text(one, "subStatus");
        let pot = match &entry.source {
            Some(Holder::Account(_)) => Pot::Locked,
            Some(Holder::Station(_)) => Pot::Available,
            _ => return self.ledger.entries.push(entry),
        };
        if entry.what != What::Moves && one["treatAsGrossAmount"] == true {
            panic!("{one} moves nothing");
        }
        entry.gross = one["treatAsGrossAmount"] == true;
        if entry.gross {
            let net = read(one["amountInfo"]["netAmount"].as_str().expect("an amount"));
            entry.fee = Some(entry.amount - net);
            if let [(_, part)] = entry.parts.as_mut_slice() {
                *part = net;
            }
        } else if entry.is_under_way() && one["feeInfo"]["networkFee"].is_null() {
            let source = entry.source.clone().expect("a source");
            self.ledger.entries.push(Entry {
                fee: Some(0),
                ..entry.clone()
            });
            let without = self.ledger.holds(&source, &entry.fee_asset, pot);
            self.ledger.entries.pop();
            let key = (source, entry.fee_asset.clone(), pot);
            let held = told.get(&key).copied().unwrap_or_default();
            entry.fee = Some((held - without).abs());
        }
        self.ledger.entries.push(entry);
    }

    /// Every place holds what the ledger says, and all its parts are what it holds altogether.
    fn check(&self, told: &Sums) {
        for (key, amount) in told {
            assert!(*amount >= 0, "less than nothing: {key:?} {amount}");
        }
        let expected = self.ledger.sums();
        for key in expected.keys().chain(told.keys()) {
            let (expected, told) = (expected.get(key), told.get(key));
            assert_eq!(
                told, expected,
                "{key:?} holds {told:?}, and the ledger says {expected:?}: {:#?}",
                self.ledger.entries
            );
        }
    }

    /// Transactions in one of these statuses.
    pub(super) fn in_status(&self, statuses: &[&str]) -> Vec<Entry> {
        let fits = |entry: &&Entry| statuses.contains(&entry.status.as_str());
        self.ledger.entries.iter().filter(fits).cloned().collect()
    }
}

/// What a gas station sends by itself.
fn fuel(one: &Value) -> Entry {
    let amount = read(one["amountInfo"]["amount"].as_str().expect("an amount"));
    let account = text(&one["destination"], "id").parse().expect("a number");
    assert!(account < ACCOUNTS, "{one}");
    Entry {
        amount,
        parts: vec![(Some(Holder::Account(account)), amount)],
        ..entry(
            Some(Holder::Station("ETH".to_owned())),
            What::Moves,
            ASSETS[0],
        )
    }
}

pub(super) fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}
