//! Of all who open a store, one has a claim on it.

#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

use store::testing::{Engine, TestStore};
use store::{Claim, Query, Store, StoreError, on_both};

/// Ends the session that holds the claim, as a restart of the server does.
const CUT: &str = "SELECT CASE WHEN pg_terminate_backend(pid) THEN 1 ELSE 0 END FROM pg_locks
    WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

async fn claim(store: &Store) -> Option<Claim> {
    store.claim("gate-of-one").await.expect("asked")
}

async fn cut(store: &Store) {
    let rows = store.read(|reading| reading.rows(CUT, &[]));
    let rows: Result<_, StoreError> = rows.await;
    assert_eq!(rows.expect("cut").len(), 1);
}

on_both! {
    rooms: &[],
    async fn one_has_a_claim_until_it_lets_go(store: TestStore) {
        let held = claim(&store).await.expect("free");
        assert!(claim(&store).await.is_none(), "one at a time");
        assert!(held.is_held().await.expect("asked"));
        assert!(store.claim("gate-of-two").await.expect("asked").is_some(), "another's");
        drop(held);
        assert!(claim(&store).await.is_some(), "free again");
    }
}

#[tokio::test]
async fn a_claim_whose_session_broke_is_taken_again() {
    let store = TestStore::new(Engine::Postgres, &[]).await;
    let held = claim(&store).await.expect("free");
    cut(&store).await;
    assert!(held.is_held().await.expect("asked"));
    assert!(claim(&store).await.is_none());
}

#[tokio::test]
async fn a_claim_that_somebody_else_has_taken_is_lost() {
    let store = TestStore::new(Engine::Postgres, &[]).await;
    let held = claim(&store).await.expect("free");
    cut(&store).await;
    let other = claim(&store).await.expect("free");
    assert!(!held.is_held().await.expect("asked"));
    drop(other);
}
