//! Witnesses of the log, over real sockets: each in these tests keeps its own state and checks what the
//! protocol says (C2SP tlog-witness), with the tree's own mathematics.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gate::config::{Witness, Witnesses};
use gate::log::{
    Broken, Demand, LogError, LogKey, WitnessKey, audit, export, verify_copy, verify_proof,
};
use parking_lot::Mutex;
use protocol::ed25519::SigningKey;
use serde_json::{Value, json};
use signed_note::{Note, Signature, Verifier, VerifierList};
use store::{StoreError, Writing};
use tlog_tiles::Checkpoint;
use tlog_tiles::tlog::{Hash, check_tree};

use crate::desk::Desk;
use crate::rows;
use crate::world::until;

/// How a witness behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Honest,
    /// It signs with another key under its name.
    OtherKey,
    /// Its clock is a day ahead.
    OtherTime,
    /// It answers without end.
    Long,
    /// It never answers.
    Never,
    /// It is out of order.
    Down,
}

struct Inner {
    name: String,
    key: SigningKey,
    manner: Manner,
    log: Option<LogKey>,
    /// Size and root that it has cosigned last.
    last: Option<(u64, Hash)>,
    /// The statuses of its answers.
    answers: Vec<u16>,
}

#[derive(Clone)]
struct TestWitness {
    inner: Arc<Mutex<Inner>>,
    url: String,
}

impl TestWitness {
    async fn new(name: &str, manner: Manner) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a port");
        let url = format!("http://{}/w", listener.local_addr().expect("an address"));
        let inner = Arc::new(Mutex::new(Inner {
            name: name.to_owned(),
            key: SigningKey::generate().expect("a key"),
            manner,
            log: None,
            last: None,
            answers: Vec::new(),
        }));
        let app = axum::Router::new()
            .route("/w/add-checkpoint", axum::routing::post(add))
            .with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { inner, url }
    }

    fn key(&self) -> WitnessKey {
        let inner = self.inner.lock();
        WitnessKey::of(&inner.name, inner.key.public()).expect("a key")
    }

    fn knows(&self, log: &LogKey) {
        self.inner.lock().log = Some(log.clone());
    }

    fn behaves(&self, manner: Manner) {
        self.inner.lock().manner = manner;
    }

    fn size(&self) -> u64 {
        self.inner.lock().last.map_or(0, |(size, _)| size)
    }
}

async fn add(State(state): State<Arc<Mutex<Inner>>>, body: String) -> Response {
    let manner = state.lock().manner;
    match manner {
        Manner::Never => std::future::pending().await,
        Manner::Long => "x".repeat(1 << 20).into_response(),
        Manner::Down => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        _ => {
            let mut inner = state.lock();
            let answer = judged(&mut inner, &body);
            inner.answers.push(answer.status().as_u16());
            answer
        }
    }
}

