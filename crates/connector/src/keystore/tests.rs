use std::os::unix::fs::PermissionsExt;
use std::sync::LazyLock;

use super::*;

static KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(KeySize::Rsa2048).expect("a key"));

fn phrase(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned()).expect("a passphrase")
}

fn name(text: &str) -> ClientName {
    text.parse().expect("a name")
}

fn store() -> (tempfile::TempDir, Keystore) {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Keystore::open(folder.path().join("keys")).expect("a keystore");
    (folder, store)
}

fn pem() -> String {
    KEY.to_pkcs8_pem().expect("pem").to_string()
}

/// Practice P3: a separate key for each client.
#[test]
fn p3_one_client_one_key_and_one_key_one_client() {
    let (_folder, store) = store();
    let with = phrase("correct horse battery");
    let entry = store
        .adopt(&name("acme"), &pem(), None, &with, Millis(7))
        .expect("adopted");
    assert_eq!(
        (entry.origin, entry.bits, entry.kept_since),
        (KeyOrigin::Adopted, 2048, Millis(7))
    );
    assert!(matches!(
        store.adopt(&name("other"), &pem(), None, &with, Millis(8)),
        Err(KeystoreError::Shared { of }) if of == name("acme")
    ));
    assert!(matches!(
        store.make(&name("acme"), KeySize::Rsa2048, &with, Millis(8)),
        Err(KeystoreError::HasOne(_))
    ));
    assert_eq!(store.list().expect("a list"), [entry]);
}

