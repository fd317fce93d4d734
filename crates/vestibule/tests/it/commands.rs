//! The command line: helpful errors, exit codes, help with examples, scripts.

use std::ffi::OsStr;
use std::net::TcpListener;

use crate::world::{Serving, path, run, said, text, vestibule};

#[test]
fn commands_have_help_with_examples() {
    for command in [
        &["demo"][..],
        &["sandbox"],
        &["gate"],
        &["connector"],
        &["gate", "init"],
        &["gate", "connection", "request"],
        &["connector", "keys", "new"],
    ] {
        let output = run(command.iter().copied().chain(["--help"]));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success() && text.contains("Example"),
            "{command:?}: {text}"
        );
    }
    let completions = run(["completions", "bash"]);
    assert!(completions.status.success() && completions.stdout.len() > 1_000);
}

#[test]
fn wrong_usage_is_2_and_trouble_is_1_with_a_sentence() {
    assert_eq!(run(["gate", "--no-such-flag"]).status.code(), Some(2));
    // What to propose, or what to follow: not nothing, and not both.
    let nothing = run(["connector", "trade", "fund"]);
    assert_eq!(nothing.status.code(), Some(2), "{}", said(&nothing));
    let id = "6ba7b810-9dad-41d1-80b4-00c04fd430c8";
    let both = run([
        "connector",
        "trade",
        "fund",
        "--follow",
        id,
        "--asset",
        "ETH",
    ]);
    assert_eq!(both.status.code(), Some(2), "{}", said(&both));
    let folder = tempfile::tempdir().expect("a folder");
    let follow = vestibule()
        .env("VESTIBULE_PASSPHRASE", "correct horse battery")
        .args(["connector", "--dir"])
        .arg(folder.path())
        .args(["trade", "fund", "--follow", id])
        .output()
        .expect("it starts");
    assert_eq!(follow.status.code(), Some(1));
    assert!(
        said(&follow).contains("connector init"),
        "{}",
        said(&follow)
    );
    let nothing = vestibule()
        .args(["gate", "--dir"])
        .arg(folder.path())
        .arg("run")
        .output()
        .expect("it starts");
    assert_eq!(nothing.status.code(), Some(1));
    assert!(said(&nothing).contains("gate init"), "{}", said(&nothing));
}

#[test]
fn a_wrong_setting_is_told_with_its_place_in_the_file_or_its_variable() {
    let folder = tempfile::tempdir().expect("a folder");
    let doctor = |text: &str, variable: &str| {
        std::fs::write(folder.path().join("gate.toml"), text).expect("written");
        let output = vestibule()
            .args(["gate", "doctor", "--dir"])
            .arg(folder.path())
            .env("VESTIBULE_GATE_SERVE__LISTEN", variable)
            .output()
            .expect("it starts");
        assert_eq!(output.status.code(), Some(1));
        said(&output)
    };
    let good = "[upstream]
base_url = \"https://api.example.com/v1\"
workspace_id = \"5c1f0b1e-0000-4000-8000-000000000000\"
jwks_url = \"https://keys.example.com/\"
[serve]
listen = \"127.0.0.1:1\"
admin = \"127.0.0.1:2\"
";
    let truncated = doctor(&good.replace("workspace_id", "workspace_i"), "127.0.0.1:1");
    assert!(
        truncated.contains("gate.toml, line 3: 'upstream.workspace_i' is no setting; here are:"),
        "{truncated}"
    );
    assert!(!truncated.contains('`'), "{truncated}");
    let variable = doctor(good, "nowhere");
    assert!(
        variable.contains("the variable VESTIBULE_GATE_SERVE__LISTEN: 'serve.listen' cannot"),
        "{variable}"
    );
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = taken.local_addr().expect("an address").to_string();
    let output = run([
        "sandbox",
        "--ephemeral",
        "--control",
        "127.0.0.1:0",
        "--listen",
        &at,
    ]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains(&at), "{}", said(&output));
}

#[test]
fn a_file_that_is_no_database_is_named_and_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("sandbox.db");
    let junk = vec![b'x'; 8_192];
    std::fs::write(&file, &junk).expect("a file");
    let output = vestibule()
        .args([
            "sandbox",
            "--listen",
            "127.0.0.1:0",
            "--control",
            "127.0.0.1:0",
            "--data",
        ])
        .arg(&file)
        .output();
    let output = output.expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("sandbox.db"), "{}", said(&output));
    assert_eq!(std::fs::read(&file).expect("a file"), junk);
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("a-file");
    std::fs::write(&file, "x").expect("a file");
    let below = file.join("sandbox.db");
    let output = vestibule()
        .args([
            "sandbox",
            "--listen",
            "127.0.0.1:0",
            "--control",
            "127.0.0.1:0",
            "--data",
        ])
        .arg(&below)
        .output();
    let output = output.expect("it starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("a-file"), "{}", said(&output));
}

#[test]
fn env_prints_lines_that_a_shell_takes_and_a_ready_file_tells_all_roles() {
    let folder = tempfile::tempdir().expect("a folder");
    let words = [
        "sandbox",
        "--ephemeral",
        "--listen",
        "127.0.0.1:0",
        "--control",
        "127.0.0.1:0",
    ]
    .map(OsStr::new);
    let sandbox = Serving::start(folder.path(), &words);
    let users = sandbox.ready["sandbox"]["users"].as_array().expect("users");
    for role in [
        "ADMIN",
        "NON_SIGNING_ADMIN",
        "SIGNER",
        "APPROVER",
        "EDITOR",
        "VIEWER",
        "AUDITOR",
    ] {
        let user = users.iter().find(|user| user["role"] == role).expect(role);
        let key = std::fs::read_to_string(path(&user["secret_key_path"])).expect("a key");
        assert!(key.contains("PRIVATE KEY"), "{role}");
    }
    let file = folder.path().join("ready.json");
    std::fs::write(&file, sandbox.ready.to_string()).expect("a file");
    let script = format!(
        "eval \"$({} sandbox env {} --user editor)\" && echo \"$FIREBLOCKS_API_KEY\"",
        env!("CARGO_BIN_EXE_vestibule"),
        file.display()
    );
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .output()
        .expect("a shell");
    let editor = users
        .iter()
        .find(|user| user["role"] == "EDITOR")
        .expect("an editor");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        text(&editor["api_key"])
    );
}

#[cfg(unix)]
#[test]
fn secrets_are_nobody_elses() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("gate");
    let output = vestibule()
        .args(["gate", "--dir"])
        .arg(&dir)
        .args([
            "init",
            "--upstream",
            "us",
            "--workspace",
            "6ba7b810-9dad-41d1-80b4-00c04fd430c8",
        ])
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", said(&output));
    for entry in std::fs::read_dir(dir.join("keys")).expect("keys") {
        let entry = entry.expect("a file");
        let mode = entry.metadata().expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
    let again = vestibule()
        .args(["gate", "--dir"])
        .arg(&dir)
        .args([
            "init",
            "--upstream",
            "us",
            "--workspace",
            "6ba7b810-9dad-41d1-80b4-00c04fd430c8",
        ])
        .output();
    assert_eq!(again.expect("it starts").status.code(), Some(1));
}
