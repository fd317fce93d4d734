//! A log that is followed live, as a SIEM has it: every entry once, in order, also over a restart.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};

use serde_json::Value;

use crate::world::{Serving, gate, said, until, vestibule};

/// `log tail --follow`, its two ends in files. Killed when it is dropped.
struct Tail(Child);

impl Tail {
    fn of(folder: &Path) -> Self {
        let file = |name: &str| File::create(folder.join(name)).expect("a file");
        let child = vestibule()
            .current_dir(folder)
            .args(["gate", "--dir", "gate", "log", "tail", "--follow"])
            .stdout(file("followed"))
            .stderr(file("told"))
            .spawn();
        Self(child.expect("the binary starts"))
    }

    /// Ctrl-C.
    fn interrupted(&mut self) -> ExitStatus {
        let id = self.0.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status();
        assert!(sent.expect("kill").success());
        until("it ends", || self.0.try_wait().expect("a child").is_some());
        self.0.wait().expect("it has ended")
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serving(folder: &Path) -> Serving {
    Serving::start_in(folder, &["gate", "--dir", "gate", "run"].map(OsStr::new))
}

#[test]
fn a_log_that_is_followed_goes_on_after_a_restart() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path();
    let init = "init --upstream us --workspace 6ba7b810-9dad-41d1-80b4-00c04fd430c8 --listen 127.0.0.1:0 --admin 127.0.0.1:0";
    let made = gate(folder, init);
    assert!(made.status.success(), "{}", said(&made));
    let running = serving(folder);
    let mut tail = Tail::of(folder);
    let followed = || -> Vec<Value> {
        let text = fs::read_to_string(folder.join("followed")).expect("a file");
        // The last line may be half written.
        let whole = text
            .split_inclusive('\n')
            .filter(|line| line.ends_with('\n'));
        let lines = whole.map(|line| serde_json::from_str(line).expect("JSON"));
        lines.collect()
    };
    let backups = || {
        let all = followed();
        all.iter()
            .filter(|one| one["kind"] == "store_backed_up")
            .count()
    };
    let told = || fs::read_to_string(folder.join("told")).expect("a file");
    until("what was there is told", || !followed().is_empty());
    assert!(gate(folder, "backup one.db").status.success());
    until("what comes is told", || backups() == 1);
    running.kill();
    until("it says that the gate is away", || !told().is_empty());
    // It listens elsewhere now.
    let running = serving(folder);
    assert!(gate(folder, "backup two.db").status.success());
    until("it goes on", || backups() == 2);
    let status = tail.interrupted();
    assert!(status.success(), "{status}: {}", told());
    assert_eq!(told().lines().count(), 1, "{}", told());
    assert!(told().contains("does not answer"), "{}", told());
    for (place, entry) in (0_u64..).zip(&followed()) {
        assert_eq!(entry["index"], place, "each once, in order");
    }
    // Who does not follow waits for nobody.
    running.kill();
    let refused = gate(folder, "log tail");
    assert_eq!(refused.status.code(), Some(1), "{}", said(&refused));
}

#[test]
fn a_log_that_is_followed_waits_for_a_gate_that_has_not_started() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path();
    let init = "init --upstream us --workspace 6ba7b810-9dad-41d1-80b4-00c04fd430c8 --listen 127.0.0.1:0 --admin 127.0.0.1:0";
    assert!(gate(folder, init).status.success());
    let mut tail = Tail::of(folder);
    let told = || fs::read_to_string(folder.join("told")).expect("a file");
    until("it says that the gate is away", || !told().is_empty());
    let _running = serving(folder);
    let length = || fs::metadata(folder.join("followed")).map_or(0, |file| file.len());
    until("what is there is told", || length() > 0);
    let status = tail.interrupted();
    assert!(status.success(), "{status}: {}", told());
    assert_eq!(told().lines().count(), 1, "{}", told());
    assert!(told().contains("does not answer"), "{}", told());
}

#[test]
fn a_log_that_is_followed_ends_with_a_gate_that_is_away() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path();
    let init = "init --upstream us --workspace 6ba7b810-9dad-41d1-80b4-00c04fd430c8 --listen 127.0.0.1:0 --admin 127.0.0.1:0";
    assert!(gate(folder, init).status.success());
    let running = serving(folder);
    let mut tail = Tail::of(folder);
    let length = |name: &str| fs::metadata(folder.join(name)).map_or(0, |file| file.len());
    until("what was there is told", || length("followed") > 0);
    running.kill();
    until("it says that the gate is away", || length("told") > 0);
    let status = tail.interrupted();
    assert!(status.success(), "{status}");
}
