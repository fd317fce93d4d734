use std::io::{Cursor, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::keys::tests::KEY;

const SOUND: &str = include_str!("../fixtures/rsa_2048.pem");
const OTHER: &str = include_str!("../fixtures/rsa_1024.pem");

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = SimpleFileOptions::default();
        archive.start_file(*name, options).expect("a file");
        archive.write_all(bytes).expect("written");
    }
    archive.finish().expect("packed").into_inner()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    out.write_all(bytes).expect("packed");
    out.finish().expect("packed")
}

fn sound() -> CertificateSigningRequest {
    CertificateSigningRequest::from_pem(SOUND).expect("a request")
}

fn quoted_printable(text: &str) -> String {
    let body = text.replace('=', "=3D");
    let soft = |line: &str| {
        let (head, tail) = line.split_at(line.len().min(40));
        if tail.is_empty() {
            head.to_owned()
        } else {
            format!("{head}=\r\n{tail}")
        }
    };
    body.lines().map(soft).collect::<Vec<_>>().join("\r\n")
}

#[test]
fn the_request_is_found_in_whatever_carried_it() {
    let request = sound();
    let mail = format!(
        "Hi,\r\n\r\nour request:\r\n\r\n{}\r\nRegards\r\n",
        SOUND.replace('\n', "\r\n")
    );
    let quoted: String = SOUND
        .lines()
        .map(|line| format!("> > {line}\r\n"))
        .collect();
    let html = format!(
        "<html><body><p>Hi</p><pre>{}</pre></body></html>",
        SOUND.replace('\n', "<br>\r\n")
    );
    let both = format!(
        "--b\r\nContent-Type: text/plain\r\n\r\n{mail}\r\n--b\r\nContent-Type: text/html\r\n\r\n{html}\r\n--b--\r\n"
    );
    let printable = format!(
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n{}",
        quoted_printable(&mail)
    );
    let attached = format!(
        "Content-Transfer-Encoding: base64\r\n\r\n{}\r\n--b--",
        STANDARD
            .encode(SOUND)
            .as_bytes()
            .chunks(76)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect::<Vec<_>>()
            .join("\r\n")
    );
    let json = serde_json::json!({"note": "see below", "csr": SOUND}).to_string();
    let wide: Vec<u8> = SOUND.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let new = SOUND.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST");
    for (name, paste) in [
        ("PEM", SOUND.as_bytes().to_vec()),
        ("DER", request.der().to_vec()),
        ("NEW", new.into_bytes()),
        ("mail", mail.into_bytes()),
        ("quoted", quoted.into_bytes()),
        ("HTML", html.into_bytes()),
        ("text and HTML", both.into_bytes()),
        ("quoted-printable", printable.into_bytes()),
        ("attachment", attached.into_bytes()),
        ("JSON", json.into_bytes()),
        ("UTF-16", wide),
        ("gzip", gzip(SOUND.as_bytes())),
        (
            "zip",
            zip(&[
                ("readme.txt", b"Our request."),
                ("acme.csr", SOUND.as_bytes()),
            ]),
        ),
        ("DER in zip", zip(&[("acme.der", request.der())])),
        (
            "zip in base64",
            STANDARD
                .encode(zip(&[("acme.csr", SOUND.as_bytes())]))
                .into_bytes(),
        ),
        (
            "zip in PEM",
            pem::encode(&pem::Pem::new(
                LABELS[0],
                zip(&[("acme.csr", SOUND.as_bytes())]),
            ))
            .into_bytes(),
        ),
    ] {
        assert_eq!(read(&paste), Ok(request.clone()), "{name}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let public = KEY.public().spki_pem();
    let certificate = include_str!("../../private_key/fixtures/certificate.pem");
    let damaged = SOUND.replacen("MII", "MIJ", 1);
    let sealed = "-----BEGIN PGP MESSAGE-----\n\nhQEMA\n-----END PGP MESSAGE-----\n";
    for (paste, wrong) in [
        (b"".to_vec(), CsrError::None),
        (b"Please find it attached.".to_vec(), CsrError::None),
        (format!("{SOUND}{OTHER}").into_bytes(), CsrError::Several(2)),
        (
            zip(&[("a.csr", SOUND.as_bytes()), ("b.csr", OTHER.as_bytes())]),
            CsrError::Several(2),
        ),
        (public.into_bytes(), CsrError::Instead(Instead::PublicKey)),
        (
            b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ acme".to_vec(),
            CsrError::Instead(Instead::PublicKey),
        ),
        (
            certificate.as_bytes().to_vec(),
            CsrError::Instead(Instead::Certificate),
        ),
        (
            sealed.as_bytes().to_vec(),
            CsrError::Instead(Instead::Sealed),
        ),
        (damaged.into_bytes(), CsrError::Unreadable),
        (SOUND.as_bytes()[..600].to_vec(), CsrError::Unreadable),
        (vec![b' '; MAX_PASTE + 1], CsrError::TooLarge),
        (b"7z\xbc\xaf\x27\x1c and so on".to_vec(), CsrError::Packed),
        (gzip(&vec![b' '; 64 * MAX_PASTE]), CsrError::Packed),
    ] {
        let shown = String::from_utf8_lossy(&paste).into_owned();
        assert_eq!(read(&paste), Err(wrong), "{shown:.60}");
    }
}

#[test]
fn a_request_that_hides_others_costs_no_more_than_its_bounds() {
    // Every byte begins something that says it is long.
    let greedy = [0x30, 0x82, 0x3f, 0x00].repeat(MAX_PASTE / 4);
    assert!(read(&greedy).is_err());
    let deep = (0..8).fold(SOUND.as_bytes().to_vec(), |inner, _| gzip(&inner));
    assert_eq!(read(&deep), Err(CsrError::Packed));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn it_is_found_in_any_nesting(wraps in proptest::collection::vec(0u8..6, 0..4)) {
        let wrapped = wraps.iter().fold(SOUND.as_bytes().to_vec(), |inner, how| match how {
            0 => gzip(&inner),
            1 => zip(&[("file", &inner)]),
            2 => STANDARD.encode(&inner).into_bytes(),
            3 => serde_json::json!({"text": STANDARD.encode(&inner)}).to_string().into_bytes(),
            4 => [b"Dear client,\r\n\r\n", inner.as_slice(), b"\r\n\r\nRegards"].concat(),
            _ => format!("<p>{}</p>", STANDARD.encode(&inner)).into_bytes(),
        });
        prop_assert_eq!(read(&wrapped), Ok(sound()));
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(read(&bytes).is_err());
    }
}
