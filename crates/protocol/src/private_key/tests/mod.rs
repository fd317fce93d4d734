use super::*;
use crate::csr::CertificateSigningRequest;
use crate::ed25519;
use crate::keys::tests::{KEY, OTHER};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

mod forged;
mod limits;
mod packed;
mod properties;

const PKCS1: &str = include_str!("../fixtures/rsa_pkcs1.pem");
const JWK: &str = include_str!("../fixtures/rsa_private.jwk");
const OPENSSH: &str = include_str!("../fixtures/rsa_openssh.pem");
const PUBLIC: &str = include_str!("../fixtures/rsa_public.pem");
const P12: &[u8] = include_bytes!("../fixtures/bundle.p12");

/// What other programs write, and whether it can be proven.
const FIXTURES: [(&str, Kind, bool); 10] = [
    (PKCS1, Kind::Pkcs1, true),
    (OPENSSH, Kind::OpenSsh, true),
    (JWK, Kind::Jwk, true),
    (
        include_str!("../fixtures/rsa_encrypted_pkcs1.pem"),
        Kind::Pkcs1,
        false,
    ),
    (
        include_str!("../fixtures/rsa_encrypted_pkcs8.pem"),
        Kind::EncryptedPkcs8,
        false,
    ),
    (include_str!("../fixtures/ec_sec1.pem"), Kind::Sec1, false),
    (include_str!("../fixtures/ec_pkcs8.pem"), Kind::Pkcs8, false),
    (
        include_str!("../fixtures/ed25519_pkcs8.pem"),
        Kind::Pkcs8,
        false,
    ),
    (include_str!("../fixtures/dsa.pem"), Kind::Pkcs8, false),
    (
        include_str!("../fixtures/ed25519_encrypted_openssh.pem"),
        Kind::OpenSsh,
        false,
    ),
];

fn der_of(pem: &str) -> Vec<u8> {
    pem::parse(pem).expect("pem").into_contents()
}

fn wrapped(text: &str, width: usize) -> String {
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(width)
        .map(|line| std::str::from_utf8(line).expect("ascii"))
        .collect();
    lines.join("\n")
}

#[test]
fn every_form_is_found_and_rsa_is_proven() {
    let public = PublicKey::from_pem(PUBLIC).expect("a key");
    for (text, kind, provable) in FIXTURES {
        let found = find(text.as_bytes()).unwrap_or_else(|| panic!("{kind:?} was missed"));
        assert_eq!(found.kind, kind);
        assert_eq!(
            found.proven.as_ref(),
            provable.then_some(&public),
            "{kind:?}"
        );
    }
}

#[test]
fn der_is_found_without_words_around_it() {
    for (text, kind, provable) in FIXTURES {
        let Ok(pem) = pem::parse(text) else { continue };
        if pem.headers().iter().next().is_some() {
            continue; // Its DER is encrypted, and looks like nothing.
        }
        let der = pem.into_contents();
        for input in [
            der.clone(),
            [b"\0\x01junk".as_slice(), &der, b"junk"].concat(),
        ] {
            let found = find(&input).unwrap_or_else(|| panic!("{kind:?} was missed"));
            assert_eq!((found.kind, found.proven.is_some()), (kind, provable));
        }
        // Cut off, it is not proven.
        let cut = find(&der[..der.len() - 5]).unwrap_or_else(|| panic!("{kind:?} was missed"));
        assert_eq!((cut.kind, cut.proven), (kind, None));
    }
    assert_eq!(find(P12).map(|found| found.kind), Some(Kind::Pkcs12));
    let encoded = STANDARD.encode(P12);
    assert_eq!(
        find(encoded.as_bytes()).map(|found| found.kind),
        Some(Kind::Pkcs12)
    );
}

#[test]
fn dsa_in_its_own_form_and_p12_of_unknown_length_are_found() {
    // SEQUENCE { 0, p (128 bytes), q (20), g (128), y (128), x (20) }
    let number = |len: u8| [&[0x02, 0x81, len][..], &vec![0x55; usize::from(len)]].concat();
    let numbers: Vec<u8> = [128, 20, 128, 128, 20]
        .into_iter()
        .flat_map(number)
        .collect();
    let len = u16::try_from(numbers.len() + 3)
        .expect("short")
        .to_be_bytes();
    let dsa = [
        &[0x30, 0x82, len[0], len[1], 0x02, 0x01, 0x00][..],
        &numbers,
    ]
    .concat();
    assert_eq!(find(&dsa).map(|found| found.kind), Some(Kind::Dsa));
    let endless = [&[0x30, 0x80, 0x02, 0x01, 0x03, 0x30, 0x80][..], &P12[11..]].concat();
    assert_eq!(find(&endless).map(|found| found.kind), Some(Kind::Pkcs12));
}

