//! For each operation that the sandbox says it serves: calls made from the contract's shapes, good
//! and bad ones, really signed and sent. Every answer must have a status that the contract
//! declares and a body of its shape, and nothing that breaks the contract may be accepted.
//!
//! New operations are found by themselves. One that needs more than its schema says to be accepted
//! gets a body or a whole call in `samples.json`; those that accept nothing all the same stand in
//! `never_accepted.txt`. Answers that are known to be otherwise stand in `exceptions.txt`. Both with
//! a reason; the goal is that nothing does.

#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::print_stdout, reason = "its counts are for whoever looks")]

mod bad_input;
mod caller;
mod changes;
mod generate;
mod judge;
mod pool;
mod roles;
mod sample;
mod samples;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use caller::{Caller, Door};
use generate::{Body, Variant, variants};
use judge::{Judge, Verdict};
use pool::Pool;
use protocol::operations::{self, Method, Operation};
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use samples::Step;
use serde_json::{Value, json};

/// What all choices come from.
const SEED: u64 = 4;
/// Most variants of one operation.
const MOST: usize = 110;
/// How many variants an operation has on average, at least.
const AVERAGE: usize = 40;
/// How many sandboxes run at once.
const AT_ONCE: usize = 3;

/// What became of an operation's variants.
#[derive(Debug, Default)]
struct Outcome {
    variants: usize,
    accepted: usize,
    /// Which variant, and what was wrong with its answer.
    wrong: Vec<(String, String)>,
}

#[tokio::test(flavor = "multi_thread")]
async fn every_variant_is_answered_as_the_contract_says() {
    let served = served().await;
    // Each chapter has a sandbox of its own: what one breaks is not in another's way.
    let mut chapters: BTreeMap<&str, Vec<&'static Operation>> = BTreeMap::new();
    for operation in served {
        chapters.entry(operation.tag).or_default().push(operation);
    }
    let only = std::env::var("VARIANTS_OF").ok();
    let mut waiting: Vec<_> = chapters.into_values().collect();
    waiting.retain(|chapter| {
        let named = |id: &String| chapter.iter().any(|one| one.id.as_str() == id);
        only.as_ref().is_none_or(named)
    });
    let mut running = tokio::task::JoinSet::new();
    let mut outcomes = BTreeMap::new();
    loop {
        while running.len() < AT_ONCE
            && let Some(chapter) = waiting.pop()
        {
            running.spawn(judged(chapter));
        }
        match running.join_next().await {
            Some(judged) => outcomes.extend(judged.expect("a chapter is judged")),
            None => break,
        }
    }
    tell(&outcomes, only.is_none());
}

/// What the sandbox says that it serves.
async fn served() -> Vec<&'static Operation> {
    let caller = Caller::start().await;
    let document = caller.document().await;
    leave("document.json", &document.to_string());
    let known = caller.served().await;
    caller.stop().await;
    known
}

/// What makes things first, so that there is something to read and to change; deletions last.
const fn turn(method: Method) -> u8 {
    match method {
        Method::Post => 0,
        Method::Get => 1,
        Method::Put => 2,
        Method::Patch => 3,
        Method::Delete => 4,
    }
}

