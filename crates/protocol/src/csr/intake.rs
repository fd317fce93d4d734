//! Finds the one request in what somebody pasted: PEM or DER, in a mail (quoted, wrapped, as HTML,
//! quoted-printable or base64), in JSON, in gzip or zip.

use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;

use super::{CertificateSigningRequest, CsrError, LABELS, MAX_LEN};
use crate::unwrap::{self, Look, Work};

/// Longest paste read, in bytes.
pub const MAX_PASTE: usize = 256 * 1024;
/// Most bytes looked at in one paste.
const MAX_WORK: usize = 16 * MAX_PASTE;

/// What people send in place of a request, by a word that stands in it.
const OTHERS: [(&str, Instead); 8] = [
    ("BEGIN CERTIFICATE-----", Instead::Certificate),
    ("BEGIN TRUSTED CERTIFICATE", Instead::Certificate),
    ("BEGIN PKCS7", Instead::Sealed),
    ("BEGIN CMS", Instead::Sealed),
    ("BEGIN PGP MESSAGE", Instead::Sealed),
    ("BEGIN PUBLIC KEY", Instead::PublicKey),
    ("BEGIN RSA PUBLIC KEY", Instead::PublicKey),
    ("ssh-rsa AAAA", Instead::PublicKey),
];

/// What was sent in place of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Instead {
    /// A certificate.
    #[error("this is a certificate")]
    Certificate,
    /// A public key without the proof that its private half is there.
    #[error("this is a public key alone, and shows nothing of who has its private half")]
    PublicKey,
    /// Something encrypted.
    #[error("this is an encrypted message")]
    Sealed,
}

/// Reads the one request that there is. The same one twice (a mail as text and as HTML) is one.
pub fn read(paste: &[u8]) -> Result<CertificateSigningRequest, CsrError> {
    if paste.len() > MAX_PASTE {
        return Err(CsrError::TooLarge);
    }
    let mut reader = Reader::default();
    unwrap::walk(paste, MAX_WORK, &mut reader);
    reader.one()
}

/// Every request in it that can be read.
pub fn all(paste: &[u8]) -> Vec<CertificateSigningRequest> {
    let mut reader = Reader::default();
    if paste.len() <= MAX_PASTE {
        unwrap::walk(paste, MAX_WORK, &mut reader);
    }
    let read = |der: &Vec<u8>| CertificateSigningRequest::from_der(der).ok();
    reader.found.iter().filter_map(read).collect()
}

#[derive(Default)]
struct Reader {
    /// Requests, each once, DER.
    found: Vec<Vec<u8>>,
    /// Whether a block says that it is a request, and is none.
    labelled: bool,
    instead: Option<Instead>,
    lost: bool,
}

impl Reader {
    fn one(mut self) -> Result<CertificateSigningRequest, CsrError> {
        match (self.found.len(), self.found.pop()) {
            _ if self.lost => Err(CsrError::Packed),
            (1, Some(der)) => CertificateSigningRequest::from_der(&der),
            (0, _) if self.labelled => Err(CsrError::Unreadable),
            (0, _) => Err(self.instead.map_or(CsrError::None, CsrError::Instead)),
            (several, _) => Err(CsrError::Several(several)),
        }
    }

    /// The request that begins here.
    fn request(&mut self, rest: &[u8], work: &mut Work) -> Option<usize> {
        // A SEQUENCE of more than 127 bytes.
        let len = match rest {
            [0x30, 0x81, len, ..] => 3 + usize::from(*len),
            [0x30, 0x82, high, low, ..] => 4 + usize::from(u16::from_be_bytes([*high, *low])),
            _ => return None,
        };
        let whole = rest.get(..len).filter(|_| len <= MAX_LEN)?;
        if !work.spend(len) {
            return None;
        }
        let Ok(([], _)) = X509CertificationRequest::from_der(whole) else {
            return None;
        };
        if !self.found.iter().any(|known| known == whole) {
            self.found.push(whole.to_vec());
        }
        Some(len)
    }
}

impl Look for Reader {
    fn bytes(&mut self, rest: &[u8], work: &mut Work) -> usize {
        self.request(rest, work).unwrap_or(1)
    }

    fn text(&mut self, text: &[u8], _work: &mut Work) {
        let text = String::from_utf8_lossy(text);
        let labelled = |label: &&str| text.contains(&format!("BEGIN {label}-----"));
        self.labelled |= LABELS.iter().any(labelled);
        let other = OTHERS.iter().find(|(word, _)| text.contains(word));
        self.instead = self.instead.or(other.map(|(_, instead)| *instead));
    }

    fn lost(&mut self) {
        self.lost = true;
    }
}

#[cfg(test)]
mod tests;
