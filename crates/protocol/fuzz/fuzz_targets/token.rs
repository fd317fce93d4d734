//! Request tokens: reading, and verifying under a key whose private half made the seeds.
//! Input: the `Authorization` header, a line end, the body.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use protocol::keys::PublicKey;
use protocol::token::{self, Expected};

static KEY: LazyLock<Option<PublicKey>> = LazyLock::new(|| {
    PublicKey::from_pem(include_str!(
        "../../src/private_key/fixtures/rsa_public.pem"
    ))
    .ok()
});

fuzz_target!(|data: &[u8]| {
    let at = data.iter().position(|byte| *byte == b'\n');
    let (header, body) = data.split_at(at.unwrap_or(data.len()));
    let Ok(header) = std::str::from_utf8(header) else {
        return;
    };
    let (Ok(read), Some(key)) = (token::read(header), KEY.as_ref()) else {
        return;
    };
    let expected = Expected {
        user: "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
            .parse()
            .expect("an id"),
        target: "/v1/vault/accounts_paged?limit=20",
        now: 1_800_000_010,
    };
    if let Ok(verified) = read.verify(key, &expected) {
        assert_eq!(verified.user(), expected.user);
        assert!(verified.expires_at() > expected.now);
        let _ = verified.accept_body(body.get(1..).unwrap_or_default());
    }
});
