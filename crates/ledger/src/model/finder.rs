//! Finds accounts by what a list filters on, so that a page with one filter costs about its own rows.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use protocol::amount::Amount;
use protocol::ids::{AssetId, VaultAccountId};

use super::Account;

/// Up to so many accounts are gathered and put in order; where a filter lets more through, a list
/// looks at one account after the other, and need not go far.
const FEW: usize = if cfg!(test) { 3 } else { 2_000 };

/// What a list asks of accounts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted<'a> {
    /// How the name begins.
    pub(crate) prefix: Option<&'a str>,
    /// How it ends.
    pub(crate) suffix: Option<&'a str>,
    /// An asset of which there is a wallet.
    pub(crate) asset: Option<&'a AssetId>,
    /// What the total of some wallet is more than.
    pub(crate) more_than: Option<&'a Amount>,
    /// Tags of which there is one; none: whatever the tags.
    pub(crate) tags: &'a [&'a str],
}

/// Accounts among which all are that a list is to hold.
#[derive(Debug)]
pub(crate) enum Candidates<'m> {
    /// It may be any.
    All,
    /// These.
    Kept(&'m BTreeSet<VaultAccountId>),
    /// These, gathered for this list.
    Gathered(BTreeSet<VaultAccountId>),
}

impl Candidates<'_> {
    fn len(&self) -> usize {
        match self {
            Self::All => usize::MAX,
            Self::Kept(ids) => ids.len(),
            Self::Gathered(ids) => ids.len(),
        }
    }
}

/// Names, tags, assets and riches, and whose they are.
#[derive(Debug, Default)]
pub(crate) struct Finder {
    names: BTreeSet<(String, VaultAccountId)>,
    /// The names read backwards.
    turned: BTreeSet<(String, VaultAccountId)>,
    tags: BTreeMap<String, BTreeSet<VaultAccountId>>,
    assets: BTreeMap<AssetId, BTreeSet<VaultAccountId>>,
    /// The greatest total of each account's wallets.
    greatest: BTreeSet<(Amount, VaultAccountId)>,
}

impl Finder {
    /// The accounts that have a wallet of an asset.
    pub(super) fn holders(&self, asset: &AssetId) -> impl Iterator<Item = VaultAccountId> {
        self.assets.get(asset).into_iter().flatten().copied()
    }

    /// Takes an account in, as it is now.
    pub(super) fn put(&mut self, id: VaultAccountId, account: &Account) {
        if let Some(facts) = account.facts() {
            self.names.insert((facts.name.clone(), id));
            self.turned.insert((turned(&facts.name), id));
            for tag in &facts.tags {
                self.tags.entry(tag.id.clone()).or_default().insert(id);
            }
        }
        for wallet in account.wallets() {
            let asset = &wallet.balance.id;
            match self.assets.get_mut(asset) {
                Some(ids) => drop(ids.insert(id)),
                None => drop(self.assets.insert(asset.clone(), BTreeSet::from([id]))),
            }
        }
        self.greatest.extend(greatest(id, account));
    }

    /// Lets go of an account, as it was before a change.
    pub(super) fn take(&mut self, id: VaultAccountId, account: &Account) {
        if let Some(facts) = account.facts() {
            self.names.remove(&(facts.name.clone(), id));
            self.turned.remove(&(turned(&facts.name), id));
            for tag in &facts.tags {
                if let Some(ids) = self.tags.get_mut(&tag.id) {
                    ids.remove(&id);
                }
            }
        }
        // Wallets only ever come: what was found by its assets is still.
        if let Some(greatest) = greatest(id, account) {
            self.greatest.remove(&greatest);
        }
    }

    /// The fewest accounts among which all are that are wanted.
    pub(crate) fn candidates(&self, wanted: &Wanted<'_>) -> Candidates<'_> {
        let by_asset = wanted.asset.map(|asset| kept(self.assets.get(asset)));
        let by_tag = match wanted.tags {
            [] => None,
            [tag] => Some(kept(self.tags.get(*tag))),
            tags => few(tags
                .iter()
                .filter_map(|tag| self.tags.get(*tag))
                .flatten()
                .copied()),
        };
        let by_prefix = wanted.prefix.and_then(|it| few(starting(&self.names, it)));
        let by_suffix = wanted
            .suffix
            .and_then(|it| few(starting(&self.turned, &turned(it))));
        let by_amount = wanted.more_than.and_then(|amount| {
            let above = (
                Bound::Excluded((amount.clone(), VaultAccountId::new(u32::MAX))),
                Bound::Unbounded,
            );
            few(self.greatest.range(above).map(|(_, id)| *id))
        });
        [by_asset, by_tag, by_prefix, by_suffix, by_amount]
            .into_iter()
            .flatten()
            .min_by_key(Candidates::len)
            .unwrap_or(Candidates::All)
    }
}

fn kept(ids: Option<&BTreeSet<VaultAccountId>>) -> Candidates<'_> {
    ids.map_or(Candidates::Gathered(BTreeSet::new()), Candidates::Kept)
}

/// All of them, if they are few.
fn few<'m>(ids: impl Iterator<Item = VaultAccountId>) -> Option<Candidates<'m>> {
    let gathered: Vec<_> = ids.take(FEW + 1).collect();
    (gathered.len() <= FEW).then(|| Candidates::Gathered(gathered.into_iter().collect()))
}

