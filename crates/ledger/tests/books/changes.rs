//! What becomes true, in any order and any number of times, and what was true before.

use ledger::{AssetFilter, Books, Digest, LookBack, ROOM, Scope};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use protocol::ids::{VaultAccountId, WorkspaceId};
use protocol::model::transaction::{PeerKind, Transaction};
use protocol::time::Millis;
use store::on_both;
use uuid::Uuid;

use crate::made::*;

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
    async fn what_others_committed_is_taken_before_it_is_said_what_is_unknown(store: TestStore) {
        let ours = Books::open_shared(&store, workspace()).await.expect("books");
        let theirs = Books::open_shared(&store, workspace()).await.expect("books");
        let told = |total, later| vec![wallet(1, "ETH", total, NOW.0 + later)];
        ours.apply(NOW, told("1", 0)).await.expect("applied");
        assert_eq!(theirs.unknown(told("1", 1)).await.expect("read"), []);
        ours.apply(NOW, told("2", 2)).await.expect("applied");
        assert_eq!(theirs.unknown(told("1", 3)).await.expect("read"), told("1", 3), "it is 2 by now");
        // Who made all the changes that there are need not read them again; but nobody's are passed over.
        let news = async |books: &Books| {
            let asked = books.clone();
            let news = store.read(move |reading| asked.news(reading)).await.expect("read");
            news.changes().to_vec()
        };
        assert_eq!(news(&ours).await, []);
        theirs.apply(NOW, told("4", 4)).await.expect("applied");
        ours.apply(NOW, told("5", 5)).await.expect("applied");
        assert_eq!(news(&ours).await, told("5", 5), "of both, as it is now");
        theirs.apply(NOW, vec![wallet(2, "ETH", "6", NOW.0)]).await.expect("applied");
        ours.apply(NOW, told("7", 7)).await.expect("applied");
        let others = vec![wallet(2, "ETH", "6", NOW.0)];
        assert!(news(&ours).await.contains(&others[0]));
        assert_eq!(ours.unknown(others).await.expect("read"), []);
        assert_eq!(news(&ours).await, []);
        // What is not in memory is for the tables to say.
        let address = address(1, "ETH", "0x1");
        ours.apply(NOW, vec![address.clone()]).await.expect("applied");
        assert_eq!(ours.unknown(vec![address.clone()]).await.expect("read"), [address]);
    }

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
