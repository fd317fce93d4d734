//! A copy of the store is put back: nobody comes in and nothing goes out until an owner has looked.

use gate::Folder;
use gate::restore::{RestoreError, restore};
use protocol::ids::TxId;
use serde_json::{Value, json};
use store::{StoreError, Writing, params};
use wire::clock::SystemClock;

use crate::provider::{Provider, editor, transfer, viewer};
use crate::rows;
use crate::world::{World, until};

/// Copies the store of the running gate.
async fn backed_up(world: &World) -> std::path::PathBuf {
    let file = world.gate.folder.path().join("copy.db");
    let copied = world
        .desk("POST", "/backups", &json!({ "file": file }))
        .await;
    assert!(
        copied.fine()["bytes"]
            .as_u64()
            .is_some_and(|bytes| bytes > 0)
    );
    let again = world
        .desk("POST", "/backups", &json!({ "file": file }))
        .await;
    assert_eq!(again.status, 409, "nothing is overwritten");
    file
}

/// A proposal of the copy is as a copy has it that was taken while it was sent.
async fn on_its_way_in(world: &World, copy: &std::path::Path, id: &str) {
    let mut doc = world.look(&format!("/proposals/{id}")).await;
    let fields = doc.as_object_mut().expect("an object");
    for name in ["digest", "names", "upstream_id"] {
        fields.shift_remove(name);
    }
    doc["state"] = json!("SENDING");
    let home = tempfile::tempdir().expect("a folder");
    let folder = Folder::new(home.path());
    std::fs::rename(copy, folder.database()).expect("moved");
    let store = gate::start::open_store(&folder, &world.gate.config)
        .await
        .expect("a store");
    let (id, doc): (TxId, _) = (id.parse().expect("an id"), doc.to_string());
    let work = move |writing: &mut Writing<'_>| {
        let params = params![id.0.as_bytes().as_slice(), doc.as_str()];
        assert_eq!(writing.execute(rows::ON_ITS_WAY, &params)?, 1);
        Ok::<_, StoreError>(())
    };
    store.write(work).await.expect("written");
    drop(store);
    std::fs::copy(folder.database(), copy).expect("moved back");
}

async fn completed(world: &World, trader: &Provider) -> String {
    let id = trader.propose(&transfer(1, 2, "1")).await;
    world.decide(&id, true).await.fine();
    until("it is completed", || async {
        trader.status(&id).await == "COMPLETED"
    })
    .await;
    id
}

async fn kinds(world: &World) -> Vec<Value> {
    let log = world.look("/log").await;
    let entries = log.as_array().expect("entries").iter();
    entries.map(|one| one["kind"].clone()).collect()
}

