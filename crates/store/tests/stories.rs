//! What the rooms rely on, on both engines.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use store::testing::{Engine, TestStore};
use store::{Location, Migration, Query, Room, Sql, Store, StoreError, Value, on_both, params};

const ROOM: Room = Room {
    name: "test",
    migrations: &[Migration {
        id: 1,
        name: "tables",
        sql: Sql::Same(
            "CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL);
             CREATE TABLE things (id BIGINT PRIMARY KEY, text TEXT, bytes BYTEA, note TEXT UNIQUE);",
        ),
    }],
};

fn bump(writing: &mut store::Writing<'_>) -> Result<i64, StoreError> {
    let sql = "INSERT INTO counters (name, value) VALUES ($1, 1)
               ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value";
    writing
        .row(sql, &params!["leaf"])?
        .ok_or(StoreError::Closed)?
        .int(0)
}

/// Another process that found no lock would take the journal away from under this one.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn invariant_4_a_store_that_is_opened_twice_keeps_its_locks() {
    use std::os::unix::fs::MetadataExt;

    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("store.db");
    let at = Location::SqliteFile(file.clone());
    let store = Store::open(&at, &[ROOM]).await.expect("a store");
    store.write(bump).await.expect("written");
    let locks = || {
        let number = format!(":{} ", file.metadata().expect("a file").ino());
        let all = std::fs::read_to_string("/proc/locks").expect("locks");
        all.lines().filter(|line| line.contains(&number)).count()
    };
    assert!(locks() > 0, "a store holds its file");
    let beside = Store::open(&at, &[ROOM]).await.expect("the same store");
    assert!(locks() > 0, "also while another opens it");
    drop(beside);
    assert!(locks() > 0, "and when that one has gone");
    store.write(bump).await.expect("written");
}

/// The last to hold a store may be the work that it does: that work is committed all the same.
#[tokio::test]
async fn work_that_lets_go_of_the_store_last_is_committed() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = Location::SqliteFile(folder.path().join("store.db"));
    let store = Store::open(&at, &[ROOM]).await.expect("a store");
    let (begun, wait) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let last = store.clone();
    let (told, until_alone) = (Arc::clone(&begun), Arc::clone(&wait));
    let work = tokio::spawn(async move {
        let inside = last.clone();
        last.write(move |writing| {
            let _last = &inside;
            told.store(1, Ordering::SeqCst);
            while until_alone.load(Ordering::SeqCst) == 0 {
                std::thread::yield_now();
            }
            bump(writing)
        })
        .await
    });
    let entered = async {
        while begun.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
    };
    let patience = std::time::Duration::from_secs(20);
    tokio::time::timeout(patience, entered)
        .await
        .expect("begun");
    work.abort();
    assert!(work.await.expect_err("ended").is_cancelled());
    drop(store);
    wait.store(1, Ordering::SeqCst);
    let counted = async {
        loop {
            let store = Store::open(&at, &[ROOM]).await.expect("a store");
            let sql = "SELECT value FROM counters WHERE name = $1";
            let read = store.read(move |reading| reading.row(sql, &params!["leaf"]));
            if read.await.expect("a read").is_some() {
                break;
            }
        }
    };
    tokio::time::timeout(patience, counted)
        .await
        .expect("committed");
}

