use std::path::Path;

use store::testing::{Engine, TestStore};
use wire::clock::SystemClock;

use super::*;
use crate::gates::GateName;
use crate::rows::tests::CUT;
use crate::testing;

/// A database, and the configuration of a gate that was made in it.
async fn made(at: &Path) -> (TestStore, Config) {
    let database = TestStore::new(Engine::Postgres, &[]).await;
    let mut config = testing::config();
    let Location::Postgres(url) = database.location() else {
        unreachable!("it is one of PostgreSQL")
    };
    config.store.url = Some(url.clone());
    let made = crate::init::init(&Folder::new(at), &config, "", "owner", &SystemClock).await;
    made.expect("a gate");
    (database, config)
}

/// The same gate's keys at another place, as on a machine that is to take over.
fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.join("keys")).expect("a folder");
    for file in std::fs::read_dir(from.join("keys")).expect("keys") {
        let file = file.expect("a key");
        std::fs::copy(file.path(), to.join("keys").join(file.file_name())).expect("copied");
    }
}

async fn started(at: &Path, config: &Config) -> Result<(Running, CancellationToken), StartError> {
    let shutdown = CancellationToken::new();
    let running = start(Folder::new(at), config.clone(), shutdown.clone()).await?;
    Ok((running, shutdown))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_gates_of_one_name_over_one_store_and_workspace_the_second_does_not_start() {
    let home = tempfile::tempdir().expect("a folder");
    let (one, two) = (home.path().join("one"), home.path().join("two"));
    let (_database, config) = made(&one).await;
    copied(&one, &two);
    let (running, shutdown) = started(&one, &config).await.expect("the first");
    let error = started(&two, &config).await.expect_err("the second");
    assert!(matches!(error, StartError::Running(..)), "{error}");
    assert!(
        error.to_string().contains("one gate, one process"),
        "{error}"
    );
    shutdown.cancel();
    running.done().await.expect("told to end");
    let (running, shutdown) = started(&two, &config).await.expect("the first has ended");
    shutdown.cancel();
    running.done().await.expect("told to end");
}

/// The database lets go of its sessions when it restarts: whoever is first then has the name.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gate_whose_name_was_taken_ends() {
    let home = tempfile::tempdir().expect("a folder");
    let (database, config) = made(home.path()).await;
    let (running, _shutdown) = started(home.path(), &config).await.expect("a gate");
    let name = claim_of(config.upstream.workspace_id, Some(&GateName::default()));
    let mut taken = None;
    while taken.is_none() {
        let cut = database.read(|reading| store::Query::rows(reading, CUT, &[]));
        let cut: Result<_, StoreError> = cut.await;
        cut.expect("cut");
        taken = database.claim(&name).await.expect("asked");
    }
    assert_eq!(running.done().await, Err(Taken));
}

#[tokio::test]
async fn half_a_gate_is_not_served() {
    let home = tempfile::tempdir().expect("a folder");
    let (_database, mut config) = made(home.path()).await;
    config.store.url = None;
    let error = started(home.path(), &config).await.expect_err("no store");
    assert!(matches!(error, StartError::Open(_)), "{error}");
    let made = make_store(&Folder::new(home.path()), &config).await;
    drop(made.expect("a store"));
    let error = started(home.path(), &config)
        .await
        .expect_err("an empty store");
    assert!(matches!(error, StartError::NoGate(..)), "{error}");
}
