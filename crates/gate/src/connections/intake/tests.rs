use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use protocol::keys::PrivateKey;
use serde_json::{Value, json};

use super::*;
use crate::testing::{KEY, handover};

/// CSRs that openssl made; the last one's signature is broken here.
const RSA_1024: &str = include_str!("../../../../protocol/src/csr/fixtures/rsa_1024.pem");
const EC: &str = include_str!("../../../../protocol/src/csr/fixtures/ec_p256.pem");
const ED25519: &str = include_str!("../../../../protocol/src/csr/fixtures/ed25519.pem");
const EXPONENT_1: &str = include_str!("../../../../protocol/src/csr/fixtures/exponent_1.pem");
const EXPONENT_3: &str = include_str!("../../../../protocol/src/csr/fixtures/exponent_3.pem");
const SHA1: &str = include_str!("../../../../protocol/src/csr/fixtures/sha1.pem");

/// Private keys as other programs write them, and whether they can be proven.
const FOREIGN: [(&str, bool); 6] = [
    (
        include_str!("../../../../protocol/src/private_key/fixtures/rsa_pkcs1.pem"),
        true,
    ),
    (
        include_str!("../../../../protocol/src/private_key/fixtures/rsa_openssh.pem"),
        true,
    ),
    (
        include_str!("../../../../protocol/src/private_key/fixtures/rsa_private.jwk"),
        true,
    ),
    (
        include_str!("../../../../protocol/src/private_key/fixtures/rsa_encrypted_pkcs8.pem"),
        false,
    ),
    (
        include_str!("../../../../protocol/src/private_key/fixtures/ec_sec1.pem"),
        false,
    ),
    (
        include_str!("../../../../protocol/src/private_key/fixtures/ed25519_pkcs8.pem"),
        false,
    ),
];
/// The key of the sandbox's editor, which the whole world has.
const DEVELOPMENT: &str = include_str!("../../../../sandbox/keys/editor.pem");

fn file() -> Value {
    serde_json::from_str(&handover(&KEY).to_json()).expect("JSON")
}

fn examined(file: &Value) -> Result<(HandOver, EnrollableKey), Refused> {
    examine(file.to_string().as_bytes(), false)
}

fn with_csr(csr: &str) -> Result<(HandOver, EnrollableKey), Refused> {
    let mut file = file();
    file["csr"] = json!(csr);
    examined(&file)
}

#[test]
fn a_sound_file_is_taken_with_its_key() {
    let (taken, key) = examined(&file()).expect("sound");
    assert_eq!(taken, handover(&KEY));
    assert_eq!(key.public_key(), KEY.public());
}

/// In every place of the file, in every form: refused, and proven where it can be.
#[test]
fn invariant_3_a_private_key_is_never_accepted() {
    let pem = KEY.to_pkcs8_pem().expect("pem");
    let der = KEY.to_pkcs8_der().expect("der");
    let csr = handover(&KEY).csr;
    let forms = [
        pem.to_string(),
        pem.replace('\n', "\r\n"),
        format!("{csr}{}", pem.as_str()),
        format!("Dear client,\n\nhere it is:\n{}\nRegards", pem.as_str()),
        STANDARD.encode(der.as_slice()),
        STANDARD.encode(pem.as_bytes()),
    ];
    let places = [
        "/provider",
        "/csr",
        "/webhook_url",
        "/role",
        "/addresses/0",
        "/scope/vault_accounts/0",
        "/note",
    ];
    for form in &forms {
        for place in places {
            let mut file = file();
            match file.pointer_mut(place) {
                Some(value) => *value = json!(form),
                None => file["note"] = json!(form),
            }
            match examined(&file) {
                Err(Refused::PrivateKey { proven, .. }) => {
                    assert_eq!(proven, [KEY.public().clone()], "{place}: {form:.40}");
                }
                other => panic!("{place}: {form:.40}: {other:?}"),
            }
        }
        // In place of the file, and beside it.
        for text in [form.clone(), format!("{}\n{form}", file())] {
            let refused = examine(text.as_bytes(), false);
            assert!(
                matches!(refused, Err(Refused::PrivateKey { .. })),
                "{text:.40}"
            );
        }
    }
    let refused = examine(der.as_slice(), false);
    assert!(
        matches!(refused, Err(Refused::PrivateKey { .. })),
        "{refused:?}"
    );
}

