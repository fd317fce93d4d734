//! What a reader alone sees, beside the books.

use ledger::{Books, Change, ROOM, Scope};
use protocol::model::transaction::Transaction;
use store::on_both;

use crate::made::*;

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
