//! Scenarios as a user's CI plays them: the shipped ones pass, and none can pass whatever is seen.

mod compare;
mod proxy;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::world::{Serving, run, said, until, vestibule};

/// The lines of JSON that a command printed.
fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().map(|line| {
        serde_json::from_str(line)
            .unwrap_or_else(|error| panic!("{line}: {error}: {}", said(output)))
    });
    lines.collect()
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The names of the shipped ones.
fn shipped() -> Vec<String> {
    let listed = run(["--json", "sandbox", "play", "--list"]);
    let names: Vec<_> = lines(&listed)
        .iter()
        .map(|row| row["name"].as_str().expect("a name").to_owned())
        .collect();
    assert!(names.len() >= 10, "{names:?}");
    names
}

fn start(folder: &Path, more: &[&str]) -> Serving {
    let words = [
        "sandbox",
        "--ephemeral",
        "--listen",
        "127.0.0.1:0",
        "--control",
        "127.0.0.1:0",
    ];
    let words: Vec<_> = words.iter().chain(more).map(OsStr::new).collect();
    Serving::start(folder, &words)
}

/// Its ready file.
fn ready_file(folder: &Path) -> String {
    let files = fs::read_dir(folder).expect("a folder");
    let mut files = files.map(|file| file.expect("a file").path().display().to_string());
    files
        .find(|file| file.ends_with(".json"))
        .expect("a ready file")
}

#[test]
fn every_shipped_scenario_passes() {
    let folder = tempfile::tempdir().expect("a folder");
    let report = folder.path().join("report.xml");
    let output = vestibule()
        .args([
            "--json",
            "sandbox",
            "play",
            "--all",
            "--keep-going",
            "--junit",
        ])
        .arg(&report)
        .output()
        .expect("it starts");
    let told = lines(&output);
    let failed: Vec<_> = told
        .iter()
        .filter(|line| line["verdict"].is_string() && line["verdict"] != "passed")
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert!(output.status.success(), "{}", said(&output));
    let scenarios: Vec<_> = told
        .iter()
        .filter(|line| line["passed"].is_boolean())
        .collect();
    assert_eq!(scenarios.len(), shipped().len());
    assert!(scenarios.iter().all(|line| line["passed"] == true));
    let xml = fs::read_to_string(report).expect("a report");
    let steps = told.len() - scenarios.len();
    assert_eq!(xml.matches("<testcase").count(), steps);
    assert!(xml.contains("failures=\"0\""), "{xml}");
}

/// The file with every expectation turned into one that cannot be met; and the steps, by the lines of
/// their names, that have one.
fn spoiled(text: &str) -> (String, BTreeSet<usize>) {
    let (mut spoiled, mut steps, mut step) = (String::new(), BTreeSet::new(), 0);
    for (number, line) in text.lines().enumerate() {
        if line.starts_with("name = ") {
            step = number + 1;
        }
        let (key, _) = line.split_once(" = ").unwrap_or((line, ""));
        let wrong = match key {
            "expect.status" => "expect.status = 299".to_owned(),
            "expect.code" => "expect.code = 299299".to_owned(),
            "within" => "within = \"1s\"".to_owned(),
            key if key.starts_with("expect.body") => format!("{key} = \"no such thing\""),
            _ => line.to_owned(),
        };
        if wrong != line && key != "within" {
            steps.insert(step);
        }
        spoiled.push_str(&wrong);
        spoiled.push('\n');
    }
    (spoiled, steps)
}

