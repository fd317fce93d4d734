//! A gate at the command line, without a workspace behind it: what its owner hands in and grants.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::{Value, json};

use crate::world::{self, Serving, gate, path, said, vestibule};

pub(crate) struct Gate {
    folder: tempfile::TempDir,
    serving: Serving,
}

impl Gate {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let made = gate(
            folder.path(),
            "init --upstream us --workspace 6ba7b810-9dad-41d1-80b4-00c04fd430c8 --listen 127.0.0.1:0 --admin 127.0.0.1:0",
        );
        assert!(made.status.success(), "{}", said(&made));
        let serving = Serving::start_in(
            folder.path(),
            &["gate", "--dir", "gate", "run"].map(OsStr::new),
        );
        Self { folder, serving }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Who may do what, as a file.
    pub(crate) fn export(&self) -> String {
        let export = vestibule()
            .current_dir(self.folder())
            .args(["gate", "--dir", "gate", "export"])
            .output();
        String::from_utf8(export.expect("it starts").stdout).expect("TOML")
    }

    pub(crate) fn run(&self, args: &str) -> Output {
        gate(self.folder.path(), args)
    }

    /// Must be refused; what was said.
    pub(crate) fn refused(&self, args: &str) -> String {
        let output = self.run(args);
        assert_eq!(output.status.code(), Some(1), "{args}: {}", said(&output));
        said(&output)
    }

    /// Must go well; the JSON and what was said beside it.
    pub(crate) fn fine(&self, args: &str) -> (Value, String) {
        let output = self.run(args);
        (world::json(&output), said(&output))
    }

    pub(crate) fn file(&self, name: &str, content: &[u8]) {
        std::fs::write(self.folder.path().join(name), content).expect("a file");
    }
}

/// A new key and all that openssl makes of it, in a folder.
pub(crate) fn openssl(folder: &Path) {
    for args in [
        "genrsa -out key.pem 2048",
        "req -new -key key.pem -subj /CN=Acme -out request.pem",
        "rsa -in key.pem -traditional -outform DER -out pkcs1.der",
        "pkcs8 -in key.pem -topk8 -nocrypt -outform DER -out pkcs8.der",
        "pkcs12 -export -nocerts -inkey key.pem -keypbe NONE -passout pass: -out open.p12",
        "pkcs12 -export -nocerts -inkey key.pem -passout pass:secret -out shut.p12",
    ] {
        let mut command = std::process::Command::new("openssl");
        let done = command.current_dir(folder).args(args.split(' ')).output();
        assert!(done.expect("openssl is there").status.success(), "{args}");
    }
}

/// A hand-over file that is sound, with this request.
fn handover(csr: &str) -> Vec<u8> {
    let file = json!({
        "version": 1, "provider": "Acme", "role": "EDITOR", "csr": csr, "addresses": ["127.0.0.1"],
        "scope": {"vault_accounts": ["1", "2"], "assets": ["BTC", "ETH"]},
    });
    file.to_string().into_bytes()
}

#[test]
fn invariant_3_a_binary_private_key_is_refused_by_name_and_burned() {
    let gate = Gate::start();
    let folder = gate.folder.path();
    openssl(folder);
    let csr = "--csr request.pem --role viewer --address 127.0.0.1 --vault-account 1";
    for (file, word) in [
        // Under a passphrase: named, and nobody can tell which key it is.
        ("shut.p12", "PKCS#12"),
        ("pkcs1.der", "PKCS#1"),
        ("pkcs8.der", "PKCS#8"),
        ("open.p12", "PKCS#8"),
    ] {
        for how in [file.to_owned(), format!("--csr {file} --role viewer")] {
            let told = gate.refused(&format!("connection request a {how}"));
            assert!(
                told.contains("private key") && told.contains(word),
                "{how}: {told}"
            );
        }
    }
    let told = gate.refused(&format!("connection request a {csr}"));
    assert!(told.contains("burned"), "{told}");
    // Behind a hand-over file that is sound: another key.
    openssl(folder);
    let request = std::fs::read_to_string(folder.join("request.pem")).expect("a request");
    let key = std::fs::read(folder.join("pkcs1.der")).expect("a key");
    gate.file("both.json", &[handover(&request), key].concat());
    let told = gate.refused("connection request a both.json");
    assert!(told.contains("PKCS#1"), "{told}");
    let told = gate.refused(&format!("connection request a {csr}"));
    assert!(told.contains("burned"), "{told}");
    let list = gate.run("connection list");
    assert!(
        list.status.success() && list.stdout.is_empty(),
        "nothing of it is kept"
    );
}

