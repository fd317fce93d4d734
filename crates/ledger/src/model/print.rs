//! An account as JSON: written when it changes, and cut where its wallets stand, so that a reader of
//! some of them gets those without anything being written anew.

use std::ops::Range;

use bytes::{BufMut, BytesMut};

use super::Account;
use crate::docs::Json;
use crate::scope::AssetFilter;

/// What ends an account without wallets: they are its last member.
const END: &[u8] = b"]}";

/// An account's JSON.
#[derive(Debug, Default)]
pub(super) struct Print {
    json: Box<[u8]>,
    /// Where each of its wallets stands, in their order.
    wallets: Box<[Range<u32>]>,
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
            wallets.push(begin..u32::try_from(json.len()).ok()?);
        }
        json.extend_from_slice(END);
        Some(Self {
            json: json.into(),
            wallets: wallets.into(),
        })
    }

    /// Some of its bytes.
    fn part(&self, range: &Range<u32>) -> &[u8] {
        let (begin, end) = (range.start as usize, range.end as usize);
        self.json.get(begin..end).unwrap_or_default()
    }
}

/// An account as JSON, with the wallets of some assets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountJson<'m> {
    pub(super) account: &'m Account,
    pub(super) assets: &'m AssetFilter,
}

impl Json for AccountJson<'_> {
    fn room(&self) -> usize {
        self.account.print.json.len()
    }

    fn put(&self, out: &mut BytesMut) {
        let print = &self.account.print;
        let (AssetFilter::Only(assets), Some((first, last))) =
            (self.assets, print.wallets.first().zip(print.wallets.last()))
        else {
            return out.put_slice(&print.json);
        };
        let end = u32::try_from(print.json.len()).unwrap_or(u32::MAX);
        out.put_slice(print.part(&(0..first.start)));
        let wanted = self.account.wallets().zip(&print.wallets);
        let wanted = wanted.filter(|(wallet, _)| assets.contains(&wallet.balance.id));
        for (at, (_, place)) in wanted.enumerate() {
            if at > 0 {
                out.put_u8(b',');
            }
            out.put_slice(print.part(place));
        }
        out.put_slice(print.part(&(last.end..end)));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;
    use protocol::ids::{AssetId, VaultAccountId};
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
                prop_assert!(written.len() <= json.room());
                let anew = serde_json::to_vec(&anew.expect("its facts are known")).expect("JSON");
                prop_assert_eq!(&written[..], &anew[..]);
            }
        }
    }
}
