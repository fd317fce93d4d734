//! Webhook signatures and sets of keys.
//! Input: the signature header, a line end, the body; or a set of keys.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use protocol::keys::PublicKey;
use protocol::signature::{Jwk, Jwks, verify_jws, verify_legacy};

static KEYS: LazyLock<Jwks> = LazyLock::new(|| {
    let pem = include_str!("../../src/private_key/fixtures/rsa_public.pem");
    let key = PublicKey::from_pem(pem).ok();
    let named = |key| Jwk {
        kid: "test".to_owned(),
        key,
    };
    Jwks {
        keys: key.map(named).into_iter().collect(),
    }
});

fuzz_target!(|data: &[u8]| {
    if let Ok(set) = Jwks::parse(data) {
        assert_eq!(Jwks::parse(set.to_json().as_bytes()), Ok(set));
    }
    let at = data.iter().position(|byte| *byte == b'\n');
    let (header, body) = data.split_at(at.unwrap_or(data.len()));
    let body = body.get(1..).unwrap_or_default();
    let Ok(header) = std::str::from_utf8(header) else {
        return;
    };
    let _ = verify_jws(header, body, &KEYS);
    for key in &KEYS.keys {
        let _ = verify_legacy(header, body, &key.key);
    }
});
