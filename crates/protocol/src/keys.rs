//! RSA keys of either half. The private half signs, and cannot be printed.

pub mod development;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::{self, PublicEncryptingKey};
use aws_lc_rs::signature::{
    KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA512,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding, RsaPublicKeyComponents,
};
use aws_lc_rs::{digest, rand};
use pkcs8::{EncryptedPrivateKeyInfo, PrivateKeyInfo};
use zeroize::Zeroizing;

/// A key that cannot be read, made or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is no RSA key of 2048 to 8192 bits in a form that is read here.
    #[error("not an RSA key of 2048 to 8192 bits (PEM or DER; PKCS#8, PKCS#1 or SPKI)")]
    Unreadable,
    /// The passphrase is wrong, or what it protects is damaged.
    #[error("the passphrase does not open the key")]
    Passphrase,
    /// The library refused.
    #[error("the key cannot be used")]
    Unusable,
}

/// SHA-256 over the modulus, big-endian, without leading zeros: the same for the same key, whatever file it came in.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyFingerprint([u8; 32]);

impl KeyFingerprint {
    /// The fingerprint of the key with this modulus, big-endian, without leading zeros.
    pub fn of_modulus(modulus: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest::digest(&digest::SHA256, modulus).as_ref());
        Self(bytes)
    }

    /// Its bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyFingerprint({self})")
    }
}

impl FromStr for KeyFingerprint {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| KeyError::Unreadable)?;
        Ok(Self(bytes))
    }
}

/// How long a new key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySize {
    /// 2048 bits: for webhooks, where each signature costs.
    Rsa2048,
    /// 4096 bits: what Fireblocks asks of API users.
    Rsa4096,
}

/// The public half. Parsed once; cheap to clone.
#[derive(Clone)]
pub struct PublicKey(Arc<Public>);

struct Public {
    spki: Vec<u8>,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    fingerprint: KeyFingerprint,
    rs256: ParsedPublicKey,
    rs512: ParsedPublicKey,
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo (RFC 5280) or an RSAPublicKey (RFC 8017), DER.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        let key = rsa::PublicKey::from_der(der).map_err(|_| KeyError::Unreadable)?;
        Self::from_parts(
            key.modulus().big_endian_without_leading_zero(),
            key.exponent().big_endian_without_leading_zero(),
        )
    }

    /// Reads a PEM `PUBLIC KEY` or `RSA PUBLIC KEY`.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let block = pem::parse(text).map_err(|_| KeyError::Unreadable)?;
        match block.tag() {
            "PUBLIC KEY" | "RSA PUBLIC KEY" => Self::from_der(block.contents()),
            _ => Err(KeyError::Unreadable),
        }
    }

    /// A key of this modulus and exponent, big-endian.
    pub fn from_parts(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        let strip = |bytes: &[u8]| {
            bytes
                .iter()
                .copied()
                .skip_while(|byte| *byte == 0)
                .collect::<Vec<_>>()
        };
        let (modulus, exponent) = (strip(modulus), strip(exponent));
        if !(256..=1024).contains(&modulus.len()) || exponent.is_empty() || exponent.len() > 8 {
            return Err(KeyError::Unreadable);
        }
        let parts = || RsaPublicKeyComponents {
            n: &modulus[..],
            e: &exponent[..],
        };
        let rs256 = parts()
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .map_err(|_| KeyError::Unreadable)?;
        let rs512 = parts()
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA512)
            .map_err(|_| KeyError::Unreadable)?;
        let encoded: PublicEncryptingKey = parts().try_into().map_err(|_| KeyError::Unreadable)?;
        let spki: PublicKeyX509Der<'_> = encoded.as_der().map_err(|_| KeyError::Unreadable)?;
        Ok(Self(Arc::new(Public {
            spki: spki.as_ref().to_vec(),
            fingerprint: KeyFingerprint::of_modulus(&modulus),
            modulus,
            exponent,
            rs256,
            rs512,
        })))
    }

    /// SubjectPublicKeyInfo, DER.
    pub fn spki_der(&self) -> &[u8] {
        &self.0.spki
    }

    /// SubjectPublicKeyInfo, PEM.
    pub fn spki_pem(&self) -> String {
        pem_text("PUBLIC KEY", &self.0.spki)
    }

    /// The modulus, big-endian, without leading zeros.
    pub fn modulus(&self) -> &[u8] {
        &self.0.modulus
    }

    /// The public exponent, big-endian, without leading zeros.
    pub fn exponent(&self) -> &[u8] {
        &self.0.exponent
    }

    /// How long the modulus is, in bits.
    pub fn bits(&self) -> usize {
        let zeros = self
            .0
            .modulus
            .first()
            .map_or(0, |byte| byte.leading_zeros());
        self.0.modulus.len() * 8 - zeros as usize
    }

    /// Which key it is.
    pub fn fingerprint(&self) -> KeyFingerprint {
        self.0.fingerprint
    }

    /// Whether this key made this RSASSA-PKCS1-v1_5 signature with SHA-256.
    pub fn verifies_rs256(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.rs256.verify_sig(message, signature).is_ok()
    }

    /// Whether this key made this RSASSA-PKCS1-v1_5 signature with SHA-512.
    pub fn verifies_rs512(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.rs512.verify_sig(message, signature).is_ok()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.spki == other.0.spki
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey(RSA {}, {})", self.bits(), self.fingerprint())
    }
}

