//! `compare`: against a second sandbox, bare or behind a proxy that changes what it says.

use std::collections::BTreeSet;
use std::process::Output;
use std::sync::atomic::Ordering;

use axum::http::{HeaderValue, Response, StatusCode};
use serde_json::Value;

use super::proxy::Proxy;
use super::{lines, printed, ready_file, start};
use crate::world::{path, run, said, vestibule};

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
