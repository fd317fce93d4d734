use std::path::Path;

use protocol::ids::WorkspaceId;
use store::Location;
use store::testing::{Engine, TestStore};
use wire::clock::SystemClock;

use super::*;
use crate::log::{Against, Verified, verify};
use crate::testing;

const ONE: WorkspaceId = WorkspaceId(Uuid::from_u128(1));
const TWO: WorkspaceId = WorkspaceId(Uuid::from_u128(2));

/// A gate of this workspace, in a store of the folder's own or in this one.
fn config(workspace: WorkspaceId, url: Option<&str>) -> Config {
    let mut config = testing::config();
    config.upstream.workspace_id = workspace;
    config.store.url = url.map(str::to_owned);
    config
}

async fn made(folder: &Path, config: &Config) -> Result<Made, InitError> {
    init(&Folder::new(folder), config, "", "owner", &SystemClock).await
}

async fn verified(folder: &Path, config: &Config) -> Verified {
    let folder = Folder::new(folder);
    let store = make_store(&folder, config).await.expect("a store");
    let key = folder.log_key().expect("a key").public();
    let verified = verify(
        &store,
        config.upstream.workspace_id,
        &key,
        Against::default(),
    )
    .await;
    verified.expect("the log holds")
}

async fn database() -> (TestStore, String) {
    let store = TestStore::new(Engine::Postgres, &[]).await;
    let Location::Postgres(url) = store.location().clone() else {
        unreachable!("it is one of PostgreSQL")
    };
    (store, url)
}

#[tokio::test]
async fn what_fails_leaves_nothing_and_says_why() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("clients/gate");
    let nowhere = config(ONE, Some("postgres://127.0.0.1:1/x"));
    let error = made(&folder, &nowhere).await.expect_err("no database");
    assert!(error.to_string().contains("cannot be reached"), "{error}");
    assert!(!home.path().join("clients").exists(), "nothing is left");
    // The same folder is as good as new.
    let fine = config(ONE, None);
    made(&folder, &fine).await.expect("a gate");
    assert_eq!(verified(&folder, &fine).await.entries, 1);
    // A gate is never overwritten, nor removed because another one cannot be made.
    let error = made(&folder, &fine).await.expect_err("there is one");
    assert!(
        error.to_string().contains("this folder has a gate"),
        "{error}"
    );
    assert_eq!(verified(&folder, &fine).await.entries, 1);
}

#[tokio::test]
async fn what_was_there_before_stays() {
    let home = tempfile::tempdir().expect("a folder");
    let theirs = home.path().join("notes.txt");
    std::fs::write(&theirs, "the client's own").expect("written");
    let nowhere = config(ONE, Some("postgres://127.0.0.1:1/x"));
    made(home.path(), &nowhere).await.expect_err("no database");
    let left: Vec<_> = std::fs::read_dir(home.path())
        .expect("a folder")
        .map(|file| file.expect("a file").path())
        .collect();
    assert_eq!(left, [theirs]);
    // What an interrupted run has left is named, and not taken for something to overwrite.
    let keys = home.path().join("keys");
    std::fs::create_dir(&keys).expect("a folder");
    let error = made(home.path(), &config(ONE, None)).await;
    let error = error.expect_err("a part of a gate").to_string();
    assert!(
        error.contains("keys") && error.contains("interrupted"),
        "{error}"
    );
    assert!(keys.exists());
}

#[tokio::test]
async fn gates_of_two_workspaces_are_made_in_one_store() {
    let home = tempfile::tempdir().expect("a folder");
    let (_database, url) = database().await;
    let (one, two) = (config(ONE, Some(&url)), config(TWO, Some(&url)));
    let at = |name: &str| home.path().join(name);
    made(&at("one"), &one).await.expect("a gate");
    made(&at("two"), &two).await.expect("another's gate");
    // A second one of the same workspace would fork its log.
    let error = made(&at("again"), &one).await.expect_err("there is one");
    assert!(
        error.to_string().contains("has a gate of workspace"),
        "{error}"
    );
    assert!(!error.to_string().contains('@'), "no credentials: {error}");
    assert!(!at("again").exists());
    for (name, config) in [("one", &one), ("two", &two)] {
        assert_eq!(verified(&at(name), config).await.entries, 1);
    }
}