/// The private half. Cheap to clone; printing shows which key it is and nothing of it.
#[derive(Clone)]
pub struct PrivateKey {
    pair: Arc<rsa::KeyPair>,
    public: PublicKey,
}

impl PrivateKey {
    /// Makes a key. Costs about 0.2 s (2048) or 1 s (4096).
    pub fn generate(size: KeySize) -> Result<Self, KeyError> {
        let size = match size {
            KeySize::Rsa2048 => rsa::KeySize::Rsa2048,
            KeySize::Rsa4096 => rsa::KeySize::Rsa4096,
        };
        Self::of(rsa::KeyPair::generate(size).map_err(|_| KeyError::Unusable)?)
    }

    /// Reads PKCS#8 (RFC 5958) or PKCS#1 (RFC 8017), DER.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        Self::of(
            rsa::KeyPair::from_pkcs8(der)
                .or_else(|_| rsa::KeyPair::from_der(der))
                .map_err(|_| KeyError::Unreadable)?,
        )
    }

    /// Reads a PEM `PRIVATE KEY` or `RSA PRIVATE KEY`.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let block = pem::parse(text).map_err(|_| KeyError::Unreadable)?;
        let (tag, der) = (
            block.tag().to_owned(),
            Zeroizing::new(block.into_contents()),
        );
        match tag.as_str() {
            "PRIVATE KEY" | "RSA PRIVATE KEY" => Self::from_der(&der),
            _ => Err(KeyError::Unreadable),
        }
    }

    /// Reads a PEM `ENCRYPTED PRIVATE KEY` (PKCS#8, PBES2), as [`Self::to_encrypted_pem`] and openssl write it.
    pub fn from_encrypted_pem(text: &str, passphrase: &[u8]) -> Result<Self, KeyError> {
        let block = pem::parse(text).map_err(|_| KeyError::Unreadable)?;
        if block.tag() != "ENCRYPTED PRIVATE KEY" {
            return Err(KeyError::Unreadable);
        }
        let sealed = EncryptedPrivateKeyInfo::try_from(block.contents())
            .map_err(|_| KeyError::Unreadable)?;
        let opened = sealed
            .decrypt(passphrase)
            .map_err(|_| KeyError::Passphrase)?;
        Self::from_der(opened.as_bytes())
    }

    fn of(pair: rsa::KeyPair) -> Result<Self, KeyError> {
        let public = PublicKey::from_der(pair.public_key().as_ref())?;
        Ok(Self {
            pair: Arc::new(pair),
            public,
        })
    }

    /// The other half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// PKCS#8, DER. For the places that keep keys; nothing else has a use for it.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let der: Pkcs8V1Der<'_> = self.pair.as_der().map_err(|_| KeyError::Unusable)?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    /// PKCS#8, PEM, in the clear: for files of mode 0600 that a machine must open by itself.
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        Ok(Zeroizing::new(pem_text(
            "PRIVATE KEY",
            &self.to_pkcs8_der()?,
        )))
    }

    /// PKCS#8 sealed with a passphrase (PBES2: scrypt and AES-256-CBC), PEM.
    pub fn to_encrypted_pem(&self, passphrase: &[u8]) -> Result<String, KeyError> {
        let der = self.to_pkcs8_der()?;
        let info = PrivateKeyInfo::try_from(der.as_slice()).map_err(|_| KeyError::Unusable)?;
        let (mut salt, mut iv) = ([0; 16], [0; 16]);
        rand::fill(&mut salt).map_err(|_| KeyError::Unusable)?;
        rand::fill(&mut iv).map_err(|_| KeyError::Unusable)?;
        // N = 2^14, r = 8, p = 1: 16 MiB a try. openssl refuses 2^15 (its limit is 32 MiB in all).
        let cost =
            pkcs8::pkcs5::scrypt::Params::new(14, 8, 1, 32).map_err(|_| KeyError::Unusable)?;
        let scheme = pkcs8::pkcs5::pbes2::Parameters::scrypt_aes256cbc(cost, &salt, &iv)
            .map_err(|_| KeyError::Unusable)?;
        let sealed = info
            .encrypt_with_params(scheme, passphrase)
            .map_err(|_| KeyError::Unusable)?;
        Ok(pem_text("ENCRYPTED PRIVATE KEY", sealed.as_bytes()))
    }

    /// RSASSA-PKCS1-v1_5 with SHA-256. Costs about 1 ms (2048) or 9 ms (4096).
    pub fn sign_rs256(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.sign(&RSA_PKCS1_SHA256, message)
    }

    /// RSASSA-PKCS1-v1_5 with SHA-512.
    pub fn sign_rs512(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.sign(&RSA_PKCS1_SHA512, message)
    }

    fn sign(&self, padding: &'static dyn RsaEncoding, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(padding, &rand::SystemRandom::new(), message, &mut signature)
            .map_err(|_| KeyError::Unusable)?;
        Ok(signature)
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey(of {:?})", self.public)
    }
}

