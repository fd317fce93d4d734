//! Whoever changes the log in its database is found out.

mod rows;

use proptest::prelude::*;
use protocol::ed25519::SigningKey;
use protocol::ids::WorkspaceId;
use store::testing::{Engine, TestStore};
use store::{Store, StoreError, Writing};
use uuid::Uuid;

use super::*;

const WORKSPACE: WorkspaceId = WorkspaceId(Uuid::from_u128(7));
const ENGINES: [Engine; 2] = [Engine::Sqlite, Engine::Postgres];

fn entry(number: u64) -> Entry {
    let reason = format!("reason {number}");
    Entry {
        actor: Actor::Operator("owner".to_owned()),
        event: Event::ConnectionSuspended {
            connection: "acme".to_owned(),
            reason,
        },
    }
}

async fn appended(store: &Store, first: u64, count: u64) {
    let work = move |writing: &mut Writing<'_>| {
        for number in first..first + count {
            let index = append(
                writing,
                WORKSPACE,
                Millis(1_000 + number.cast_signed()),
                &entry(number),
            )?;
            assert_eq!(index, number);
        }
        Ok::<_, StoreError>(())
    };
    store.write(work).await.expect("appended");
}

async fn checkpointed(store: &Store, key: &SigningKey) -> u64 {
    let key = key.clone();
    let work = move |writing: &mut Writing<'_>| {
        let (size, root) = root(writing, WORKSPACE)?;
        let checkpoint = Checkpoint { size, root: root.0 };
        let note = checkpoint.sign(WORKSPACE, &key).expect("a note");
        crate::rows::log::put_checkpoint(writing, WORKSPACE, size, &note)?;
        Ok::<_, StoreError>(size)
    };
    store.write(work).await.expect("a checkpoint")
}

/// A log of eight entries, with checkpoints of four and of eight.
async fn log(engine: Engine, key: &SigningKey) -> TestStore {
    let store = TestStore::new(engine, &[crate::rows::ROOM]).await;
    appended(&store, 0, 4).await;
    assert_eq!(checkpointed(&store, key).await, 4);
    appended(&store, 4, 4).await;
    assert_eq!(checkpointed(&store, key).await, 8);
    store
}

async fn execute(store: &Store, statements: &'static [&'static str]) {
    let work = move |writing: &mut Writing<'_>| {
        for sql in statements {
            assert!(writing.execute(sql, &[])? > 0, "{sql}");
        }
        Ok::<_, StoreError>(())
    };
    store.write(work).await.expect("changed");
}

fn key() -> SigningKey {
    SigningKey::generate().expect("a key")
}

async fn tampering_is_named(engine: Engine) {
    let key = key();
    for (sql, named) in &rows::CHANGES {
        let store = log(engine, &key).await;
        verify(&store, WORKSPACE, &key.public())
            .await
            .expect("it holds");
        execute(&store, std::slice::from_ref(sql)).await;
        let broken = verify(&store, WORKSPACE, &key.public()).await;
        let broken = broken.expect_err(sql).to_string();
        assert!(broken.contains(named), "{sql}: {broken}");
    }
    for cut in [&rows::CUT, &rows::EMPTIED] {
        let store = log(engine, &key).await;
        execute(&store, cut).await;
        let broken = verify(&store, WORKSPACE, &key.public()).await;
        assert!(matches!(broken, Err(Broken::Cut(4 | 8, _))), "{broken:?}");
    }
}

#[tokio::test]
async fn invariant_4_tampering_is_named() {
    for engine in ENGINES {
        tampering_is_named(engine).await;
    }
}

