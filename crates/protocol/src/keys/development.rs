//! Known development keys: those of the sandbox's users, webhooks and co-signer, and the RSA key of the detector's
//! test fixtures, whose private halves are public.
//! Every gate counts them as burned outside the demo.

use super::KeyFingerprint;

/// Fingerprints of the fixed public set, hex.
const KNOWN: [&str; 12] = [
    "2d6d66555cf46f45e361ddca1670a18a443912664b9f783efa88644d860e845c",
    "f0735e44e7d91061754243fd29e4696174eeeb37c47d1bdea6f77343a31fcbb2",
    "2a59f66dc1c26fd1ddc2701ea93eb09ea3322c08463d57c28d419ebbe7ba9ae8",
    "6d763efef3999380fbdf8574e9ed263be8576536eeb297883b6d92789a7998f4",
    "c03f3d944e593ec0b9e9609c99972b30391a8b52353078fe68d6ff3cd9dcd072",
    "8babafd24fdd6ff345a9b068142e726540d232597a1352ce0619c5b9d36ca943",
    "258448056f1eb8e6e3acb860a5194d79afaca1430122e15c85e7ce3d61529bfd",
    "349c40f0dc5f32f125a6e28dce70b218c1075284bc628a390de745fb655bf633",
    "f92788b9d628297c277d3dc6f09cd7428257a8d814409475dd51a0a88bc965d0",
    "2a00972bf6b673aaec514611979271c562f53795888778cc50024fe39f0dc90d",
    "86796ad8d3a43c6519d4cff10c4b6a6cd4444878baa6e1ce54ca75fc10263d52",
    // The RSA key of the detector's test fixtures.
    "1c8a17cbfa48a317742b168948bf49b0cade79771aa5e37498073216ac961885",
];

/// Whether the whole world has the private half.
pub fn is_known(fingerprint: KeyFingerprint) -> bool {
    let text = fingerprint.to_string();
    KNOWN.contains(&text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::PublicKey;

    #[test]
    fn the_key_of_the_test_fixtures_is_known() {
        let text = include_str!("../private_key/fixtures/rsa_public.pem");
        let key = PublicKey::from_pem(text).expect("a key");
        assert!(is_known(key.fingerprint()));
        assert!(!is_known(crate::keys::tests::KEY.public().fingerprint()));
    }
}
