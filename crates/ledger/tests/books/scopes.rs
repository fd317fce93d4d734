//! A scope hides what is outside it.

use ledger::reads::holds;
use ledger::{AssetFilter, Books, Change, ROOM, Scope, Version};
use protocol::ids::{TxId, VaultAccountId, WorkspaceId};
use protocol::model::user::User;
use protocol::time::Millis;
use serde_json::json;
use store::{StoreError, on_both};
use uuid::Uuid;

use crate::made::*;

on_both! {
    rooms: &[ROOM],
    async fn invariant_7_a_scope_hides_what_is_outside_it(store: TestStore) {
        let books = Books::open(&store, workspace()).await.expect("books");
        let scope = part(&[1], AssetFilter::Only([asset("ETH")].into())).for_reader("c");
        books.register(&scope).await.expect("registered");
        let wallet_id = Uuid::from_u128(99);
        let external = json!({"type": "EXTERNAL_WALLET", "id": wallet_id, "name": "Payee"});
        let mut changes = history();
        changes.push(transaction(50, vault(1), external, "COMPLETED", NOW.0, 1));
        changes.push(transaction(51, vault(2), vault(3), "COMPLETED", NOW.0, 1));
        books.apply(NOW, changes).await.expect("applied");

        let all = everything(&books, &scope).await;
        for hidden in ["Account 0", "Account 2", "Account 3", "Payee", "BTC", "secret", "somebody", "theirs-", &wallet_id.to_string()] {
            assert!(!all.contains(hidden), "{hidden} in {all}");
        }
        assert!(all.contains("Account 1"));

        // By id, by filter, by totals: outside is absent.
        let outside = TxId(Uuid::from_u128(51)).to_string();
        let absent = TxId(Uuid::from_u128(52)).to_string();
        let a = read(&books, &scope, "getTransaction", &[("txId", &outside)], "").await;
        let b = read(&books, &scope, "getTransaction", &[("txId", &absent)], "").await;
        assert_eq!((a.0, a.1), (b.0, b.1));
        let a = read(&books, &scope, "getVaultAccount", &[("vaultAccountId", "2")], "").await;
        let b = read(&books, &scope, "getVaultAccount", &[("vaultAccountId", "77")], "").await;
        assert_eq!((a.0, a.1), (b.0, b.1));
        let a = read(&books, &scope, "getVaultAccountAsset", &[("vaultAccountId", "1"), ("assetId", "BTC")], "").await;
        let b = read(&books, &scope, "getVaultAccountAsset", &[("vaultAccountId", "1"), ("assetId", "XYZ")], "").await;
        assert_eq!((a.0, a.1), (b.0, b.1));
        for filter in [format!("destId={wallet_id}"), "destType=EXTERNAL_WALLET".to_owned(), "destId=2&destType=VAULT_ACCOUNT".to_owned()] {
            assert_eq!(read(&books, &scope, "getTransactions", &[], &filter).await.1, json!([]), "{filter}");
        }
        let (_, masked, _) = read(&books, &scope, "getTransactions", &[], "destType=UNKNOWN").await;
        assert_eq!(masked.as_array().map(Vec::len), Some(3), "its own, with the other side unknown");
        let theirs = read(&books, &scope, "getTransactionByExternalId", &[("externalTxId", "theirs-50")], "").await;
        assert_eq!(theirs.0, 404);
        assert_eq!(read(&books, &scope, "getApiUsers", &[], "").await.1, json!({"users": []}));
        let (_, totals, _) = read(&books, &scope, "getVaultAssets", &[], "").await;
        assert_eq!(totals[0]["total"], "0.75");
    }

    rooms: &[ROOM],
    async fn what_is_asked_without_an_operation_has_a_scope_all_the_same(store: TestStore) {
        let books = Books::open(&store, workspace()).await.expect("books");
        let doc = json!({"id": Uuid::from_u128(3), "role": "VIEWER", "enabled": true, "status": "READY", "userType": "API"});
        let somebody: User = serde_json::from_value(doc).expect("a user");
        let changes = vec![
            account(1), account(2), wallet(1, "ETH", "5", 100), wallet(2, "ETH", "5", 100),
            transaction(1, vault(1), vault(3), "COMPLETED", NOW.0, 1),
            transaction(2, vault(1), vault(2), "COMPLETED", NOW.0, 1),
            (Version::at(NOW), Change::User(somebody.clone())),
        ];
        books.apply(NOW, changes).await.expect("applied");
        let (whole, two) = (Scope::whole(workspace()), part(&[2], AssetFilter::All));
        let other = Scope::whole(WorkspaceId(Uuid::from_u128(8)));
        assert_eq!(books.users(&whole), [somebody]);
        assert_eq!(books.users(&two), []);
        assert!(books.account_ids(&whole).len() > 1);
        assert_eq!(books.account_ids(&two), [VaultAccountId::new(2)]);
        let ages = Millis(i64::MAX);
        let wallet = async |scope: &Scope, account: u32| {
            let facts = books.wallet_as_of(scope, VaultAccountId::new(account), &asset("ETH"), ages, ages).await;
            facts.expect("a read").is_some()
        };
        assert!(wallet(&whole, 1).await && wallet(&two, 2).await);
        assert!(!wallet(&two, 1).await && !wallet(&other, 1).await);
        let held = async |scope: &Scope| {
            let scope = scope.clone();
            let read = books.store().read(move |reading| {
                let each = [1, 2, 3].map(|id| holds(reading, &scope, TxId(Uuid::from_u128(id))));
                each.into_iter().collect::<Result<Vec<_>, StoreError>>()
            });
            read.await.expect("a read")
        };
        assert_eq!(held(&whole).await, [true, true, false]);
        assert_eq!(held(&two).await, [false, true, false]);
        assert_eq!(held(&other).await, [false, false, false]);
    }
}