/// Somebody who can write the whole database cannot sign.
#[tokio::test]
async fn a_log_that_was_made_anew_is_not_the_one_that_was_signed() {
    for engine in ENGINES {
        let (key, stranger) = (key(), key());
        let store = log(engine, &stranger).await;
        let broken = verify(&store, WORKSPACE, &key.public()).await;
        assert!(
            matches!(broken, Err(Broken::Checkpoint(4, BadCheckpoint::Signature))),
            "{broken:?}"
        );
        let other = WorkspaceId(Uuid::from_u128(8));
        let broken = verify(&store, other, &stranger.public()).await;
        assert!(matches!(broken, Err(Broken::Absent(_))), "{broken:?}");
        // The right checkpoints over other entries.
        let notes = log(engine, &key).await;
        let notes = notes
            .read(|reading| crate::rows::log::checkpoints(reading, WORKSPACE))
            .await;
        let notes = notes.expect("checkpoints");
        let store = TestStore::new(engine, &[crate::rows::ROOM]).await;
        appended(&store, 0, 8).await;
        let keep = move |writing: &mut Writing<'_>| {
            notes.iter().try_for_each(|(size, note)| {
                crate::rows::log::put_checkpoint(writing, WORKSPACE, *size, note)
            })
        };
        store.write(keep).await.expect("kept");
        let broken = verify(&store, WORKSPACE, &key.public()).await;
        assert!(matches!(broken, Err(Broken::Rewritten(4))), "{broken:?}");
    }
}

#[tokio::test]
async fn an_erased_payload_leaves_every_proof_whole() {
    for engine in ENGINES {
        let key = key();
        let store = log(engine, &key).await;
        let before = verify(&store, WORKSPACE, &key.public())
            .await
            .expect("it holds");
        execute(&store, &rows::ERASED).await;
        let after = verify(&store, WORKSPACE, &key.public())
            .await
            .expect("it holds");
        assert_eq!((after.erased, &after.root), (1, &before.root));
        assert_eq!(
            (before.entries, before.checkpoints, before.erased),
            (8, 2, 0)
        );
        appended(&store, 8, 1).await;
        assert_eq!(
            verify(&store, WORKSPACE, &key.public())
                .await
                .expect("it holds")
                .entries,
            9
        );
    }
}

/// An entry commits to its payload with a salt of its own: equal payloads cannot be told to be so.
#[tokio::test]
async fn equal_entries_have_unequal_leaves() {
    for engine in ENGINES {
        let store = TestStore::new(engine, &[crate::rows::ROOM]).await;
        let work = |writing: &mut Writing<'_>| {
            append(writing, WORKSPACE, Millis(1), &entry(0))?;
            append(writing, WORKSPACE, Millis(1), &entry(0))
        };
        store.write(work).await.expect("appended");
        let leaves = store
            .read(|reading| crate::rows::log::leaves(reading, WORKSPACE, 0, 10))
            .await;
        let leaves = leaves.expect("leaves");
        assert_eq!(leaves[0].payload, leaves[1].payload);
        assert_ne!(leaves[0].commitment, leaves[1].commitment);
    }
}

/// What rolls back leaves nothing in the log.
#[tokio::test]
async fn an_entry_is_there_with_what_it_tells_or_not_at_all() {
    for engine in ENGINES {
        let key = key();
        let store = log(engine, &key).await;
        let work = |writing: &mut Writing<'_>| -> Result<(), StoreError> {
            append(writing, WORKSPACE, Millis(1), &entry(8))?;
            Err(StoreError::Closed)
        };
        assert!(store.write(work).await.is_err());
        assert_eq!(
            verify(&store, WORKSPACE, &key.public())
                .await
                .expect("it holds")
                .entries,
            8
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// However entries come, each checkpoint stays true of the log that has grown since.
    #[test]
    fn appending_never_changes_what_was_signed(groups in proptest::collection::vec(1u64..9, 1..8)) {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let key = key();
            let store = TestStore::new(Engine::Sqlite, &[crate::rows::ROOM]).await;
            let mut size = 0;
            for count in &groups {
                appended(&store, size, *count).await;
                size += count;
                assert_eq!(checkpointed(&store, &key).await, size);
                let verified = verify(&store, WORKSPACE, &key.public()).await.expect("it holds");
                assert_eq!(verified.entries, size);
            }
            let verified = verify(&store, WORKSPACE, &key.public()).await.expect("it holds");
            assert_eq!(usize::try_from(verified.checkpoints), Ok(groups.len()));
        });
    }
}