#[test]
fn every_expectation_of_every_shipped_scenario_can_fail() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut files = Vec::new();
    let mut expected = BTreeSet::new();
    for name in shipped() {
        let text = printed(&run(["sandbox", "play", "--show", &name]));
        let (text, steps) = spoiled(&text);
        assert!(!steps.is_empty(), "{name} expects nothing");
        let file = folder.path().join(format!("{name}.toml"));
        fs::write(&file, text).expect("written");
        expected.extend(
            steps
                .into_iter()
                .map(|line| (file.display().to_string(), line)),
        );
        files.push(file);
    }
    let output = vestibule()
        .args(["--json", "sandbox", "play", "--keep-going"])
        .args(&files)
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let told = lines(&output);
    let seen: BTreeSet<_> = told
        .iter()
        .filter(|line| line["verdict"] == "failed")
        .map(|line| {
            let at = usize::try_from(line["line"].as_u64().expect("a line")).expect("a line");
            (line["file"].as_str().expect("a file").to_owned(), at)
        })
        .collect();
    let held: Vec<_> = expected.difference(&seen).collect();
    assert!(
        held.is_empty(),
        "these passed, or were not played: {held:#?}"
    );
    let passed = told.iter().filter(|line| line["passed"] == true).count();
    assert_eq!(passed, 0, "each scenario has failed");
}

#[test]
fn the_example_of_the_docs_passes() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/scenarios.md");
    let docs = fs::read_to_string(docs).expect("the page");
    let example = docs.split("```toml\n").nth(1).expect("an example");
    let example = example.split("```").next().expect("its end");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("example.toml");
    fs::write(&file, example).expect("written");
    let output = vestibule().args(["sandbox", "play"]).arg(&file).output();
    let output = output.expect("it starts");
    assert!(
        output.status.success(),
        "{}{}",
        printed(&output),
        said(&output)
    );
}

#[test]
fn a_scenario_may_bring_a_workspace_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let workspace = "name = \"Mine\"\nnetwork = \"testnet\"\n";
    fs::write(folder.path().join("mine.toml"), workspace).expect("written");
    let file = folder.path().join("scenario.toml");
    let text = r#"name = "In a workspace of its own"
workspace = "mine.toml"
[[step]]
name = "it is on testnet"
control = "getWorkspace"
expect.body."$.network" = "testnet"
[[step]]
name = "a viewer is there"
as = "viewer"
call = "getTransactions"
"#;
    fs::write(&file, text).expect("written");
    let output = vestibule().args(["sandbox", "play"]).arg(&file).output();
    let output = output.expect("it starts");
    assert!(
        output.status.success(),
        "{}{}",
        printed(&output),
        said(&output)
    );
    // What is wrong with it, or with what is named, is told before anything is started.
    fs::write(folder.path().join("mine.toml"), "nam = 1").expect("written");
    let output = vestibule().args(["sandbox", "play"]).arg(&file).output();
    let output = output.expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(
        said.contains("scenario.toml:2:") && said.contains("mine.toml:1:1"),
        "{said}"
    );
}

const WAITS: &str = r#"name = "It waits"
[[step]]
name = "for what never comes"
as = "viewer"
call = "getTransactions"
within = "10m"
expect.body."$" = { count = 2 }

[[step]]
name = "and then"
control = "mine"
"#;

#[test]
fn a_failing_expectation_says_where_and_what_was_expected_and_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("wrong.toml");
    fs::write(&file, WAITS.replace("within = \"10m\"\n", "")).expect("written");
    let report = folder.path().join("report.xml");
    let output = vestibule()
        .args(["sandbox", "play", "--junit"])
        .args([&report, &file])
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    let text = printed(&output);
    for part in [
        "FAIL   3  for what never comes",
        "viewer: GET /v1/transactions",
        "wrong.toml:6: $",
        "expected: 2 of them",
        "seen:     [",
        "FAILED: 0 of 2 steps",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("and then"), "it goes no further: {text}");
    let xml = fs::read_to_string(report).expect("a report");
    assert!(
        xml.contains("<failure") && xml.contains("<skipped"),
        "{xml}"
    );
}

