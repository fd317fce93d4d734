//! Bodies that two readers could take differently, or that cost much to read. Each is signed as it is.

use super::attempt::{Attacker, Attempt, Gets};
use super::scene::Prey;
use crate::provider::transfer;

const WRITE: &str = "/v1/transactions";

pub fn right(by: &Attacker) -> Attempt {
    let body = transfer(1, 2, "0.5").to_string();
    let request = by.post(WRITE, body.as_bytes());
    Attempt::new("a right proposal", request, Gets::Taken)
}

pub fn attempts(by: &Attacker, _: &Prey) -> Vec<Attempt> {
    let right = transfer(1, 2, "0.5").to_string();
    let open = right.trim_end_matches('}');
    let with = |more: &str| format!("{open}}},{more}}}");
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("blanks alone", b"   ".to_vec()),
        ("an empty object", b"{}".to_vec()),
        ("null", b"null".to_vec()),
        ("a list", format!("[{right}]").into_bytes()),
        ("a text", b"\"TRANSFER\"".to_vec()),
        ("a number", b"1".to_vec()),
        ("two objects", format!("{right}{right}").into_bytes()),
        ("an object that breaks off", open.as_bytes().to_vec()),
        ("a comma too many", format!("{open}}},}}").into_bytes()),
        ("a comment", format!("/* */{right}").into_bytes()),
        ("single quotes", right.replace('"', "'").into_bytes()),
        ("a byte order mark", format!("\u{feff}{right}").into_bytes()),
        ("UTF-16", right.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("bytes that are no UTF-8", [right.as_bytes(), b"\xff"].concat()),
        ("half a surrogate", with("\"note\":\"\\ud800\"").into_bytes()),
        ("amount twice", with("\"amount\":\"1\"").into_bytes()),
        ("amount twice, once escaped", with("\"\\u0061mount\":\"1\"").into_bytes()),
        ("source twice", with("\"source\":{\"type\":\"VAULT_ACCOUNT\",\"id\":\"3\"}").into_bytes()),
        ("an id twice", right.replacen("\"id\":\"1\"", "\"id\":\"1\",\"id\":\"3\"", 1).into_bytes()),
        ("a prototype", with("\"__proto__\":{\"status\":\"COMPLETED\"}").into_bytes()),
        ("a constructor", with("\"constructor\":{\"prototype\":{}}").into_bytes()),
        ("very deep", with(&format!("\"note\":{}{}", "[".repeat(90_000), "]".repeat(90_000))).into_bytes()),
        ("very deep, and never closed", "[".repeat(500_000).into_bytes()),
        ("very wide", with(&format!("\"note\":[{}1]", "1,".repeat(400_000))).into_bytes()),
        ("a name without end", with(&format!("\"{}\":1", "n".repeat(500_000))).into_bytes()),
        ("a number of a million digits", with(&format!("\"amount2\":{}", "9".repeat(900_000))).into_bytes()),
        ("a form", b"operation=TRANSFER&assetId=ETH&amount=0.5".to_vec()),
        ("XML with an entity", b"<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><x>&e;</x>".to_vec()),
        ("YAML", b"operation: TRANSFER\n".to_vec()),
        ("NaN", right.replacen("\"0.5\"", "NaN", 1).into_bytes()),
        ("a tab within a text", right.replacen("TRANSFER", "TRANS\tFER", 1).into_bytes()),
    ];
    let mut all: Vec<_> = cases
        .into_iter()
        .map(|(name, body)| Attempt::new(name, by.post(WRITE, &body), Gets::Status(400)))
        .collect();
    let large = with(&format!("\"note\":\"{}\"", "n".repeat(3_000_000)));
    let large = by.post(WRITE, large.as_bytes());
    all.push(Attempt::new("larger than any", large, Gets::Status(413)));
    // A compressed body: what it is when it is unpacked was not signed, so it is not unpacked.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packed, &vec![b' '; 8 << 20]).expect("packed");
    let packed = packed.finish().expect("packed");
    for encoding in ["gzip", "deflate", "br", "zstd"] {
        let request = by.post(WRITE, &packed).and("Content-Encoding", encoding);
        all.push(Attempt::new(
            format!("a bomb of {encoding}"),
            request,
            Gets::Status(400),
        ));
    }
    all
}
