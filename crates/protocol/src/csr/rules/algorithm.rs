//! Rule: signed with RSA and a hash that holds, to the byte.

use x509_parser::certification_request::X509CertificationRequest;

use super::Broken;
use crate::der::field;

/// 1.2.840.113549.1.1: the algorithms of PKCS#1, all but the last number.
const RSA_WITH: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
/// That last number: SHA-256, SHA-384, SHA-512.
const HASHES: [u8; 3] = [11, 12, 13];

/// What stands around the signed part is not signed, so it is taken in one form only, to the byte.
pub(super) fn check(request: &X509CertificationRequest<'_>) -> Result<(), Broken> {
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