/// Wherever a private key is handed in and however: when it has been refused, the gate has forgotten it.
#[cfg(target_os = "linux")]
#[test]
fn invariant_3_a_refused_private_key_is_forgotten() {
    let gate = Gate::start();
    let folder = gate.folder.path();
    openssl(folder);
    let pem = std::fs::read_to_string(folder.join("key.pem")).expect("a key");
    let lines: Vec<_> = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let whole = lines.concat();
    let der = base64::engine::general_purpose::STANDARD
        .decode(&whole)
        .expect("base64");
    assert!(
        gate.serving
            .remembers(b"6ba7b810-9dad-41d1-80b4-00c04fd430c8")
    );
    gate.file("note.json", &handover(&format!("Dear client,\n{pem}")));
    gate.file("broken.json", &handover(&pem)[..1_500]);
    for args in [
        "connection request a note.json",
        "connection request a broken.json",
        "connection request a pkcs8.der",
        "connection request a --csr key.pem --role viewer --address 127.0.0.1",
        "operator add ann --role owner --csr key.pem --reason joins",
    ] {
        gate.refused(args);
        let parts = [
            lines[3].as_bytes(),
            &whole.as_bytes()[300..340],
            &der[300..330],
        ];
        // What the connection had is given back when its end has come in.
        let end = Instant::now() + Duration::from_secs(5);
        while parts.iter().any(|part| gate.serving.remembers(part)) {
            assert!(Instant::now() < end, "{args}: it is remembered");
        }
    }
}

#[test]
fn invariant_2_flags_narrow_what_they_name_alone_and_what_is_granted_is_told() {
    let gate = Gate::start();
    // The ready file holds wherever its reader stands.
    let key = path(&gate.serving.ready["gate"]["admin_key_path"]);
    assert!(key.is_absolute() && key.exists(), "{}", key.display());
    let empty = gate.run("posture");
    assert!(empty.status.success() && said(&empty).contains("no connections"));

    openssl(gate.folder.path());
    let csr = gate.folder.path().join("request.pem");
    let csr = std::fs::read_to_string(csr).expect("a request");
    gate.file("acme.json", &handover(&csr));
    let (kept, said) = gate.fine("connection request acme acme.json --role viewer");
    assert_eq!(kept["role"], "VIEWER");
    assert_eq!(kept["part"]["accounts"], json!(["1", "2"]));
    assert!(
        said.contains("asked for: role VIEWER; vault accounts 1, 2; assets BTC, ETH"),
        "{said}"
    );
    let again = gate.run("connection request b acme.json --webhook-url https://x.example/");
    assert_eq!(again.status.code(), Some(2), "the file says that itself");
    let told = gate.refused("report create --connection acme --kind balances");
    assert!(told.contains("REQUESTED"), "{told}");

    let (back, said) =
        gate.fine("connection approve acme --asset BTC --address 127.0.0.2 --reason agreed");
    assert_eq!(back["scope"]["vault_accounts"], json!(["1", "2"]));
    assert_eq!(back["scope"]["assets"], json!(["BTC"]));
    let granted = "granted: role VIEWER; vault accounts 1, 2; assets BTC; whitelisted wallets none; from 127.0.0.2/32";
    assert!(said.contains(granted), "{said}");
    gate.fine("connection suspend acme --reason lost");
    let told = gate.refused("report create --connection acme --kind balances");
    assert!(told.contains("SUSPENDED"), "{told}");
}

#[test]
fn an_admin_listener_for_everyone_is_refused_when_the_gate_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = gate(
        folder.path(),
        "init --upstream us --workspace 6ba7b810-9dad-41d1-80b4-00c04fd430c8 --admin 0.0.0.0:9999",
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("loopback"), "{}", said(&output));
    assert!(
        !folder.path().join("gate").exists(),
        "nothing is left behind"
    );
}

