//! Who may do what, as a file: planned, made so, and what is left to do told.

use serde_json::Value;

use crate::gate::{Gate, openssl};
use crate::world::{said, text};

#[test]
fn what_a_file_approves_tells_how_to_get_the_hand_back_file() {
    let gate = Gate::start();
    request(&gate, "acme");
    let file = gate.export().replace("REQUESTED", "ACTIVE");
    gate.file("access.toml", file.as_bytes());
    let (_, told) = gate.fine("apply access.toml --reason agreed");
    let how = "vestibule gate connection handback acme > acme-handback.json";
    assert!(told.contains(how), "{told}");
    let (back, _) = gate.fine("connection handback acme");
    assert_eq!(back["connection"], "acme");
    let shown = gate.fine("connection show acme").0;
    assert_eq!(shown["standing"], "ACTIVE");
    assert_eq!(back["api_key"], shown["api_key"]);
}

/// An owner named ann beside the first one, and how she calls.
fn ann(gate: &Gate) -> impl Fn(&str) -> String {
    gate.fine("operator key ann --into ann");
    let (added, _) =
        gate.fine("operator add ann --role owner --csr ann/operator.csr.pem --reason joins");
    let id = text(&added["change"]["id"]).to_owned();
    move |line| format!("--operator-id {id} --operator-key ann/operator.pem {line}")
}

fn request(gate: &Gate, name: &str) {
    openssl(gate.folder());
    gate.fine(&format!("connection request {name} --csr request.pem --role viewer --address 127.0.0.1 --vault-account 1"));
}

/// The JSON lines of a command, and how it ended.
fn lines(gate: &Gate, args: &str) -> (Vec<Value>, Option<i32>, String) {
    let output = gate.run(args);
    let printed = String::from_utf8(output.stdout.clone()).expect("text");
    let lines = printed.lines().map(serde_json::from_str);
    let lines = lines.collect::<Result<_, _>>().expect("JSON");
    (lines, output.status.code(), said(&output))
}

#[test]
fn an_owner_and_an_admin_change_places_and_doors_are_shut_before() {
    let gate = Gate::start();
    let ann = ann(&gate);
    request(&gate, "acme");
    gate.fine("connection approve acme --reason agreed");
    gate.fine("operator role ann admin --reason later");
    let roles = "[operators]\nann = \"ADMIN\"\nowner = \"OWNER\"";
    let file = gate.export();
    assert!(file.contains(roles), "{file}");
    let file = file.replace(roles, "[operators]\nann = \"OWNER\"\nowner = \"ADMIN\"");
    let file = file.replace("\"ACTIVE\"", "\"SUSPENDED\"");
    gate.file("access.toml", file.as_bytes());
    let (steps, code, told) = lines(&gate, "apply access.toml --reason swap");
    assert_eq!(code, Some(0), "{told}");
    let what = |one: &Value| {
        (
            one["step"]["connection"].clone(),
            one["step"]["operator"].clone(),
        )
    };
    let order: Vec<_> = steps.iter().map(what).collect();
    let (none, name) = (|| Value::Null, |name: &str| Value::from(name));
    let expected = [
        (name("acme"), none()),
        (none(), name("ann")),
        (none(), name("owner")),
    ];
    assert_eq!(order, expected);
    assert_eq!(gate.run("plan access.toml").status.code(), Some(0));
    gate.refused("operator role ann auditor --reason mine");
    gate.fine(&ann("operator role owner auditor --reason hers"));
}

/// Who becomes an owner waits for a signature, and until then nobody may cease to be one: what is to be signed,
/// and that the file is to be applied again, is said.
#[test]
fn an_owner_and_an_admin_change_places_by_a_quorum_of_two_in_two_turns() {
    let gate = Gate::start();
    let ann = ann(&gate);
    gate.fine("operator key bob --into bob");
    gate.fine("operator add bob --role admin --csr bob/operator.csr.pem --reason joins");
    gate.fine("operator quorum 2 --reason careful");
    let file = gate.export();
    let file = file.replace("ann = \"OWNER\"", "ann = \"ADMIN\"");
    let file = file.replace("bob = \"ADMIN\"", "bob = \"OWNER\"");
    gate.file("access.toml", file.as_bytes());
    let (steps, code, told) = lines(&gate, "apply access.toml --reason swap");
    assert_eq!((steps.len(), code), (2, Some(1)), "{told}");
    let id = text(&steps[0]["change"]["id"]).to_owned();
    let again = format!(
        "1 of 2 steps not done: some may need what waits for signatures; once {id} is made, apply the file again"
    );
    assert!(told.contains(&again), "{told}");
    // Said again, until it is so.
    let (_, code, told) = lines(&gate, "apply access.toml --reason swap");
    assert!(code == Some(1) && told.contains(&again), "{told}");
    gate.fine(&ann(&format!("change approve {id}")));
    let (steps, code, told) = lines(&gate, "apply access.toml --reason swap");
    assert_eq!((steps.len(), code), (1, Some(0)), "{told}");
    assert!(told.contains("operator ann: becomes ADMIN"), "{told}");
    let id = text(&steps[0]["change"]["id"]);
    gate.fine(&ann(&format!("change approve {id}")));
    assert_eq!(gate.run("plan access.toml").status.code(), Some(0));
}

