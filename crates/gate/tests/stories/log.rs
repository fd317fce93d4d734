//! The log of a gate that ended in order holds; what is gone or cut is found, and not begun anew.

use gate::log::{Broken, Demand, LogError, audit};
use serde_json::json;
use store::{StoreError, Writing};
use tokio_util::sync::CancellationToken;

use crate::provider::viewer;
use crate::rows;
use crate::world::World;

/// Why the gate does not start.
async fn not_started(world: &World) -> String {
    let (folder, config) = (world.gate.folder.clone(), world.gate.config.clone());
    let started = gate::start(folder, config, CancellationToken::new()).await;
    started.expect_err("it does not start").to_string()
}

#[tokio::test]
async fn invariant_4_a_store_that_is_gone_is_missed() {
    let mut world = World::new().await;
    world.gate.stop().await;
    let (folder, config) = (&world.gate.folder, &world.gate.config);
    for end in ["db", "db-wal", "db-shm"] {
        let file = folder.path().join(format!("gate.{end}"));
        if file.exists() {
            std::fs::remove_file(file).expect("removed");
        }
    }
    let audited = audit(folder, config, None, Demand::default())
        .await
        .expect_err("gone");
    assert!(
        audited.to_string().contains("only `gate init` makes"),
        "{audited}"
    );
    assert!(not_started(&world).await.contains("only `gate init` makes"));
    assert!(!folder.database().exists(), "nothing is made in its place");
}

/// Cut together with its checkpoints: the one in the file beside the store tells, and an auditor's.
#[tokio::test]
async fn invariant_4_a_cut_log_is_found_and_not_gone_on_with() {
    let mut world = World::new().await;
    world.enrol("reader", viewer(&[1], None)).await;
    world.gate.stop().await;
    let (folder, config) = (&world.gate.folder, &world.gate.config);
    let held = folder.checkpoint();
    let whole = audit(folder, config, Some(held.as_path()), Demand::default())
        .await
        .expect("it holds");
    assert_eq!((whole.newest.size, whole.uncovered), (whole.entries, 0));
    assert!(whole.newest.at.is_some());
    let copy = folder.path().join("auditors");
    std::fs::copy(&held, &copy).expect("a copy");
    let store = gate::start::open_store(folder, config)
        .await
        .expect("a store");
    let work = |writing: &mut Writing<'_>| {
        for sql in rows::CUT {
            assert!(writing.execute(sql, &[])? > 0, "{sql}");
        }
        Ok::<_, StoreError>(())
    };
    store.write(work).await.expect("cut");
    drop(store);
    let cut = |audited| matches!(audited, Err(LogError::Broken(Broken::Cut(_, 1))));
    assert!(cut(audit(folder, config, None, Demand::default()).await));
    assert!(not_started(&world).await.contains("the log was cut"));
    // Who takes the file away, too, has not the auditor's.
    std::fs::remove_file(&held).expect("removed");
    let missed = audit(folder, config, None, Demand::default()).await;
    assert!(matches!(missed, Err(LogError::Broken(Broken::NotHeld(_)))));
    std::fs::copy(folder.path().join("gate.toml"), &held).expect("another file");
    let other = audit(folder, config, Some(copy.as_path()), Demand::default()).await;
    assert!(matches!(other, Err(LogError::Broken(Broken::Held(..)))));
}

/// The gate that runs signs within seconds; who verifies meanwhile is told how much is not signed yet.
#[tokio::test]
async fn a_log_is_verified_while_its_gate_runs() {
    let mut world = World::new().await;
    world.enrol("reader", viewer(&[1], None)).await;
    let (folder, config) = (&world.gate.folder, &world.gate.config);
    let verified = audit(folder, config, None, Demand::default())
        .await
        .expect("it holds");
    assert_eq!(verified.entries, verified.newest.size + verified.uncovered);
    assert_eq!(verified.erased, 0);
}

#[tokio::test]
async fn what_is_erased_is_not_in_the_stores_files_any_more() {
    const WORDS: &str = "a word that is to be forgotten";
    let mut world = World::new().await;
    world.enrol("reader", viewer(&[1], None)).await;
    let why = json!({"reason": WORDS});
    let suspend = world.desk("POST", "/connections/reader/suspend", &why);
    suspend.await.fine();
    let folder = world.gate.folder.path().to_owned();
    let holds = |name: &str| {
        let bytes = std::fs::read(folder.join(name)).unwrap_or_default();
        let words = WORDS.as_bytes();
        bytes.windows(words.len()).any(|some| some == words)
    };
    assert!(holds("gate.db") || holds("gate.db-wal"));
    let before = json!({"connection": "reader", "reason": "asked for"});
    let erased = world.desk("POST", "/log/erase", &before).await.fine();
    assert!(erased["erased"].as_u64() > Some(0), "{erased}");
    assert!(!holds("gate.db-wal") && !holds("gate.db"));
    world.gate.stop().await;
    assert!(!holds("gate.db-wal") && !holds("gate.db"));
}
