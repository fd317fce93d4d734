//! Keys in files that are no text, and in the forms of other platforms.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

/// The key of [`PKCS1`], as `openssl rsa`, `openssl pkcs8` and `openssl pkcs12` write it with `-outform DER`.
const PKCS1_DER: &[u8] = include_bytes!("../fixtures/rsa_pkcs1.der");
const PKCS8_DER: &[u8] = include_bytes!("../fixtures/rsa_pkcs8.der");
const OPEN_P12: &[u8] = include_bytes!("../fixtures/rsa_open.p12");
/// As keytool writes it.
const JKS: &[u8] = include_bytes!("../fixtures/rsa.jks");
/// As puttygen writes it.
const PPK: [&str; 2] = [
    include_str!("../fixtures/rsa_v2.ppk"),
    include_str!("../fixtures/rsa_v3.ppk"),
];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    out.write_all(bytes).expect("packed");
    out.finish().expect("packed")
}

/// The JWK's numbers as .NET writes them.
fn xml() -> String {
    let jwk: serde_json::Value = serde_json::from_str(JWK).expect("a JWK");
    let element = |(tag, name): (&str, &str)| {
        let bytes = URL_SAFE_NO_PAD.decode(jwk[name].as_str().expect("a number"));
        format!("<{tag}>{}</{tag}>", STANDARD.encode(bytes.expect("base64")))
    };
    let all: String = [
        ("Modulus", "n"),
        ("Exponent", "e"),
        ("P", "p"),
        ("Q", "q"),
        ("DP", "dp"),
        ("DQ", "dq"),
        ("InverseQ", "qi"),
        ("D", "d"),
    ]
    .map(element)
    .concat();
    format!("<RSAKeyValue>{all}</RSAKeyValue>")
}

fn found(input: &[u8], kind: Kind, proven: bool, name: &str) {
    let found = find(input).unwrap_or_else(|| panic!("{name} was missed"));
    let public = PublicKey::from_pem(PUBLIC).expect("a key");
    assert_eq!(found.kind, kind, "{name}");
    assert_eq!(found.proven, proven.then_some(public), "{name}");
}

#[test]
fn files_of_other_programs_are_proven_where_they_are_open() {
    found(PKCS1_DER, Kind::Pkcs1, true, "PKCS#1");
    found(PKCS8_DER, Kind::Pkcs8, true, "PKCS#8");
    // An open PKCS#12 file has the key in it as PKCS#8.
    found(OPEN_P12, Kind::Pkcs8, true, "PKCS#12");
    found(JKS, Kind::JavaKeystore, false, "JKS");
    for ppk in PPK {
        found(ppk.as_bytes(), Kind::Putty, true, "PuTTY");
        let json = serde_json::json!({ "note": ppk }).to_string();
        found(json.as_bytes(), Kind::Putty, true, "PuTTY in JSON");
    }
    let xml = xml();
    found(xml.as_bytes(), Kind::Xml, true, "XML");
    let json = serde_json::json!({ "note": xml }).to_string();
    found(json.as_bytes(), Kind::Xml, true, "XML in JSON");
    let escaped = xml.replace('<', "&lt;").replace('>', "&gt;");
    found(escaped.as_bytes(), Kind::Xml, true, "XML in XML");
    let cut = &xml[..xml.len() - 60];
    found(cut.as_bytes(), Kind::Xml, false, "XML cut off");
    let public = xml.split("<P>").next().expect("the public half");
    assert_eq!(find(format!("{public}</RSAKeyValue>").as_bytes()), None);
}

#[test]
fn gzip_hides_nothing() {
    let once = gzip(PKCS1.as_bytes());
    let twice = gzip(&gzip(PKCS8_DER));
    let beside = [b"{\"version\": 1}\n".as_slice(), &once].concat();
    let base64 = serde_json::json!({"note": STANDARD.encode(&once)}).to_string();
    found(&once, Kind::Pkcs1, true, "gzip");
    found(&twice, Kind::Pkcs8, true, "gzip in gzip");
    found(&beside, Kind::Pkcs1, true, "gzip after JSON");
    found(
        base64.as_bytes(),
        Kind::Pkcs1,
        true,
        "gzip in base64 in JSON",
    );
    found(&gzip(xml().as_bytes()), Kind::Xml, true, "XML in gzip");
    let cut = &once[..once.len() - 8];
    assert!(find(cut).is_some(), "cut off");
    assert_eq!(find(&gzip(PUBLIC.as_bytes())), None);
}