async fn judged(mut chapter: Vec<&'static Operation>) -> BTreeMap<&'static str, Outcome> {
    // One thing before all of them, as far as that goes.
    let place = |one: &Operation| one.path.replace('{', " ");
    chapter.sort_by_key(|one| (turn(one.method), place(one), one.id.as_str()));
    let automatic = chapter
        .first()
        .is_some_and(|one| samples::is_automatic(one.tag));
    let caller = Caller::new(None, !automatic).await;
    let mut pool = Pool::default();
    let before = chapter
        .first()
        .map(|one| samples::before(one.tag, &caller.origin));
    for step in before.into_iter().flatten() {
        prepare(step, &caller, &mut pool).await;
    }
    let mut outcomes = BTreeMap::new();
    for operation in chapter {
        // What was sent again before has rested.
        caller
            .control("/clock/advance", &json!({"millis": 400_000}))
            .await;
        for step in samples::between(operation.tag, &caller.origin) {
            prepare(step, &caller, &mut pool).await;
        }
        pool.fill(&caller, operation).await;
        let outcome = of(operation, &caller, &mut pool).await;
        outcomes.insert(operation.id.as_str(), outcome);
    }
    caller.stop().await;
    outcomes
}

async fn prepare(step: Step, caller: &Caller, pool: &mut Pool) {
    let mut random = StdRng::seed_from_u64(SEED);
    match step {
        Step::Call {
            operation,
            path,
            body,
            then,
            learn,
        } => {
            let operation = operations::by_id(&operation).expect("an operation");
            let path = path.unwrap_or_else(|| operation.path.to_owned());
            let named = json!([path, body]);
            let named = samples::resolved(&named, pool, &mut random).expect("what it names");
            let target = format!(
                "{}{}",
                operations::PREFIX,
                named[0].as_str().expect("a path")
            );
            let body = if body.is_some() {
                named[1].to_string()
            } else {
                String::new()
            };
            let answer = caller
                .call(operation, &target, body.as_bytes(), Door::Right)
                .await;
            let told = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(answer.status < 300, "{}: {told}", operation.id);
            if learn.is_empty() {
                pool.learn(&target, &answer.body);
            } else {
                // What has a name is left to whoever names it.
                pool.teach(&learn, &answer.body);
            }
            if let Some(location) = &answer.location {
                pool.located(location);
            }
            let made: Value = serde_json::from_str(&told).unwrap_or_default();
            for act in &then {
                let id = made["id"].as_str().expect("an id");
                let path = format!("{}/transactions/{id}/{act}", caller.fund());
                caller.control(&path, &json!({})).await;
            }
        }
        Step::Until { until, field, is } => {
            let operation = operations::by_id(&until).expect("an operation");
            let target = format!("{}{}", operations::PREFIX, operation.path);
            let all = async {
                loop {
                    let answer = caller.call(operation, &target, b"", Door::Right).await;
                    let told: Value = serde_json::from_slice(&answer.body).expect("JSON");
                    let things = told.as_array().expect("a list");
                    if things.iter().all(|thing| thing[field.as_str()] == is) {
                        return pool.learn(&target, &answer.body);
                    }
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            };
            let waited = tokio::time::timeout(Duration::from_secs(60), all);
            waited.await.expect("it comes to that");
        }
        Step::Control {
            control,
            body,
            learn,
        } => {
            let (method, path) = control.split_once(' ').expect("a method and a path");
            let path = match path.strip_prefix('W') {
                Some(rest) => format!("{}{rest}", caller.fund()),
                None => path.to_owned(),
            };
            let told = caller.asked(method, &path, body.as_ref()).await;
            pool.learn("/transactions", told.as_bytes());
            if !learn.is_empty() {
                pool.teach(&learn, told.as_bytes());
            }
        }
    }
}

async fn of(operation: &'static Operation, caller: &Caller, pool: &mut Pool) -> Outcome {
    let mut outcome = Outcome::default();
    let mut right = Vec::new();
    let judge = Judge::of(operation);
    for variant in variants(operation, pool, SEED, MOST) {
        let Variant {
            name,
            target,
            body,
            door,
            ..
        } = &variant;
        let bytes = match body {
            None => Vec::new(),
            Some(Body::Json(value)) => value.to_string().into_bytes(),
            Some(Body::Raw(bytes)) => bytes.clone(),
        };
        let answer = caller.call(operation, target, &bytes, *door).await;
        outcome.variants += 1;
        outcome.accepted += usize::from((200..300).contains(&answer.status));
        if (200..300).contains(&answer.status) {
            if operation.method == Method::Delete {
                pool.gone(target);
            } else {
                pool.learn(target, &answer.body);
            }
            if let Some(location) = &answer.location {
                pool.located(location);
            }
        }
        let sent = String::from_utf8_lossy(&bytes);
        let whole = || {
            let told = String::from_utf8_lossy(&answer.body);
            let (method, status) = (operation.method, answer.status);
            let (target, sent, told) = (cut(target), cut(&sent), cut(&told));
            format!("{method} {target} {sent} -> {status} {told}")
        };
        if let Verdict::Wrong(why) = judge.judge(&variant, &answer) {
            outcome
                .wrong
                .push((name.clone(), format!("{why}; {}", whole())));
        }
        if name.starts_with("right-") {
            right.push(whole());
        }
    }
    if outcome.accepted == 0 {
        println!(
            "{}: nothing accepted; {}",
            operation.id,
            right.join("\n    ")
        );
    }
    outcome
}

/// As much of a text as one reads.
fn cut(text: &str) -> String {
    text.chars().take(300).collect()
}

/// Operations of which no variant is accepted, as is known, with why.
fn never() -> BTreeSet<&'static str> {
    let lines = include_str!("never_accepted.txt").lines();
    let told = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    told.filter_map(|line| line.split(' ').next()).collect()
}

fn exceptions() -> BTreeSet<(String, String)> {
    let lines = include_str!("exceptions.txt").lines();
    let told = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let parts = told.filter_map(|line| {
        let mut words = line.splitn(3, ' ');
        Some((words.next()?.to_owned(), words.next()?.to_owned()))
    });
    parts.collect()
}

/// Writes what was counted, and fails where something is wrong that is no known exception.
fn tell(outcomes: &BTreeMap<&str, Outcome>, whole: bool) {
    let known = exceptions();
    let mut found = BTreeSet::new();
    let mut new = Vec::new();
    let mut counted = BTreeMap::new();
    for (id, outcome) in outcomes {
        let mut names = Vec::new();
        for (name, why) in &outcome.wrong {
            let exception = ((*id).to_owned(), name.clone());
            if !known.contains(&exception) {
                new.push(format!("{id} {name}: {why}"));
            }
            names.push(name);
            found.insert(exception);
        }
        println!(
            "{id}: {} variants, {} accepted",
            outcome.variants, outcome.accepted
        );
        let row = json!({"variants": outcome.variants, "accepted": outcome.accepted, "exceptions": names});
        counted.insert(*id, row);
    }
    assert!(new.is_empty(), "{} answers:\n{}", new.len(), new.join("\n"));
    if !whole {
        return;
    }
    let gone: Vec<_> = known.difference(&found).collect();
    assert!(gone.is_empty(), "no exceptions any more: {gone:?}");
    let total: usize = outcomes.values().map(|outcome| outcome.variants).sum();
    assert!(
        total >= AVERAGE * outcomes.len(),
        "{total} variants of {}",
        outcomes.len()
    );
    let found: BTreeSet<&str> = outcomes
        .iter()
        .filter(|(_, outcome)| outcome.accepted == 0)
        .map(|(id, _)| *id)
        .collect();
    assert_eq!(found, never(), "operations of which no variant is accepted");
    let text = serde_json::to_string_pretty(&counted).expect("JSON");
    leave("variants.json", &(text + "\n"));
}

/// Leaves something for the coverage page.
fn leave(name: &str, text: &str) {
    let place = place().join("coverage");
    std::fs::create_dir_all(&place).expect("a folder");
    std::fs::write(place.join(name), text).expect("a file");
}

/// Where what is made goes.
fn place() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    named.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../target"))
}
