//! A key's life at the command line, at both ends: connector and gate, without a workspace behind it.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::world::{self, Serving, said, vestibule};

fn run(folder: &Path, args: &str) -> Output {
    vestibule()
        .current_dir(folder)
        .env("VESTIBULE_PASSPHRASE", "correct horse battery")
        .arg("--json")
        .args(args.split(' '))
        .output()
        .expect("the binary starts")
}

fn fine(folder: &Path, args: &str) -> (Value, String) {
    let output = run(folder, args);
    assert!(output.status.success(), "{args}: {}", said(&output));
    let lines = String::from_utf8_lossy(&output.stdout).into_owned();
    let value = serde_json::from_str(&lines);
    let rows = || {
        lines
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"))
            .collect()
    };
    (value.unwrap_or_else(|_| rows()), said(&output))
}

fn state_of<'a>(keys: &'a Value, fingerprint: &Value) -> &'a Value {
    let mut keys = keys.as_array().expect("keys").iter();
    let key = keys.find(|key| key["fingerprint"] == *fingerprint);
    &key.expect("there")["state"]
}

#[test]
fn a_provider_starts_a_rotation_the_client_confirms_it_and_it_is_put_in_place() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path();
    let init = "gate --dir gate init --upstream us --workspace 6ba7b810-9dad-41d1-80b4-00c04fd430c8 --listen 127.0.0.1:0 --admin 127.0.0.1:0 --private-target 127.0.0.0/8";
    let made = run(folder, init);
    assert!(made.status.success(), "{}", said(&made));
    let gate = Serving::start_in(
        folder,
        &["gate", "--dir", "gate", "run"].map(std::ffi::OsStr::new),
    );

    fine(
        folder,
        "connector --dir acme init --organization Acme --egress 127.0.0.1",
    );
    let (first, _) = fine(
        folder,
        "connector --dir acme keys new --client fund --size 2048",
    );
    let (handover, _) = fine(
        folder,
        "connector --dir acme client handover fund --vault-account 1",
    );
    std::fs::write(folder.join("handover.json"), handover.to_string()).expect("a file");
    let (_, told) = fine(
        folder,
        "gate --dir gate connection request acme handover.json",
    );
    assert!(told.contains("4096 are recommended"), "{told}");
    let (back, _) = fine(
        folder,
        "gate --dir gate connection approve acme --reason agreed",
    );
    std::fs::write(folder.join("handback.json"), back.to_string()).expect("a file");
    fine(
        folder,
        "connector --dir acme client add fund --handback handback.json --offline",
    );

    // The same name for the same key, whatever it stands in.
    std::fs::write(
        folder.join("first.csr"),
        first["csr"].as_str().expect("PEM"),
    )
    .expect("a file");
    let (named, _) = fine(folder, "key fingerprint first.csr");
    assert_eq!(named["fingerprint"], first["fingerprint"]);
    let (listed, _) = fine(folder, "gate --dir gate connection list");
    assert_eq!(listed["fingerprint"], first["fingerprint"]);

    let rotate = "connector --dir acme keys rotate fund --size 2048";
    let (offered, _) = fine(folder, rotate);
    assert_eq!(offered["step"], "offered");
    let (waiting, _) = fine(folder, rotate);
    assert_eq!(
        (&waiting["step"], &waiting["fingerprint"]),
        (&"waiting".into(), &offered["fingerprint"])
    );
    let next = offered["fingerprint"].as_str().expect("hex");
    let (keys, _) = fine(
        folder,
        &format!("gate --dir gate connection key acme confirm {next} --overlap 1h --reason agreed"),
    );
    assert_eq!(state_of(&keys, &offered["fingerprint"]), "ACTIVE");
    assert_eq!(state_of(&keys, &first["fingerprint"]), "RETIRING");
    let (switched, _) = fine(folder, rotate);
    assert_eq!(switched["step"], "switched");
    let (listed, _) = fine(folder, "connector --dir acme keys list");
    assert_eq!(listed["fingerprint"], offered["fingerprint"]);

    // In an emergency the client brings a key, and the connector finds out with the new one.
    let (made, _) = fine(folder, &format!("{rotate} --by-hand"));
    std::fs::write(folder.join("third.csr"), made["csr"].as_str().expect("PEM")).expect("a file");
    let (keys, _) = fine(
        folder,
        "gate --dir gate connection key acme rotate --csr third.csr --emergency --reason agreed",
    );
    assert_eq!(state_of(&keys, &made["fingerprint"]), "ACTIVE");
    assert_eq!(state_of(&keys, &offered["fingerprint"]), "RETIRED");
    let (switched, _) = fine(folder, rotate);
    assert_eq!(switched["step"], "switched");
    let back = run(
        folder,
        "gate --dir gate connection key acme rotate --csr first.csr --reason agreed",
    );
    assert!(said(&back).contains("--again"), "{}", said(&back));
    assert!(world::path(&gate.ready["gate"]["admin_key_path"]).exists());
}