/// The checks of the protocol, in its order.
fn judged(inner: &mut Inner, body: &str) -> Response {
    let (head, text) = body.split_once("\n\n").expect("a question");
    let mut lines = head.split('\n');
    let old = lines.next().and_then(|line| line.strip_prefix("old "));
    let old: u64 = old.expect("an old size").parse().expect("a number");
    let proof: Vec<Hash> = lines
        .map(|line| {
            Hash(
                STANDARD
                    .decode(line)
                    .expect("base64")
                    .try_into()
                    .expect("32 bytes"),
            )
        })
        .collect();
    let note = Note::from_bytes(text.as_bytes()).expect("a note");
    let checkpoint = Checkpoint::from_bytes(note.text()).expect("a checkpoint");
    let Some(log) = inner
        .log
        .clone()
        .filter(|log| log.origin() == checkpoint.origin())
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if note
        .verify(&VerifierList::new(vec![Box::new(log)]))
        .is_err()
    {
        return StatusCode::FORBIDDEN.into_response();
    }
    let (size, root) = (checkpoint.size(), *checkpoint.hash());
    if old > size {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let known = inner.last.map_or(0, |(size, _)| size);
    let conflict = || {
        let kind = [(header::CONTENT_TYPE, "text/x.tlog.size")];
        (StatusCode::CONFLICT, kind, format!("{known}\n")).into_response()
    };
    if old != known {
        return conflict();
    }
    if let Some((known, known_root)) = inner.last {
        if known == size && known_root != root {
            return conflict();
        }
        if check_tree(&proof, size, root, known, known_root).is_err() {
            return StatusCode::UNPROCESSABLE_ENTITY.into_response();
        }
    } else if !proof.is_empty() {
        return StatusCode::UNPROCESSABLE_ENTITY.into_response();
    }
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().expect("a time");
    let ahead = if inner.manner == Manner::OtherTime {
        86_400
    } else {
        0
    };
    let time = now.as_secs() + ahead;
    let said = [
        format!("cosignature/v1\ntime {time}\n").as_bytes(),
        note.text(),
    ]
    .concat();
    let signature = match inner.manner {
        Manner::OtherKey => SigningKey::generate().expect("a key").sign(&said),
        _ => inner.key.sign(&said),
    };
    inner.last = Some((size, root));
    let own = WitnessKey::of(&inner.name, inner.key.public()).expect("a key");
    let signed = [&time.to_be_bytes()[..], &signature].concat();
    let line = Signature::new(inner.name.clone(), own.key_id(), signed).expect("a line");
    line.to_bytes().into_response()
}

/// A gate whose log these witness.
async fn witnessed(all: &[&TestWitness]) -> Desk {
    let witnesses: Vec<_> = all
        .iter()
        .map(|one| Witness {
            key: one.key(),
            url: one.url.parse().expect("a URL"),
        })
        .collect();
    let witnesses = Witnesses::try_from(witnesses).expect("witnesses");
    let log = LogKey::of(
        Desk::config().upstream.workspace_id,
        SigningKey::generate().expect("a key").public(),
    );
    // Until they know the right key they refuse.
    all.iter().for_each(|one| one.knows(&log));
    Desk::with(|config| config.log.witnesses = witnesses).await
}

fn log_key(desk: &Desk) -> LogKey {
    let key = desk.gate.folder.log_key().expect("a key").public();
    LogKey::of(desk.gate.config.upstream.workspace_id, key)
}

async fn status(desk: &Desk) -> Value {
    desk.owner.get("/vestibule/v1/status").await.fine()
}

/// What status says of a witness.
async fn of(desk: &Desk, name: &str) -> Value {
    let status = status(desk).await;
    let all = status["witnesses"].as_array().expect("witnesses");
    let found = all.iter().find(|one| one["name"] == name);
    found.expect("the witness").clone()
}

/// Something more stands in the log.
async fn grown(desk: &Desk, number: u64) {
    let webhook = uuid::Uuid::from_u128(number.into());
    let body = json!({"webhook": webhook, "reason": "made anew"});
    let answer = desk
        .owner
        .send("PUT", "/vestibule/v1/upstream", Some(&body), &[]);
    answer.await.fine();
}

async fn entries(desk: &Desk) -> u64 {
    status(desk).await["log_entries"]
        .as_u64()
        .expect("a number")
}

async fn trouble(desk: &Desk, name: &str, words: &str) {
    until(words, || async {
        let seen = of(desk, name).await;
        seen["trouble"]
            .as_str()
            .is_some_and(|told| told.contains(words))
    })
    .await;
}

async fn vouched_for(desk: &Desk, witness: &TestWitness, size: u64) {
    until("the witness has cosigned", || async {
        witness.size() >= size
    })
    .await;
    let name = witness.key().name().to_owned();
    until("the gate knows", || async {
        let seen = of(desk, &name).await;
        seen["size"].as_u64().is_some_and(|seen| seen >= size) && seen["trouble"].is_null()
    })
    .await;
}

#[tokio::test]
async fn invariant_4_every_checkpoint_is_cosigned_and_a_copy_shows_it() {
    let (one, other) = (
        TestWitness::new("one.example", Manner::Honest).await,
        TestWitness::new("other.example", Manner::Honest).await,
    );
    let mut desk = witnessed(&[&one, &other]).await;
    let log = log_key(&desk);
    trouble(&desk, "one.example", "takes another key").await;
    one.knows(&log);
    other.knows(&log);
    for number in 0..3 {
        let size = entries(&desk).await;
        vouched_for(&desk, &one, size).await;
        vouched_for(&desk, &other, size).await;
        grown(&desk, number).await;
    }
    let size = entries(&desk).await;
    vouched_for(&desk, &one, size).await;
    vouched_for(&desk, &other, size).await;
    let (folder, config) = (desk.gate.folder.clone(), desk.gate.config.clone());
    let demand = |keys: Vec<WitnessKey>, quorum| Demand::new(keys, quorum, &log).expect("a demand");
    let both = || vec![one.key(), other.key()];
    // The file beside the store holds the lines, too.
    until("the lines are in the file", || async {
        let file = std::fs::read_to_string(folder.checkpoint()).expect("a file");
        ["one.example", "other.example"]
            .iter()
            .all(|name| file.contains(&format!("\u{2014} {name} ")))
    })
    .await;
    let none: [&std::path::Path; 0] = [];
    let verified = audit(&folder, &config, none, demand(both(), None)).await;
    let vouched = verified.expect("it holds").vouched.expect("they vouch");
    assert_eq!((vouched.size, vouched.by.len()), (size, 2));
    // A copy, as far as both vouch.
    let copy = tempfile::tempdir().expect("a folder");
    let store = gate::start::open_store(&folder, &config)
        .await
        .expect("a store");
    let workspace = config.upstream.workspace_id;
    let copied = export(&store, workspace, &log, copy.path(), None, Some(2)).await;
    assert_eq!(copied.expect("a copy").entries, size);
    let none_do = tempfile::tempdir().expect("a folder");
    let refused = export(&store, workspace, &log, none_do.path(), None, Some(3)).await;
    assert!(
        refused
            .expect_err("three")
            .to_string()
            .contains("3 witnesses")
    );
    drop(store);
    let verify = |demand: Demand| verify_copy(copy.path(), &log, &[], &demand);
    assert_eq!(verify(Demand::default()).expect("it holds").vouched, None);
    let vouched = verify(demand(both(), None)).expect("it holds").vouched;
    assert_eq!(vouched.expect("they vouch").size, size);
    let stranger = TestWitness::new("stranger.example", Manner::Honest)
        .await
        .key();
    let missing = verify(demand(vec![one.key(), stranger.clone()], None));
    assert!(
        matches!(missing, Err(Broken::Unvouched { demanded: 2, .. })),
        "{missing:?}"
    );
    verify(demand(vec![one.key(), stranger], Some(1))).expect("one of two");
    // Whoever changes a byte of a cosignature is found by who demands it.
    let file = copy.path().join("checkpoint");
    let whole = std::fs::read(&file).expect("a file");
    let note = String::from_utf8(whole.clone()).expect("text");
    let begin = note.find("\u{2014} one.example").expect("a line");
    for at in begin..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(&file, &bytes).expect("changed");
        assert!(verify(demand(both(), None)).is_err(), "byte {at}");
    }
    desk.gate.stop().await;
}

