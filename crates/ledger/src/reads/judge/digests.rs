//! Digests that a migration has asked to be counted anew.

use store::{StoreError, on_both, params};

use super::world::{ASSETS, WORKSPACE, World, books};
use crate::books::Books;
use crate::rows::{ROOM, SPOIL_DIGESTS};
use crate::scope::Scope;

on_both! {
    rooms: &[ROOM],
    async fn books_that_are_opened_count_their_digests_anew_where_they_were_told_to(store: TestStore) {
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
        let spoil = store.write(|writing| {
            for sql in SPOIL_DIGESTS {
                writing.execute(sql, &params![])?;
            }
            Ok::<_, StoreError>(())
        });
        spoil.await.expect("spoiled");
        assert_ne!(opened.cells(&whole).await.expect("cells"), cells);
        for _ in 0..2 {
            let again = Books::open(&store, WORKSPACE).await.expect("books");
            assert_eq!(again.cells(&whole).await.expect("cells"), cells);
        }
    }
}
