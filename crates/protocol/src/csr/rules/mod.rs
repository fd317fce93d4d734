//! The rules that a request must keep. Each is a small file of its own, and broken ones are told by name.

mod algorithm;
mod exponent;
mod size;

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::public_key::PublicKey as Parsed;

use super::weak::{self, Weakness};
use super::{CertificateSigningRequest, EnrollableKey, Subject};
use crate::keys::PublicKey;

use exponent::{MAX_EXPONENT, MIN_EXPONENT};
use size::{MAX_BITS, MIN_BITS};

/// How long a key should be, in bits.
pub const RECOMMENDED_BITS: usize = 4096;

/// A rule that a request breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The structure is not that of a request.
    #[error("the request cannot be read")]
    Unreadable,
    /// Another kind of key.
    #[error("the key is no RSA key: Fireblocks takes RSA alone")]
    NotRsa,
    /// The modulus is too short or too long.
    #[error(
        "the key has {0} bits; it must have {MIN_BITS} to {MAX_BITS}, and {RECOMMENDED_BITS} are recommended"
    )]
    Size(usize),
    /// The exponent is too small, too large or even.
    #[error("the public exponent must be odd, {MIN_EXPONENT} (the usual one) to {MAX_EXPONENT}")]
    Exponent,
    /// The modulus is known not to protect.
    #[error("the modulus is weak: {0}")]
    Weak(Weakness),
    /// A hash that no longer holds, or an algorithm that is not read here.
    #[error("the request is not signed with RSA (PKCS#1 v1.5) and SHA-256, SHA-384 or SHA-512")]
    Algorithm,
    /// The one who sent it does not show that the private half is theirs.
    #[error(
        "the request's signature is not by its own key: it was changed on its way, or made with another key"
    )]
    Signature,
}

impl Broken {
    /// Whether the key itself is fine, and another request of it would be taken.
    pub const fn key_may_stay(self) -> bool {
        matches!(self, Self::Unreadable | Self::Algorithm | Self::Signature)
    }
}

/// Holds a request against every rule. The signature is looked at last, and only where key and
/// algorithm hold: under any other it would show nothing.
pub fn check(request: &CertificateSigningRequest) -> Result<EnrollableKey, Vec<Broken>> {
    let parsed = request.parsed().map_err(|_| vec![Broken::Unreadable])?;
    let key = key(&parsed);
    let algorithm = algorithm::check(&parsed);
    let mut broken = key.as_ref().err().cloned().unwrap_or_default();
    broken.extend(algorithm.err());
    match key {
        Ok(key) if broken.is_empty() => {
            parsed
                .verify_signature()
                .map_err(|_| vec![Broken::Signature])?;
            let subject = Subject::of(&parsed.certification_request_info.subject);
            Ok(EnrollableKey { key, subject })
        }
        _ => Err(broken),
    }
}

/// The modulus of a request's key, big-endian, whatever rules it breaks: to be remembered.
pub fn modulus(request: &CertificateSigningRequest) -> Option<Vec<u8>> {
    let parsed = request.parsed().ok()?;
    match parsed.certification_request_info.subject_pki.parsed() {
        Ok(Parsed::RSA(rsa)) => positive(rsa.modulus).map(<[u8]>::to_vec),
        _ => None,
    }
}

fn key(request: &X509CertificationRequest<'_>) -> Result<PublicKey, Vec<Broken>> {
    let info = &request.certification_request_info.subject_pki;
    let Ok(Parsed::RSA(rsa)) = info.parsed() else {
        return Err(vec![Broken::NotRsa]);
    };
    numbers(rsa.modulus, rsa.exponent)
}

/// The key of these DER INTEGERs.
fn numbers(modulus: &[u8], exponent: &[u8]) -> Result<PublicKey, Vec<Broken>> {
    let modulus = positive(modulus).ok_or(vec![Broken::NotRsa])?;
    let broken: Vec<Broken> = [size::check(modulus), exponent::check(exponent)]
        .into_iter()
        .filter_map(Result::err)
        .collect();
    if !broken.is_empty() {
        return Err(broken);
    }
    weak::find(modulus).map_or(Ok(()), |weakness| Err(vec![Broken::Weak(weakness)]))?;
    PublicKey::from_parts(modulus, exponent).map_err(|_| vec![Broken::NotRsa])
}

/// The bytes of a positive DER INTEGER, without leading zeros.
fn positive(integer: &[u8]) -> Option<&[u8]> {
    if integer.first()? & 0x80 != 0 {
        return None;
    }
    let zeros = integer.iter().take_while(|byte| **byte == 0).count();
    integer.get(zeros..).filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names, exponents and moduli (hex) of the RSA keys that badkeys (PyPI, 0.0.21) tests itself with.
    const KNOWN_BAD: &str = include_str!("../fixtures/known_bad.txt");

    /// What a modulus does not show by itself: two need a list of the keys that are known, one is sound.
    const NOT_SHOWN: [&str; 3] = ["debianweak", "sharedprimes", "ok"];

    #[test]
    fn the_bad_keys_of_badkeys_are_refused_but_for_those_that_only_a_list_can_know() {
        let mut refused = 0;
        for line in KNOWN_BAD.lines() {
            let mut words = line.split(' ');
            let name = words.next().expect("a name");
            let mut number = || {
                let digits = words.next().expect("a number");
                // As a DER INTEGER has it: positive.
                hex::decode(format!(
                    "00{:0>1$}",
                    digits,
                    digits.len().next_multiple_of(2)
                ))
                .expect("hex")
            };
            let (exponent, modulus) = (number(), number());
            let outcome = numbers(&modulus, &exponent);
            assert_eq!(
                outcome.is_ok(),
                NOT_SHOWN.contains(&name),
                "{name}: {outcome:?}"
            );
            refused += usize::from(outcome.is_err());
        }
        assert_eq!((refused, KNOWN_BAD.lines().count()), (12, 15));
    }
}
