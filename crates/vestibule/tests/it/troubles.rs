//! A port that is taken, a folder that cannot be written, a database that is none: gate and
//! connector say what is wrong, end with 1, and leave what is there as it is.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Output;

use crate::world::{said, vestibule};

const WORKSPACE: &str = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";

fn gate(dir: &Path, args: &[&str]) -> Output {
    let command = vestibule()
        .args(["gate", "--dir"])
        .arg(dir)
        .args(args)
        .output();
    command.expect("it starts")
}

fn init_gate(dir: &Path, listen: &str, admin: &str) -> Output {
    let wanted = ["init", "--upstream", "us", "--workspace", WORKSPACE];
    let at = ["--listen", listen, "--admin", admin];
    gate(dir, &[&wanted[..], &at[..]].concat())
}

fn connector(dir: &Path, args: &[&str]) -> Output {
    let mut command = vestibule();
    command.env("VESTIBULE_PASSPHRASE", "correct horse battery staple");
    let command = command
        .args(["connector", "--dir"])
        .arg(dir)
        .args(args)
        .output();
    command.expect("it starts")
}

fn init_connector(dir: &Path, listen: &str) -> Output {
    let wanted = [
        "init",
        "--organization",
        "Acme Books",
        "--egress",
        "203.0.113.7/32",
    ];
    let at = [
        "--public-url",
        "https://hooks.acme.example",
        "--listen",
        listen,
    ];
    connector(dir, &[&wanted[..], &at[..]].concat())
}

fn fine(output: &Output) {
    assert!(output.status.success(), "{}", said(output));
}

/// It ended with a sentence that names what is wrong; no panic, and nothing that a debugger prints.
fn names(output: &Output, what: impl AsRef<OsStr>) {
    let (said, what) = (said(output), what.as_ref().to_string_lossy().into_owned());
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&what), "{what}: {said}");
    assert!(
        !said.contains("panicked") && !said.contains("Err("),
        "{said}"
    );
}

/// Makes a folder's database something else; which file it is.
fn corrupt(dir: &Path, name: &str) -> (PathBuf, Vec<u8>) {
    let database = dir.join(name);
    assert!(database.is_file(), "{}", database.display());
    for beside in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(dir.join(format!("{name}{beside}")));
    }
    let junk = vec![b'x'; 8_192];
    std::fs::write(&database, &junk).expect("written");
    (database, junk)
}

#[test]
fn a_gate_names_the_port_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = taken.local_addr().expect("an address").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let (providers, admin) = (folder.path().join("providers"), folder.path().join("admin"));
    fine(&init_gate(&providers, &at, "127.0.0.1:0"));
    names(&gate(&providers, &["run"]), &at);
    fine(&init_gate(&admin, "127.0.0.1:0", &at));
    names(&gate(&admin, &["run"]), &at);
}

#[test]
fn a_connector_names_the_port_that_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = taken.local_addr().expect("an address").to_string();
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("connector");
    fine(&init_connector(&dir, &at));
    names(&connector(&dir, &["run"]), &at);
}

#[test]
fn a_folder_that_cannot_be_made_is_named_by_both() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a-file");
    std::fs::write(&file, "x").expect("a file");
    // A file in the way, and a place where nobody can write, whoever asks.
    for dir in [file.join("below"), PathBuf::from("/proc/vestibule")] {
        names(&init_gate(&dir, "127.0.0.1:0", "127.0.0.1:0"), &dir);
        names(&init_connector(&dir, "127.0.0.1:0"), &dir);
    }
    assert_eq!(std::fs::read(&file).expect("a file"), b"x");
}

#[test]
fn a_gate_names_a_database_that_is_none_and_leaves_it_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("gate");
    fine(&init_gate(&dir, "127.0.0.1:0", "127.0.0.1:0"));
    let (database, junk) = corrupt(&dir, "gate.db");
    names(&gate(&dir, &["run"]), &database);
    assert_eq!(std::fs::read(&database).expect("a file"), junk);
}

#[test]
fn a_connector_names_a_database_that_is_none_and_leaves_it_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("connector");
    fine(&init_connector(&dir, "127.0.0.1:0"));
    let (database, junk) = corrupt(&dir, "books.sqlite");
    names(&connector(&dir, &["run"]), &database);
    assert_eq!(std::fs::read(&database).expect("a file"), junk);
}
