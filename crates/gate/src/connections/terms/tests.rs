use std::net::IpAddr;

use proptest::collection::btree_set;
use proptest::prelude::*;
use proptest::sample::select;
use protocol::ids::{AssetId, VaultAccountId, WalletId};
use uuid::Uuid;

use super::*;
use crate::testing::NOW;

const ASSETS: [&str; 3] = ["BTC", "ETH", "SOL"];

fn asset(word: &str) -> AssetId {
    word.parse().expect("an asset")
}

fn assets() -> impl Strategy<Value = AssetFilter> {
    let some = btree_set(select(ASSETS.to_vec()), 0..=3);
    prop_oneof![
        Just(AssetFilter::All),
        some.prop_map(|words| AssetFilter::Only(words.into_iter().map(asset).collect())),
    ]
}

/// Ranges among the eight addresses of 192.0.2.0/29.
fn net() -> impl Strategy<Value = IpNet> {
    (0..8_u8, 29..=32_u8).prop_map(|(host, bits)| {
        let net = format!("192.0.2.{host}/{bits}").parse::<IpNet>();
        net.expect("a net").trunc()
    })
}

/// Any terms of a small world.
pub(crate) fn terms() -> impl Strategy<Value = Terms> {
    let part = (
        btree_set((0..4_u32).prop_map(VaultAccountId::new), 0..4),
        assets(),
        btree_set(
            (0..3_u128).prop_map(|id| WalletId(Uuid::from_u128(id))),
            0..3,
        ),
        proptest::option::of(0..3_i64),
    )
        .prop_map(|(accounts, assets, whitelists, from)| PartScope {
            accounts,
            assets,
            whitelists,
            history_from: from.map(|month| NOW.plus(month)),
        });
    (
        select(vec![Mode::Guarded, Mode::Fed, Mode::Watched]),
        select(vec![ProviderRole::Viewer, ProviderRole::Editor]),
        proptest::collection::vec(net(), 0..4),
        part,
        select(vec![Place::Gate, Place::Fireblocks]),
        0..4_i64,
    )
        .prop_map(|(mode, role, addresses, part, place, until)| Terms {
            mode,
            role,
            addresses,
            addresses_reason: None,
            part,
            place,
            until: NOW.plus(until),
        })
}

/// Everything that terms let through, one by one: judged without a look at [`classify`].
fn let_through(terms: &Terms) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for host in 0..8 {
        let address: IpAddr = [192, 0, 2, host].into();
        if terms.addresses.iter().any(|net| net.contains(&address)) {
            all.insert(format!("from {address}"));
        }
    }
    for account in &terms.part.accounts {
        for word in ASSETS {
            let shown = match &terms.part.assets {
                AssetFilter::All => true,
                AssetFilter::Only(assets) => assets.contains(&asset(word)),
            };
            if shown {
                all.insert(format!("see {word} of {account}"));
            }
        }
        if terms.part.assets == AssetFilter::All {
            all.insert(format!("see any other asset of {account}"));
        }
    }
    for wallet in &terms.part.whitelists {
        all.insert(format!("see {wallet:?}"));
    }
    for month in 0..3 {
        if terms
            .part
            .history_from
            .is_none_or(|from| from <= NOW.plus(month))
        {
            all.insert(format!("see month {month}"));
        }
        if NOW.plus(month) < terms.until {
            all.insert(format!("at {month}"));
        }
    }
    if terms.part.history_from.is_none() {
        all.insert("see everything before".to_owned());
    }
    if terms.role == ProviderRole::Editor {
        all.insert("propose".to_owned());
    }
    if terms.place == Place::Fireblocks {
        all.insert("go up unseen".to_owned());
    }
    match terms.mode {
        Mode::Guarded => all.extend(["read".to_owned(), "hear".to_owned()]),
        Mode::Fed => drop(all.insert("hear".to_owned())),
        Mode::Watched => drop(all.insert("call Fireblocks".to_owned())),
    }
    all
}

/// One dimension of `other` in the place of `terms`' own.
fn with_one(terms: &Terms, other: &Terms, dimension: usize) -> Terms {
    let (mut next, other) = (terms.clone(), other.clone());
    match dimension {
        0 => next.mode = other.mode,
        1 => next.role = other.role,
        2 => next.addresses = other.addresses,
        3 => next.part.accounts = other.part.accounts,
        4 => next.part.assets = other.part.assets,
        5 => next.part.whitelists = other.part.whitelists,
        6 => next.part.history_from = other.part.history_from,
        7 => next.place = other.place,
        _ => next.until = other.until,
    }
    next
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// Whatever is taken for a narrowing lets nothing through that was not let through before.
    #[test]
    fn invariant_2_a_narrowing_lets_nothing_new_through(before in terms(), after in terms()) {
        if classify(&before, &after) == Direction::Narrows {
            prop_assert!(let_through(&after).is_subset(&let_through(&before)));
        }
    }

    /// Dimension by dimension, with something to see in the others: exactly what lets more through widens.
    #[test]
    fn each_dimension_by_itself_is_judged_exactly(terms in terms(), other in terms(), dimension in 0..9_usize) {
        let mut before = terms;
        before.part.accounts.insert(VaultAccountId::new(9));
        if dimension == 3 {
            before.part.assets = AssetFilter::All;
        }
        let after = with_one(&before, &other, dimension);
        let narrows = let_through(&after).is_subset(&let_through(&before));
        prop_assert_eq!(classify(&before, &after) == Direction::Narrows, narrows, "{}", dimension);
    }

    /// One dimension that widens is enough, however much the others narrow.
    #[test]
    fn invariant_2_what_narrows_one_and_widens_another_widens(before in terms(), after in terms(), dimension in 0..9_usize) {
        let one = with_one(&before, &after, dimension);
        if classify(&before, &one) == Direction::Widens {
            prop_assert_eq!(classify(&before, &after), Direction::Widens);
        }
    }

    #[test]
    fn nothing_changed_is_no_widening_and_there_is_a_way_back(before in terms(), after in terms()) {
        prop_assert_eq!(classify(&before, &before), Direction::Narrows);
        prop_assert!(differences(&before, &before).is_empty());
        if differences(&before, &after).is_empty() {
            prop_assert_eq!(classify(&before, &after), Direction::Narrows);
        }
        if classify(&before, &after) == Direction::Narrows
            && classify(&after, &before) == Direction::Narrows
        {
            prop_assert_eq!(let_through(&before), let_through(&after));
        }
    }
}