#[tokio::test]
async fn a_store_that_was_put_back_lets_nobody_in_and_sends_nothing_until_it_is_released() {
    let mut world = World::new().await;
    let trader = world.enrol("trader", editor(&[1, 2])).await;
    let reader = world.enrol("reader", viewer(&[1], None)).await;
    let id = trader.propose(&transfer(1, 2, "1")).await;
    let (folder, config) = (world.gate.folder.clone(), world.gate.config.clone());
    let old = std::fs::read_to_string(folder.checkpoint()).expect("a checkpoint");
    let copy = backed_up(&world).await;
    let runs = restore(&folder, &config, &copy, &SystemClock).await;
    assert!(matches!(runs, Err(RestoreError::Folder(_))), "{runs:?}");
    // What the copy does not know.
    world.decide(&id, true).await.fine();
    until("it is completed", || async {
        trader.status(&id).await == "COMPLETED"
    })
    .await;
    let orphan = completed(&world, &trader).await;
    world
        .desk(
            "POST",
            "/connections/reader/revoke",
            &json!({"reason": "a test"}),
        )
        .await
        .fine();
    on_its_way_in(&world, &copy, &id).await;
    world.gate.stop().await;
    let kept = std::fs::read_to_string(folder.checkpoint()).expect("the newest checkpoint");
    let sent = world.line.sent();

    let back = restore(&folder, &config, &copy, &SystemClock)
        .await
        .expect("put back");
    assert!(back.before.is_some_and(|before| before.exists()));
    world.gate.start().await;
    for refused in [&trader, &reader] {
        let answer = refused.caller.get("/v1/transactions").await;
        assert_eq!(answer.status, 401, "{answer:?}");
    }
    let body = transfer(1, 2, "1");
    assert_eq!(
        trader.caller.post("/v1/transactions", &body).await.status,
        401
    );
    until("what the copy has forgotten raises an alarm", || async {
        kinds(&world).await.contains(&json!("orphan_seen"))
    })
    .await;
    assert_eq!(world.line.sent(), sent, "nothing is sent");

    let release = |word: Value| {
        let world = &world;
        async move { world.desk("POST", "/release", &word).await }
    };
    let word = |lost: Option<u64>| json!({"checkpoint": kept, "reason": "the disk failed", "accept_lost": lost});
    let told = release(word(None)).await;
    let said = String::from_utf8_lossy(&told.body).into_owned();
    assert_eq!(told.status, 409, "{said}");
    let size: u64 = kept
        .lines()
        .nth(1)
        .expect("a size")
        .parse()
        .expect("a size");
    let lost = size - back.entries;
    assert!(said.contains(&format!("{lost} are lost")), "{said}");
    let answer = release(json!({"checkpoint": old, "reason": "x"})).await;
    let said = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status, 409, "one of before the backup: {said}");
    assert!(said.contains("name the newest"), "{said}");
    let newest = std::fs::read_to_string(folder.checkpoint()).expect("a checkpoint");
    let own = json!({"checkpoint": newest, "reason": "x"});
    assert_eq!(
        release(own).await.status,
        409,
        "one of after the restore proves nothing"
    );
    let changed = json!({"checkpoint": kept.replace("\nat ", "\nat 1"), "reason": "x"});
    assert_eq!(release(changed).await.status, 400);
    assert_eq!(trader.caller.get("/v1/transactions").await.status, 401);

    let released = release(word(Some(lost))).await.fine();
    let looked_up = released["looked_up"].as_array().expect("a list");
    assert_eq!(
        (looked_up.len(), &looked_up[0]["proposal"]),
        (1, &json!(id))
    );
    assert!(looked_up[0]["upstream"].is_string(), "{released}");
    until("it is found", || async { world.state(&id).await == "SENT" }).await;
    assert_eq!(world.line.sent(), sent, "nothing is sent again");
    assert_eq!(trader.caller.get("/v1/transactions").await.status, 200);
    // An auditor who kept the newest checkpoint sees what happened.
    let file = folder.path().join("kept.checkpoint");
    std::fs::write(&file, &kept).expect("a file");
    let audited = gate::log::audit(
        &folder,
        &config,
        Some(file.as_path()),
        gate::log::Demand::default(),
    )
    .await;
    let told = audited.expect_err("entries are lost").to_string();
    assert!(
        told.contains("was put back") && told.contains(&format!("the last {lost} are lost")),
        "{told}"
    );
    let whole = gate::log::audit(&folder, &config, None, gate::log::Demand::default())
        .await
        .expect("it holds by itself");
    assert_eq!(whole.restored, 1);
    drop(orphan);
}

/// A copy with which somebody has tampered is not put back, and nothing is changed.
#[tokio::test]
async fn a_copy_whose_log_does_not_hold_is_not_put_back() {
    let mut world = World::new().await;
    world.enrol("reader", viewer(&[1], None)).await;
    let copy = backed_up(&world).await;
    world.gate.stop().await;
    let home = tempfile::tempdir().expect("a folder");
    let elsewhere = Folder::new(home.path());
    std::fs::copy(&copy, elsewhere.database()).expect("copied");
    let (folder, config) = (world.gate.folder.clone(), world.gate.config.clone());
    let store = gate::start::open_store(&elsewhere, &config)
        .await
        .expect("a store");
    let forge = |writing: &mut Writing<'_>| writing.execute(rows::FORGED, &params![]);
    assert_eq!(
        store.write::<_, StoreError>(forge).await.expect("forged"),
        1
    );
    drop(store);
    let before = std::fs::read(folder.checkpoint()).expect("a checkpoint");
    let refused = restore(&folder, &config, &elsewhere.database(), &SystemClock).await;
    let told = refused.expect_err("it is not put back").to_string();
    assert!(told.contains("entry 1 was changed"), "{told}");
    assert_eq!(
        std::fs::read(folder.checkpoint()).expect("a checkpoint"),
        before
    );
    world.gate.start().await;
}
