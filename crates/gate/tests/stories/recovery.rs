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
    backed_up_as(world, "copy.db").await
}

async fn backed_up_as(world: &World, name: &str) -> std::path::PathBuf {
    let file = world.gate.folder.path().join(name);
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

/// The newest checkpoint of now, after entries that no copy knows.
async fn grown(world: &mut World, reason: &str) -> String {
    for _ in 0..3 {
        let again = json!({"reason": reason});
        for what in ["suspend", "resume"] {
            let path = format!("/connections/reader/{what}");
            world.desk("POST", &path, &again).await.fine();
        }
    }
    world.gate.stop().await;
    std::fs::read_to_string(world.gate.folder.checkpoint()).expect("a checkpoint")
}

fn size_of(checkpoint: &str) -> u64 {
    let size = checkpoint.lines().nth(1).expect("a size");
    size.parse().expect("a size")
}

/// The gate stays in quarantine, and says why.
async fn not_released(world: &World, body: &Value, status: u16, why: &str) {
    let answer = world.desk("POST", "/release", body).await;
    assert_eq!(answer.status, status);
    let told = String::from_utf8_lossy(&answer.body);
    assert!(told.contains(why), "{told}");
}

/// A copy is put back twice: whoever lets it serve again names the newest checkpoint of the newest life that
/// the copy, or this machine, knows of.
#[tokio::test]
async fn a_release_is_held_to_the_newest_life_of_the_log_that_is_known() {
    let mut world = World::new().await;
    world.enrol("reader", viewer(&[1], None)).await;
    let (folder, config) = (world.gate.folder.clone(), world.gate.config.clone());
    let first = backed_up(&world).await;
    let of_first = grown(&mut world, "the first life").await;
    // Put back twice with nobody let in between: the checkpoint of before both is the newest still.
    let mut back = None;
    for _ in 0..2 {
        back = Some(
            restore(&folder, &config, &first, &SystemClock)
                .await
                .expect("put back"),
        );
    }
    let entries = back.expect("put back").entries;
    world.gate.start().await;
    let word = |checkpoint: &str, entries: u64| {
        let lost = size_of(checkpoint).saturating_sub(entries);
        json!({"checkpoint": checkpoint, "reason": "the disk failed", "accept_lost": lost})
    };
    let body = word(&of_first, entries);
    world.desk("POST", "/release", &body).await.fine();
    let second = backed_up_as(&world, "second.db").await;
    let copied = std::fs::read_to_string(folder.checkpoint()).expect("a checkpoint");
    let of_second = grown(&mut world, "the second life").await;
    // The second copy tells that the first life was over when it was made.
    let back = restore(&folder, &config, &second, &SystemClock)
        .await
        .expect("put back");
    world.gate.start().await;
    let kept = std::fs::read_dir(folder.path())
        .expect("a folder")
        .flatten();
    let kept = kept.map(|file| file.path()).filter(|file| {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        name.starts_with("log.checkpoint.")
            && std::fs::read_to_string(file).is_ok_and(|note| note == of_second)
    });
    let kept: Vec<_> = kept.collect();
    assert_eq!(kept.len(), 1, "what this machine knew is kept");
    let body = word(&of_first, back.entries);
    not_released(&world, &body, 409, "a later life of the log").await;
    // Another machine knows nothing of it; the copy does.
    let aside = folder.path().join("aside");
    std::fs::rename(&kept[0], &aside).expect("moved");
    for (checkpoint, status, why) in [
        (
            &of_first,
            409,
            "made in a later life of the log than the checkpoint",
        ),
        (
            &of_first.replace("epoch ", "epoch x"),
            400,
            "did not sign it",
        ),
    ] {
        let body = word(checkpoint, back.entries);
        not_released(&world, &body, status, why).await;
    }
    assert!(size_of(&copied) <= back.entries);
    std::fs::rename(&aside, &kept[0]).expect("moved back");
    world.gate.stop().await;
    // The first copy knows no second life, but this machine does.
    let back = restore(&folder, &config, &first, &SystemClock)
        .await
        .expect("put back");
    world.gate.start().await;
    let body = word(&of_first, back.entries);
    not_released(&world, &body, 409, "a later life of the log").await;
    let body = word(&of_second, back.entries);
    world.desk("POST", "/release", &body).await.fine();
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
