//! The disk is full: what cannot be kept is refused, and nothing that was kept is lost.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::world::{self, Serving, gate, said};

/// Bytes that files may still grow by, and blocks that the limit is told in.
const ROOM: u64 = 256 * 1024;
const BLOCK: u64 = 512;
/// More requests than there is room for.
const MANY: usize = 400;

fn names(folder: &Path) -> Vec<String> {
    let list = gate(folder, "connection list");
    assert!(list.status.success(), "{}", said(&list));
    let lines = String::from_utf8_lossy(&list.stdout).into_owned();
    let name = |line: &str| {
        let one: Value = serde_json::from_str(line).expect("JSON");
        world::text(&one["name"]).to_owned()
    };
    lines.lines().map(name).collect()
}

/// Runs a gate whose files may not grow by more than there is room for, as on a disk that is full: a
/// write fails, and the process is told by an error.
fn cramped(folder: &Path) -> Serving {
    let size = std::fs::metadata(folder.join("gate/gate.db")).expect("a store");
    let blocks = (size.len() + ROOM) / BLOCK;
    let mut shell = Command::new("sh");
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    shell.current_dir(folder).args(["-c", &script]);
    shell.arg(env!("CARGO_BIN_EXE_vestibule"));
    Serving::spawn(
        shell,
        folder,
        &["gate", "--dir", "gate", "run"].map(AsRef::as_ref),
    )
}

#[test]
fn invariant_4_a_full_disk_refuses_and_loses_nothing() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path();
    let made = gate(
        folder,
        "init --upstream us --workspace 6ba7b810-9dad-41d1-80b4-00c04fd430c8 --listen 127.0.0.1:0 --admin 127.0.0.1:0",
    );
    assert!(made.status.success(), "{}", said(&made));
    let serving = cramped(folder);
    let mut kept = Vec::new();
    let refused = (0..MANY).find_map(|round| {
        let name = format!("c{round}");
        let made = gate(folder, &format!("operator key {name} --into {name}"));
        assert!(made.status.success(), "{}", said(&made));
        let asked = gate(
            folder,
            &format!(
                "connection request {name} --csr {name}/operator.csr.pem --role viewer --address 127.0.0.1 --vault-account 1"
            ),
        );
        if asked.status.success() {
            kept.push(name);
            return None;
        }
        Some(said(&asked))
    });
    let refused = refused.expect("the disk is full at some time");
    assert!(!kept.is_empty(), "{refused}");
    assert_eq!(
        names(folder),
        sorted(&kept),
        "what was refused is not there"
    );
    // Also what opens a door, when there is no room at all.
    serving.fill_the_disk();
    let opened = gate(folder, "connection approve c0 --reason agreed");
    assert_eq!(opened.status.code(), Some(1), "{}", said(&opened));
    serving.kill();

    let serving = Serving::start_in(folder, &["gate", "--dir", "gate", "run"].map(AsRef::as_ref));
    assert_eq!(names(folder), sorted(&kept), "what was answered is there");
    let verified = gate(folder, "log verify");
    assert!(verified.status.success(), "{}", said(&verified));
    let opened = gate(folder, "connection approve c0 --reason agreed");
    assert!(opened.status.success(), "{}", said(&opened));
    drop(serving);
}

fn sorted(names: &[String]) -> Vec<String> {
    let mut names = names.to_vec();
    names.sort();
    names
}