#[test]
fn a_scenario_with_errors_names_each_with_its_line_and_starts_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let good = folder.path().join("good.toml");
    let bad = folder.path().join("bad.toml");
    fs::write(&good, WAITS).expect("written");
    let text = WAITS
        .replace("getTransactions", "getTransaction_s")
        .replace("10m", "1h");
    fs::write(&bad, text).expect("written");
    let output = vestibule()
        .args(["sandbox", "play"])
        .args([&good, &bad])
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(said.contains("nothing was started"), "{said}");
    assert!(
        said.contains("bad.toml:5:8: 'getTransaction_s' is no operation"),
        "{said}"
    );
    assert!(said.contains("bad.toml:6:10: a wait is like 20s"), "{said}");
    assert_eq!(printed(&output), "");
    let none = run(["sandbox", "play", "no-such-scenario"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(crate::world::said(&none).contains("--list"));
}

#[test]
fn in_a_running_sandbox_it_takes_a_workspace_of_its_own_and_leaves_none() {
    let folder = tempfile::tempdir().expect("a folder");
    let _sandbox = start(folder.path(), &["--manual"]);
    let ready = ready_file(folder.path());
    let count = || {
        let listed = run([
            "--json",
            "sandbox",
            "ctl",
            "--ready-file",
            &ready,
            "workspace",
            "list",
        ]);
        lines(&listed).len()
    };
    let before = count();
    let at = ["sandbox", "play", "--ready-file", &ready];
    let output = run(at
        .iter()
        .chain(&["deposit-reorganised", "webhook-key-rotated"]));
    assert!(
        output.status.success(),
        "{}{}",
        printed(&output),
        said(&output)
    );
    assert_eq!(count(), before);
    // One that wants people to act by themselves is told apart.
    let output = run(at.iter().chain(&["what-a-viewer-reads"]));
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("start it without --manual"),
        "{}",
        said(&output)
    );
    assert_eq!(count(), before);
}

#[test]
fn it_ends_cleanly_when_it_is_interrupted() {
    let folder = tempfile::tempdir().expect("a folder");
    let _sandbox = start(folder.path(), &[]);
    let ready = ready_file(folder.path());
    let file = folder.path().join("waits.toml");
    fs::write(&file, WAITS).expect("written");
    let list = || {
        let listed = run([
            "--json",
            "sandbox",
            "ctl",
            "--ready-file",
            &ready,
            "workspace",
            "list",
        ]);
        lines(&listed).len()
    };
    let before = list();
    let child = vestibule()
        .args(["sandbox", "play", "--ready-file", &ready])
        .arg(&file)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    until("its workspace is there", || list() == before + 1);
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill");
    assert!(sent.success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    assert!(
        printed(&output).contains("ended from outside"),
        "{}",
        printed(&output)
    );
    assert_eq!(list(), before, "its workspace is gone");
}

#[test]
fn fireblocks_is_never_called() {
    let folder = tempfile::tempdir().expect("a folder");
    let token = folder.path().join("token");
    fs::write(&token, "x").expect("written");
    let token = token.display().to_string();
    let control = [
        "--control-url",
        "https://api.fireblocks.io/_sandbox",
        "--token-file",
        &token,
    ];
    let base = [
        "--base-url",
        "https://api.fireblocks.io/v1",
        "what-a-viewer-reads",
    ];
    let play = ["sandbox", "play"].iter().chain(&control).chain(&base);
    let ctl = ["sandbox", "ctl"].iter().chain(&control).chain(&["mine"]);
    for output in [run(play), run(ctl)] {
        assert_eq!(output.status.code(), Some(1));
        assert!(
            said(&output).contains("is Fireblocks'"),
            "{}",
            said(&output)
        );
    }
    // Nor is it called by a webhook.
    let file = folder.path().join("webhook.toml");
    let text = r#"name = "A webhook to Fireblocks"
[[step]]
name = "is refused"
as = "admin"
call = "createWebhook"
body = { url = "https://api.fireblocks.io/hook", events = ["vault_account.created"] }
expect.status = 400
expect.body."$.message" = { matches = "is Fireblocks'" }
"#;
    fs::write(&file, text).expect("written");
    let output = vestibule().args(["sandbox", "play"]).arg(&file).output();
    let output = output.expect("it starts");
    assert!(output.status.success(), "{}", printed(&output));
}