#[tokio::test]
async fn a_witness_that_lies_or_is_silent_holds_nothing_up() {
    let honest = TestWitness::new("honest.example", Manner::Honest).await;
    let bad = [
        ("other-key.example", Manner::OtherKey, "does not hold"),
        (
            "other-time.example",
            Manner::OtherTime,
            "seconds from this machine's",
        ),
        ("long.example", Manner::Long, "too long"),
        ("down.example", Manner::Down, "status 503"),
        ("never.example", Manner::Never, "no answer in time"),
    ];
    let mut liars = Vec::new();
    for (name, manner, _) in bad {
        liars.push(TestWitness::new(name, manner).await);
    }
    let all: Vec<_> = std::iter::once(&honest).chain(&liars).collect();
    let mut desk = witnessed(&all).await;
    let log = log_key(&desk);
    all.iter().for_each(|one| one.knows(&log));
    vouched_for(&desk, &honest, entries(&desk).await).await;
    grown(&desk, 1).await;
    vouched_for(&desk, &honest, entries(&desk).await).await;
    for (name, _, words) in bad {
        trouble(&desk, name, words).await;
        assert!(
            of(&desk, name).await["size"].is_null(),
            "nothing of {name} is kept"
        );
    }
    // It is there again.
    let down = &liars[3];
    down.behaves(Manner::Honest);
    vouched_for(&desk, down, entries(&desk).await).await;
    desk.gate.stop().await;
}

