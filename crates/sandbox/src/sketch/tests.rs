//! What a file keeps of a workspace, and what it does not.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::described::{self, Shipped};
use crate::people;
use crate::world::{Grown, Network};

const NOW: Millis = Millis(1_790_000_000_000);

fn grown(plan: &Arc<described::Plan>) -> Vec<Change> {
    let workspace = people::workspace_id(plan.network);
    let grown = Grown::new(plan, workspace, 1, NOW);
    grown.map(|(_, change)| change).collect()
}

fn sketched(changes: &[Change]) -> Sketch {
    let mut sketch = Sketch::default();
    for change in changes {
        sketch.take(change);
    }
    sketch
}

/// How many things of each kind and asset there are.
fn shape(sketch: &Sketch) -> BTreeMap<String, usize> {
    let mut shape = BTreeMap::new();
    let mut count = |what: String| *shape.entry(what).or_insert(0) += 1;
    for account in sketch.accounts.values() {
        let Account {
            hidden,
            auto_fuel,
            has_reference,
            tags,
        } = account;
        let tags = tags.len();
        count(format!(
            "account {hidden} {auto_fuel} {has_reference} {tags}"
        ));
    }
    for asset in sketch.wallets.values().flat_map(BTreeMap::keys) {
        count(format!("wallet of {asset}"));
    }
    for (kind, assets) in sketch.listed.values() {
        count(format!("{kind:?} of {assets:?}"));
    }
    for _ in sketch.transactions.values() {
        count("transaction".to_owned());
    }
    shape
}

#[test]
fn what_is_made_of_a_sketch_has_its_shape() {
    for (shipped, network) in [
        (Shipped::Fund, Network::Mainnet),
        (Shipped::Fund, Network::Testnet),
        (Shipped::Treasury, Network::Mainnet),
        (Shipped::Empty, Network::Mainnet),
    ] {
        let first = sketched(&grown(&shipped.plan(network)));
        let text = first.file(Factor::of(7)).expect("a file");
        let plan = described::read("sketch.toml", &text).unwrap_or_else(|error| panic!("{error}"));
        let again = sketched(&grown(&Arc::new(plan)));
        assert_eq!(shape(&first), shape(&again), "{shipped}");
        // And so on for ever.
        let twice = again.file(Factor::of(7)).expect("a file");
        assert!(described::read("again.toml", &twice).is_ok());
    }
}

#[test]
fn nothing_is_in_the_file_by_which_the_workspace_could_be_known() {
    let changes = grown(&Shipped::Fund.plan(Network::Mainnet));
    let text = sketched(&changes).file(Factor::of(7)).expect("a file");
    // Names that a file of anybody's may have.
    let said = |word: &str| word.len() > 3 && text.contains(word);
    for change in &changes {
        match change {
            Change::Account(facts) => {
                assert!(!said(&facts.name), "{facts:?}");
                assert!(!facts.customer_ref_id.as_deref().is_some_and(said));
            }
            Change::Whitelist(_, wallet) => {
                assert!(!said(&wallet.name) && !said(&wallet.id.to_string()));
                assert!(wallet.assets.iter().all(|asset| !said(&asset.address)));
            }
            Change::Address(_, address) => {
                assert!(!said(&address.address) && !said(&address.tag));
            }
            Change::Wallet(_, facts) => {
                let held = facts.balance.total.to_string();
                assert!(!said(&format!("\"{held}\"")) || held.len() < 6, "{held}");
            }
            Change::User(user) => assert!(!said(&user.id.to_string()), "{user:?}"),
            Change::Transaction(transaction, _) => {
                assert!(!said(&transaction.id.to_string()) && !said(&transaction.tx_hash));
                assert!(!said(&transaction.note) && !said(&transaction.source_address));
            }
            Change::WhitelistRemoved(..) | Change::Asset(..) | Change::Blockchain(_) => {}
        }
    }
}

#[test]
fn amounts_are_of_the_same_size_and_never_what_they_were() {
    let first = sketched(&grown(&Shipped::Fund.plan(Network::Mainnet)));
    let (one, other) = (first.file(Factor::of(1)), first.file(Factor::of(2)));
    assert_ne!(one, other, "the factor is in none of them");
    assert_eq!(one, first.file(Factor::of(1)));
    let plan = described::read("f.toml", &one.expect("a file")).expect("a file");
    let wallets = first.wallets.values();
    for (block, held) in plan.accounts.iter().zip(wallets) {
        for (wallet, held) in block.wallets.iter().filter_map(|wallet| {
            let asset = wallet.asset.asset_id();
            Some((wallet, held.get(&asset)?))
        }) {
            let held = held.to_units(wallet.asset.decimals).expect("units");
            let (least, most) = wallet.holds;
            assert_eq!(least, most);
            assert!(
                (held * 45 / 100..=held * 21 / 10).contains(&least),
                "{held} {least}"
            );
        }
    }
}
