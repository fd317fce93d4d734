//! The rules that a request must keep. Each is small, and broken ones are told by name.

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::oid_registry::{
    OID_PKCS1_RSASSAPSS, OID_PKCS1_SHA256WITHRSA, OID_PKCS1_SHA384WITHRSA, OID_PKCS1_SHA512WITHRSA,
};
use x509_parser::public_key::PublicKey as Parsed;

use super::weak::{self, Weakness};
use super::{CertificateSigningRequest, EnrollableKey, Subject};
use crate::keys::PublicKey;

/// Shortest modulus, in bits.
const MIN_BITS: usize = 2048;
/// Longest modulus, in bits.
const MAX_BITS: usize = 8192;
/// Smallest public exponent: what every program makes.
const MIN_EXPONENT: u64 = 65_537;
/// Largest public exponent.
const MAX_EXPONENT: u64 = 1 << 32;

/// A rule that a request breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// The structure is not that of a request.
    #[error("the request cannot be read")]
    Unreadable,
    /// Another kind of key.
    #[error("the key is no RSA key")]
    NotRsa,
    /// The modulus is too short or too long.
    #[error("the key has {0} bits; it must have {MIN_BITS} to {MAX_BITS}")]
    Size(usize),
    /// The exponent is too small, too large or even.
    #[error("the public exponent must be odd, and at least {MIN_EXPONENT} (the usual one)")]
    Exponent,
    /// The modulus is known not to protect.
    #[error("the modulus is weak: {0}")]
    Weak(Weakness),
    /// A hash that no longer holds, or an algorithm that is not read here.
    #[error("the request is not signed with RSA and SHA-256, SHA-384 or SHA-512")]
    Algorithm,
    /// The one who sent it does not show that the private half is theirs.
    #[error("the request's signature is not by its own key")]
    Signature,
}

/// Holds a request against every rule. The signature is looked at last, and only where key and
/// algorithm hold: under any other it would show nothing.
pub fn check(request: &CertificateSigningRequest) -> Result<EnrollableKey, Vec<Broken>> {
    let parsed = request.parsed().map_err(|_| vec![Broken::Unreadable])?;
    let key = key(&parsed);
    let algorithm = algorithm(&parsed);
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

fn algorithm(request: &X509CertificationRequest<'_>) -> Result<(), Broken> {
    let accepted = [
        OID_PKCS1_SHA256WITHRSA,
        OID_PKCS1_SHA384WITHRSA,
        OID_PKCS1_SHA512WITHRSA,
        OID_PKCS1_RSASSAPSS, // with SHA-1 it is not verified
    ];
    if accepted.contains(&request.signature_algorithm.algorithm) {
        Ok(())
    } else {
        Err(Broken::Algorithm)
    }
}

fn key(request: &X509CertificationRequest<'_>) -> Result<PublicKey, Vec<Broken>> {
    let info = &request.certification_request_info.subject_pki;
    let Ok(Parsed::RSA(rsa)) = info.parsed() else {
        return Err(vec![Broken::NotRsa]);
    };
    let modulus = positive(rsa.modulus).ok_or(vec![Broken::NotRsa])?;
    let broken: Vec<Broken> = [size(modulus), exponent(rsa.exponent)]
        .into_iter()
        .filter_map(Result::err)
        .collect();
    if !broken.is_empty() {
        return Err(broken);
    }
    weak::find(modulus).map_or(Ok(()), |weakness| Err(vec![Broken::Weak(weakness)]))?;
    PublicKey::from_parts(modulus, rsa.exponent).map_err(|_| vec![Broken::NotRsa])
}

fn size(modulus: &[u8]) -> Result<(), Broken> {
    let zeros = modulus.first().map_or(0, |byte| byte.leading_zeros());
    let bits = (modulus.len() * 8).saturating_sub(zeros as usize);
    if (MIN_BITS..=MAX_BITS).contains(&bits) {
        Ok(())
    } else {
        Err(Broken::Size(bits))
    }
}

/// 3 is refused although it can be sound: it forgives no mistake in padding, and nobody needs it.
fn exponent(bytes: &[u8]) -> Result<(), Broken> {
    let value = positive(bytes)
        .filter(|bytes| bytes.len() <= 8)
        .map(|bytes| {
            bytes
                .iter()
                .fold(0, |value: u64, byte| value << 8 | u64::from(*byte))
        });
    match value {
        Some(value) if (MIN_EXPONENT..=MAX_EXPONENT).contains(&value) && value % 2 == 1 => Ok(()),
        _ => Err(Broken::Exponent),
    }
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

    #[test]
    fn exponents_are_odd_and_65537_or_more() {
        for good in [
            &[1, 0, 1][..],
            &[0, 1, 0, 1],
            &[1, 0, 3],
            &[0, 255, 255, 255, 255],
        ] {
            assert_eq!(exponent(good), Ok(()), "{good:?}");
        }
        for bad in [
            &[][..],
            &[0],
            &[1],
            &[3],
            &[17],
            &[0, 255, 255],
            &[1, 0, 0],
            &[1, 0, 2],
            &[0x81, 0, 1],
            &[1, 0, 0, 0, 1],
            &[1, 0, 0, 0, 0, 0, 0, 0, 1],
        ] {
            assert_eq!(exponent(bad), Err(Broken::Exponent), "{bad:?}");
        }
    }

    #[test]
    fn sizes_are_counted_in_bits() {
        let mut modulus = vec![0xff; 256];
        assert_eq!(size(&modulus), Ok(()));
        modulus[0] = 0x7f;
        assert_eq!(size(&modulus), Err(Broken::Size(2047)));
        assert_eq!(size(&[0xff; 1024]), Ok(()));
        assert_eq!(size(&[0x01; 1025]), Err(Broken::Size(8193)));
    }
}
