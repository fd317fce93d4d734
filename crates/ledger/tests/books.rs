//! The books take events in any order, any number of times; a scope hides what is outside it.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use std::collections::BTreeSet;

use ledger::change::{Origin, WalletFacts};
use ledger::reads::{Ask, answer, holds};
use ledger::reports::{Expected, Kind, ReportError, read as read_report, rows, write};
use ledger::{
    AccountFacts, AssetFilter, Books, Change, Digest, LookBack, PartScope, ROOM, Scope, Version,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use protocol::ed25519::SigningKey;
use protocol::exchange::{Params, Query};
use protocol::ids::{AssetId, TxId, VaultAccountId, WorkspaceId};
use protocol::model::transaction::{PeerKind, Transaction};
use protocol::model::user::User;
use protocol::model::vault::{VaultAsset, VaultWalletAddress};
use protocol::operations;
use protocol::time::Millis;
use serde_json::{Value, json};
use store::{StoreError, on_both};
use uuid::Uuid;

const NOW: Millis = Millis(1_790_000_000_000);

fn workspace() -> WorkspaceId {
    WorkspaceId(Uuid::from_u128(7))
}

fn asset(name: &str) -> AssetId {
    name.parse().expect("an asset")
}

fn account(number: u32) -> (Version, Change) {
    let facts = AccountFacts {
        id: VaultAccountId::new(number),
        name: format!("Account {number}"),
        hidden_on_ui: false,
        customer_ref_id: None,
        auto_fuel: false,
        tags: Vec::new(),
    };
    (Version::at(NOW), Change::Account(facts))
}

fn wallet(number: u32, name: &str, total: &str, time: i64) -> (Version, Change) {
    let amount: protocol::amount::Amount = total.parse().expect("an amount");
    let balance = VaultAsset {
        total: amount.clone(),
        available: amount.clone(),
        balance: Some(amount),
        ..VaultAsset::empty(asset(name))
    };
    (
        Version::at(Millis(time)),
        Change::Wallet(
            VaultAccountId::new(number),
            WalletFacts {
                balance,
                created_at: NOW,
            },
        ),
    )
}

fn address(number: u32, name: &str, text: &str) -> (Version, Change) {
    let address = json!({"assetId": name, "address": text});
    let address: VaultWalletAddress = serde_json::from_value(address).expect("an address");
    (
        Version::at(NOW),
        Change::Address(VaultAccountId::new(number), address),
    )
}

fn vault(number: u32) -> Value {
    json!({"type": "VAULT_ACCOUNT", "id": number.to_string(), "name": format!("Account {number}")})
}

fn transaction(
    id: u128,
    from: Value,
    to: Value,
    status: &str,
    updated: i64,
    confirmations: u32,
) -> (Version, Change) {
    let doc = json!({
        "id": Uuid::from_u128(id), "status": status, "assetId": "ETH", "source": from, "destination": to,
        "amountInfo": {"amount": "1"}, "feeInfo": {"networkFee": "0.01"}, "txHash": format!("0x{id:x}"), "note": "secret",
        "createdBy": "somebody", "numOfConfirmations": confirmations, "externalTxId": format!("theirs-{id}"),
        "createdAt": NOW.0 - i64::try_from(id % 97).expect("small") * 3_600_000, "lastUpdated": updated,
    });
    let transaction: Transaction = serde_json::from_value(doc).expect("a transaction");
    (
        Version::of_transaction(&transaction),
        Change::Transaction(Box::new(transaction), Origin::default()),
    )
}

fn part(accounts: &[u32], assets: AssetFilter) -> Scope {
    let accounts = accounts.iter().copied().map(VaultAccountId::new).collect();
    Scope::part(
        workspace(),
        PartScope {
            accounts,
            assets,
            whitelists: BTreeSet::new(),
            history_from: None,
        },
    )
}

async fn read(
    books: &Books,
    scope: &Scope,
    id: &str,
    params: &[(&'static str, &str)],
    query: &str,
) -> (u16, Value, Option<String>) {
    read_beside(books, scope, id, params, query, &[]).await
}

async fn read_beside(
    books: &Books,
    scope: &Scope,
    id: &str,
    params: &[(&'static str, &str)],
    query: &str,
    beside: &[Transaction],
) -> (u16, Value, Option<String>) {
    let params: Params = params
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    let query = Query::parse(query).expect("a query");
    let operation = operations::by_id(id).expect("an operation");
    let ask = Ask {
        books,
        scope,
        params: &params,
        query: &query,
        origin: "http://x",
        now: NOW.plus(1),
        beside,
    };
    let reply = answer(operation, ask)
        .await
        .expect("served")
        .unwrap_or_else(Into::into);
    let next = reply
        .headers
        .iter()
        .find(|(name, _)| *name == "next-page")
        .map(|(_, value)| value.clone());
    (
        reply.status,
        serde_json::from_slice(&reply.body).expect("JSON"),
        next,
    )
}

/// A small history: accounts, balances that change, transactions that walk their statuses.
fn history() -> Vec<(Version, Change)> {
    let mut changes = Vec::new();
    for number in 0..4 {
        changes.push(account(number));
        changes.push(address(number, "ETH", &format!("0x{number}")));
        for (step, total) in ["1", "2.5", "0.75"].into_iter().enumerate() {
            changes.push(wallet(
                number,
                "ETH",
                total,
                NOW.0 + i64::try_from(step).expect("small"),
            ));
            changes.push(wallet(
                number,
                "BTC",
                total,
                NOW.0 - i64::try_from(step).expect("small"),
            ));
        }
    }
    for id in 1..6 {
        let (from, to) = (
            vault(u32::try_from(id % 4).expect("small")),
            vault(u32::try_from((id + 1) % 4).expect("small")),
        );
        changes.push(transaction(
            id,
            from.clone(),
            to.clone(),
            "SUBMITTED",
            NOW.0,
            0,
        ));
        changes.push(transaction(
            id,
            from.clone(),
            to.clone(),
            "CONFIRMING",
            NOW.0 + 10,
            1,
        ));
        changes.push(transaction(
            id,
            from.clone(),
            to.clone(),
            "CONFIRMING",
            NOW.0 + 10,
            2,
        ));
        changes.push(transaction(id, from, to, "COMPLETED", NOW.0 + 10, 2));
    }
    changes
}

/// Everything that a reader can see, in one text.
async fn everything(books: &Books, scope: &Scope) -> String {
    let mut all = Vec::new();
    for (id, params) in [
        ("getPagedVaultAccounts", &[][..]),
        ("getVaultAssets", &[]),
        ("getAssetWallets", &[]),
        ("getTransactions", &[]),
        (
            "getVaultAccountAssetAddresses",
            &[("vaultAccountId", "1"), ("assetId", "ETH")],
        ),
    ] {
        all.push(read(books, scope, id, params, "").await.1.to_string());
    }
    all.join("\n")
}

/// A commit cannot be called back: whoever asked may go away in the middle of it.
#[tokio::test]
async fn the_read_model_follows_a_commit_that_nobody_waits_for() {
    let store = store::Store::open(&store::Location::SqliteMemory, &[ROOM]);
    let store = store.await.expect("a store");
    let books = Books::open(&store, workspace()).await.expect("books");
    let mut unanswered = 0;
    for number in 0..50 {
        let asked = books.apply(NOW, vec![account(number)]);
        // Polled once, and dropped; on a busy machine the writer may have been faster.
        unanswered += usize::from(futures_util::FutureExt::now_or_never(asked).is_none());
    }
    assert!(unanswered > 0, "somebody goes away before the answer");
    let all = async {
        while books.account_ids(&Scope::whole(workspace())).len() < 50 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), all)
        .await
        .expect("all fifty, without a restart");
}

on_both! {
    rooms: &[ROOM],
    async fn events_in_any_order_any_number_of_times_give_the_same_books(store: TestStore) {
        let some = part(&[1, 2], AssetFilter::All);
        let mut outcome: Option<(String, Digest, Digest)> = None;
        let mut runner = TestRunner::deterministic();
        for round in 0..6_u128 {
            // One workspace a round: the same store, other books.
            let mut changes = [history(), history()].concat();
            if round > 0 {
                changes = Just(changes).prop_shuffle().new_tree(&mut runner).expect("a shuffle").current();
            }
            let here = WorkspaceId(Uuid::from_u128(100 + round));
            let books = Books::open(&store, here).await.expect("books");
            let (whole, some) = (Scope::whole(here), Scope::part(here, some.as_part().expect("a part").clone()));
            if round % 2 == 0 {
                books.register(&some).await.expect("registered");
            }
            for chunk in changes.chunks(7) {
                books.apply(NOW, chunk.to_vec()).await.expect("applied");
            }
            books.register(&some).await.expect("registered");
            let seen = format!("{}\n{}", everything(&books, &whole).await, everything(&books, &some).await);
            let digests = (books.digest(&whole).await.expect("a digest"), books.digest(&some).await.expect("a digest"));
            let reopened = Books::open(&store, here).await.expect("books");
            assert_eq!(everything(&reopened, &whole).await, everything(&books, &whole).await, "what is in memory is in the tables");
            match &outcome {
                None => outcome = Some((seen, digests.0, digests.1)),
                Some(first) => assert_eq!((&first.0, first.1, first.2), (&seen, digests.0, digests.1), "round {round}"),
            }
        }
        let (_, of_whole, of_part) = outcome.expect("rounds");
        assert!(of_whole.count > of_part.count && of_part.count > 0);
    }

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
    async fn pages_hold_everything_once_in_both_directions(store: TestStore) {
        let books = Books::open(&store, workspace()).await.expect("books");
        let changes = (0..23).map(account).chain((1..=23).map(|id| transaction(id, vault(1), vault(2), "COMPLETED", NOW.0, 1)));
        books.apply(NOW, changes.collect()).await.expect("applied");
        for scope in [Scope::whole(workspace()), part(&(0..23).collect::<Vec<_>>(), AssetFilter::All)] {
            books.register(&scope).await.expect("registered");
            for order in ["ASC", "DESC"] {
                let (mut query, mut ids, mut back) = (format!("limit=5&orderBy={order}"), Vec::new(), None);
                loop {
                    let (_, page, _) = read(&books, &scope, "getPagedVaultAccounts", &[], &query).await;
                    ids.extend(page["accounts"].as_array().expect("accounts").iter().map(|a| a["id"].to_string()));
                    back = page["paging"]["before"].as_str().map(str::to_owned).or(back);
                    match page["paging"]["after"].as_str() {
                        Some(after) => query = format!("limit=5&orderBy={order}&after={after}"),
                        None => break,
                    }
                }
                assert_eq!(ids.len(), 23);
                assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 23);
                let query = format!("limit=5&orderBy={order}&before={}", back.expect("a way back"));
                let (_, page, _) = read(&books, &scope, "getPagedVaultAccounts", &[], &query).await;
                let before: Vec<_> = page["accounts"].as_array().expect("accounts").iter().map(|a| a["id"].to_string()).collect();
                assert_eq!(before, ids[15..20]);

                let (mut query, mut ids) = (format!("limit=5&sort={order}"), BTreeSet::new());
                let mut count = 0;
                loop {
                    let (_, page, next) = read(&books, &scope, "getTransactions", &[], &query).await;
                    count += page.as_array().expect("transactions").len();
                    ids.extend(page.as_array().expect("transactions").iter().map(|t| t["id"].to_string()));
                    match next {
                        // As the legacy Python client follows it: without the last character.
                        Some(next) => query = next[..next.len() - 1].split_once('?').expect("a query").1.to_owned(),
                        None => break,
                    }
                }
                assert_eq!((count, ids.len()), (23, 23));
            }
        }
        for bad in ["limit=0", "limit=501", "limit=x", "after=x", "before=!!", "orderBy=UP", "namePrefix=a&nameSuffix=b", "assetId=a%20b"] {
            assert_eq!(read(&books, &Scope::whole(workspace()), "getPagedVaultAccounts", &[], bad).await.0, 400, "{bad}");
        }
        for bad in ["limit=0", "limit=501", "sort=UP", "before=x", "status=DONE", "sourceType=BANK", "next=AAAA", "next=a&prev=b"] {
            assert_eq!(read(&books, &Scope::whole(workspace()), "getTransactions", &[], bad).await.0, 400, "{bad}");
        }
    }

    rooms: &[ROOM],
    async fn what_was_true_stays_answerable(store: TestStore) {
        let books = Books::open(&store, workspace()).await.expect("books");
        books.apply(Millis(1_000), vec![wallet(1, "ETH", "5", 100)]).await.expect("applied");
        books.apply(Millis(2_000), vec![wallet(1, "ETH", "7", 200)]).await.expect("applied");
        let at = async |effective, known| {
            let facts = books.wallet_as_of(&Scope::whole(workspace()), VaultAccountId::new(1), &asset("ETH"), Millis(effective), Millis(known)).await;
            facts.expect("a read").map(|facts| facts.balance.total.to_string())
        };
        assert_eq!(at(150, 5_000).await.as_deref(), Some("5"), "as of then");
        assert_eq!(at(250, 5_000).await.as_deref(), Some("7"), "now");
        assert_eq!(at(250, 1_500).await.as_deref(), Some("5"), "as was known then");
        assert_eq!(at(50, 5_000).await, None);
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

    rooms: &[ROOM],
    async fn a_report_is_believed_whole_or_not_at_all(store: TestStore) {
        let books = Books::open(&store, workspace()).await.expect("books");
        let scope = part(&[1, 2], AssetFilter::All);
        books.register(&scope).await.expect("registered");
        let mut changes = history();
        if let (_, Change::Transaction(risky, _)) = changes.last_mut().expect("one") {
            risky.sub_status = "=1+1".to_owned();
        }
        books.apply(NOW, changes).await.expect("applied");
        let key = SigningKey::generate().expect("a key");
        let pinned = key.public();
        let expected = Expected { key: &pinned, workspace: workspace(), scope: Some(&scope.id().to_string()) };
        let there = WorkspaceId(Uuid::from_u128(8));
        let mut digest = Digest::default();
        let mut mirrored = Vec::new();
        for kind in [Kind::Balances, Kind::Addresses, Kind::Transactions] {
            let written = write(&books, &scope, kind, "c", NOW, &key).await.expect("written");
            let report = read_report(&written.file, &written.manifest, &expected).expect("believed");
            assert_eq!(u64::try_from(report.changes.len()).expect("small"), written.rows);
            digest = digest.plus(&report.manifest.digest);
            mirrored.extend(report.changes);

            for at in (0..written.file.len()).step_by(written.file.len() / 17) {
                let mut flipped = written.file.clone();
                flipped[at] ^= 1;
                assert!(matches!(read_report(&flipped, &written.manifest, &expected), Err(ReportError::Changed { .. })));
            }
            for at in (0..written.manifest.len()).step_by(written.manifest.len() / 41) {
                let mut flipped = written.manifest.clone();
                flipped[at] ^= 1;
                if serde_json::from_slice::<Value>(&flipped).ok() != serde_json::from_slice(&written.manifest).ok() {
                    assert!(read_report(&written.file, &flipped, &expected).is_err(), "byte {at}");
                }
            }
            let elsewhere = Expected { workspace: there, ..expected };
            assert!(matches!(read_report(&written.file, &written.manifest, &elsewhere), Err(ReportError::Workspace { .. })));
            let narrower = Expected { scope: Some("other"), ..expected };
            assert!(matches!(read_report(&written.file, &written.manifest, &narrower), Err(ReportError::Scope(_))));
            let stranger = SigningKey::generate().expect("a key").public();
            let foreign = Expected { key: &stranger, ..expected };
            assert!(read_report(&written.file, &written.manifest, &foreign).is_err());
        }
        // What a provider makes of the reports has the digest of the scope: no mask changes it.
        assert_eq!(digest, books.digest(&scope).await.expect("a digest"));
        let mirror = Books::open(&store, there).await.expect("books");
        mirror.apply(NOW, mirrored).await.expect("applied");
        assert_eq!(mirror.digest(&Scope::whole(there)).await.expect("a digest"), digest);
        let broken = "account_id,asset,total,available,pending,frozen,locked,staked,block_height,block_hash,created_at,as_of,as_of_rank\n1,ETH,1,1,0,0,0,0,,,1,1,1\n1,ETH,1,x,0,0,0,0,,,1,1,1\n";
        let error = rows(broken.as_bytes(), Kind::Balances).expect_err("a broken row");
        assert_eq!(error, ReportError::Row { line: 3, column: 4, name: "available" });
    }
}

on_both! {
    rooms: &[ROOM],
    async fn what_a_reader_has_beside_the_books_stands_in_its_place_on_every_page(store: TestStore) {
        let books = Books::open(&store, workspace()).await.expect("books");
        let in_books: Vec<_> = (1..=25)
            .map(|id| transaction(id, vault(0), vault(1), "COMPLETED", NOW.0, 3))
            .collect();
        books.apply(NOW, in_books).await.expect("applied");
        let own: Vec<Transaction> = [40_u128, 50, 12]
            .into_iter()
            .map(|id| {
                let (_, change) = transaction(id, vault(0), vault(1), "PENDING_AUTHORIZATION", NOW.0, 0);
                match change {
                    Change::Transaction(transaction, _) => *transaction,
                    other => panic!("{other:?}"),
                }
            })
            .collect();
        let scope = Scope::whole(workspace());
        for sort in ["ASC", "DESC"] {
            let (mut query, mut all) = (format!("limit=7&sort={sort}"), Vec::new());
            loop {
                let (status, page, next) =
                    read_beside(&books, &scope, "getTransactions", &[], &query, &own).await;
                assert_eq!(status, 200);
                let page = page.as_array().expect("a list").clone();
                assert!(page.len() <= 7);
                all.extend(page.iter().map(|one| one["createdAt"].as_i64().expect("a time")));
                match next {
                    Some(next) => query = next.split_once('?').expect("a query").1.to_owned(),
                    None => break,
                }
            }
            // 25 of the books and two beside them; the third is in the books already.
            assert_eq!(all.len(), 27, "{sort}");
            let mut sorted = all.clone();
            sorted.sort_unstable();
            if sort == "DESC" {
                sorted.reverse();
            }
            assert_eq!(all, sorted, "{sort}");
        }
        let waiting = "limit=10&status=PENDING_AUTHORIZATION";
        let (_, page, _) = read_beside(&books, &scope, "getTransactions", &[], waiting, &own[..2]).await;
        assert_eq!(page.as_array().map(Vec::len), Some(2));
    }
}

on_both! {
    rooms: &[ROOM],
    async fn a_look_back_holds_what_was_created_in_between_and_nothing_else(store: TestStore) {
        let books = Books::open(&store, workspace()).await.expect("books");
        // Each an hour before the one of the number before; every third from another account.
        let changes: Vec<_> = (1..=50)
            .map(|id| transaction(id, vault(u32::from(id % 3 == 0)), vault(7), "COMPLETED", NOW.0, 3))
            .collect();
        books.apply(NOW, changes).await.expect("applied");
        let hours = |hours: i64| NOW.plus(-hours * 3_600_000);
        let found = async |wanted: LookBack| -> Vec<u128> {
            let look = books.transact(NOW, move |writing, batch| {
                batch.look_back(writing, &wanted)
            });
            let found: Vec<Transaction> = look.await.expect("rows");
            found.iter().map(|transaction| transaction.id.0.as_u128()).collect()
        };
        let between = |after, before| LookBack {
            after: hours(after),
            before: hours(before),
            source: None,
            destination: None,
            assets: Vec::new(),
        };
        assert_eq!(found(between(6, 2)).await, [5, 4, 3], "neither end, the oldest first");
        let of = |source: &str| Some((PeerKind::VaultAccount, source.to_owned()));
        let from_one = LookBack { source: of("1"), ..between(7, 0) };
        assert_eq!(found(from_one).await, [6, 3]);
        let to_nobody = LookBack { destination: of("8"), ..between(60, 0) };
        assert!(found(to_nobody).await.is_empty());
        let other_asset = LookBack { assets: vec![asset("BTC")], ..between(60, 0) };
        assert!(found(other_asset).await.is_empty());
        assert_eq!(found(between(60, 0)).await.len(), 50);
    }
}
