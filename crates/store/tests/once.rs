//! A write happens once: in its workspace, for its caller.

#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

use store::on_both;
use store::once::{self, Attempt, Given, REMEMBERED, ROOM, Standing};
use store::{Store, StoreError};

const NOW: i64 = 1_790_000_000_000;

fn attempt(workspace: &str, nonce: &str) -> Attempt {
    Attempt {
        workspace: workspace.to_owned(),
        caller: "somebody".to_owned(),
        nonce: nonce.to_owned(),
        nonce_until: NOW / 1_000 + 60,
        key: Some("key".to_owned()),
        now_seconds: NOW / 1_000,
        now: NOW,
    }
}

/// Attempts something that answers with its workspace's name.
async fn attempted(store: &Store, attempt: Attempt) -> Standing {
    let work = store.write(move |writing| {
        let standing = once::begin(writing, &attempt)?;
        if standing == Standing::First {
            once::end(writing, &attempt, &given(&attempt.workspace))?;
        }
        Ok::<_, StoreError>(standing)
    });
    work.await.expect("an attempt")
}

fn given(body: &str) -> Given {
    Given {
        status: 200,
        headers: "location: /there".to_owned(),
        body: body.into(),
    }
}

fn answered(body: &str) -> Standing {
    Standing::Answered(given(body))
}

on_both! {
    rooms: &[ROOM],
    async fn a_nonce_is_taken_once_and_a_key_answered_alike(store: TestStore) {
        assert_eq!(attempted(&store, attempt("one", "a")).await, Standing::First);
        assert_eq!(attempted(&store, attempt("one", "a")).await, Standing::Replayed);
        assert_eq!(attempted(&store, attempt("one", "b")).await, answered("one"));
    }

    rooms: &[ROOM],
    async fn another_workspace_knows_neither_nonce_nor_key(store: TestStore) {
        assert_eq!(attempted(&store, attempt("one", "a")).await, Standing::First);
        assert_eq!(attempted(&store, attempt("two", "a")).await, Standing::First);
        assert_eq!(attempted(&store, attempt("one", "b")).await, answered("one"));
        assert_eq!(attempted(&store, attempt("two", "b")).await, answered("two"));
    }

    rooms: &[ROOM],
    async fn a_workspace_forgets_by_its_own_clock_alone(store: TestStore) {
        assert_eq!(attempted(&store, attempt("one", "a")).await, Standing::First);
        let later = |workspace| Attempt {
            now_seconds: NOW / 1_000 + 61,
            now: NOW + REMEMBERED + 1,
            ..attempt(workspace, "b")
        };
        assert_eq!(attempted(&store, later("two")).await, Standing::First);
        assert_eq!(attempted(&store, attempt("one", "a")).await, Standing::Replayed);
        assert_eq!(attempted(&store, attempt("one", "c")).await, answered("one"));
        assert_eq!(attempted(&store, later("one")).await, Standing::First);
    }
}
