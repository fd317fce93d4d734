//! Private keys that are no text: as `openssl rsa`, `openssl pkcs8` and `openssl pkcs12` write them.

use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;

/// A key's file as openssl writes it.
fn openssl(key: &PrivateKey, args: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().expect("a folder");
    let pem = folder.path().join("key.pem");
    std::fs::write(&pem, key.to_pkcs8_pem().expect("pem").as_bytes()).expect("a file");
    let output = Command::new("openssl")
        .current_dir(folder.path())
        .args(args.split(' '))
        .output()
        .expect("openssl is there");
    assert!(
        output.status.success() && !output.stdout.is_empty(),
        "{args}"
    );
    output.stdout
}

fn raw(bytes: &[u8]) -> HandedIn {
    HandedIn::base64(&STANDARD.encode(bytes))
}

#[tokio::test]
async fn invariant_3_a_binary_private_key_is_named_and_burned() {
    let sound = csr_of(&KEY).into_bytes();
    for (args, word, open) in [
        ("rsa -in key.pem -traditional -outform DER", "PKCS#1", true),
        (
            "pkcs8 -in key.pem -topk8 -nocrypt -outform DER",
            "PKCS#8",
            true,
        ),
        (
            "pkcs12 -export -nocerts -inkey key.pem -keypbe NONE -passout pass:",
            "PKCS#8",
            true,
        ),
        // What is under a passphrase cannot be tried: it is named, and refused all the same.
        (
            "pkcs12 -export -nocerts -inkey key.pem -passout pass:secret",
            "PKCS#12",
            false,
        ),
    ] {
        let key = new_key();
        let file = openssl(&key, args);
        for file in [file.clone(), [sound.as_slice(), b"\n", &file].concat()] {
            let world = World::new().await;
            let error = request_of(&world, named("careless", raw(&file))).await;
            let error = error.expect_err("refused");
            assert_eq!(error.status(), 400, "{args}: {error}");
            assert!(error.message().contains("private key"), "{args}: {error}");
            assert!(error.message().contains(word), "{args}: {error}");
            assert_eq!(world.count("gate_connections").await, 0);
            if open {
                refused(&world, "careless", csr_of(&key), "burned").await;
            }
        }
    }
}

#[tokio::test]
async fn a_file_in_base64_is_taken_like_its_text() {
    let world = World::new().await;
    let made = request_of(&world, named("acme", raw(csr_of(&KEY).as_bytes()))).await;
    assert_eq!(made.expect("kept").state, State::Requested);
    let broken = HandedIn::base64("?");
    let error = request_of(&world, named("other", broken)).await;
    assert!(error.expect_err("refused").message().contains("base64"));
}
