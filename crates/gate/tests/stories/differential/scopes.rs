//! Random scopes: each dimension by itself, and all of them together.

use std::collections::BTreeSet;

use ledger::{AssetFilter, Change, Directions, PartScope, Shown, Version};
use protocol::ids::AssetId;
use protocol::model::transaction::PeerKind;
use protocol::time::Millis;
use rand::Rng;
use rand::rngs::StdRng;

use super::reduced::READER;

/// The first of a few months, UTC.
const MONTHS: [i64; 3] = [1_767_225_600_000, 1_777_593_600_000, 1_788_220_800_000];

fn some<T: Ord + Clone>(all: &BTreeSet<T>, share: f64, random: &mut StdRng) -> BTreeSet<T> {
    let taken = all.iter().filter(|_| random.random_bool(share));
    taken.cloned().collect()
}

/// All that there is, and all that can be shown of it.
pub(super) fn all(plan: &[(Version, Change)]) -> PartScope {
    let shown = Shown {
        usd: true,
        notes: true,
        users: true,
    };
    PartScope {
        shown,
        ..there(plan).0
    }
}

/// What there is: every account and place, and every asset.
fn there(plan: &[(Version, Change)]) -> (PartScope, BTreeSet<AssetId>) {
    let mut all = PartScope::default();
    let mut assets = BTreeSet::new();
    for (_, change) in plan {
        match change {
            Change::Account(facts) => drop(all.accounts.insert(facts.id)),
            Change::Asset(supported, _) => drop(assets.insert(supported.id.clone())),
            Change::Whitelist(_, wallet) => drop(all.whitelists.insert(wallet.id)),
            Change::Transaction(transaction, _) => {
                for peer in [&transaction.source, &transaction.destination] {
                    let id = peer.id.clone().unwrap_or_default();
                    match peer.kind {
                        PeerKind::ExchangeAccount => drop(all.exchange_accounts.insert(id)),
                        PeerKind::FiatAccount => drop(all.fiat_accounts.insert(id)),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    (all, assets)
}

/// Any scope of what there is.
pub(super) fn any(plan: &[(Version, Change)], random: &mut StdRng) -> PartScope {
    let (all, assets) = there(plan);
    let share = match random.random_range(0..4) {
        0 => 0.05,
        1 => 1.0,
        _ => 0.4,
    };
    let mut yes = |chance| random.random_bool(chance);
    let shown = Shown {
        usd: yes(0.5),
        notes: yes(0.3),
        users: yes(0.3),
    };
    let directions = if yes(0.5) {
        Directions::default()
    } else {
        Directions {
            incoming: yes(0.6),
            outgoing: yes(0.6),
            internal: yes(0.6),
        }
    };
    let (every_asset, only_own, recent) = (yes(0.4), yes(0.15), yes(0.3));
    PartScope {
        accounts: some(&all.accounts, share, random),
        assets: if every_asset {
            AssetFilter::All
        } else {
            AssetFilter::Only(some(&assets, 0.5, random))
        },
        whitelists: some(&all.whitelists, 0.5, random),
        history_from: recent.then(|| Millis(MONTHS[random.random_range(0..MONTHS.len())])),
        exchange_accounts: some(&all.exchange_accounts, 0.5, random),
        fiat_accounts: some(&all.fiat_accounts, 0.5, random),
        directions,
        shown,
        only_of: only_own.then(|| READER.to_owned()),
    }
}
