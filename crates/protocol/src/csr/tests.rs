use super::*;
use crate::keys::tests::KEY;
use proptest::prelude::*;

fn fixture(text: &str) -> Result<EnrollableKey, Vec<Broken>> {
    check(&CertificateSigningRequest::from_pem(text).expect("a request"))
}

const SOUND: &str = include_str!("fixtures/rsa_2048.pem");

#[test]
fn what_openssl_makes_is_enrolled() {
    let key = fixture(SOUND).expect("sound");
    assert_eq!(key.public_key().bits(), 2048);
    assert_eq!(key.fingerprint(), key.public_key().fingerprint());
    assert_eq!(
        key.subject().organization.as_deref(),
        Some("Example Accounting")
    );
    assert_eq!(key.subject().common_name.as_deref(), Some("vestibule test"));
    assert!(!key.is_development_key());
}

#[test]
fn what_is_made_here_is_enrolled() {
    let request =
        CertificateSigningRequest::new(&KEY, "Ünïted & Söns, Inc.", None).expect("a request");
    let again = CertificateSigningRequest::from_pem(&request.to_pem()).expect("a request");
    assert_eq!(again, request);
    let key = check(&again).expect("sound");
    assert_eq!(key.public_key(), KEY.public());
    assert_eq!(
        key.subject().organization.as_deref(),
        Some("Ünïted & Söns, Inc.")
    );
    assert_eq!(key.subject().common_name, None);
}

#[test]
fn names_are_short_and_printable() {
    for name in ["", "  ", "a\nb", "a\u{202e}b", &"x".repeat(65)] {
        let made = CertificateSigningRequest::new(&KEY, name, None);
        assert_eq!(made, Err(CsrError::Name), "{name:?}");
        let made = CertificateSigningRequest::new(&KEY, "x", Some(name));
        assert_eq!(made, Err(CsrError::Name), "{name:?}");
    }
}

#[test]
fn each_broken_rule_is_named() {
    let cases = [
        (include_str!("fixtures/rsa_1024.pem"), Broken::Size(1024)),
        (include_str!("fixtures/ec_p256.pem"), Broken::NotRsa),
        (include_str!("fixtures/ed25519.pem"), Broken::NotRsa),
        (include_str!("fixtures/exponent_1.pem"), Broken::Exponent),
        (include_str!("fixtures/exponent_3.pem"), Broken::Exponent),
        (include_str!("fixtures/sha1.pem"), Broken::Algorithm),
    ];
    for (text, rule) in cases {
        let broken = fixture(text).expect_err("broken");
        assert!(broken.contains(&rule), "{broken:?} without {rule:?}");
        // A key of another kind is signed with another algorithm as well.
        let others = broken.iter().filter(|other| **other != rule);
        assert!(
            others
                .copied()
                .all(|other| rule == Broken::NotRsa && other == Broken::Algorithm),
            "{broken:?}"
        );
    }
}

#[test]
fn a_flipped_byte_breaks_the_signature() {
    let sound = CertificateSigningRequest::from_pem(SOUND).expect("a request");
    let last = sound.der.len() - 1;
    let subject = sound
        .der
        .windows(7)
        .position(|bytes| bytes == b"Example")
        .expect("the name");
    for at in [last, subject] {
        let mut der = sound.der.clone();
        der[at] ^= 1;
        let request = CertificateSigningRequest::from_der(&der).expect("still a request");
        assert_eq!(check(&request), Err(vec![Broken::Signature]));
    }
}

#[test]
fn exactly_one_request_is_read() {
    let read = CertificateSigningRequest::from_pem;
    let new = SOUND.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST");
    assert!(read(&new).is_ok());
    assert!(read(&SOUND.replace('\n', "\r\n")).is_ok());
    assert!(read(&format!("Our request:\n\n{SOUND}\nRegards\n")).is_ok());
    assert_eq!(read(&SOUND.repeat(2)), Err(CsrError::NotOnePem));
    assert_eq!(read(""), Err(CsrError::NotOnePem));
    assert_eq!(read("MIIC"), Err(CsrError::NotOnePem));
    assert_eq!(read(&SOUND[..600]), Err(CsrError::NotOnePem));
    assert_eq!(
        read(&SOUND.replace("CERTIFICATE REQUEST", "CERTIFICATE")),
        Err(CsrError::Label)
    );
    assert_eq!(
        read(&KEY.to_pkcs8_pem().expect("pem")),
        Err(CsrError::Label)
    );
    assert_eq!(
        read(&KEY.public().spki_pem().replace("PUBLIC KEY", LABELS[0])),
        Err(CsrError::Unreadable)
    );
    assert_eq!(
        read(&format!("{SOUND}{}", " ".repeat(MAX_LEN))),
        Err(CsrError::TooLarge)
    );
    let sound = read(SOUND).expect("a request");
    let longer = [sound.der(), &[0]].concat();
    assert_eq!(
        CertificateSigningRequest::from_der(&longer),
        Err(CsrError::Unreadable)
    );
}

#[test]
fn a_name_is_shown_without_tricks() {
    let mut name = DistinguishedName::new();
    name.push(
        DnType::OrganizationName,
        format!("a\u{202e}\n{}", "x".repeat(100)),
    );
    let mut params = CertificateParams::default();
    params.distinguished_name = name;
    let made = params
        .serialize_request(&Signer::of(&KEY).expect("a signer"))
        .expect("made");
    let request = CertificateSigningRequest::from_der(made.der()).expect("a request");
    let shown = check(&request).expect("sound").subject().clone();
    let expected = format!("a\u{fffd}\u{fffd}{}", "x".repeat(61));
    assert_eq!(shown.organization, Some(expected));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn names_round_trip(
        organization in "[a-zA-Z0-9äßé漢 .,&+=/\"'-]{0,30}[a-z]",
        common_name in proptest::option::of("[a-z0-9.-]{1,64}"),
    ) {
        let made = CertificateSigningRequest::new(&KEY, &organization, common_name.as_deref()).expect("made");
        let key = check(&CertificateSigningRequest::from_pem(&made.to_pem()).expect("read")).expect("sound");
        prop_assert_eq!(key.subject().organization.as_deref(), Some(organization.as_str()));
        prop_assert_eq!(&key.subject().common_name, &common_name);
    }

    #[test]
    fn no_flipped_bit_is_enrolled(at in 0usize..650, bit in 0u8..8) {
        let sound = CertificateSigningRequest::from_pem(SOUND).expect("a request");
        let mut der = sound.der.clone();
        let at = at % der.len();
        der[at] ^= 1 << bit;
        if let Ok(request) = CertificateSigningRequest::from_der(&der) {
            prop_assert!(check(&request).is_err(), "byte {}", at);
        }
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in ".{0,200}") {
        prop_assert!(CertificateSigningRequest::from_der(&bytes).is_err());
        prop_assert!(CertificateSigningRequest::from_pem(&text).is_err());
    }
}