on_both! {
    rooms: &[ROOM],
    async fn several_writers_at_once_leave_no_gap(store: TestStore) {
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let store = Store::clone(&store);
            tasks.spawn(async move {
                let mut seen = Vec::new();
                for _ in 0..25 {
                    seen.push(store.write(bump).await.expect("a write"));
                }
                seen
            });
        }
        let mut seen: Vec<i64> = tasks.join_all().await.concat();
        seen.sort_unstable();
        assert_eq!(seen, (1..=200).collect::<Vec<_>>());
    }

    rooms: &[ROOM],
    async fn an_error_rolls_back_its_own_work_alone(store: TestStore) {
        let failing = store.write(|writing| {
            bump(writing)?;
            Err::<(), _>(StoreError::Closed)
        });
        let panicking = store.write::<(), StoreError>(|writing| {
            bump(writing)?;
            panic!("a bug in a room")
        });
        let (failed, panicked, kept) = tokio::join!(failing, panicking, store.write(bump));
        assert!(matches!(failed, Err(StoreError::Closed)));
        assert!(matches!(panicked, Err(StoreError::Panicked)));
        assert_eq!(kept.expect("a write"), 1);
        assert_eq!(store.write(bump).await.expect("a write"), 2);
    }

    rooms: &[ROOM],
    async fn every_type_comes_back_as_it_went(store: TestStore) {
        let row = params![i64::MAX, "ü'; --", vec![0_u8, 255], Value::Null];
        store
            .write(move |writing| writing.execute("INSERT INTO things (note, id, text, bytes) VALUES ($4, $1, $2, $3)", &row))
            .await
            .expect("a row");
        let row = store
            .read(|reading| reading.row("SELECT id, text, bytes, note FROM things WHERE id = $1", &params![i64::MAX]))
            .await
            .expect("a read")
            .expect("a row");
        assert_eq!(row.int(0).expect("a number"), i64::MAX);
        assert_eq!(row.text(1).expect("a text"), "ü'; --");
        assert_eq!(row.bytes(2).expect("bytes"), [0, 255]);
        assert!(row.opt_text(3).expect("null").is_none());
        assert!(row.text(3).is_err() && row.int(1).is_err() && row.text(9).is_err());
    }

    rooms: &[ROOM],
    async fn a_broken_rule_is_told_apart(store: TestStore) {
        let insert = |writing: &mut store::Writing<'_>| writing.execute("INSERT INTO things (id) VALUES (1)", &[]);
        store.write(insert).await.expect("the first");
        assert!(store.write(insert).await.expect_err("the second").is_constraint());
    }

    rooms: &[ROOM],
    async fn a_read_sees_one_moment(store: TestStore) {
        store.write(bump).await.expect("a write");
        let (begun, wait) = std::sync::mpsc::channel::<()>();
        let (written, go_on) = std::sync::mpsc::channel::<()>();
        let reader = Store::clone(&store);
        let read = tokio::spawn(async move {
            reader
                .read(move |reading| {
                    let sql = "SELECT value FROM counters";
                    let first = reading.row(sql, &[])?.ok_or(StoreError::Closed)?.int(0)?;
                    begun.send(()).expect("the test waits");
                    go_on.recv().expect("the test writes");
                    Ok::<_, StoreError>((first, reading.row(sql, &[])?.ok_or(StoreError::Closed)?.int(0)?))
                })
                .await
        });
        tokio::task::spawn_blocking(move || wait.recv()).await.expect("no panic").expect("the read begins");
        store.write(bump).await.expect("a write");
        written.send(()).expect("the read waits");
        assert_eq!(read.await.expect("no panic").expect("a read"), (1, 1));
    }

    rooms: &[ROOM],
    async fn a_write_that_collides_runs_again(store: TestStore) {
        let runs = Arc::new(AtomicU32::new(0));
        let mut tasks = tokio::task::JoinSet::new();
        for id in 0..8_i64 {
            let (store, runs) = (Store::clone(&store), Arc::clone(&runs));
            tasks.spawn(async move {
                store
                    .write(move |writing| {
                        runs.fetch_add(1, Ordering::Relaxed);
                        let count = writing.row("SELECT COUNT(*) FROM things", &[])?.ok_or(StoreError::Closed)?.int(0)?;
                        writing.execute("INSERT INTO things (id, note) VALUES ($1, $2)", &params![id, format!("{count}")])
                    })
                    .await
            });
        }
        for done in tasks.join_all().await {
            done.expect("each is kept in the end");
        }
        assert!(runs.load(Ordering::Relaxed) >= 8);
    }
}

#[tokio::test]
async fn it_works_on_a_runtime_of_one_thread() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let store = TestStore::new(engine, &[ROOM]).await;
        assert_eq!(store.write(bump).await.expect("a write"), 1);
    }
}

