//! Digests that were counted by another formula than this release's.

use protocol::time::Millis;
use store::{StoreError, on_both, params};

use super::world::{ASSETS, WORKSPACE, World, books};
use crate::books::{Books, LedgerError};
use crate::digest::FORMULA;
use crate::rows::{ROOM, SPOIL_DIGESTS, other_formula};
use crate::scope::Scope;

on_both! {
    rooms: &[ROOM],
    async fn books_that_are_opened_count_by_their_own_formula(store: TestStore) {
        let mut world = World::new(5, (1_000_000, 1));
        let mut changes = vec![world.account()];
        for _ in ASSETS {
            changes.extend(world.wallet(None));
        }
        changes.extend((0..200).map(|_| world.transaction()));
        let opened = books(&store, changes).await;
        let whole = Scope::whole(WORKSPACE);
        let cells = opened.cells(&whole).await.expect("cells");
        assert!(cells.len() > 20, "{}", cells.len());
        // An older one, a newer one, and one that does not write down which.
        for other in [Some(FORMULA - 1), Some(FORMULA + 1), None] {
            let spoil = store.write(move |writing| {
                other_formula(writing, WORKSPACE, other)?;
                writing.execute(SPOIL_DIGESTS, &params![])
            });
            spoil.await.expect("spoiled");
            for _ in 0..2 {
                let again = Books::open(&store, WORKSPACE).await.expect("books");
                assert_eq!(again.cells(&whole).await.expect("cells"), cells, "{other:?}");
            }
        }
    }

    rooms: &[ROOM],
    // Another release has opened them meanwhile: this one neither adds to its sums nor tells them as its own.
    async fn books_that_are_counted_by_another_formula_are_left_alone(store: TestStore) {
        let mut world = World::new(5, (1_000_000, 1));
        let account = world.account();
        let opened = books(&store, vec![account]).await;
        let other = store.write(|writing| other_formula(writing, WORKSPACE, Some(FORMULA + 1)));
        other.await.expect("written");
        let other = |error: &LedgerError| matches!(error, LedgerError::Store(StoreError::OtherRelease(_)));
        let told = opened.cells(&Scope::whole(WORKSPACE)).await;
        assert!(told.as_ref().is_err_and(other), "{told:?}");
        let wallet: Vec<_> = world.wallet(None).into_iter().collect();
        assert!(!wallet.is_empty());
        let applied = opened.apply(Millis(0), wallet).await;
        assert!(applied.as_ref().is_err_and(other), "{applied:?}");
    }
}
