use std::net::IpAddr;

use proptest::collection::btree_set;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::strategy::ValueTree;
use protocol::ids::{AssetId, VaultAccountId, WalletId};
use uuid::Uuid;

use super::*;
use crate::connections::BudgetGrant;
use crate::testing::NOW;

const ASSETS: [&str; 3] = ["BTC", "ETH", "SOL"];
const TAGS: [&str; 2] = ["audited", "open"];
const PROPOSERS: [&str; 2] = ["acme", "other"];
/// Keys of client certificates.
const SHOWN: [&[u8]; 2] = [b"one", b"other"];
/// How many [`with_one`] knows.
const DIMENSIONS: usize = 20;
/// People of a provider's.
const CONTACTS: [&str; 2] = ["ops@example.com", "it@example.com"];
/// The accounts of the small world; the last is nowhere by itself.
const ACCOUNTS: [u32; 6] = [0, 1, 2, 3, 9, 8];

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

fn named<const N: usize>(words: [&'static str; N]) -> impl Strategy<Value = BTreeSet<String>> {
    let some = btree_set(select(words.to_vec()), 0..=N);
    some.prop_map(|words| words.into_iter().map(str::to_owned).collect())
}

fn ways() -> impl Strategy<Value = Directions> {
    any::<[bool; 3]>().prop_map(|[incoming, outgoing, internal]| Directions {
        incoming,
        outgoing,
        internal,
    })
}

fn shown() -> impl Strategy<Value = Shown> {
    any::<[bool; 3]>().prop_map(|[usd, notes, users]| Shown { usd, notes, users })
}

/// Each of a few sizes.
fn budgets() -> impl Strategy<Value = Budgets> {
    let some = any::<[bool; BudgetName::ALL.len()]>();
    some.prop_map(|more| {
        let all = BudgetName::ALL.into_iter().zip(more);
        BudgetGrant::from_iter(all.map(|(name, more)| (name, if more { 2 } else { 1 }))).into()
    })
}

/// That of one of two keys, or none.
fn certificate() -> impl Strategy<Value = Option<SpkiPin>> {
    proptest::option::of(select(SHOWN.map(SpkiPin::of).to_vec()))
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
        named(["binance", "kraken"]),
        named(["bank"]),
        (
            ways(),
            shown(),
            proptest::option::of(select(PROPOSERS.to_vec())),
        ),
    )
        .prop_map(
            |(accounts, assets, whitelists, from, exchanges, banks, (directions, shown, only))| {
                PartScope {
                    accounts,
                    assets,
                    whitelists,
                    history_from: from.map(|month| NOW.plus(month)),
                    exchange_accounts: exchanges,
                    fiat_accounts: banks,
                    directions,
                    shown,
                    only_of: only.map(str::to_owned),
                }
            },
        );
    let followed = (
        named(TAGS),
        btree_set((0..4_u32).prop_map(VaultAccountId::new), 0..4),
    )
        .prop_map(|(tags, fixed)| Followed { tags, fixed });
    (
        select(vec![Mode::Guarded, Mode::Fed, Mode::Watched]),
        select(vec![ProviderRole::Viewer, ProviderRole::Editor]),
        proptest::collection::vec(net(), 0..4),
        (
            part,
            proptest::option::of(followed),
            any::<bool>(),
            budgets(),
            certificate(),
        ),
        (
            select(vec![Place::Gate, Place::Fireblocks]),
            proptest::option::of((0..2_u128).prop_map(|id| UserId(Uuid::from_u128(id)))),
        ),
        (0..4_i64, proptest::option::of(select(CONTACTS.to_vec()))),
    )
        .prop_map(
            |(
                mode,
                role,
                addresses,
                (part, followed, forward, budgets, client_certificate),
                (place, editor),
                (until, contact),
            )| Terms {
                mode,
                role,
                addresses,
                addresses_reason: None,
                client_certificate,
                contact: contact.map(|text| text.parse().expect("an address")),
                part,
                followed,
                forward,
                budgets,
                place,
                editor,
                until: NOW.plus(until),
            },
        )
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
    for shown in SHOWN
        .map(|key| Some(SpkiPin::of(key)))
        .into_iter()
        .chain([None])
    {
        if terms.client_certificate.is_none_or(|it| shown == Some(it)) {
            all.insert(format!("showing {shown:?}"));
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
    all.extend(transactions(&terms.part));
    all.extend(tagged(terms));
    let named = terms.part.exchange_accounts.iter();
    for account in named.chain(&terms.part.fiat_accounts) {
        all.insert(format!("see {account}"));
    }
    let Shown { usd, notes, users } = terms.part.shown;
    for (word, shown) in [("usd", usd), ("notes", notes), ("users", users)] {
        if shown {
            all.insert(format!("see {word}"));
        }
    }
    for proposer in [None, Some("acme"), Some("other")] {
        let only = terms.part.only_of.as_deref();
        if only.is_none() || only == proposer {
            all.insert(format!("see what {proposer:?} proposed"));
        }
    }
    if terms.forward {
        all.insert("ask upstream".to_owned());
    }
    for name in BudgetName::ALL {
        all.extend((1..=terms.budgets.of(name)).map(|number| format!("{name} number {number}")));
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
    all.insert(format!("go up as {:?}", terms.editor));
    match terms.mode {
        Mode::Guarded => all.extend(["read".to_owned(), "hear".to_owned()]),
        Mode::Fed => drop(all.insert("hear".to_owned())),
        Mode::Watched => drop(all.insert("call Fireblocks".to_owned())),
    }
    all
}

/// The transactions that are shown: of each asset, from a place to one or two; `None` is outside.
fn transactions(part: &PartScope) -> BTreeSet<String> {
    let within = |place: Option<u32>, word: &str| {
        let shown = match &part.assets {
            AssetFilter::All => true,
            AssetFilter::Only(assets) => assets.contains(&asset(word)),
        };
        shown && place.is_some_and(|it| part.accounts.contains(&VaultAccountId::new(it)))
    };
    let places: Vec<_> = ACCOUNTS.map(Some).into_iter().chain([None]).collect();
    let mut all = BTreeSet::new();
    for word in ASSETS {
        for (from, to, beside) in places.iter().flat_map(|from| {
            let to = places.iter();
            to.flat_map(move |to| [(*from, *to, false), (*from, *to, true)])
        }) {
            // Beside: a second destination, which is outside.
            let ends = [Some(to), beside.then_some(None)];
            let goes = ends.into_iter().flatten().filter_map(|end| {
                match (within(from, word), within(end, word)) {
                    (false, false) => None,
                    (false, true) => Some(part.directions.incoming),
                    (true, false) => Some(part.directions.outgoing),
                    (true, true) => Some(part.directions.internal),
                }
            });
            let goes: Vec<bool> = goes.collect();
            if !goes.is_empty() && goes.iter().all(|shown| *shown) {
                all.insert(format!("see {word} from {from:?} to {to:?}, {beside}"));
            }
        }
    }
    all
}

/// The accounts in scope, were each tagged otherwise.
fn tagged(terms: &Terms) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for number in ACCOUNTS {
        let account = VaultAccountId::new(number);
        for tag in TAGS.map(Some).into_iter().chain([None]) {
            let seen = match &terms.followed {
                None => terms.part.accounts.contains(&account),
                Some(followed) => {
                    followed.fixed.contains(&account)
                        || tag.is_some_and(|tag| followed.tags.contains(tag))
                }
            };
            if seen {
                all.insert(format!("see {number} once it is tagged {tag:?}"));
            }
        }
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
        8 => next.until = other.until,
        9 => next.part.exchange_accounts = other.part.exchange_accounts,
        10 => next.part.fiat_accounts = other.part.fiat_accounts,
        11 => next.part.directions = other.part.directions,
        12 => next.part.shown = other.part.shown,
        13 => next.part.only_of = other.part.only_of,
        14 => next.forward = other.forward,
        15 => next.budgets = other.budgets,
        17 => next.client_certificate = other.client_certificate,
        18 => next.contact = other.contact,
        19 => next.editor = other.editor,
        _ => {
            // What follows nothing more has the accounts that it names.
            if other.followed.is_none() {
                next.part.accounts = other.part.accounts;
            }
            next.followed = other.followed;
        }
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
    fn each_dimension_by_itself_is_judged_exactly(terms in terms(), other in terms(), dimension in 0..DIMENSIONS) {
        let mut before = terms;
        before.part.accounts.insert(VaultAccountId::new(9));
        if matches!(dimension, 3 | 11 | 16) {
            before.part.assets = AssetFilter::All;
        }
        if matches!(dimension, 3 | 4 | 16) {
            before.part.directions = Directions::default();
        }
        let after = with_one(&before, &other, dimension);
        let narrows = let_through(&after).is_subset(&let_through(&before));
        prop_assert_eq!(classify(&before, &after) == Direction::Narrows, narrows, "{}", dimension);
    }

    /// One dimension that widens is enough, however much the others narrow.
    #[test]
    fn invariant_2_what_narrows_one_and_widens_another_widens(before in terms(), after in terms(), dimension in 0..DIMENSIONS) {
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

/// Out of a hidden transfer within the scope comes one from outside, when its source leaves.
#[test]
fn invariant_2_fewer_accounts_widen_where_a_way_is_hidden() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let tree = terms().new_tree(&mut runner).expect("terms");
    let mut before = tree.current();
    before.followed = None;
    before.part.accounts = [1, 2].map(VaultAccountId::new).into();
    before.part.assets = AssetFilter::All;
    before.part.directions = Directions {
        internal: false,
        ..Directions::default()
    };
    let mut after = before.clone();
    after.part.accounts = [VaultAccountId::new(2)].into();
    assert!(!transactions(&after.part).is_subset(&transactions(&before.part)));
    assert_eq!(classify(&before, &after), Direction::Widens);
    before.part.directions = Directions::default();
    after.part.directions = Directions::default();
    assert_eq!(classify(&before, &after), Direction::Narrows);
}