fn starting<'m>(
    names: &'m BTreeSet<(String, VaultAccountId)>,
    start: &str,
) -> impl Iterator<Item = VaultAccountId> + use<'m> {
    let start = start.to_owned();
    names
        .range((start.clone(), VaultAccountId::new(0))..)
        .take_while(move |(name, _)| name.starts_with(&start))
        .map(|(_, id)| *id)
}

fn turned(name: &str) -> String {
    name.chars().rev().collect()
}

fn greatest(id: VaultAccountId, account: &Account) -> Option<(Amount, VaultAccountId)> {
    let totals = account.wallets().map(|wallet| &wallet.balance.total);
    Some((totals.max()?.clone(), id))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use protocol::model::vault::{Tag, VaultAsset};
    use protocol::time::Millis;

    use super::*;
    use crate::change::{AccountFacts, Change, Version, WalletFacts};
    use crate::model::Model;

    fn name() -> impl Strategy<Value = String> {
        "[abü]{0,3}"
    }

    fn asset() -> impl Strategy<Value = AssetId> {
        "[XYZ]".prop_map(|text| text.parse().expect("an asset"))
    }

    fn amount() -> impl Strategy<Value = Amount> {
        (0..5_u8).prop_map(|whole| whole.to_string().parse().expect("an amount"))
    }

    fn tag(id: &str) -> Tag {
        serde_json::from_value(serde_json::json!({"id": id, "label": id})).expect("a tag")
    }

    fn change() -> impl Strategy<Value = Change> {
        let tags = proptest::collection::btree_set("[tuv]", 0..3);
        let account = (0..9_u32, name(), tags).prop_map(|(id, name, tags)| {
            Change::Account(AccountFacts {
                id: VaultAccountId::new(id),
                name,
                hidden_on_ui: false,
                customer_ref_id: None,
                auto_fuel: false,
                tags: tags.iter().map(|id| tag(id)).collect(),
            })
        });
        let wallet = (0..9_u32, asset(), amount()).prop_map(|(id, asset, total)| {
            let mut balance = VaultAsset::empty(asset);
            balance.total = total;
            let created_at = Millis(0);
            Change::Wallet(
                VaultAccountId::new(id),
                WalletFacts {
                    balance,
                    created_at,
                },
            )
        });
        prop_oneof![account, wallet]
    }

    fn fits(account: &Account, wanted: &Wanted<'_>) -> bool {
        let Some(facts) = account.facts() else {
            return false;
        };
        let tagged = |tag: &&str| facts.tags.iter().any(|own| own.id == **tag);
        wanted.prefix.is_none_or(|it| facts.name.starts_with(it))
            && wanted.suffix.is_none_or(|it| facts.name.ends_with(it))
            && wanted.asset.is_none_or(|it| account.wallet(it).is_some())
            && wanted
                .more_than
                .is_none_or(|it| account.wallets().any(|wallet| wallet.balance.total > *it))
            && (wanted.tags.is_empty() || wanted.tags.iter().any(tagged))
    }

    proptest! {
        #[test]
        fn no_account_that_is_wanted_is_missed(
            changes in proptest::collection::vec((0..9_i64, change()), 0..60),
            prefix in proptest::option::of(name()),
            suffix in proptest::option::of(name()),
            asset in proptest::option::of(asset()),
            more_than in proptest::option::of(amount()),
            tags in proptest::collection::vec("[tuvw]", 0..3),
        ) {
            let (mut told, mut loaded) = (Model::default(), Model::default());
            for (time, change) in &changes {
                let version = Version::at(Millis(*time));
                told.apply(version, change);
                loaded.take(version, change);
            }
            loaded.settle_all();
            let tags: Vec<_> = tags.iter().map(String::as_str).collect();
            let wanted = Wanted {
                prefix: prefix.as_deref(),
                suffix: suffix.as_deref(),
                asset: asset.as_ref(),
                more_than: more_than.as_ref(),
                tags: &tags,
            };
            let all = (Bound::Unbounded, Bound::Unbounded);
            for model in [&told, &loaded] {
                let found = |wanted: &Wanted<'_>| -> Vec<_> {
                    let candidates = model.candidates(wanted, all);
                    candidates.filter(|(_, account)| fits(account, wanted)).map(|(id, _)| id).collect()
                };
                let every = model.accounts.iter().filter(|(_, account)| fits(account, &wanted));
                prop_assert_eq!(found(&wanted), every.map(|(id, _)| *id).collect::<Vec<_>>());
                // One filter by itself: nothing else narrows what is found.
                for alone in [
                    Wanted { prefix: wanted.prefix, ..Wanted::default() },
                    Wanted { suffix: wanted.suffix, ..Wanted::default() },
                    Wanted { asset: wanted.asset, ..Wanted::default() },
                    Wanted { more_than: wanted.more_than, ..Wanted::default() },
                    Wanted { tags: wanted.tags, ..Wanted::default() },
                ] {
                    let every = model.accounts.iter().filter(|(_, account)| fits(account, &alone));
                    prop_assert_eq!(found(&alone), every.map(|(id, _)| *id).collect::<Vec<_>>());
                }
            }
        }
    }
}