#[test]
fn what_is_widened_and_opened_is_signed_once_and_asked_for_once() {
    let gate = Gate::start();
    let ann = ann(&gate);
    request(&gate, "acme");
    gate.fine("connection approve acme --reason agreed");
    request(&gate, "bolt");
    gate.fine("connection approve bolt --reason agreed");
    gate.fine("connection suspend acme --reason quiet");
    gate.fine("operator quorum 2 --reason careful");
    let file = gate.export();
    let wider = file.replace("\"SUSPENDED\"", "\"ACTIVE\"");
    let wider = wider.replace("forward = false", "forward = true");
    let shorter = wider.replace("ann = \"OWNER\"", "ann = \"ADMIN\"");
    gate.file("access.toml", wider.as_bytes());
    let (asked, code, told) = lines(&gate, "apply access.toml --reason back");
    assert_eq!((asked.len(), code), (2, Some(0)), "{told}");
    let ids = |asked: &[Value]| -> Vec<_> {
        let ids = asked.iter().map(|one| one["change"]["id"].clone());
        ids.collect()
    };
    let waiting = ids(&asked);
    let (again, code, told) = lines(&gate, &ann("apply access.toml --reason back"));
    assert_eq!((ids(&again), code), (waiting.clone(), Some(0)), "{told}");
    assert!(told.contains("asked for already"), "{told}");
    let changes = lines(&gate, "change list").0;
    let waits = changes.iter().filter(|one| one["state"] == "WAITING");
    assert_eq!(waits.count(), 2, "asked for once");
    for id in &waiting {
        let made = gate.fine(&ann(&format!("change approve {}", text(id)))).0;
        assert_eq!(made["state"], "MADE");
    }
    let acme = gate.fine("connection show acme").0;
    assert_eq!(
        (&acme["standing"], &acme["forward"]),
        (&"ACTIVE".into(), &true.into())
    );
    let kinds = lines(&gate, "log list").0;
    let resumed = kinds
        .iter()
        .filter(|one| one["kind"] == "connection_resumed");
    assert_eq!(resumed.count(), 1, "the log tells both");
    assert_eq!(gate.run("plan access.toml").status.code(), Some(0));
    // What cannot be so is told before anything is done.
    gate.file(
        "access.toml",
        shorter.replace("\"ACTIVE\"", "\"SUSPENDED\"").as_bytes(),
    );
    let told = gate.refused("apply access.toml --reason alone");
    assert!(told.contains("1 owners would be left"), "{told}");
    assert_eq!(gate.fine("connection show acme").0["standing"], "ACTIVE");
}

#[test]
fn what_is_refused_holds_up_nothing_else() {
    let gate = Gate::start();
    request(&gate, "acme");
    request(&gate, "bolt");
    // Nobody said what it may see: it cannot be approved.
    gate.file("none.json", br#"{"accounts": []}"#);
    gate.fine("connection change acme --with none.json --reason nothing");
    let file = gate.export().replace("\"REQUESTED\"", "\"ACTIVE\"");
    gate.file("access.toml", file.as_bytes());
    let (steps, code, told) = lines(&gate, "apply access.toml --reason agreed");
    assert_eq!((steps.len(), code), (2, Some(1)), "{told}");
    assert!(text(&steps[0]["refused"]).contains("no scope"), "{told}");
    assert!(told.contains("1 of 2 steps not done"), "{told}");
    assert_eq!(gate.fine("connection show bolt").0["standing"], "ACTIVE");
}