#[test]
fn no_gate_is_made_that_would_speak_in_clear_beyond_this_machine() {
    let folder = tempfile::tempdir().expect("a folder");
    let init = "init --upstream us --workspace 6ba7b810-9dad-41d1-80b4-00c04fd430c8 --listen 0.0.0.0:0 --admin 127.0.0.1:0";
    let refused = gate(folder.path(), init);
    assert_eq!(refused.status.code(), Some(1));
    assert!(said(&refused).contains("plain_http"), "{}", said(&refused));
    assert!(
        !folder.path().join("gate").exists(),
        "nothing is left behind"
    );
    let more = "--plain-http --behind 10.0.0.5 --told-by forwarded";
    let made = gate(folder.path(), &format!("{init} {more}"));
    assert!(made.status.success(), "{}", said(&made));
    let written = std::fs::read_to_string(folder.path().join("gate/gate.toml"));
    let written = written.expect("a configuration");
    assert!(
        written.contains("forwarded") && written.contains("10.0.0.5/32"),
        "{written}"
    );
}

#[test]
fn invariant_2_two_operators_with_keys_of_their_own_open_a_door_and_a_file_says_who_may() {
    let gate = Gate::start();
    let folder = gate.folder.path();
    openssl(folder);
    let standing = || gate.fine("connection show acme").0["standing"].clone();
    gate.fine("operator key ann --into ann");
    let twice = gate.refused("operator key ann --into ann");
    assert!(twice.contains("operator.pem"), "never over a key: {twice}");
    gate.fine("operator key bob --into bob");
    let private =
        gate.refused("operator add bob --role owner --csr bob/operator.pem --reason joins");
    assert!(private.contains("private key"), "{private}");
    let burned =
        gate.refused("operator add bob --role owner --csr bob/operator.csr.pem --reason joins");
    assert!(burned.contains("burned"), "{burned}");
    let (added, told) =
        gate.fine("operator add ann --role owner --csr ann/operator.csr.pem --reason joins");
    assert_eq!(added["state"], "MADE");
    let id = world::text(&added["change"]["id"]);
    assert!(
        told.contains(id) && told.contains("VESTIBULE_OPERATOR_ID"),
        "{told}"
    );
    let ann = |line: &str| format!("--operator-id {id} --operator-key ann/operator.pem {line}");
    gate.fine("operator quorum 2 --reason careful");
    gate.fine("connection request acme --csr request.pem --role viewer --address 127.0.0.1 --vault-account 1");
    let (_, told) = gate.fine("connection approve acme --reason agreed");
    let change = told.split("change approve ").nth(1).expect("what is to do");
    let change = change.split_whitespace().next().expect("an id");
    assert_eq!(standing(), "APPROVED");
    gate.refused(&format!("change approve {change}"));
    let (made, _) = gate.fine(&ann(&format!("change approve {change}")));
    assert_eq!(made["state"], "MADE");
    assert_eq!(standing(), "ACTIVE");
    let (seen, _) = gate.fine("review");
    let exactly = format!("review --confirm acme={}", world::text(&seen["terms"]));
    gate.fine("connection change acme --contact ops@acme.example --reason asked");
    let told = gate.refused(&exactly);
    assert!(told.contains("not what you saw"), "{told}");
    let bare = gate.run("review --confirm acme");
    assert_eq!(bare.status.code(), Some(2), "{}", said(&bare));
    let (seen, _) = gate.fine("review");
    let terms = world::text(&seen["terms"]).to_owned();
    // One that is refused does not keep the others from being confirmed.
    let both = gate.run(&ann(&format!(
        "review --confirm nobody={terms} --confirm acme={terms}"
    )));
    assert_eq!(both.status.code(), Some(1), "{}", said(&both));
    assert!(
        String::from_utf8_lossy(&both.stdout).contains("\"ann\""),
        "{both:?}"
    );
    let (confirmed, _) = gate.fine(&ann(&format!("review --confirm acme={terms}")));
    assert_eq!(confirmed["confirmed"][1], "ann");

    let file = gate.export();
    gate.file("access.toml", file.as_bytes());
    let nothing = gate.run("plan access.toml");
    assert_eq!(nothing.status.code(), Some(0), "{}", said(&nothing));
    assert!(nothing.stdout.is_empty());
    gate.file(
        "access.toml",
        file.replace("ACTIVE", "SUSPENDED").as_bytes(),
    );
    assert_eq!(gate.run("plan access.toml").status.code(), Some(2));
    gate.fine("apply access.toml --reason quiet");
    assert_eq!(standing(), "SUSPENDED");
    assert_eq!(gate.run("plan access.toml").status.code(), Some(0));
    gate.file("access.toml", file.replace("role =", "rolle =").as_bytes());
    let slip = gate.refused("plan access.toml");
    assert!(
        slip.contains("rolle") && slip.contains("access.toml"),
        "{slip}"
    );

    let (left, _) = gate.fine("connection leave acme --reason over");
    assert_eq!(left["record"]["closed"]["by"], "owner");
    assert_eq!(standing(), "REVOKED");
    let (again, told) = gate.fine("connection leave acme --reason again");
    assert_eq!(again["record"], left["record"], "{told}");
    assert!(told.contains("REVOKED already"), "{told}");
    gate.refused("connection change acme --vault-account 2 --reason more");
    let without = gate.run("connection suspend acme");
    assert_eq!(without.status.code(), Some(2), "a reason is asked for");
}

