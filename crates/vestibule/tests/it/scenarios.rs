//! Scenarios as a user's CI plays them: the shipped ones pass, and none can pass whatever is seen.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::world::{Serving, path, run, said, until, vestibule};

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

/// A key file of a user of a sandbox, and its API key.
fn user(ready: &Value, name: &str) -> (String, String) {
    let users = ready["sandbox"]["users"].as_array().expect("users");
    let user = users
        .iter()
        .find(|user| user["name"] == name)
        .expect("a user");
    let key = path(&user["secret_key_path"]).display().to_string();
    (key, user["api_key"].as_str().expect("an id").to_owned())
}

#[test]
fn compare_calls_the_developer_sandbox_or_this_machine_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let sandbox = start(folder.path(), &[]);
    let (key, id) = user(&sandbox.ready, "viewer");
    for live in [
        "https://api.fireblocks.io/v1",
        "https://eu-api.fireblocks.io/v1",
        "http://sandbox-api.fireblocks.io/v1",
        "https://sandbox-api.fireblocks.io.example/v1",
        "http://192.0.2.1/v1",
    ] {
        let output = run([
            "sandbox",
            "compare",
            "--live",
            live,
            "--key",
            &key,
            "--api-key",
            &id,
        ]);
        assert_eq!(output.status.code(), Some(1), "{live}");
        assert!(
            said(&output).contains("nothing else is compared"),
            "{}",
            said(&output)
        );
    }
}

mod compared {
    //! Against a second sandbox, bare or behind a proxy that changes what it says.

    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::extract::Request;
    use axum::http::{HeaderValue, Response, StatusCode};
    use tokio::net::TcpListener;
    use tokio::runtime::Runtime;

    use super::*;

    /// What a proxy makes of an answer.
    type Change = fn(&str, Response<Vec<u8>>) -> Response<Vec<u8>>;

    struct Proxy {
        origin: String,
        writes: Arc<AtomicUsize>,
        _runtime: Runtime,
    }

