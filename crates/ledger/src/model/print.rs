//! An account as JSON: written when it changes, and cut where its notes and its wallets stand, so that a
//! reader of some of it gets that without anything being written anew.

use std::collections::BTreeSet;
use std::ops::Range;

use bytes::{BufMut, BytesMut};
use protocol::ids::AssetId;

use super::Account;
use crate::docs::Json;
use crate::scope::AssetFilter;

/// What ends an account without wallets: they are its last member.
const END: &[u8] = b"]}";

/// What stands somewhere in an account's JSON.
#[derive(Debug)]
enum What {
    /// What people wrote on it.
    Note,
    /// The wallet of an asset.
    Wallet(AssetId),
}

/// An account's JSON.
#[derive(Debug, Default)]
pub(super) struct Print {
    json: Box<[u8]>,
    /// Its note, if it has one, and its wallets: where each stands, one behind the other.
    cuts: Box<[(What, Range<u32>)]>,
}

impl Print {
    /// As the account is now; nothing where its own facts are not known.
    pub(super) fn of(account: &Account) -> Option<Self> {
        let mut whole = account.with_wallets(|_| false)?;
        let mut json = serde_json::to_vec(&whole).ok()?;
        let mut cuts = Vec::with_capacity(account.wallets.len() + 1);
        if whole.customer_ref_id.take().is_some() {
            let without = serde_json::to_vec(&whole).ok()?;
            cuts.push((What::Note, more(&json, &without)?));
        }
        json.truncate(json.strip_suffix(END)?.len());
        for (at, wallet) in account.wallets().enumerate() {
            if at > 0 {
                json.push(b',');
            }
            let begin = u32::try_from(json.len()).ok()?;
            serde_json::to_writer(&mut json, &wallet.balance).ok()?;
            let place = begin..u32::try_from(json.len()).ok()?;
            cuts.push((What::Wallet(wallet.balance.id.clone()), place));
        }
        json.extend_from_slice(END);
        Some(Self {
            json: json.into(),
            cuts: cuts.into(),
        })
    }

    /// What is written, from one place to another.
    fn piece(&self, from: u32, to: u32) -> &[u8] {
        let piece = self.json.get(from as usize..to as usize);
        piece.unwrap_or_default()
    }

    /// Where it ends.
    fn end(&self) -> u32 {
        u32::try_from(self.json.len()).unwrap_or(u32::MAX)
    }

    /// Where the note stands.
    fn note(&self) -> Option<&Range<u32>> {
        match self.cuts.first() {
            Some((What::Note, place)) => Some(place),
            _ => None,
        }
    }

    /// The wallets, and where each stands.
    fn wallets(&self) -> impl DoubleEndedIterator<Item = (&AssetId, &Range<u32>)> {
        self.cuts.iter().filter_map(|(what, place)| match what {
            What::Wallet(asset) => Some((asset, place)),
            What::Note => None,
        })
    }

    /// Where the first wallet begins and the last one ends.
    fn around(&self) -> Option<(u32, u32)> {
        let mut wallets = self.wallets();
        let (_, first) = wallets.next()?;
        let (_, last) = wallets
            .next_back()
            .unwrap_or((self.wallets().next()?.0, first));
        Some((first.start, last.end))
    }

    /// The wallets of some assets.
    fn some<'m>(&'m self, assets: &BTreeSet<AssetId>) -> impl Iterator<Item = &'m [u8]> {
        let wanted = self.wallets().filter(|(asset, _)| assets.contains(*asset));
        wanted.map(|(_, place)| self.piece(place.start, place.end))
    }
}

/// Where the longer of two texts has something more: without it they are equal.
fn more(longer: &[u8], shorter: &[u8]) -> Option<Range<u32>> {
    let alike = longer.iter().zip(shorter).take_while(|(a, b)| a == b);
    let begin = alike.count();
    let end = begin + longer.len().checked_sub(shorter.len())?;
    Some(u32::try_from(begin).ok()?..u32::try_from(end).ok()?)
}

/// An account as JSON, with the wallets of some assets, and with its note or without.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AccountJson<'m> {
    pub(super) print: &'m Print,
    pub(super) assets: &'m AssetFilter,
    pub(super) notes: bool,
}

impl<'m> AccountJson<'m> {
    /// What is written up to a place: in two pieces, where a note between them is not shown.
    fn head(&self, to: u32) -> [&'m [u8]; 2] {
        match self.print.note().filter(|_| !self.notes) {
            Some(note) => [
                self.print.piece(0, note.start),
                self.print.piece(note.end, to),
            ],
            None => [self.print.piece(0, to), &[]],
        }
    }
}

impl Json for AccountJson<'_> {
    fn room(&self) -> usize {
        let len = |pieces: [&[u8]; 2]| pieces.iter().map(|piece| piece.len()).sum::<usize>();
        match (self.assets, self.print.around()) {
            (AssetFilter::Only(assets), Some((first, last))) => {
                let wallets = self.print.some(assets).map(|wallet| wallet.len() + 1);
                let behind = self.print.piece(last, self.print.end());
                len(self.head(first)) + wallets.sum::<usize>() + behind.len()
            }
            // Room for a note that is not shown is no loss, and looking for it would be.
            _ => self.print.json.len(),
        }
    }

    fn put(&self, out: &mut BytesMut) {
        if self.notes && matches!(self.assets, AssetFilter::All) {
            return out.put_slice(&self.print.json);
        }
        let mut put_head = |to: u32| {
            self.head(to)
                .into_iter()
                .for_each(|piece| out.put_slice(piece))
        };
        let (AssetFilter::Only(assets), Some((first, last))) = (self.assets, self.print.around())
        else {
            return put_head(self.print.end());
        };
        put_head(first);
        for (at, wallet) in self.print.some(assets).enumerate() {
            if at > 0 {
                out.put_u8(b',');
            }
            out.put_slice(wallet);
        }
        out.put_slice(self.print.piece(last, self.print.end()));
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

    /// More than a note's length.
    const NOTE: usize = 100;
    const ACCOUNT: VaultAccountId = VaultAccountId::new(7);

    fn assets() -> impl Strategy<Value = BTreeSet<AssetId>> {
        let asset = "[A-F]".prop_map(|text| text.parse().expect("an asset"));
        proptest::collection::btree_set(asset, 0..6)
    }

    proptest! {
        #[test]
        fn an_account_with_some_of_its_wallets_is_as_if_written_anew(
            name in ".{0,20}|\\]\\}|\"assets\":\\[\\]\\}",
            note in proptest::option::of(".{0,9}|\",\"assets\":\\[\\]"),
            held in assets(),
            wanted in assets(),
        ) {
            let mut model = Model::default();
            let facts = AccountFacts {
                id: ACCOUNT,
                name,
                hidden_on_ui: false,
                customer_ref_id: note,
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
                let mut anew = anew.expect("its facts are known");
                for notes in [true, false] {
                    let json = account.json(filter, notes);
                    let mut written = BytesMut::new();
                    json.put(&mut written);
                    let room = written.len()..written.len() + NOTE;
                    prop_assert!(room.contains(&json.room()));
                    anew.customer_ref_id = anew.customer_ref_id.filter(|_| notes);
                    prop_assert_eq!(&written[..], &serde_json::to_vec(&anew).expect("JSON")[..]);
                }
            }
        }
    }
}
