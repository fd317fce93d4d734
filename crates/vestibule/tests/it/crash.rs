//! kill -9: what was answered is there afterwards (design: what must never break, 4 and 5).

use std::ffi::OsStr;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use protocol::keys::PrivateKey;
use protocol::model::transaction_request::CreateTransactionResponse;
use serde_json::json;
use wire::client::{Budget, Client, LocalKey, Once};
use wire::clock::SystemClock;

use crate::world::{self, Serving, path, run, text, until, vestibule};

/// A client at a gate, with a provider's key.
pub(crate) fn client(base_url: &str, api_key: &str, key_path: &Path) -> Client {
    let pem = std::fs::read_to_string(key_path).expect("its key");
    let key = PrivateKey::from_pem(&pem).expect("a key");
    let signer = Arc::new(LocalKey::new(api_key.parse().expect("an id"), key));
    let calls = NonZeroU32::new(600).expect("not nothing");
    let budget = Budget::per_minute(calls, calls, Duration::from_secs(10));
    Client::new(base_url, signer, budget, Arc::new(SystemClock)).expect("a client")
}

#[test]
fn invariant_4_an_answered_proposal_survives_kill_9() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("demo");
    let demo = Serving::start(
        folder.path(),
        &[
            OsStr::new("demo"),
            OsStr::new("--data"),
            data.as_os_str(),
            OsStr::new("--json"),
        ],
    );
    let all = demo.ready["gate"]["providers"]
        .as_array()
        .expect("providers");
    let trading = all
        .iter()
        .find(|one| one["name"] == "trading")
        .expect("a trader")
        .clone();
    let (api_key, key_path) = (text(&trading["api_key"]), path(&trading["secret_key_path"]));
    let trader = client(text(&demo.ready["gate"]["base_url"]), api_key, &key_path);
    let body = json!({
        "operation": "TRANSFER", "assetId": "ETH", "amount": "0.25",
        "source": {"type": "VAULT_ACCOUNT", "id": "1"}, "destination": {"type": "VAULT_ACCOUNT", "id": "2"},
    });
    let body = Bytes::from(body.to_string());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let sent =
        runtime.block_on(trader.write(Method::POST, "/v1/transactions", body, Once::Unkeyed));
    let made: CreateTransactionResponse = sent.expect("an answer").json().expect("a proposal");
    demo.kill();

    let gate = data.join("gate");
    let dir = gate.as_os_str();
    let again = Serving::start(
        folder.path(),
        &[
            OsStr::new("gate"),
            OsStr::new("--dir"),
            dir,
            OsStr::new("run"),
        ],
    );
    let id = made.id.to_string();
    let show = || {
        vestibule()
            .args(["--json", "gate", "--dir"])
            .arg(dir)
            .args(["proposal", "show", &id])
            .output()
    };
    until("the gate answers its owner", || {
        show().is_ok_and(|output| output.status.success())
    });
    let shown = world::json(&show().expect("the binary starts"));
    let verified = vestibule()
        .args(["--json", "gate", "--dir"])
        .arg(dir)
        .args(["log", "verify"])
        .output();
    let verified = world::json(&verified.expect("the binary starts"));
    assert!(
        verified["entries"]
            .as_u64()
            .is_some_and(|entries| entries > 20),
        "{verified}"
    );
    assert_eq!(shown["state"], "WAITING");
    assert_eq!(shown["id"], id);
    let twice = vestibule()
        .args(["gate", "--dir"])
        .arg(dir)
        .arg("run")
        .output()
        .expect("the binary starts");
    assert_eq!(twice.status.code(), Some(1));
    assert!(
        world::said(&twice).contains("another process"),
        "{}",
        world::said(&twice)
    );
    // Upstream is gone with the demo: reads go on from the books all the same.
    let trader = client(text(&again.ready["gate"]["base_url"]), api_key, &key_path);
    let list = runtime.block_on(trader.get("/v1/vault/accounts_paged?limit=1"));
    let answer = list.expect("an answer from the books");
    assert!(answer.headers.contains_key("vestibule-as-of"));
}

#[test]
fn a_folder_that_is_not_empty_is_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("precious"), "x").expect("a file");
    let output = run([
        OsStr::new("demo"),
        OsStr::new("--tour"),
        OsStr::new("--data"),
        folder.path().as_os_str(),
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("a folder").count(),
        1
    );
}
