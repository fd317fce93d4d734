//! A copy of the log, on another machine: whatever is changed in it is found, and where.

use std::fs;
use std::path::{Path, PathBuf};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::*;
use crate::log::proof::NotProven;

/// Bytes of each file of a large copy that are changed, one by one.
const SAMPLE: usize = 200;

/// A log of this many entries, signed after the first and after the last, and a copy of it.
async fn copied(entries: u64, key: &SigningKey) -> (TestStore, tempfile::TempDir) {
    let store = TestStore::new(Engine::Sqlite, &[crate::rows::ROOM]).await;
    appended(&store, 0, entries / 2).await;
    checkpointed(&store, key).await;
    appended(&store, entries / 2, entries - entries / 2).await;
    checkpointed(&store, key).await;
    let home = tempfile::tempdir().expect("a folder");
    copy_to(&store, key, home.path()).await;
    (store, home)
}

async fn copy_to(store: &Store, key: &SigningKey, to: &Path) {
    let copied = export(store, WORKSPACE, &name(key), to, None, None).await;
    copied.expect("a copy");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

async fn note(store: &Store, size: u64) -> String {
    let notes = store.read(|reading| crate::rows::log::checkpoints(reading, WORKSPACE));
    let notes = notes.await.expect("checkpoints");
    let found = notes.into_iter().find(|(of, _)| *of == size);
    found.expect("a checkpoint").1
}

fn held(note: &str) -> Held {
    Held {
        place: "the auditor's".to_owned(),
        note: note.to_owned(),
    }
}

#[tokio::test]
async fn a_copy_is_verified_with_the_public_key_alone() {
    let key = key();
    let (store, copy) = copied(600, &key).await;
    let kept = held(&note(&store, 300).await);
    let verified =
        verify_copy(copy.path(), &name(&key), &[kept], &Demand::default()).expect("it holds");
    assert_eq!((verified.entries, verified.checkpoints), (600, 2));
    let stored = super::verified(&store, &key).await.expect("it holds");
    assert_eq!(verified.root, stored.root);
    assert_eq!(
        verified.newest,
        Newest {
            size: 600,
            at: Some(Millis(5_000))
        }
    );
    let stranger = verify_copy(copy.path(), &name(&super::key()), &[], &Demand::default());
    assert!(matches!(stranger, Err(Broken::Held(..))), "{stranger:?}");
    let taken = export(&store, WORKSPACE, &name(&key), copy.path(), None, None).await;
    assert!(taken.expect_err("taken").to_string().contains("not empty"));
}

/// Of a small copy every byte of every file; of one with tiles of two levels, a sample of each file.
#[tokio::test]
async fn invariant_4_every_single_changed_byte_of_a_copy_is_found_and_where() {
    let small = every_changed_byte_is_found(5, usize::MAX).await;
    assert!(small > 1_500, "{small}");
    let large = every_changed_byte_is_found(260, SAMPLE).await;
    assert!(large > 1_000, "{large}");
}

/// Changes bytes one by one, at most so many of each file; how many.
async fn every_changed_byte_is_found(entries: u64, most: usize) -> usize {
    let key = key();
    let (_store, copy) = copied(entries, &key).await;
    let ours = name(&key);
    let (mut tried, mut random) = (0, StdRng::seed_from_u64(1));
    for file in files(copy.path()) {
        let path = file.strip_prefix(copy.path()).expect("in it");
        let path = path.display().to_string();
        let whole = fs::read(&file).expect("a file");
        let places: Vec<usize> = if whole.len() <= most {
            (0..whole.len()).collect()
        } else {
            (0..most)
                .map(|_| random.random_range(0..whole.len()))
                .collect()
        };
        for at in places {
            let mut bytes = whole.clone();
            bytes[at] ^= random.random_range(1..=255u8);
            fs::write(&file, &bytes).expect("changed");
            let broken = verify_copy(copy.path(), &ours, &[], &Demand::default());
            let broken = broken
                .expect_err(&format!("byte {at} of {path}"))
                .to_string();
            let told = match path.split('/').next() {
                Some("payload") => {
                    broken.starts_with("entry ") || broken.contains("payloads are gone")
                }
                Some("checkpoint") => broken.contains("checkpoint"),
                _ => broken.starts_with("entry ") || broken.contains(&path),
            };
            assert!(told, "byte {at} of {path}: {broken}");
            tried += 1;
        }
        fs::write(&file, &whole).expect("put back");
    }
    verify_copy(copy.path(), &ours, &[], &Demand::default()).expect("as it was");
    tried
}

#[tokio::test]
async fn a_changed_entry_is_named() {
    let key = key();
    let (_store, copy) = copied(300, &key).await;
    let file = copy.path().join("payload/001.p/44");
    let text = fs::read_to_string(&file).expect("payloads");
    fs::write(&file, text.replace("reason 270", "reason 271")).expect("changed");
    let broken = verify_copy(copy.path(), &name(&key), &[], &Demand::default());
    assert!(matches!(broken, Err(Broken::Payload(270))), "{broken:?}");
    fs::write(&file, &text).expect("put back");
    // An erasure that nobody logged.
    let lines: Vec<_> = text.split_inclusive('\n').collect();
    let without = [&["-\n"], lines.get(1..).expect("lines")].concat().concat();
    fs::write(&file, without).expect("changed");
    let broken = verify_copy(copy.path(), &name(&key), &[], &Demand::default());
    assert!(
        matches!(
            broken,
            Err(Broken::Erased {
                first: 256,
                count: 1
            })
        ),
        "{broken:?}"
    );
}

/// Files that are dropped, swapped, added or shortened.
#[tokio::test]
async fn invariant_4_what_is_dropped_or_reordered_in_a_copy_is_found() {
    let key = key();
    let (_store, copy) = copied(520, &key).await;
    let ours = name(&key);
    for file in files(copy.path()) {
        let whole = fs::read(&file).expect("a file");
        fs::remove_file(&file).expect("dropped");
        assert!(
            verify_copy(copy.path(), &ours, &[], &Demand::default()).is_err(),
            "{file:?}"
        );
        for cut in [0, whole.len() - 1] {
            fs::write(&file, &whole[..cut]).expect("cut");
            assert!(
                verify_copy(copy.path(), &ours, &[], &Demand::default()).is_err(),
                "{file:?}"
            );
        }
        fs::write(&file, [&whole[..], b"x"].concat()).expect("longer");
        assert!(
            verify_copy(copy.path(), &ours, &[], &Demand::default()).is_err(),
            "{file:?}"
        );
        fs::write(&file, &whole).expect("put back");
    }
    let swap = |one: &str, other: &str| {
        let (one, other) = (copy.path().join(one), copy.path().join(other));
        let aside = copy.path().join("aside");
        fs::rename(&one, &aside).expect("moved");
        fs::rename(&other, &one).expect("moved");
        fs::rename(&aside, &other).expect("moved");
    };
    for kind in ["tile/entries", "payload", "tile/0"] {
        swap(&format!("{kind}/000"), &format!("{kind}/001"));
        let broken = verify_copy(copy.path(), &ours, &[], &Demand::default()).expect_err(kind);
        assert!(
            matches!(broken, Broken::Leaf(0) | Broken::Payload(0)),
            "{broken}"
        );
        swap(&format!("{kind}/000"), &format!("{kind}/001"));
    }
    fs::write(copy.path().join("tile/0/003"), "x").expect("added");
    let broken =
        verify_copy(copy.path(), &ours, &[], &Demand::default()).expect_err("a stranger's file");
    assert!(broken.to_string().contains("tile/0/003"), "{broken}");
}

/// Whoever has the log's key itself can make another log; not one that an older checkpoint fits.
#[tokio::test]
async fn invariant_4_a_fork_and_a_cut_show_against_a_checkpoint_that_an_auditor_kept() {
    let key = key();
    let (store, _copy) = copied(40, &key).await;
    let (older, newer) = (note(&store, 20).await, note(&store, 40).await);
    let (_fork, forked) = copied(40, &key).await;
    verify_copy(forked.path(), &name(&key), &[], &Demand::default()).expect("it fits together");
    let broken = verify_copy(
        forked.path(),
        &name(&key),
        &[held(&older)],
        &Demand::default(),
    );
    assert!(
        matches!(broken, Err(Broken::Rewritten { size: 20, same: 0 })),
        "{broken:?}"
    );
    let (_cut, cut) = copied(30, &key).await;
    let broken = verify_copy(cut.path(), &name(&key), &[held(&newer)], &Demand::default());
    assert!(matches!(broken, Err(Broken::Cut(40, 30))), "{broken:?}");
}

/// Erased payloads are told of; tree, copies and proofs are as they were.
#[tokio::test]
async fn an_erasure_leaves_every_proof_whole() {
    let key = key();
    let (store, before) = copied(300, &key).await;
    let ours = name(&key);
    let proof = proof_of(&store, &ours, 7).await;
    let erase = |writing: &mut Writing<'_>| {
        for index in 5..9 {
            assert!(crate::rows::log::erase(writing, WORKSPACE, index)?);
        }
        let event = Event::PayloadsErased {
            entries: vec![(5, 8)],
            reason: "their time is over".to_owned(),
        };
        let actor = Actor::Operator("owner".to_owned());
        append(writing, WORKSPACE, Millis(9_000), &Entry { actor, event })
    };
    store.write(erase).await.expect("erased");
    checkpointed(&store, &key).await;
    let after = tempfile::tempdir().expect("a folder");
    copy_to(&store, &key, after.path()).await;
    let verified = verify_copy(after.path(), &ours, &[], &Demand::default()).expect("it holds");
    assert_eq!((verified.entries, verified.erased), (301, 4));
    let stored = super::verified(&store, &key).await.expect("it holds");
    assert_eq!(stored.erased, 4);
    let everything = files(after.path())
        .into_iter()
        .map(|file| fs::read(file).expect("a file"));
    let everything = everything.collect::<Vec<_>>().concat();
    let holds = |text: &str| {
        everything
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    assert!(holds("reason 4\"") && !holds("reason 7\""));
    // What was proven stays proven; what is proven now tells less.
    assert!(
        verify_proof(&proof, &ours, &Demand::default())
            .expect("proven")
            .entry
            .is_some()
    );
    let proven =
        verify_proof(&proof_of(&store, &ours, 7).await, &ours, &Demand::default()).expect("proven");
    assert_eq!(
        (proven.index, proven.size, proven.entry.is_none()),
        (7, 301, true)
    );
    verify_copy(before.path(), &ours, &[], &Demand::default()).expect("the older copy");
}

async fn proof_of(store: &Store, key: &LogKey, index: u64) -> String {
    let key = key.clone();
    let proof = store.read(move |reading| prove(reading, WORKSPACE, &key, index, &[]));
    proof.await.expect("read").expect("a proof").text
}

#[tokio::test]
async fn the_proof_of_one_entry_is_one_file_that_cannot_be_changed() {
    let key = key();
    let (store, _copy) = copied(70, &key).await;
    let ours = name(&key);
    for index in [0, 1, 35, 69] {
        let proof = proof_of(&store, &ours, index).await;
        let proven = verify_proof(&proof, &ours, &Demand::default()).expect("proven");
        assert_eq!((proven.index, proven.size), (index, 70));
        let told = proven.entry.expect("it tells");
        assert_eq!(Entry::read(told.get().as_bytes()), Some(entry(index)));
        assert!(verify_proof(&proof, &name(&super::key()), &Demand::default()).is_err());
    }
    let proof = proof_of(&store, &ours, 35).await;
    for at in 0..proof.len() {
        let mut bytes = proof.clone().into_bytes();
        bytes[at] ^= 1;
        if let Ok(changed) = String::from_utf8(bytes) {
            assert!(
                verify_proof(&changed, &ours, &Demand::default()).is_err(),
                "byte {at}: {changed}"
            );
        }
    }
    let key = ours.clone();
    let beyond = store.read(move |reading| prove(reading, WORKSPACE, &key, 70, &[]));
    assert!(beyond.await.expect("read").is_none());
}

/// Witnesses are late with the newest checkpoint: what they have cosigned proves as well.
#[tokio::test]
async fn an_entry_is_proven_by_what_most_witnesses_have_cosigned() {
    let key = key();
    let (store, _copy) = copied(70, &key).await;
    let ours = name(&key);
    let witness = |name: &str| {
        let key = super::key();
        let public = WitnessKey::of(name, key.public()).expect("a witness");
        (public, key)
    };
    let (one, other) = (witness("one.example"), witness("other.example"));
    for (size, by) in [(35, &one), (35, &other), (70, &one)] {
        let line = cosignature(&note(&store, size).await, by);
        let place = by.0.to_string();
        let work = move |writing: &mut Writing<'_>| {
            crate::rows::log::put_cosignature(writing, WORKSPACE, size, &place, (Millis(1), &line))
        };
        store.write::<_, StoreError>(work).await.expect("written");
    }
    let both = vec![one.0.clone(), other.0.clone()];
    let keys: Vec<_> = both.iter().map(ToString::to_string).collect();
    let demand = Demand::new(both, None, &ours).expect("a demand");
    let proof = async |index, keys: &[String]| {
        let (ours, keys) = (ours.clone(), keys.to_vec());
        let proof = store.read(move |reading| prove(reading, WORKSPACE, &ours, index, &keys));
        proof.await.expect("read").expect("a proof")
    };
    let by_both = proof(10, &keys).await;
    assert_eq!(by_both.cosigned, 2);
    let proven = verify_proof(&by_both.text, &ours, &demand).expect("they vouch");
    assert_eq!(proven.size, 35);
    // Of what is newer, the newest that anybody has cosigned; and at the last the newest of all.
    assert_eq!(proof(50, &keys).await.cosigned, 1);
    assert_eq!(proof(50, &keys[1..]).await.cosigned, 0);
    let late = proof(50, &keys).await;
    let refused = verify_proof(&late.text, &ours, &demand);
    assert!(matches!(refused, Err(NotProven::Unvouched(1, 2))));
}

/// What a witness writes under a note.
fn cosignature(note: &str, (public, key): &(WitnessKey, SigningKey)) -> String {
    use signed_note::{Note, Signature, Verifier};
    let note = Note::from_bytes(note.as_bytes()).expect("a note");
    let time = 1_790_000_000_u64;
    let head = format!("cosignature/v1\ntime {time}\n");
    let signature = key.sign(&[head.as_bytes(), note.text()].concat());
    let signed = [&time.to_be_bytes()[..], &signature].concat();
    let line = Signature::new(public.name().to_owned(), public.key_id(), signed);
    String::from_utf8(line.expect("a line").to_bytes()).expect("text")
}
