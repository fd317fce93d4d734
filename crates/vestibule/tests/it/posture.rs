//! `vestibule posture` at a workspace: what cannot be looked at is no pass, and a CSR is of somebody.

use std::ffi::OsStr;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::world::{Serving, json, path, said, text, vestibule};

struct Workspace {
    folder: tempfile::TempDir,
    serving: Serving,
}

/// An API user: its id, and the file of its key.
struct User(String, PathBuf);

impl Workspace {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("sandbox.db");
        let words = [
            "sandbox",
            "--listen",
            "127.0.0.1:0",
            "--control",
            "127.0.0.1:0",
        ];
        let mut words: Vec<_> = words.iter().map(OsStr::new).collect();
        words.extend([OsStr::new("--data"), data.as_os_str()]);
        let serving = Serving::start(folder.path(), &words);
        Self { folder, serving }
    }

    fn url(&self) -> &str {
        text(&self.serving.ready["sandbox"]["base_url"])
    }

    fn user(&self, name: &str) -> User {
        let users = self.serving.ready["sandbox"]["users"].as_array();
        let named = |user: &&Value| user["name"] == name;
        let user = users.expect("users").iter().find(named).expect("a user");
        User(
            text(&user["api_key"]).to_owned(),
            path(&user["secret_key_path"]),
        )
    }

    fn posture(&self, user: &User, more: &[&str]) -> Output {
        posture(self.url(), user, more)
    }

    fn csr(&self, name: &str) -> String {
        csr(self.folder.path(), name)
    }
}

fn posture(url: &str, User(id, key): &User, more: &[&str]) -> Output {
    let mut command = vestibule();
    command.args(["posture", "--environment", url, "--api-key", id]);
    command.arg("--secret-key").arg(key).args(more);
    command.output().expect("the binary starts")
}

/// A new key's CSR.
fn csr(folder: &Path, name: &str) -> String {
    let file = folder.join(format!("{name}.csr"));
    let made = Command::new("openssl")
        .args("req -new -newkey rsa:2048 -nodes -subj /O=Acme -keyout".split(' '))
        .arg(folder.join(format!("{name}.key")))
        .arg("-out")
        .arg(&file)
        .output();
    assert!(made.expect("openssl is there").status.success());
    file.display().to_string()
}

fn finding(report: &Value, subject: &str, practice: &str) -> Value {
    let all = report["findings"].as_array().expect("findings");
    let is = |one: &&Value| one["subject"] == subject && one["practice"] == practice;
    all.iter().find(is).expect("a finding").clone()
}

#[test]
fn a_posture_that_could_not_be_looked_at_is_no_pass() {
    let world = Workspace::start();
    let admin = world.user("admin");
    let wrong = User(admin.0.clone(), world.user("viewer").1);
    let refused = "the key was not accepted (401";
    // Nobody listens there any more.
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let closed = closed.expect("a port");
    for (url, user, why) in [
        (world.url().to_owned(), &wrong, refused),
        (format!("http://{closed}/v1"), &admin, "cannot be reached"),
    ] {
        let report = posture(&url, user, &["--format", "json"]);
        assert!(said(&report).contains(why), "{}", said(&report));
        assert_eq!(said(&report).lines().count(), 1, "{}", said(&report));
        // Nothing that was asked for here: what is told is told.
        let report = json(&report);
        let all = report["findings"].as_array().expect("findings");
        for one in all {
            let evidence = text(&one["evidence"]);
            assert_eq!(one["verdict"], "cannot_be_seen", "{one}");
            assert!(
                evidence.contains(why) && !evidence.contains("it is for"),
                "{one}"
            );
        }
        assert!(text(&report["failed"][0]).contains(why), "{report}");
        for ask in ["--fail-on=low", "--fail-on=high", "--fail-on-unseen"] {
            let output = posture(&url, user, &[ask]);
            assert_eq!(output.status.code(), Some(1), "{ask}");
            assert!(said(&output).contains(why), "{}", said(&output));
        }
    }
    // What a role may not read is no failure; whether that is a pass is asked for apart.
    let viewer = world.user("viewer");
    let fine = world.posture(&viewer, &["--fail-on=low"]);
    assert!(fine.status.success(), "{}", said(&fine));
    assert_eq!(said(&fine), "");
    let told = String::from_utf8(fine.stdout).expect("UTF-8");
    assert!(
        told.contains("it is for ADMIN, NON_SIGNING_ADMIN"),
        "{told}"
    );
    let unseen = world.posture(&viewer, &["--fail-on-unseen=C1,C4"]);
    assert_eq!(unseen.status.code(), Some(1));
    let seen = world.posture(&admin, &["--fail-on-unseen=C6-few"]);
    assert!(seen.status.success(), "{}", said(&seen));
    let wrong = world.posture(&admin, &["--fail-on-unseen=C8"]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn a_csr_is_its_users_own_by_name_or_id_and_of_nobody_else() {
    let world = Workspace::start();
    let admin = world.user("admin");
    let User(id, _) = world.user("editor");
    let (one, two) = (world.csr("one"), world.csr("two"));
    let c3 = |all: &[(&str, &str)]| {
        let all: Vec<_> = all
            .iter()
            .map(|(who, file)| format!("--csr={who}={file}"))
            .collect();
        let mut words: Vec<_> = all.iter().map(String::as_str).collect();
        words.extend(["--format", "json"]);
        let report = json(&world.posture(&admin, &words));
        let as_of: &str = text(&report["as_of"]);
        assert!(as_of.ends_with('Z') && as_of.len() == 20, "{as_of}");
        finding(&report, "editor", "C3")
    };
    for who in ["editor", &id] {
        assert_eq!(c3(&[(who, &one)])["verdict"], "cannot_be_seen", "{who}");
        let (other, same) = (
            [(who, &*one), ("viewer", &*two)],
            [(who, &*one), ("viewer", &*one)],
        );
        assert_eq!(c3(&other)["verdict"], "held", "{who}");
        let shared = c3(&same);
        assert_eq!(shared["verdict"], "broken", "{who}");
        assert!(text(&shared["evidence"]).contains("'viewer'"), "{shared}");
    }
    for (words, why) in [
        (vec![format!("--csr=edtior={one}")], "no API user 'edtior'"),
        (
            vec![format!("--csr=editor={one}"), format!("--csr={id}={two}")],
            "the same API user",
        ),
    ] {
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let output = world.posture(&admin, &words);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(why), "{}", said(&output));
        assert!(output.stdout.is_empty());
    }
}
