//! A review at a terminal: every connection is asked for, whatever the gate says to one of them.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::gate::{Gate, openssl};

/// Answers a command that asks at a terminal; how it ended, and all that stood there.
fn at_a_terminal(gate: &Gate, args: &str, answers: &str) -> (Option<i32>, String) {
    let binary = env!("CARGO_BIN_EXE_vestibule");
    let mut script = Command::new("script")
        .current_dir(gate.folder())
        .arg("-qec")
        .arg(format!("{binary} gate --dir gate {args}"))
        .arg("/dev/null")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script is there");
    let mut keys = script.stdin.take().expect("a pipe");
    keys.write_all(answers.as_bytes()).expect("typed");
    drop(keys);
    let done = script.wait_with_output().expect("it ends");
    let shown = String::from_utf8_lossy(&done.stdout).into_owned();
    (done.status.code(), shown)
}

#[test]
fn a_review_walks_through_connections_at_every_point_of_their_lives() {
    let gate = Gate::start();
    gate.fine("operator key oli --into oli");
    let (added, _) =
        gate.fine("operator add oli --role operator --csr oli/operator.csr.pem --reason joins");
    let id = crate::world::text(&added["change"]["id"]).to_owned();
    let oli = |line: &str| format!("--operator-id {id} --operator-key oli/operator.pem {line}");
    for name in ["a", "b", "c", "d", "e"] {
        openssl(gate.folder());
        gate.fine(&format!("connection request {name} --csr request.pem --role viewer --address 127.0.0.1 --vault-account 1"));
    }
    for name in ["b", "c", "d"] {
        gate.fine(&format!("connection approve {name} --reason agreed"));
    }
    gate.fine("connection suspend d --reason quiet");
    let standing = |name: &str| {
        let shown = gate.fine(&format!("connection show {name}")).0;
        shown["standing"].as_str().expect("a word").to_owned()
    };
    // One that is only asked for, one to be suspended, one that is right, one suspended already.
    let (code, shown) = at_a_terminal(&gate, "review", "n\nn\ny\nn\nr\n");
    assert_eq!(code, Some(0), "{shown}");
    for told in [
        "a: left for later",
        "b: SUSPENDED",
        "c: confirmed",
        "d: left for later",
        "e: REVOKED",
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    assert_eq!(
        ["a", "b", "c", "d", "e"].map(standing),
        ["REQUESTED", "SUSPENDED", "ACTIVE", "SUSPENDED", "REVOKED"]
    );
    let confirmed = |name: &str| {
        let shown = gate.fine(&format!("connection show {name}")).0;
        !shown["confirmed"].is_null()
    };
    assert_eq!(["a", "b", "c"].map(confirmed), [false, false, true]);
    // What an operator may not do is told, and the next is asked for; where nobody answers it ends.
    let (code, shown) = at_a_terminal(&gate, &oli("review"), "r\ny\n");
    assert_eq!(code, Some(1), "{shown}");
    assert!(
        shown.contains("a: ") && shown.contains("OPERATOR"),
        "{shown}"
    );
    assert!(shown.contains("b: confirmed"), "{shown}");
    assert_eq!(["a", "b"].map(standing), ["REQUESTED", "SUSPENDED"]);
}