#[test]
fn invariant_3_private_keys_of_other_programs_are_refused_too() {
    for (key, provable) in FOREIGN {
        let mut file = file();
        file["note"] = json!(key);
        match examined(&file) {
            Err(Refused::PrivateKey { proven, .. }) => {
                assert_eq!(!proven.is_empty(), provable, "{key:.40}")
            }
            other => panic!("{key:.40}: {other:?}"),
        }
    }
    // A JWK as an object, not as text.
    let mut file = file();
    file["key"] = serde_json::from_str(FOREIGN[2].0).expect("a JWK");
    assert!(matches!(examined(&file), Err(Refused::PrivateKey { .. })));
}

/// Invariant 8: what is said of a refusal has nothing of the key in it.
#[test]
fn invariant_8_a_refusal_repeats_nothing_of_the_key() {
    let pem = KEY.to_pkcs8_pem().expect("pem");
    let refused = examine(pem.as_bytes(), false).expect_err("refused");
    let told = format!("{refused} {refused:?}");
    for line in pem.lines().filter(|line| !line.starts_with('-')) {
        assert!(!told.contains(line), "{told}");
    }
    assert!(told.contains("private key"), "{told}");
}

#[test]
fn a_key_that_breaks_a_rule_is_refused_by_name() {
    for (csr, named) in [
        (RSA_1024, "1024"),
        (EC, "RSA"),
        (ED25519, "RSA"),
        (EXPONENT_1, "exponent"),
        (EXPONENT_3, "exponent"),
        (SHA1, "SHA-256"),
    ] {
        match with_csr(csr) {
            Err(refused @ Refused::Key { .. }) => {
                let told = refused.to_string();
                assert!(told.contains(named), "{told} without {named}");
                assert!(told.contains("openssl req -new"), "what to do: {told}");
            }
            other => panic!("{named}: {other:?}"),
        }
    }
}

#[test]
fn a_broken_self_signature_is_refused() {
    let sound = CertificateSigningRequest::from_pem(&handover(&KEY).csr).expect("a request");
    let mut der = sound.der().to_vec();
    let last = der.len() - 1;
    der[last] ^= 1;
    let body = STANDARD.encode(der);
    let pem =
        format!("-----BEGIN CERTIFICATE REQUEST-----\n{body}\n-----END CERTIFICATE REQUEST-----\n");
    let refused = with_csr(&pem);
    assert!(
        matches!(&refused, Err(Refused::Key { broken, .. }) if broken == &[csr::Broken::Signature]),
        "{refused:?}"
    );
}

#[test]
fn what_is_no_request_is_refused() {
    for csr in ["", "MIIC", &KEY.public().spki_pem()] {
        assert!(with_csr(csr).is_err(), "{csr:.30}");
    }
    for text in ["", "{}", "null", "[]", "not JSON"] {
        assert!(
            matches!(examine(text.as_bytes(), false), Err(Refused::Form(_))),
            "{text}"
        );
    }
    let mut file = file();
    file["role"] = json!("SIGNER");
    assert!(
        matches!(examined(&file), Err(Refused::Form(_))),
        "C1: two roles"
    );
    let large = vec![b' '; private_key::MAX_INPUT + 1];
    assert!(matches!(examine(&large, false), Err(Refused::TooLarge)));
}

#[test]
fn a_published_key_is_taken_where_a_demo_says_so_alone() {
    let key = PrivateKey::from_pem(DEVELOPMENT).expect("a key");
    let file = handover(&key).to_json();
    assert!(matches!(
        examine(file.as_bytes(), false),
        Err(Refused::KnownKey)
    ));
    assert!(examine(file.as_bytes(), true).is_ok());
}

#[test]
fn a_client_certificate_is_pem_or_its_pin_or_none() {
    let own = rcgen::generate_simple_self_signed(["acme".to_owned()]).expect("a certificate");
    let pem = own.cert.pem();
    let pin = ClientCertificate::from_pem(&pem)
        .expect("a certificate")
        .pin();
    let read = |text: &str| examine_certificate(text.as_bytes());
    assert_eq!(read(&pem).ok(), Some(Some(pin)));
    assert_eq!(read(&format!("{pin}\n")).ok(), Some(Some(pin)));
    assert_eq!(read("none").ok(), Some(None));
    for bad in ["", "None of it", &pem[..200], &pin.to_string()[1..]] {
        assert!(matches!(read(bad), Err(Refused::Certificate(_))), "{bad}");
    }
    let key = own.signing_key.serialize_pem();
    let told = read(&key).expect_err("a private key").to_string();
    assert!(told.contains("private key never travels"), "{told}");
    assert!(told.contains("send only the certificate"), "{told}");
    assert!(!told.contains("CSR") && !told.contains("request"), "{told}");
}
