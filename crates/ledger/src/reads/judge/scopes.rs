//! Scopes that nobody reads, and what one shows that is registered again.

use std::collections::BTreeSet;

use protocol::time::Millis;
use store::{StoreError, Writing, on_both};

use super::transactions::{Question, list, scopes};
use super::world::{WORKSPACE, World, books};
use crate::rows::{self, LISTS, ROOM};
use crate::scope::{Scope, ScopeId};
use crate::scopes::forget_unread;

const HOUR: Millis = Millis(Millis::HOUR);

/// What looks which scopes are read: this one.
fn reads(
    scope: &Scope,
) -> impl Fn(&mut Writing<'_>) -> Result<BTreeSet<ScopeId>, StoreError> + use<> {
    let read = BTreeSet::from([scope.id()]);
    move |_| Ok(read.clone())
}

/// Two scopes that hide something.
fn two() -> [Scope; 2] {
    let parts = scopes().into_iter().filter(|one| one.as_part().is_some());
    parts.collect::<Vec<_>>().try_into().expect("two")
}

on_both! {
    rooms: &[ROOM, LISTS],
    async fn a_scope_that_nobody_reads_is_forgotten_and_whole_once_it_is_registered_again(store: TestStore) {
        let mut world = World::new(6, (80 * Millis::DAY, Millis::HOUR));
        let changes = (0..80).map(|_| world.transaction()).collect();
        let books = books(&store, changes).await;
        let [read, other] = two();
        for scope in [&read, &other] {
            books.register(scope).await.expect("registered");
        }
        let forgotten = |now: Millis| forget_unread(&store, WORKSPACE, now, reads(&read));
        for now in [Millis(0), HOUR.plus(-1)] {
            assert_eq!(forgotten(now).await.expect("looked"), 0, "{now:?}");
        }
        // Whoever grants it again has an hour for that.
        books.register(&other).await.expect("registered");
        for now in [HOUR, HOUR.plus(HOUR.0 - 1)] {
            assert_eq!(forgotten(now).await.expect("looked"), 0, "{now:?}");
        }
        assert_eq!(forgotten(HOUR.plus(HOUR.0)).await.expect("looked"), 1);
        assert_eq!(forgotten(HOUR.plus(HOUR.0)).await.expect("looked"), 0);
        let kept = store.read(|reading| rows::scopes(reading, WORKSPACE));
        assert_eq!(kept.await.expect("read"), [read.id().to_string()]);
        let all = Question::default();
        let there = |scope: &Scope, world: &World| all.rows(world, scope);
        assert!(there(&other, &world).len() > 5, "there is something to forget");
        list(&books, &other).to_the_end_and_back(&all.query(), 7, &[]).await;
        // What comes meanwhile is not held against it.
        books.apply(HOUR, vec![world.transaction(), world.transaction()]).await.expect("applied");
        books.register(&other).await.expect("registered");
        for scope in [&read, &other] {
            let expected = there(scope, &world);
            list(&books, scope).to_the_end_and_back(&all.query(), 7, &expected).await;
        }
    }

    rooms: &[ROOM, LISTS],
    async fn a_scope_that_is_half_forgotten_is_whole_once_it_is_registered_again(store: TestStore) {
        let mut world = World::new(7, (80 * Millis::DAY, Millis::HOUR));
        let changes = (0..80).map(|_| world.transaction()).collect();
        let books = books(&store, changes).await;
        let [read, other] = two();
        books.register(&other).await.expect("registered");
        let marked = forget_unread(&store, WORKSPACE, HOUR, reads(&read)).await;
        assert_eq!(marked.expect("looked"), 0);
        let name = other.id().to_string();
        let take = move |writing: &mut Writing<'_>| rows::take_apart(writing, WORKSPACE, &name, 3);
        assert!(store.write(take.clone()).await.expect("taken"), "there is more");
        books.apply(HOUR, vec![world.transaction(), world.transaction()]).await.expect("applied");
        books.register(&other).await.expect("registered");
        assert!(!store.write(take).await.expect("nothing taken"), "it is read again");
        let all = Question::default();
        let expected = all.rows(&world, &other);
        list(&books, &other).to_the_end_and_back(&all.query(), 7, &expected).await;
    }
}