#[tokio::test]
async fn an_edited_migration_is_noticed_and_a_newer_one_tolerated() {
    const EDITED: Room = Room {
        name: "test",
        migrations: &[Migration {
            id: 1,
            name: "tables",
            sql: Sql::Same("CREATE TABLE other (id BIGINT)"),
        }],
    };
    const NEWER: Room = Room {
        name: "test",
        migrations: &[
            ROOM.migrations[0],
            Migration {
                id: 2,
                name: "more",
                sql: Sql::Same("CREATE TABLE more (id BIGINT)"),
            },
        ],
    };
    let folder = tempfile::tempdir().expect("a folder");
    let at = Location::SqliteFile(folder.path().join("a.db"));
    drop(Store::open(&at, &[ROOM]).await.expect("first"));
    assert!(matches!(
        Store::open(&at, &[EDITED]).await,
        Err(StoreError::ForeignSchema { id: 1, .. })
    ));
    drop(Store::open(&at, &[NEWER]).await.expect("newer"));
    assert!(
        folder.path().join("a.db.before-test-2").exists(),
        "a copy is taken before migrating"
    );
    drop(
        Store::open(&at, &[ROOM])
            .await
            .expect("the previous release runs on the new schema"),
    );
}

#[tokio::test]
async fn what_cannot_be_opened_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let damaged = folder.path().join("damaged.db");
    std::fs::write(&damaged, vec![7_u8; 8_192]).expect("a file");
    assert!(matches!(
        Store::open(&Location::SqliteFile(damaged), &[ROOM]).await,
        Err(StoreError::Damaged { .. })
    ));
    for path in [
        folder.path().to_owned(),
        folder.path().join("no/such/folder/a.db"),
    ] {
        let error = Store::open(&Location::SqliteFile(path.clone()), &[ROOM])
            .await
            .expect_err("no file");
        assert!(
            matches!(&error, StoreError::CannotOpen { path: named, .. } if *named == path),
            "{error}"
        );
    }
    let nowhere = Location::Postgres("postgres://127.0.0.1:1/x".to_owned());
    assert!(matches!(
        Store::open(&nowhere, &[ROOM]).await,
        Err(StoreError::Unavailable(_))
    ));
}

#[tokio::test]
async fn a_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    let store = Store::open(&Location::SqliteFile(path.clone()), &[ROOM])
        .await
        .expect("a store");
    store.write(bump).await.expect("a write");
    for entry in std::fs::read_dir(folder.path()).expect("a folder") {
        let entry = entry.expect("an entry");
        assert_eq!(
            entry.metadata().expect("metadata").permissions().mode() & 0o077,
            0,
            "{:?}",
            entry.path()
        );
    }
}

/// A product opens its own databases alone, and changes nothing in another's.
#[tokio::test]
async fn another_products_file_is_refused_as_it_is() {
    const TABLES: &[Migration] = &[Migration {
        id: 1,
        name: "tables",
        sql: Sql::Same(""),
    }];
    const fn room(name: &'static str) -> Room {
        Room {
            name,
            migrations: TABLES,
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a.db");
    let at = Location::SqliteFile(path.clone());
    // Begun, and never finished: only what both products have is there.
    drop(Store::open(&at, &[room("shared")]).await.expect("half"));
    let (gate, sandbox) = (
        [room("shared"), room("gate")],
        [room("shared"), room("sandbox")],
    );
    drop(Store::open(&at, &gate).await.expect("the gate's"));
    let error = Store::open(&at, &sandbox).await.expect_err("the gate's");
    assert!(
        matches!(&error, StoreError::OtherProduct { at, owner } if at.ends_with("a.db") && owner.contains("gate")),
        "{error}"
    );
    let newer = [room("shared"), room("newer"), room("gate")];
    drop(Store::open(&at, &newer).await.expect("a newer gate"));
    drop(Store::open(&at, &gate).await.expect("an older gate"));

    let foreign = folder.path().join("foreign.db");
    let other = rusqlite::Connection::open(&foreign).expect("a file");
    other
        .execute_batch("CREATE TABLE bookmarks (url TEXT)")
        .expect("a table");
    drop(other);
    let before = std::fs::read(&foreign).expect("a file");
    let refused = Store::open(&Location::SqliteFile(foreign.clone()), &gate).await;
    assert!(matches!(refused, Err(StoreError::OtherProduct { .. })));
    assert_eq!(std::fs::read(&foreign).expect("a file"), before);
}
