//! The demo, ended before its story is told: a sentence, exit code 130, and no key left anywhere.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::world::{said, until, vestibule};

/// Starts the demo with a folder for what is temporary.
fn demo(temporary: &Path) -> Child {
    vestibule()
        .args(["demo", "--tour"])
        .env("TMPDIR", temporary)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts")
}

/// The gate's folder below the demo's, once there is one.
fn keys(temporary: &Path) -> Option<PathBuf> {
    let demo = fs::read_dir(temporary).ok()?.next()?.ok()?.path();
    Some(demo.join("gate/keys"))
}

fn ended_by(signal: &str, temporary: &Path) {
    let child = demo(temporary);
    // Its keys are being made: one is there, the others are not.
    until("the first key is there", || {
        keys(temporary).is_some_and(|keys| keys.join("log.pem").exists())
    });
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status()
        .expect("kill");
    assert!(sent.success());
    let output = child.wait_with_output().expect("it ends");
    let said = said(&output);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("nothing of it is kept"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    let left: Vec<_> = fs::read_dir(temporary).expect("a folder").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_demo_that_is_interrupted_while_it_makes_keys_leaves_none() {
    for signal in ["-INT", "-TERM"] {
        let temporary = tempfile::tempdir().expect("a folder");
        ended_by(signal, temporary.path());
    }
}