/// Practice P2: the key is born encrypted; what can be shown holds nothing of it.
#[test]
fn p2_a_key_is_sealed_in_a_file_of_its_owner_and_openssl_opens_it() {
    let (folder, store) = store();
    let with = phrase("correct horse battery");
    store
        .make(&name("acme"), KeySize::Rsa4096, &with, Millis(0))
        .expect("made");
    let path = folder.path().join("keys/acme.pem");
    assert_eq!(
        std::fs::metadata(&path)
            .expect("a file")
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    let text = std::fs::read_to_string(&path).expect("text");
    assert!(
        text.contains("BEGIN ENCRYPTED PRIVATE KEY") && !text.contains("BEGIN PRIVATE KEY"),
        "{text}"
    );
    let openssl = std::process::Command::new("openssl")
        .args([
            "pkey",
            "-pubout",
            "-passin",
            "pass:correct horse battery",
            "-in",
        ])
        .arg(&path)
        .output()
        .expect("openssl runs");
    let public = String::from_utf8(openssl.stdout).expect("text");
    let key = store.open_key(&name("acme"), &with).expect("the key");
    assert_eq!(
        public,
        key.public().spki_pem(),
        "{}",
        String::from_utf8_lossy(&openssl.stderr)
    );
    assert_eq!(key.public().bits(), 4096);
    let shown =
        serde_json::to_string(&store.entry(&name("acme")).expect("an entry")).expect("json");
    assert!(!shown.contains("BEGIN") && shown.len() < 250, "{shown}");
}

#[test]
fn a_wrong_passphrase_opens_nothing() {
    let (_folder, store) = store();
    store
        .adopt(
            &name("acme"),
            &pem(),
            None,
            &phrase("correct horse battery"),
            Millis(0),
        )
        .expect("adopted");
    let wrong = store.signer(
        &name("acme"),
        UserId(uuid::Uuid::nil()),
        &phrase("incorrect horse battery"),
    );
    assert!(matches!(
        wrong,
        Err(KeystoreError::Key(KeyError::Passphrase))
    ));
    assert!(matches!(
        store.entry(&name("nobody")),
        Err(KeystoreError::None(_))
    ));
}

/// Whoever sealed it chose the passphrase, be it short; only our own has a least length.
#[test]
fn a_sealed_key_is_adopted_with_its_own_passphrase_and_told_of_without() {
    let (_folder, store) = store();
    let sealed = KEY.to_encrypted_pem(b"short").expect("sealed");
    let (with, now) = (phrase("correct horse battery"), Millis(0));
    let adopt = |pem: &str, foreign: Option<&str>| {
        let foreign = foreign.map(|text| ForeignPassphrase::new(text.to_owned()));
        store.adopt(&name("acme"), pem, foreign.as_ref(), &with, now)
    };
    let error = adopt(&sealed, None).expect_err("sealed");
    assert!(matches!(error, KeystoreError::Sealed), "{error}");
    assert!(
        error.to_string().contains("is encrypted") && error.to_string().contains("--sealed-with"),
        "{error}"
    );
    assert!(matches!(
        adopt(&sealed, Some("other")),
        Err(KeystoreError::Key(KeyError::Passphrase))
    ));
    let old = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAA==\n-----END RSA PRIVATE KEY-----\n";
    assert!(matches!(
        adopt(old, Some("short")),
        Err(KeystoreError::SealedOldForm)
    ));
    assert!(matches!(
        adopt(&pem(), Some("short")),
        Err(KeystoreError::NotSealed)
    ));
    adopt(&sealed, Some("short")).expect("adopted");
}

#[tokio::test]
async fn what_signs_does_so_with_the_client_s_key() {
    let (_folder, store) = store();
    let (with, user) = (phrase("correct horse battery"), UserId(uuid::Uuid::nil()));
    store
        .adopt(&name("acme"), &pem(), None, &with, Millis(0))
        .expect("adopted");
    let signer = store.signer(&name("acme"), user, &with).expect("a signer");
    let signature = signer.sign(b"input".to_vec()).await.expect("a signature");
    assert!(KEY.public().verifies_rs256(b"input", &signature));
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    let (folder, store) = store();
    let with = phrase("correct horse battery");
    store
        .adopt(&name("acme"), &pem(), None, &with, Millis(0))
        .expect("adopted");
    let path = folder.path().join("keys/acme.pem");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("chmod");
    assert!(matches!(
        store.open_key(&name("acme"), &with),
        Err(KeystoreError::Open(_))
    ));
}

/// Invariant 8: secrets never show in debug output.
#[test]
fn invariant_8_a_passphrase_does_not_print() {
    assert_eq!(
        format!("{:?}", phrase("correct horse battery")),
        "Passphrase"
    );
    let foreign = ForeignPassphrase::new("short".to_owned());
    assert_eq!(format!("{foreign:?}"), "ForeignPassphrase");
    assert!(matches!(
        Passphrase::new("short".to_owned()),
        Err(BadPassphrase::Short)
    ));
}

#[test]
fn one_passphrase_seals_all_keys() {
    let (_folder, store) = store();
    let with = phrase("correct horse battery");
    store
        .adopt(&name("acme"), &pem(), None, &with, Millis(0))
        .expect("adopted");
    let mistyped = phrase("correct horse batterz");
    assert!(matches!(
        store.make(&name("other"), KeySize::Rsa2048, &mistyped, Millis(0)),
        Err(KeystoreError::OtherPassphrase)
    ));
    assert_eq!(store.list().expect("a list").len(), 1);
}

/// Practice P2: only the request leaves, and it is one that a client's checks accept.
#[test]
fn p2_the_request_is_the_key_s_and_breaks_no_rule() {
    let (_folder, store) = store();
    let with = phrase("correct horse battery");
    let entry = store
        .make(&name("acme"), KeySize::Rsa2048, &with, Millis(0))
        .expect("made");
    let request = store
        .request(&name("acme"), "Provider Ltd", &with)
        .expect("a request");
    let key = protocol::csr::check(&request).expect("no rule broken");
    assert_eq!(key.fingerprint(), entry.fingerprint);
    assert!(!request.to_pem().contains("PRIVATE"));
}

/// A next key waits beside the client's key, and takes its place by one step.
#[tokio::test]
async fn a_key_is_replaced_and_whoever_signs_goes_on_with_the_new_one() {
    let (_folder, store) = store();
    let (with, acme) = (phrase("correct horse battery"), name("acme"));
    let next = || store.next(&acme).expect("read");
    assert!(matches!(
        store.make_next(&acme, KeySize::Rsa2048, &with, Millis(8)),
        Err(KeystoreError::None(_))
    ));
    let old = store
        .adopt(&acme, &pem(), None, &with, Millis(7))
        .expect("adopted");
    let user = UserId(uuid::Uuid::from_u128(1));
    let signer = store.signer(&acme, user, &with).expect("a signer");
    let signs = async || signer.sign(b"message".to_vec()).await.expect("signed");
    let made = store
        .make_next(&acme, KeySize::Rsa2048, &with, Millis(8))
        .expect("made");
    assert_ne!(made.fingerprint, old.fingerprint);
    assert_eq!(next(), Some(made.clone()));
    assert!(matches!(
        store.make_next(&acme, KeySize::Rsa2048, &with, Millis(9)),
        Err(KeystoreError::HasNext(_))
    ));
    // It changes nothing yet: the list, and what signs.
    assert_eq!(store.list().expect("a list"), [old]);
    assert!(KEY.public().verifies_rs256(b"message", &signs().await));
    let new = store.open_next(&acme, &with).expect("opened");
    let other = phrase("another passphrase");
    assert!(store.promote(&acme, &other).is_err());
    let promoted = store.promote(&acme, &with).expect("in its place");
    assert_eq!(promoted, made);
    assert_eq!((store.list().expect("a list"), next()), (vec![made], None));
    assert!(new.public().verifies_rs256(b"message", &signs().await));
}

#[test]
fn a_next_key_is_given_up() {
    let (_folder, store) = store();
    let (with, acme) = (phrase("correct horse battery"), name("acme"));
    let old = store
        .adopt(&acme, &pem(), None, &with, Millis(7))
        .expect("adopted");
    store
        .make_next(&acme, KeySize::Rsa2048, &with, Millis(8))
        .expect("made");
    store.discard_next(&acme).expect("given up");
    assert_eq!(store.next(&acme).expect("read"), None);
    assert_eq!(store.entry(&acme).expect("there"), old);
}
