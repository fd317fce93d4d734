//! A copy of the store, put back: wherever it is killed, there is the old gate, the new one in
//! quarantine, or none, and then it is put back again.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::world::{Serving, gate, json, said, until, vestibule};

/// How often putting back is killed.
const KILLS: u32 = 12;

fn serving(folder: &Path) -> Serving {
    Serving::start_in(folder, &["gate", "--dir", "gate", "run"].map(OsStr::new))
}

fn made() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let init = "init --upstream us --workspace 6ba7b810-9dad-41d1-80b4-00c04fd430c8 --listen 127.0.0.1:0 --admin 127.0.0.1:0";
    let made = gate(folder.path(), init);
    assert!(made.status.success(), "{}", said(&made));
    folder
}

/// Starts a command and kills it with -9 after a while, unless it has ended.
fn killed_after(folder: &Path, args: &str, after: Duration) {
    let mut child = vestibule()
        .current_dir(folder)
        .args(["--json", "gate", "--dir", "gate"])
        .args(args.split(' '))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let end = Instant::now() + after;
    while Instant::now() < end && child.try_wait().expect("a child").is_none() {
        std::thread::yield_now();
    }
    let _ = child.kill();
    child.wait().expect("it ends");
}

#[test]
fn invariant_4_putting_back_can_be_killed_anywhere() {
    let home = made();
    let folder = home.path();
    let running = serving(folder);
    let told = json(&gate(folder, "backup copy.db"));
    let entries = told["entries"].as_u64().expect("a number");
    let refused = gate(folder, "restore copy.db");
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        said(&refused).contains("another process"),
        "{}",
        said(&refused)
    );
    running.kill();
    std::fs::copy(folder.join("gate/log.checkpoint"), folder.join("kept")).expect("kept");

    let begun = Instant::now();
    let whole = json(&gate(folder, "restore copy.db"));
    let takes = begun.elapsed();
    assert_eq!(whole["entries"].as_u64(), Some(entries));
    for kill in 0..KILLS {
        killed_after(folder, "restore copy.db", takes * kill / KILLS);
        let verified = gate(folder, "log verify");
        // None is there, or a whole one.
        if folder.join("gate/gate.db").exists() {
            assert_eq!(
                json(&verified)["entries"].as_u64(),
                Some(entries + 1),
                "kill {kill}"
            );
        } else {
            assert_eq!(verified.status.code(), Some(1), "kill {kill}");
            assert!(!said(&verified).contains("panicked"), "kill {kill}");
        }
    }
    assert!(gate(folder, "restore copy.db").status.success());
    let running = serving(folder);
    let status = || {
        let status = gate(folder, "status");
        let told: Value = serde_json::from_slice(&status.stdout).expect("JSON");
        (status.status.code(), told["quarantine"].clone())
    };
    let (code, told) = status();
    assert_eq!(code, Some(1));
    assert!(
        told.to_string().contains("vestibule gate release"),
        "{told}"
    );
    let shut = gate(
        folder,
        "release --checkpoint gate/log.checkpoint --reason x",
    );
    assert!(said(&shut).contains("kept elsewhere"), "{}", said(&shut));
    let released = json(&gate(folder, "release --checkpoint kept --reason disk"));
    assert_eq!(
        (released["lost"].as_u64(), released["kept"].as_u64()),
        (Some(0), Some(entries))
    );
    assert_eq!(status().1, Value::Null);
    drop(running);
}

/// A copy is whole, or it is not there.
#[test]
fn a_copy_is_whole_or_not_there_when_the_gate_is_killed_meanwhile() {
    let home = made();
    let folder = home.path();
    for number in 0..4_u32 {
        let running = serving(folder);
        let copy = folder.join(format!("copy-{number}.db"));
        let mut child = vestibule()
            .current_dir(folder)
            .args(["gate", "--dir", "gate", "backup"])
            .arg(&copy)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let half = folder.join(format!("copy-{number}.db.half"));
        until("it is being copied", || {
            half.exists() || copy.exists() || child.try_wait().expect("a child").is_some()
        });
        running.kill();
        child.wait().expect("it ends");
        if copy.exists() {
            let back = gate(folder, &format!("restore copy-{number}.db"));
            assert!(back.status.success(), "{}", said(&back));
            let _ = std::fs::remove_file(folder.join("gate/log.checkpoint.before"));
        }
    }
}
