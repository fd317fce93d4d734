//! Who may do what, as a file: planned, made so, and what is left to do told.

use crate::gate::{Gate, openssl};

#[test]
fn what_a_file_approves_tells_how_to_get_the_hand_back_file() {
    let gate = Gate::start();
    openssl(gate.folder());
    gate.fine("connection request acme --csr request.pem --role viewer --address 127.0.0.1 --vault-account 1");
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