#[test]
fn a_pasted_mail_hides_nothing() {
    let public = PublicKey::from_pem(PUBLIC).expect("a key");
    let quoted: String = PKCS1
        .lines()
        .map(|line| format!("> > {line}\r\n"))
        .collect();
    let json = serde_json::json!({"note": PKCS1}).to_string();
    let twice = serde_json::json!({ "body": json }).to_string();
    let utf16: Vec<u8> = PKCS1.bytes().flat_map(|byte| [byte, 0]).collect();
    let percent: String = PKCS1.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let printable = PKCS1.replace('=', "=3D").replace("MI", "M=\r\nI");
    let html = format!("<p>Hi</p><p>{}</p>", PKCS1.replace('\n', "<br/>&nbsp;"));
    let words = format!(
        "Dear all,\nhere is the key {} as asked\n\nRegards",
        STANDARD.encode(der_of(PKCS1))
    );
    let mime = format!(
        "--b_0123456789abcdef0123\nContent-Transfer-Encoding: base64\n\n{}\n--b_0123456789abcdef0123--\n",
        wrapped(&STANDARD.encode(format!("Our new key:\n\n{PKCS1}")), 76)
    );
    let hex = hex::encode_upper(der_of(PKCS1));
    let colons: Vec<String> = der_of(PKCS1)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    for (name, input) in [
        ("quoted", quoted.as_bytes()),
        ("indented", PKCS1.replace('\n', "\n\t   ").as_bytes()),
        ("returns", PKCS1.replace('\n', "\r\n").as_bytes()),
        ("one line", PKCS1.replace('\n', " ").as_bytes()),
        ("json", json.as_bytes()),
        ("json in json", twice.as_bytes()),
        ("utf-16", &utf16),
        ("percent", percent.as_bytes()),
        ("printable", printable.as_bytes()),
        ("html", html.as_bytes()),
        ("words", words.as_bytes()),
        ("mime", mime.as_bytes()),
        ("hex", hex.as_bytes()),
        ("colons", colons.join(":").as_bytes()),
        ("jwk as yaml", JWK.replace(['"', ','], "").as_bytes()),
        (
            "jwk in a set",
            format!("{{\"keys\":[{{\"kty\":\"EC\"}},{JWK}]}}").as_bytes(),
        ),
        (
            "jwk in a string",
            serde_json::json!({"key": JWK}).to_string().as_bytes(),
        ),
        (
            "jwk cut off before its primes",
            &JWK.as_bytes()[..JWK.find("\"p\"").expect("p")],
        ),
        ("openssh quoted", OPENSSH.replace('\n', "\n> ").as_bytes()),
    ] {
        let found = find(input).unwrap_or_else(|| panic!("{name} was missed"));
        assert_eq!(found.proven.as_ref(), Some(&public), "{name}");
    }
}

#[test]
fn pieces_are_found_as_well() {
    let header = PKCS1.lines().next().expect("a line");
    let jwk: String = JWK.replace([' ', '\n'], "");
    for text in [
        header,
        "-----BEGIN PRIVATE KEY",
        "----BEGIN+RSA+PRIVATE+KEY----",
        "—–BEGIN PRIVATE KEY—–",
        &PKCS1[..200],
        &PKCS1[PKCS1.len() - 200..],
        "-----BEGIN PGP PRIVATE KEY BLOCK-----",
        "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----",
        "-----BEGIN ANY NEW PRIVATE KEY-----",
        "PuTTY-User-Key-File-3: ssh-rsa\nEncryption: none\nPrivate-Lines: 14\nAAAA",
        "Private-Key: (2048 bit, 2 primes)\nmodulus:\n 00:ab\nprivateExponent:\n 3f:11",
        &jwk[..jwk.find("\"d\"").expect("d") + 100],
        "{'crv':'Ed25519','d':'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A','kty':'OKP'",
    ] {
        let found = find(text.as_bytes());
        assert!(found.is_some(), "{text}");
        assert_eq!(found.and_then(|found| found.proven), None, "{text}");
    }
}

#[test]
fn each_proven_key_is_told_once() {
    let pem = |key: &crate::keys::PrivateKey| key.to_pkcs8_pem().expect("pem").to_string();
    let input = format!("{}{}{0}{}", pem(&KEY), PKCS1, pem(&OTHER));
    let found = find_all(input.as_bytes());
    let keys: Vec<_> = found.into_iter().filter_map(|found| found.proven).collect();
    let own = PublicKey::from_pem(PUBLIC).expect("a key");
    assert_eq!(keys, [KEY.public().clone(), own, OTHER.public().clone()]);
}

