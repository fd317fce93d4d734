//! Wycheproof's vectors for RSASSA-PKCS1-v1_5 against what verifies request tokens and webhooks.

#![expect(clippy::expect_used, reason = "a test may stop at the first surprise")]

use protocol::keys::PublicKey;
use wycheproof::TestResult;
use wycheproof::rsa_pkcs1_verify::{TestName, TestSet};

type Verify = fn(&PublicKey, &[u8], &[u8]) -> bool;

/// Counts vectors; each is answered as Wycheproof says, and what is merely acceptable is refused.
fn judge(names: &[TestName], verify: Verify) -> usize {
    let mut judged = 0;
    for name in names {
        let set = TestSet::load(*name).expect("vectors");
        for group in &set.test_groups {
            let key = PublicKey::from_der(&group.der);
            for test in &group.tests {
                let holds = key
                    .as_ref()
                    .is_ok_and(|key| verify(key, &test.msg, &test.sig));
                let expected = test.result == TestResult::Valid;
                assert_eq!(holds, expected, "{name:?} {}: {}", test.tc_id, test.comment);
                judged += 1;
            }
        }
    }
    judged
}

#[test]
fn rs256_is_verified_as_wycheproof_says() {
    use TestName::{Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256, Rsa8192Sha256};
    let names = [Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256, Rsa8192Sha256];
    assert!(judge(&names, PublicKey::verifies_rs256) > 900);
}

#[test]
fn rs512_is_verified_as_wycheproof_says() {
    use TestName::{Rsa2048Sha512, Rsa3072Sha512, Rsa4096Sha512, Rsa8192Sha512};
    let names = [Rsa2048Sha512, Rsa3072Sha512, Rsa4096Sha512, Rsa8192Sha512];
    assert!(judge(&names, PublicKey::verifies_rs512) > 900);
}

/// A signature over one hash is none over the other.
#[test]
fn no_signature_of_another_hash_holds() {
    use TestName::{Rsa2048Sha384, Rsa2048Sha512};
    for name in [Rsa2048Sha384, Rsa2048Sha512] {
        let set = TestSet::load(name).expect("vectors");
        for group in &set.test_groups {
            let key = PublicKey::from_der(&group.der).expect("a key");
            let valid =
                |test: &&wycheproof::rsa_pkcs1_verify::Test| test.result == TestResult::Valid;
            for test in group.tests.iter().filter(valid) {
                assert!(!key.verifies_rs256(&test.msg, &test.sig), "{}", test.tc_id);
            }
        }
    }
}
