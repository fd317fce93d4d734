//! What people wrote on accounts, addresses and whitelists: shown where notes are granted.

use ledger::reports::{Kind, write};
use ledger::{AssetFilter, Books, Change, PartScope, ROOM, Scope, Version};
use protocol::ed25519::SigningKey;
use protocol::ids::WalletId;
use protocol::model::whitelist::{WhitelistKind, WhitelistedWallet};
use serde_json::json;
use store::on_both;
use uuid::Uuid;

use crate::made::*;

const FRIEND: WalletId = WalletId(Uuid::from_u128(70));

fn wallet_of_a_friend() -> (Version, Change) {
    let wallet =
        json!({"id": FRIEND, "name": "Friend", "customerRefId": "the-friend", "assets": []});
    let wallet: WhitelistedWallet = serde_json::from_value(wallet).expect("a wallet");
    (
        Version::at(NOW),
        Change::Whitelist(WhitelistKind::External, wallet),
    )
}

on_both! {
    rooms: &[ROOM],
    async fn invariant_7_notes_on_accounts_addresses_and_whitelists_are_shown_where_they_are_granted(store: TestStore) {
        let books = Books::open(&store, workspace()).await.expect("books");
        let mut changes = vec![account(1), wallet(1, "ETH", "1", NOW.0), address(1, "ETH", "0x1"), wallet_of_a_friend()];
        for (_, change) in &mut changes {
            match change {
                Change::Account(facts) => facts.customer_ref_id = Some("the-customer".to_owned()),
                Change::Address(_, address) => {
                    address.description = "the-label".to_owned();
                    address.customer_ref_id = Some("the-payer".to_owned());
                }
                _ => {}
            }
        }
        books.apply(NOW, changes).await.expect("applied");
        let mut granted = part(&[1], AssetFilter::All).as_part().expect("a part").clone();
        granted.whitelists = [FRIEND].into();
        let hiding = Scope::part(workspace(), granted.clone());
        let narrower = Scope::part(workspace(), PartScope { assets: AssetFilter::Only([asset("ETH")].into()), ..granted.clone() });
        granted.shown.notes = true;
        let showing = Scope::part(workspace(), granted);
        let key = SigningKey::generate().expect("a key");
        for (scope, shown) in [(hiding, false), (narrower, false), (showing, true), (Scope::whole(workspace()), true)] {
            let account = ("vaultAccountId", "1");
            let friend = FRIEND.to_string();
            for (operation, params, words) in [
                ("getPagedVaultAccounts", vec![], vec!["the-customer"]),
                ("getVaultAccount", vec![account], vec!["the-customer"]),
                ("getVaultAccountAssetAddresses", vec![account, ("assetId", "ETH")], vec!["the-label", "the-payer"]),
                ("getVaultAccountAssetAddressesPaginated", vec![account, ("assetId", "ETH")], vec!["the-label", "the-payer"]),
                ("getExternalWallets", vec![], vec!["the-friend"]),
                ("getExternalWallet", vec![("walletId", friend.as_str())], vec!["the-friend"]),
            ] {
                let (status, body, _) = read(&books, &scope, operation, &params, "").await;
                assert_eq!(status, 200, "{operation}");
                let text = body.to_string();
                assert!(words.iter().all(|word| text.contains(word) == shown), "{operation}: {text}");
            }
            books.register(&scope).await.expect("registered");
            let written = write(&books, &scope, Kind::Addresses, "c", NOW, &key).await.expect("written");
            let file = String::from_utf8(written.file).expect("UTF-8");
            assert!(file.contains("0x1"));
            let preview = books.preview(&scope).await.expect("a preview");
            let preview = serde_json::to_string(&preview).expect("JSON");
            for word in ["the-label", "the-payer"] {
                assert_eq!(file.contains(word), shown, "{file}");
            }
            for word in ["the-label", "the-payer", "the-customer", "the-friend"] {
                assert_eq!(preview.contains(word), shown, "{preview}");
            }
        }
    }
}