#[test]
fn a_changed_key_is_found_and_not_proven() {
    let mut der = der_of(PKCS1);
    let at = der.len() - 40;
    der[at] ^= 1;
    let found = find(&der).expect("found");
    assert_eq!((found.kind, found.proven), (Kind::Pkcs1, None));
    let jwk = JWK.replace("\"d\": \"", "\"d\": \"A");
    let found = find(jwk.as_bytes()).expect("found");
    assert_eq!((found.kind, found.proven), (Kind::Jwk, None));
}

#[test]
fn what_is_public_is_left_alone() {
    let csr = CertificateSigningRequest::new(&KEY, "Example", None).expect("made");
    let jwks = crate::signature::Jwks {
        keys: vec![crate::signature::Jwk {
            kid: "d".to_owned(),
            key: KEY.public().clone(),
        }],
    };
    let certificate = include_str!("../fixtures/certificate.pem");
    let token = format!(
        "eyJhbGciOiJSUzI1NiJ9.{}.{}",
        URL_SAFE_NO_PAD.encode(r#"{"uri":"/v1/vault/accounts_paged?d=1","sub":"x"}"#),
        URL_SAFE_NO_PAD.encode(KEY.sign_rs256(b"x").expect("signed"))
    );
    let log_key = ed25519::SigningKey::generate().expect("a key").public();
    let json = serde_json::json!({
        "csr": csr.to_pem(), "jwks": jwks.to_json(), "log_key": log_key, "d": "a".repeat(10),
        "ids": vec!["6ba7b810-9dad-11d1-80b4-00c04fd430c8"; 200],
        "hash": "0x3082".to_owned() + &"ab".repeat(64), "certificate": certificate,
    });
    for text in [
        "",
        "{}",
        PUBLIC,
        certificate,
        include_str!("../fixtures/ssh_public.txt"),
        &csr.to_pem(),
        &STANDARD.encode(csr.der()),
        &STANDARD.encode(csr.to_pem()),
        &hex::encode(csr.der()),
        &jwks.to_json(),
        &STANDARD.encode(jwks.to_json()),
        &token,
        &json.to_string(),
        &serde_json::json!([json.to_string()]).to_string(),
        "Please never send us your private key. The PRIVATE KEY stays with you, in the end.",
        "-----BEGIN CERTIFICATE REQUEST-----\nnot a PRIVATE KEY",
        "SEND PRIVATE KEYS NOWHERE",
        "The header `Private-Key: yes` says nothing.",
        "{\"kty\":\"RSA\",\"n\":\"abc\",\"e\":\"AQAB\",\"d\":null}",
        "a: 1\nd: see the page https://example.com/a/very/long/path/without/any/end\nn: 5",
    ] {
        assert_eq!(find(text.as_bytes()), None, "{text}");
    }
    for der in [KEY.public().spki_der(), csr.der(), &der_of(certificate)] {
        assert_eq!(find(der), None);
    }
}

/// Invariant 8: secrets never show in debug output.
#[test]
fn invariant_8_what_was_found_shows_nothing_of_it() {
    let secret = JWK
        .split('"')
        .find(|part| part.len() > 300)
        .expect("a number");
    for (text, ..) in FIXTURES {
        let shown = format!("{:?}", find(text.as_bytes()));
        assert!(
            shown.len() < 200 && !shown.contains(&secret[..12]),
            "{shown}"
        );
    }
}

/// One that nobody can look into is told of beside one that is proven; one that is proven, alone, is all.
#[test]
fn what_is_not_proven_is_told_of_beside_what_is() {
    let legacy = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    let mangled = "-----BEGIN PRIVATE KEY-----\n[cut]\n-----END PRIVATE KEY-----\n";
    let encrypted = include_str!("../fixtures/rsa_encrypted_pkcs8.pem");
    for alone in [PKCS1, JWK, include_str!("../fixtures/rsa_openssh.pem")] {
        let proven = |text: &str| -> Vec<bool> {
            let found = find_all(text.as_bytes());
            found.iter().map(|found| found.proven.is_some()).collect()
        };
        let wrapped = serde_json::json!({"key": STANDARD.encode(alone)}).to_string();
        for one in [alone, &wrapped] {
            assert_eq!(proven(one), [true], "{one}");
            for other in [legacy, encrypted] {
                let packed = STANDARD.encode(other);
                for other in [other, &packed] {
                    assert_eq!(
                        proven(&format!("{one}\n\n{other}")),
                        [true, false],
                        "{one}\n{other}"
                    );
                    assert_eq!(
                        proven(&format!("{other}\n\n{one}")),
                        [true, false],
                        "{other}\n{one}"
                    );
                }
            }
        }
    }
    let found = find_all(format!("{PKCS1}{mangled}").as_bytes());
    assert_eq!(found.len(), 2, "a block that shows nothing");
}