/// What the gate's log does not bear out is not told as if it were so.
#[test]
fn invariant_4_changed_records_and_unknown_names_are_no_good_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let init = "init --upstream us --workspace 6ba7b810-9dad-41d1-80b4-00c04fd430c8 --listen 127.0.0.1:0 --admin 127.0.0.1:0";
    let made = gate(folder.path(), init);
    assert!(made.status.success(), "{}", said(&made));
    let line = |rows: Value| {
        let record = json!({
            "at": 1_790_000_000_000_i64, "connection": "acme", "key": "00000000-0000-0000-0000-000000000001",
            "fingerprint": "f", "from": "192.0.2.7", "operation": "getTransactions", "target": "/v1/transactions",
            "scope": "s", "status": 200, "rows": rows, "bytes": 9, "request": "00000000-0000-0000-0000-000000000005",
        });
        format!("{record}\n")
    };
    let access = folder.path().join("gate/access");
    let segment = access.join("00000001.jsonl");
    let whole = line(json!(7)) + &line(Value::Null);
    std::fs::create_dir_all(&access).expect("a folder");
    std::fs::write(&segment, &whole).expect("a segment");
    // A segment that was left open is closed when the gate starts.
    let serving = Serving::start_in(
        folder.path(),
        &["gate", "--dir", "gate", "run"].map(OsStr::new),
    );
    world::until("the log tells of the segment", || {
        let list = gate(folder.path(), "log list");
        String::from_utf8_lossy(&list.stdout).contains("access_segment_closed")
    });
    let asked = |name: &str| {
        let asked = vestibule()
            .current_dir(folder.path())
            .args(["gate", "--dir", "gate", "access", "--connection", name])
            .output();
        let output = asked.expect("the binary starts");
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), told, said(&output))
    };
    let (code, told, beside) = asked("acme");
    assert_eq!(code, Some(0), "{beside}");
    assert!(told.contains("7 rows (1 reads uncounted)"), "{told}");
    let (code, told, beside) = asked("acmee");
    assert_eq!((code, told.as_str()), (Some(1), ""));
    assert!(beside.contains("no connection is called acmee"), "{beside}");
    std::fs::write(&segment, whole.replace("192.0.2.7", "192.0.2.8")).expect("changed");
    let (code, told, beside) = asked("acme");
    assert_eq!(code, Some(1), "{told}");
    assert!(beside.contains("NOT AS THEY WERE WRITTEN") && beside.contains("00000001.jsonl"));
    std::fs::write(&segment, &whole).expect("as it was");
    assert_eq!(asked("acme").0, Some(0));
    std::fs::remove_file(&segment).expect("removed");
    assert_eq!(asked("acmee").0, Some(1));
    serving.kill();
}