/// Cut with its checkpoints and the file beside the store: the witness still knows, and says so.
#[tokio::test]
async fn invariant_4_a_log_that_was_cut_under_a_witness_is_refused_by_it_and_the_gate_says_so() {
    let witness = TestWitness::new("w.example", Manner::Honest).await;
    let mut desk = witnessed(&[&witness]).await;
    let log = log_key(&desk);
    witness.knows(&log);
    grown(&desk, 1).await;
    let cosigned = entries(&desk).await;
    vouched_for(&desk, &witness, cosigned).await;
    let kept = tempfile::tempdir().expect("a folder");
    desk.gate.stop().await;
    let (folder, config) = (desk.gate.folder.clone(), desk.gate.config.clone());
    let auditors = kept.path().join("auditors");
    std::fs::copy(folder.checkpoint(), &auditors).expect("a copy");
    let store = gate::start::open_store(&folder, &config)
        .await
        .expect("a store");
    let work = |writing: &mut Writing<'_>| {
        for sql in rows::FORGOTTEN {
            assert!(writing.execute(sql, &[])? > 0, "{sql}");
        }
        Ok::<_, StoreError>(())
    };
    store.write(work).await.expect("cut");
    drop(store);
    std::fs::remove_file(folder.checkpoint()).expect("removed");
    desk.gate.start().await;
    trouble(&desk, "w.example", "the log was cut").await;
    let checks = status(&desk).await["checks"].clone();
    let check = checks.as_array().expect("checks").iter();
    let mut check = check.filter(|one| one["what"] == "witnesses vouch for the log");
    assert_eq!(check.next().expect("the check")["ok"], false);
    assert!(witness.inner.lock().answers.contains(&409));
    // Longer than what the witness knows, it is still another log.
    for number in 0..=cosigned {
        grown(&desk, number).await;
    }
    assert!(entries(&desk).await > cosigned);
    trouble(&desk, "w.example", "was rewritten").await;
    assert_eq!(witness.size(), cosigned, "nothing else was cosigned");
    let demand = Demand::new(vec![witness.key()], None, &log).expect("a demand");
    let unvouched = async |since: &[&std::path::Path]| {
        let since = since.iter().copied();
        audit(&folder, &config, since, demand.clone()).await
    };
    let audited = unvouched(&[]).await;
    assert!(
        matches!(audited, Err(LogError::Broken(Broken::Unvouched { .. }))),
        "{audited:?}"
    );
    let audited = unvouched(&[&auditors]).await;
    assert!(
        matches!(audited, Err(LogError::Broken(Broken::Rewritten { .. }))),
        "{audited:?}"
    );
    desk.gate.stop().await;
}

/// A witness that is late with the newest checkpoint leaves nothing unproven that it has vouched for.
#[tokio::test]
async fn an_entry_is_proven_by_what_its_witnesses_have_cosigned() {
    let (prompt, late) = (
        TestWitness::new("prompt.example", Manner::Honest).await,
        TestWitness::new("late.example", Manner::Honest).await,
    );
    let mut desk = witnessed(&[&prompt, &late]).await;
    let log = log_key(&desk);
    prompt.knows(&log);
    late.knows(&log);
    let size = entries(&desk).await;
    vouched_for(&desk, &prompt, size).await;
    vouched_for(&desk, &late, size).await;
    late.behaves(Manner::Down);
    grown(&desk, 1).await;
    vouched_for(&desk, &prompt, entries(&desk).await).await;
    let asked = async |target: String| {
        let target = format!("/vestibule/v1/log/proof/{target}");
        desk.owner.get(&target).await
    };
    let demand = Demand::new(vec![prompt.key(), late.key()], None, &log).expect("a demand");
    let old = asked("0?witnessQuorum=2".to_owned()).await.fine();
    assert_eq!(
        (&old["cosigned"], &old["witnesses"]),
        (&json!(2), &json!(2))
    );
    let proof = old["proof"].as_str().expect("a proof");
    let proven = verify_proof(proof, &log, &demand).expect("both vouch");
    assert_eq!((proven.index, proven.size), (0, size));
    let new = asked(size.to_string()).await.fine();
    assert_eq!(new["cosigned"], 1);
    assert_eq!(asked(format!("{size}?witnessQuorum=2")).await.status, 409);
    assert_eq!(asked(format!("{size}?witnessQuorum=x")).await.status, 400);
    desk.gate.stop().await;
}
