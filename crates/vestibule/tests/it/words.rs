//! Words of a provider's on a terminal: nothing in them acts, hides, or turns a line around.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::crash::client;
use crate::world::{self, Serving, path, text, until, vestibule};

/// Clears a screen, sets a title, goes back over a line, begins another, turns around, hides, ends a
/// text, is a page's and a sheet's.
const EVIL: &str = "=1+1 \u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}31m\rAPPROVED\nid 1\u{8}\u{0}\u{202e}\u{2066}\u{200b}\u{feff}\u{3164}\u{2800}\u{600}\u{e0041}<img src=x onerror=alert(1)>'\"|";

/// What a transfer's note may hold of it: control characters are refused with the transfer.
const QUIET: &str = "=1+1 pay \u{202e}EVE\u{2066} \u{200b}\u{feff}\u{3164}\u{2800}\u{600}\u{e0041}<img src=x onerror=alert(1)>'\"|";

fn acts(char: char) -> bool {
    let turns = !protocol::csr::is_printable(char) && !char.is_control();
    turns || char.is_control() && !matches!(char, '\n' | '\t')
}

fn harmless(what: &str, output: &Output) -> String {
    let mut both = String::new();
    for bytes in [&output.stdout, &output.stderr] {
        let text = std::str::from_utf8(bytes).expect("UTF-8");
        assert!(!text.chars().any(acts), "{what}: {text:?}");
        both.push_str(text);
    }
    both
}

fn gate(dir: &Path, json: bool, args: &str) -> Output {
    let mut command = vestibule();
    command
        .args(["gate", "--dir"])
        .arg(dir)
        .args(args.split(' '));
    if json {
        command.arg("--json");
    }
    command.output().expect("the binary starts")
}

#[test]
fn nothing_that_a_provider_writes_acts_on_a_terminal() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("demo");
    let demo = [OsStr::new("demo"), OsStr::new("--data"), data.as_os_str()];
    let demo = Serving::start(folder.path(), &demo);
    let all = demo.ready["gate"]["providers"]
        .as_array()
        .expect("providers");
    let trading = all.iter().find(|one| one["name"] == "trading");
    let trading = trading.expect("a trader");
    let (base, key) = (
        text(&demo.ready["gate"]["base_url"]),
        path(&trading["secret_key_path"]),
    );
    let trader = client(base, text(&trading["api_key"]), &key);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let ask = |body: &Value| {
        let body = bytes::Bytes::from(body.to_string());
        runtime.block_on(trader.write(
            http::Method::POST,
            "/v1/transactions",
            body,
            wire::client::Once::Unkeyed,
        ))
    };
    let with = |field: &str, value: &str| {
        let mut body = json!({
            "operation": "TRANSFER", "assetId": "ETH", "amount": "0.25",
            "source": {"type": "VAULT_ACCOUNT", "id": "1"}, "destination": {"type": "VAULT_ACCOUNT", "id": "2"},
        });
        body[field] = value.into();
        body
    };
    let mut body = with("note", QUIET);
    body["externalTxId"] = QUIET.into();
    let made: Value = ask(&body).expect("an answer").json().expect("JSON");
    let id = text(&made["id"]);
    for field in [
        "note",
        "externalTxId",
        "assetId",
        "operation",
        "amount",
        EVIL,
    ] {
        ask(&with(field, EVIL)).expect_err("no such transfer");
    }
    let target = format!(
        "/v1/vault/accounts_paged?namePrefix={}",
        "%1b%5b2J%0d%0aX%e2%80%ae%00"
    );
    let _ = runtime.block_on(trader.get(&target));
    let dir = data.join("gate");
    until("the note is listed", || {
        gate(&dir, true, "proposal list").status.success()
    });
    let mut told = String::new();
    for args in [
        "status",
        "posture",
        "doctor",
        "review",
        "export",
        "connection list",
        "connection show trading",
        "connection record trading",
        "proposal list",
        &format!("proposal show {id}"),
        &format!("proposal reject {id} --reason odd"),
        "log list",
        "log tail",
        "log tail --format cef",
        "log tail --format syslog-json",
        "log verify",
        "access --connection trading --since 1h",
        "change list",
        "operator list",
    ] {
        told += &harmless(args, &gate(&dir, false, args));
    }
    for args in [
        "proposal list",
        "log list",
        "access --connection trading --since 1h",
    ] {
        told += &harmless(args, &gate(&dir, true, args));
    }
    assert!(told.contains("\\u202e"), "the note was shown");
    // Not in what is refused either, nor in names that are typed in.
    for args in [
        "connection show x\u{1b}[2J\u{202e}",
        "proposal show \u{1b}[2J",
        "connection request a \u{202e}x.json",
    ] {
        harmless(args, &gate(&dir, false, args));
    }
    assert!(world::json(&gate(&dir, true, "log verify"))["entries"].is_u64());
}
