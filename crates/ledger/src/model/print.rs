//! An account as JSON: written when it changes, and cut where its wallets stand, so that a reader of
//! some of them gets those without anything being written anew.

use std::collections::BTreeSet;
use std::ops::Range;

use bytes::{BufMut, BytesMut};
use protocol::ids::AssetId;

use super::Account;
use crate::docs::Json;
use crate::scope::AssetFilter;

/// What ends an account without wallets: they are its last member.
const END: &[u8] = b"]}";

/// An account's JSON.
#[derive(Debug, Default)]
pub(super) struct Print {
    json: Box<[u8]>,
    /// Whose each of its wallets is, and where it stands, one behind the other.
    wallets: Box<[(AssetId, Range<u32>)]>,
}

impl Print {
    /// As the account is now; nothing where its own facts are not known.
    pub(super) fn of(account: &Account) -> Option<Self> {
        let mut json = serde_json::to_vec(&account.with_wallets(|_| false)?).ok()?;
        json.truncate(json.strip_suffix(END)?.len());
        let mut wallets = Vec::with_capacity(account.wallets.len());
        for (at, wallet) in account.wallets().enumerate() {
            if at > 0 {
                json.push(b',');
            }
            let begin = u32::try_from(json.len()).ok()?;
            serde_json::to_writer(&mut json, &wallet.balance).ok()?;
            let place = begin..u32::try_from(json.len()).ok()?;
            wallets.push((wallet.balance.id.clone(), place));
        }
        json.extend_from_slice(END);
        Some(Self {
            json: json.into(),
            wallets: wallets.into(),
        })
    }

    /// What stands before the wallets, and what stands behind them.
    fn around(&self) -> Option<(&[u8], &[u8])> {
        let ((_, first), (_, last)) = self.wallets.first().zip(self.wallets.last())?;
        let (before, behind) = (..first.start as usize, last.end as usize..);
        Some((self.json.get(before)?, self.json.get(behind)?))
    }

    /// The wallets of some assets.
    fn some<'m>(&'m self, assets: &BTreeSet<AssetId>) -> impl Iterator<Item = &'m [u8]> {
        let wanted = self.wallets.iter();
        wanted
            .filter(|(asset, _)| assets.contains(asset))
            .filter_map(|(_, place)| self.json.get(place.start as usize..place.end as usize))
    }
}

/// An account as JSON, with the wallets of some assets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountJson<'m> {
    pub(super) print: &'m Print,
    pub(super) assets: &'m AssetFilter,
}

impl Json for AccountJson<'_> {
    fn room(&self) -> usize {
        match (self.assets, self.print.around()) {
            (AssetFilter::Only(assets), Some((before, behind))) => {
                let wallets = self.print.some(assets).map(|wallet| wallet.len() + 1);
                before.len() + wallets.sum::<usize>() + behind.len()
            }
            _ => self.print.json.len(),
        }
    }

    fn put(&self, out: &mut BytesMut) {
        let (AssetFilter::Only(assets), Some((before, behind))) =
            (self.assets, self.print.around())
        else {
            return out.put_slice(&self.print.json);
        };
        out.put_slice(before);
        for (at, wallet) in self.print.some(assets).enumerate() {
            if at > 0 {
                out.put_u8(b',');
            }
            out.put_slice(wallet);
        }
        out.put_slice(behind);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use protocol::ids::VaultAccountId;
    use protocol::model::vault::VaultAsset;
    use protocol::time::Millis;

    use super::*;
    use crate::change::{AccountFacts, Change, Version, WalletFacts};
    use crate::model::Model;

    const ACCOUNT: VaultAccountId = VaultAccountId::new(7);

    fn assets() -> impl Strategy<Value = BTreeSet<AssetId>> {
        let asset = "[A-F]".prop_map(|text| text.parse().expect("an asset"));
        proptest::collection::btree_set(asset, 0..6)
    }

    proptest! {
        #[test]
        fn an_account_with_some_of_its_wallets_is_as_if_written_anew(
            name in ".{0,20}|\\]\\}|\"assets\":\\[\\]\\}",
            held in assets(),
            wanted in assets(),
        ) {
            let mut model = Model::default();
            let facts = AccountFacts {
                id: ACCOUNT,
                name,
                hidden_on_ui: false,
                customer_ref_id: None,
                auto_fuel: false,
                tags: Vec::new(),
            };
            model.apply(Version::at(Millis(1)), &Change::Account(facts));
            for asset in held {
                let facts = WalletFacts { balance: VaultAsset::empty(asset), created_at: Millis(0) };
                model.apply(Version::at(Millis(1)), &Change::Wallet(ACCOUNT, facts));
            }
            let account = model.accounts.get(&ACCOUNT).expect("the account");
            let only = AssetFilter::Only(wanted);
            for filter in [&AssetFilter::All, &only] {
                let anew = account.with_wallets(|asset| match filter {
                    AssetFilter::All => true,
                    AssetFilter::Only(assets) => assets.contains(asset),
                });
                let json = account.json(filter);
                let mut written = BytesMut::new();
                json.put(&mut written);
                prop_assert!((written.len()..written.len() + 2).contains(&json.room()));
                let anew = serde_json::to_vec(&anew.expect("its facts are known")).expect("JSON");
                prop_assert_eq!(&written[..], &anew[..]);
            }
        }
    }
}