fn pem_text(tag: &str, der: &[u8]) -> String {
    pem::encode_config(
        &pem::Pem::new(tag, der),
        pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
    )
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::LazyLock;

    /// A key for the tests of this room, made once.
    pub(crate) static KEY: LazyLock<PrivateKey> =
        LazyLock::new(|| PrivateKey::generate(KeySize::Rsa2048).expect("a key"));
    /// Another one.
    pub(crate) static OTHER: LazyLock<PrivateKey> =
        LazyLock::new(|| PrivateKey::generate(KeySize::Rsa2048).expect("a key"));

    #[test]
    fn every_form_is_the_same_key() {
        let public = KEY.public();
        assert_eq!(public.bits(), 2048);
        assert_eq!(PublicKey::from_der(public.spki_der()).as_ref(), Ok(public));
        assert_eq!(PublicKey::from_pem(&public.spki_pem()).as_ref(), Ok(public));
        let pem = KEY.to_pkcs8_pem().expect("pem");
        assert_eq!(PrivateKey::from_pem(&pem).expect("a key").public(), public);
        let sealed = KEY.to_encrypted_pem(b"correct horse").expect("sealed");
        assert_eq!(
            PrivateKey::from_encrypted_pem(&sealed, b"correct horse")
                .expect("a key")
                .public(),
            public
        );
        assert!(matches!(
            PrivateKey::from_encrypted_pem(&sealed, b"wrong"),
            Err(KeyError::Passphrase)
        ));
    }

    #[test]
    fn signatures_hold_for_their_message_and_hash_alone() {
        let signature = KEY.sign_rs256(b"message").expect("a signature");
        assert!(KEY.public().verifies_rs256(b"message", &signature));
        assert!(!KEY.public().verifies_rs256(b"messagf", &signature));
        assert!(!KEY.public().verifies_rs512(b"message", &signature));
        assert!(!OTHER.public().verifies_rs256(b"message", &signature));
    }

    /// Invariant 8: secrets never show in debug output.
    #[test]
    fn invariant_8_a_private_key_does_not_print() {
        let shown = format!("{:?}", *KEY);
        let der = KEY.to_pkcs8_der().expect("der");
        assert!(
            shown.len() < 200 && !shown.contains(&hex::encode(&der[30..40])),
            "{shown}"
        );
    }
}