    impl Proxy {
        fn start(upstream: String, change: Change) -> Self {
            let runtime = Runtime::new().expect("a runtime");
            let writes = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&writes);
            let http = reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("a client");
            let origin = runtime.block_on(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
                let origin = format!("http://{}", listener.local_addr().expect("an address"));
                let router = Router::new().fallback(move |request: Request| {
                    if request.method() != "GET" {
                        counted.fetch_add(1, Ordering::SeqCst);
                    }
                    let sent = forwarded(http.clone(), upstream.clone(), request, change);
                    async move { sent.await.map(Body::from) }
                });
                tokio::spawn(async move { axum::serve(listener, router).await });
                origin
            });
            Self {
                origin,
                writes,
                _runtime: runtime,
            }
        }
    }

    async fn forwarded(
        http: reqwest::Client,
        upstream: String,
        request: Request,
        change: Change,
    ) -> Response<Vec<u8>> {
        let target = request
            .uri()
            .path_and_query()
            .expect("a target")
            .to_string();
        let (head, body) = request.into_parts();
        let body = to_bytes(body, 1 << 20).await.expect("a body");
        let mut sent = http
            .request(head.method, format!("{upstream}{target}"))
            .body(body);
        for name in [
            "authorization",
            "x-api-key",
            "content-type",
            "idempotency-key",
        ] {
            if let Some(value) = head.headers.get(name) {
                sent = sent.header(name, value);
            }
        }
        let mut answer = sent.send().await.expect("an answer");
        let mut made = Response::builder().status(answer.status());
        let headers = made.headers_mut().expect("headers");
        *headers = std::mem::take(answer.headers_mut());
        headers.remove("transfer-encoding");
        headers.remove("content-length");
        let body = answer.bytes().await.expect("a body").to_vec();
        change(&target, made.body(body).expect("an answer"))
    }

    fn json_changed(answer: Response<Vec<u8>>, change: impl Fn(&mut Value)) -> Response<Vec<u8>> {
        answer.map(|body| {
            let mut value = serde_json::from_slice(&body).expect("JSON");
            change(&mut value);
            serde_json::to_vec(&value).expect("JSON")
        })
    }

    /// Every planted difference, each at an operation of its own.
    fn planted(target: &str, mut answer: Response<Vec<u8>>) -> Response<Vec<u8>> {
        let path = target.split('?').next().unwrap_or_default();
        match path {
            "/v1/vault/accounts_paged" => json_changed(answer, |body| {
                let accounts = body["accounts"].as_array_mut().expect("accounts");
                for account in accounts {
                    account.as_object_mut().expect("one").remove("autoFuel");
                }
            }),
            "/v1/vault/assets" => json_changed(answer, |body| {
                let total = &mut body[0]["total"];
                *total = total
                    .as_str()
                    .expect("text")
                    .parse::<f64>()
                    .expect("a number")
                    .into();
            }),
            "/v1/external_wallets" => {
                *answer.status_mut() = StatusCode::ACCEPTED;
                answer
            }
            "/v1/internal_wallets" => {
                let html = HeaderValue::from_static("text/html");
                answer.headers_mut().insert("content-type", html);
                answer
            }
            "/v1/contracts" => {
                answer.headers_mut().remove("x-request-id");
                answer
            }
            "/v1/vault/accounts/987654321" => json_changed(answer, |body| {
                body["code"] = 4711.into();
            }),
            "/v1/vault/asset_wallets" => json_changed(answer, |body| {
                body["assetWallets"][0]["extra"] = true.into();
            }),
            _ => answer,
        }
    }

    fn same(_: &str, answer: Response<Vec<u8>>) -> Response<Vec<u8>> {
        answer
    }

    fn compared(origin: &str, ready: &Value, more: &[&str]) -> (Output, Vec<Value>) {
        let (key, id) = user(ready, "non-signing-admin");
        let live = format!("{origin}/v1");
        let output = vestibule()
            .args([
                "--json", "sandbox", "compare", "--live", &live, "--key", &key,
            ])
            .args(["--api-key", &id, "--calls-per-minute", "60000"])
            .args(more)
            .output()
            .expect("it starts");
        let told = lines(&output);
        (output, told)
    }

    /// Each difference: what, there, here.
    fn differences(told: &[Value]) -> BTreeSet<(String, String, String)> {
        let part = |value: &Value| value.as_str().expect("a text").to_owned();
        let all = told
            .iter()
            .filter_map(|line| line["differences"].as_array());
        all.flatten()
            .map(|one| (part(&one["what"]), part(&one["live"]), part(&one["ours"])))
            .collect()
    }

    #[test]
    fn every_planted_difference_is_found_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let sandbox = start(folder.path(), &[]);
        let upstream = crate::world::text(&sandbox.ready["sandbox"]["base_url"]);
        let upstream = upstream.trim_end_matches("/v1").to_owned();

        let proxy = Proxy::start(upstream.clone(), same);
        let (output, told) = compared(&proxy.origin, &sandbox.ready, &[]);
        assert_eq!(differences(&told), BTreeSet::new());
        assert!(output.status.success(), "{}", said(&output));

        let proxy = Proxy::start(upstream, planted);
        let (output, told) = compared(&proxy.origin, &sandbox.ready, &[]);
        assert_eq!(output.status.code(), Some(1));
        let expected = [
            ("$.accounts[].autoFuel", "absent", "boolean"),
            ("$[].total", "number or string", "string"),
            ("the status", "202", "200"),
            ("the header content-type", "text/html", "application/json"),
            ("the header x-request-id", "absent", "there"),
            ("the error's code", "4711", "1004"),
            ("$.assetWallets[].extra", "boolean", "absent"),
        ];
        let expected =
            expected.map(|(what, live, ours)| (what.to_owned(), live.to_owned(), ours.to_owned()));
        assert_eq!(differences(&told), BTreeSet::from(expected));
        assert_eq!(proxy.writes.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn faults_there_are_found_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let sandbox = start(folder.path(), &[]);
        let ready = ready_file(folder.path());
        for (path, fault) in [
            ("/v1/supported_assets", "--internal-error"),
            ("/v1/assets", "--wrong-content-type"),
            ("/v1/blockchains", "--cut-connection"),
        ] {
            let planned = run([
                "sandbox",
                "ctl",
                "--ready-file",
                &ready,
                "fault",
                "plan",
                "--path",
                path,
                fault,
            ]);
            assert!(planned.status.success(), "{}", said(&planned));
        }
        // Who is told to wait a moment waits: that is no difference.
        let wait = ["--too-many-requests", "1", "--times", "1"];
        let path = ["fault", "plan", "--path", "/v1/contracts"];
        let ctl = ["sandbox", "ctl", "--ready-file", &ready];
        let planned = run(ctl.iter().chain(&path).chain(&wait));
        assert!(planned.status.success(), "{}", said(&planned));
        let origin = crate::world::text(&sandbox.ready["sandbox"]["base_url"]);
        let (_, told) = compared(origin.trim_end_matches("/v1"), &sandbox.ready, &[]);
        let differ: Vec<_> = told
            .iter()
            .filter(|line| {
                line["differences"]
                    .as_array()
                    .is_some_and(|all| !all.is_empty())
            })
            .map(|line| line["step"].as_str().expect("a step"))
            .collect();
        assert_eq!(
            differ,
            [
                "supported assets, which are not for a viewer",
                "assets, page by page",
                "blockchains"
            ]
        );
        let found = differences(&told);
        let has = |what: &str, live: &str| {
            found
                .iter()
                .any(|(is, there, _)| is == what && there == live)
        };
        assert!(
            has("the status", "500") && has("the status", "no answer"),
            "{found:?}"
        );
        assert!(has("the header content-type", "text/html"), "{found:?}");
    }

    #[test]
    fn it_writes_only_where_it_is_allowed_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let sandbox = start(folder.path(), &[]);
        let upstream = crate::world::text(&sandbox.ready["sandbox"]["base_url"]);
        let upstream = upstream.trim_end_matches("/v1").to_owned();
        let proxy = Proxy::start(upstream, same);
        let (output, told) = compared(&proxy.origin, &sandbox.ready, &["accounts-and-transfers"]);
        assert_eq!(proxy.writes.load(Ordering::SeqCst), 0);
        let skipped = told.iter().filter(|line| line["skipped"].is_string());
        assert_eq!(skipped.count(), told.len() - 1, "all but the summary");
        assert_eq!(output.status.code(), Some(1), "nothing was compared");

        let more = ["--allow-writes", "accounts-and-transfers"];
        let (output, told) = compared(&proxy.origin, &sandbox.ready, &more);
        assert!(proxy.writes.load(Ordering::SeqCst) > 5);
        assert_eq!(differences(&told), BTreeSet::new());
        assert!(output.status.success(), "{}", said(&output));
        let secrets = ["secret", "PRIVATE KEY"];
        let whole = format!("{}{}", printed(&output), said(&output));
        assert!(secrets.iter().all(|word| !whole.contains(word)), "{whole}");
    }
}