#[test]
fn gzip_that_is_too_large_or_too_deep_is_not_called_clean() {
    let unsearchable = Some(Kind::Unsearchable);
    let bomb = gzip(&vec![b' '; 64 * MAX_INPUT]);
    assert!(bomb.len() < MAX_INPUT);
    assert_eq!(find(&bomb).map(|found| found.kind), unsearchable);
    let deep = (0..8).fold(PUBLIC.as_bytes().to_vec(), |inner, _| gzip(&inner));
    assert_eq!(find(&deep).map(|found| found.kind), unsearchable);
    // Many small ones cost no more than a large one.
    let many = gzip(b" ").repeat(MAX_INPUT / 32);
    assert_eq!(find(&many).map(|found| found.kind), unsearchable);
}

/// UTF-16 in a JSON string: each letter with its zero byte, escaped.
#[test]
fn the_zeros_of_utf_16_hide_nothing_in_json() {
    let wide: String = PKCS1.chars().flat_map(|char| [char, '\0']).collect();
    let json = serde_json::json!({ "note": wide }).to_string();
    found(json.as_bytes(), Kind::Pkcs1, true, "UTF-16 in JSON");
}

/// A zip archive; streamed, its entries do not say how long they are.
fn zip(name: &str, bytes: &[u8], streamed: bool) -> Vec<u8> {
    use std::io::Cursor;
    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;
    let options = SimpleFileOptions::default();
    if streamed {
        let mut archive = ZipWriter::new_stream(Vec::new());
        archive.start_file(name, options).expect("a file");
        archive.write_all(bytes).expect("written");
        return archive.finish().expect("packed").into_inner();
    }
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file("readme.txt", options).expect("a file");
    archive.write_all(b"see the other file").expect("written");
    archive.start_file(name, options).expect("a file");
    archive.write_all(bytes).expect("written");
    archive.finish().expect("packed").into_inner()
}

#[test]
fn zip_hides_nothing() {
    for streamed in [false, true] {
        let once = zip("key.pem", PKCS1.as_bytes(), streamed);
        let twice = zip("inner.zip", &zip("key.der", PKCS8_DER, streamed), streamed);
        let beside = [b"{\"version\": 1}\n".as_slice(), &once].concat();
        // Two archives in one file: only the second one's directory is at the end.
        let second = zip("hello.txt", b"Hello", streamed);
        let first_of_two = [once.as_slice(), &second].concat();
        let base64 = serde_json::json!({"note": STANDARD.encode(&once)}).to_string();
        found(&once, Kind::Pkcs1, true, "zip");
        found(&twice, Kind::Pkcs8, true, "zip in zip");
        found(&beside, Kind::Pkcs1, true, "zip after JSON");
        found(
            base64.as_bytes(),
            Kind::Pkcs1,
            true,
            "zip in base64 in JSON",
        );
        let ppk = zip("key.ppk", PPK[1].as_bytes(), streamed);
        found(&gzip(&ppk), Kind::Putty, true, "PuTTY in zip in gzip");
        assert!(find(&first_of_two).is_some(), "the first of two archives");
        assert!(find(&once[..once.len() - 30]).is_some(), "cut off");
        assert_eq!(find(&zip("key.pub", PUBLIC.as_bytes(), streamed)), None);
    }
}

#[test]
fn what_is_packed_otherwise_is_not_called_clean() {
    let unsearchable = Some(Kind::Unsearchable);
    let bomb = zip("a", &vec![b' '; 64 * MAX_INPUT], false);
    assert_eq!(find(&bomb).map(|found| found.kind), unsearchable);
    for magic in [
        b"BZh91AY&SY".as_slice(),
        b"\xfd7zXZ\0",
        b"\x28\xb5\x2f\xfd",
        b"7z\xbc\xaf\x27\x1c",
        b"Rar!\x1a\x07",
    ] {
        let file = [magic, b"whatever it is"].concat();
        assert_eq!(find(&file).map(|found| found.kind), unsearchable);
    }
}
