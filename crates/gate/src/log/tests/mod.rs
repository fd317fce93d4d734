//! Whoever changes the log in its database is found out.

mod copies;
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
    if number == 0 {
        return beginning(WORKSPACE);
    }
    let reason = format!("reason {number}");
    Entry {
        actor: Actor::Operator("owner".to_owned()),
        event: Event::ConnectionSuspended {
            connection: "acme".to_owned(),
            reason,
        },
    }
}

fn beginning(workspace: WorkspaceId) -> Entry {
    Entry {
        actor: Actor::Gate,
        event: Event::GateInitialised {
            workspace: workspace.to_string(),
            owner: "owner".to_owned(),
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
        let checkpoint = Checkpoint {
            size,
            root: root.0,
            at: Some(Millis(5_000)),
            epoch: None,
        };
        let name = LogKey::of(WORKSPACE, key.public());
        let note = checkpoint.sign(&name, &key).expect("a note");
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

fn name(key: &SigningKey) -> LogKey {
    LogKey::of(WORKSPACE, key.public())
}

fn key() -> SigningKey {
    SigningKey::generate().expect("a key")
}

/// Verifies the log of a gate that does not run, against its own store alone.
async fn verified(store: &Store, key: &SigningKey) -> Result<Verified, Broken> {
    verify(store, WORKSPACE, &key.public(), Against::default()).await
}

async fn tampering_is_named(engine: Engine) {
    let key = key();
    for (sql, named) in &rows::CHANGES {
        let store = log(engine, &key).await;
        verified(&store, &key).await.expect("it holds");
        execute(&store, std::slice::from_ref(sql)).await;
        let broken = verified(&store, &key).await;
        let broken = broken.expect_err(sql).to_string();
        assert!(broken.contains(named), "{sql}: {broken}");
    }
    for cut in [&rows::CUT, &rows::EMPTIED] {
        let store = log(engine, &key).await;
        execute(&store, cut).await;
        let broken = verified(&store, &key).await;
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
    let (key, stranger) = (key(), key());
    let store = log(Engine::Sqlite, &stranger).await;
    let broken = verified(&store, &key).await;
    assert!(
        matches!(broken, Err(Broken::Checkpoint(4, BadCheckpoint::Signature))),
        "{broken:?}"
    );
    let other = WorkspaceId(Uuid::from_u128(8));
    let broken = verify(&store, other, &stranger.public(), Against::default()).await;
    assert!(matches!(broken, Err(Broken::NoBeginning)), "{broken:?}");
    // The right checkpoints over other entries.
    let notes = log(Engine::Sqlite, &key).await;
    let notes = notes
        .read(|reading| crate::rows::log::checkpoints(reading, WORKSPACE))
        .await;
    let notes = notes.expect("checkpoints");
    let store = TestStore::new(Engine::Sqlite, &[crate::rows::ROOM]).await;
    appended(&store, 0, 8).await;
    let keep = move |writing: &mut Writing<'_>| {
        notes.iter().try_for_each(|(size, note)| {
            crate::rows::log::put_checkpoint(writing, WORKSPACE, *size, note)
        })
    };
    store.write(keep).await.expect("kept");
    let broken = verified(&store, &key).await;
    assert!(
        matches!(broken, Err(Broken::Rewritten { size: 4, same: 0 })),
        "{broken:?}"
    );
}

/// What is left fits together: it is what is missing that tells.
async fn what_is_missing_is_named(engine: Engine) {
    let key = key();
    let cases: [(&'static [&'static str], &str); 4] = [
        (&rows::NOTHING_LEFT, "does not begin"),
        (&rows::NOTHING_SIGNED, "no signed checkpoint"),
        (&rows::ERASED, "1 payloads are gone, entry 3 is the first"),
        (&rows::NEWEST_UNSIGNED, "the last 4 of 8 entries"),
    ];
    for (change, named) in cases {
        let store = log(engine, &key).await;
        execute(&store, change).await;
        let broken = verified(&store, &key).await.expect_err(named).to_string();
        assert!(broken.contains(named), "{change:?}: {broken}");
    }
}

#[tokio::test]
async fn invariant_4_what_is_missing_is_named() {
    what_is_missing_is_named(Engine::Sqlite).await;
}

#[tokio::test]
async fn invariant_4_what_is_missing_is_named_on_postgres() {
    what_is_missing_is_named(Engine::Postgres).await;
}

/// Cut together with its checkpoints, the log fits together again; not with what is held elsewhere.
#[tokio::test]
async fn invariant_4_a_cut_shows_against_a_checkpoint_that_is_held_elsewhere() {
    let key = key();
    let store = log(Engine::Sqlite, &key).await;
    let newest = store
        .read(|reading| crate::rows::log::newest_checkpoint(reading, WORKSPACE))
        .await;
    let (_, note) = newest.expect("read").expect("a checkpoint");
    let against = |note: &str| Against {
        held: vec![Held {
            place: "the auditor's".to_owned(),
            note: note.to_owned(),
        }],
        ..Against::default()
    };
    let public = key.public();
    let whole = verify(&store, WORKSPACE, &public, against(&note)).await;
    assert_eq!(whole.expect("it holds").checkpoints, 3);
    execute(&store, &rows::CUT_WITH_CHECKPOINTS).await;
    verified(&store, &key)
        .await
        .expect("nothing shows by itself");
    let broken = verify(&store, WORKSPACE, &public, against(&note)).await;
    assert!(matches!(broken, Err(Broken::Cut(8, 4))), "{broken:?}");
    let broken = verify(&store, WORKSPACE, &public, against("none")).await;
    assert!(matches!(broken, Err(Broken::Held(..))), "{broken:?}");
}

/// A gate that runs signs its latest entries in a moment; one that ended has signed them.
#[tokio::test]
async fn entries_that_are_not_signed_yet_are_counted() {
    let key = key();
    let store = log(Engine::Sqlite, &key).await;
    appended(&store, 8, 2).await;
    let running = Against {
        running: true,
        ..Against::default()
    };
    let runs = verify(&store, WORKSPACE, &key.public(), running).await;
    let runs = runs.expect("it holds");
    assert_eq!((runs.entries, runs.uncovered), (10, 2));
    let at = Some(Millis(5_000));
    assert_eq!(runs.newest, Newest { size: 8, at });
    let ended = verified(&store, &key).await;
    assert!(matches!(ended, Err(Broken::Uncovered(2, 10))), "{ended:?}");
}

#[tokio::test]
async fn a_log_begins_with_its_own_gate() {
    let key = key();
    let other = WorkspaceId(Uuid::from_u128(8));
    for first in [entry(1), beginning(other)] {
        let store = TestStore::new(Engine::Sqlite, &[crate::rows::ROOM]).await;
        let work = move |writing: &mut Writing<'_>| append(writing, WORKSPACE, Millis(1), &first);
        store.write(work).await.expect("appended");
        checkpointed(&store, &key).await;
        let broken = verified(&store, &key).await;
        assert!(matches!(broken, Err(Broken::NoBeginning)), "{broken:?}");
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
    let key = key();
    let store = log(Engine::Sqlite, &key).await;
    let work = |writing: &mut Writing<'_>| -> Result<(), StoreError> {
        append(writing, WORKSPACE, Millis(1), &entry(8))?;
        Err(StoreError::Closed)
    };
    assert!(store.write(work).await.is_err());
    assert_eq!(verified(&store, &key).await.expect("it holds").entries, 8);
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
                let verified = verified(&store, &key).await.expect("it holds");
                assert_eq!(verified.entries, size);
            }
            let verified = verified(&store, &key).await.expect("it holds");
            assert_eq!(usize::try_from(verified.checkpoints), Ok(groups.len()));
        });
    }
}
