//! The rules that a request must keep. Each is small, and broken ones are told by name.

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::public_key::PublicKey as Parsed;

use super::weak::{self, Weakness};
use super::{CertificateSigningRequest, EnrollableKey, Subject};
use crate::der::field;
use crate::keys::PublicKey;

/// Shortest modulus, in bits.
const MIN_BITS: usize = 2048;
/// Longest modulus, in bits.
const MAX_BITS: usize = 8192;
/// Smallest public exponent: what every program makes.
const MIN_EXPONENT: u64 = 65_537;
/// Largest public exponent.
const MAX_EXPONENT: u64 = 1 << 32;

/// 1.2.840.113549.1.1: the algorithms of PKCS#1, all but the last number.
const RSA_WITH: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
/// That last number: SHA-256, SHA-384, SHA-512.
const HASHES: [u8; 3] = [11, 12, 13];

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
    #[error("the request is not signed with RSA (PKCS#1 v1.5) and SHA-256, SHA-384 or SHA-512")]
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

/// What stands around the signed part is not signed, so it is taken in one form only, to the byte.
fn algorithm(request: &X509CertificationRequest<'_>) -> Result<(), Broken> {
    let accepted = |hash: &u8| framed(request, *hash).as_deref() == Some(request.as_raw());
    if HASHES.iter().any(accepted) {
        Ok(())
    } else {
        Err(Broken::Algorithm)
    }
}

/// The request as it is written with RSA and this hash.
fn framed(request: &X509CertificationRequest<'_>, hash: u8) -> Option<Vec<u8>> {
    let oid = [RSA_WITH, &[hash]].concat();
    let (mut algorithm, mut inside, mut whole) = (Vec::new(), Vec::new(), Vec::new());
    field(0x06, &oid, &mut algorithm)?;
    field(0x05, &[], &mut algorithm)?;
    inside.extend_from_slice(request.certification_request_info.raw);
    field(0x30, &algorithm, &mut inside)?;
    let signature = [&[0], request.signature_value.data.as_ref()].concat();
    field(0x03, &signature, &mut inside)?;
    field(0x30, &inside, &mut whole)?;
    Some(whole)
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
