//! Client certificates (X.509, RFC 5280), read for what they say: whose key they are for, and when
//! they end. Whether to believe them is for whoever they are shown to.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::time::Millis;

/// Longest text read, in bytes: a chain of some certificates.
pub const MAX_LEN: usize = 64 * 1024;

/// Why a certificate cannot be read. Nothing of the input is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Too many bytes.
    #[error("a certificate has at most {MAX_LEN} bytes")]
    TooLarge,
    /// Something else under PEM, or nothing.
    #[error("there must be CERTIFICATE blocks in PEM, and nothing else")]
    NotPem,
    /// Not the structure of a certificate.
    #[error("the certificate cannot be read")]
    Unreadable,
}

/// Names the key of a certificate, whoever issued that: SHA-256 of its SubjectPublicKeyInfo (DER), as
/// hex. A certificate that is renewed for the same key has the same one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpkiPin([u8; 32]);

/// A text is not the hex of 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pin of a client certificate has 64 hex digits: SHA-256 of its SubjectPublicKeyInfo")]
pub struct NoPin;

impl SpkiPin {
    /// Of a SubjectPublicKeyInfo, DER.
    pub fn of(spki_der: &[u8]) -> Self {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(digest(&SHA256, spki_der).as_ref());
        Self(bytes)
    }
}

impl fmt::Display for SpkiPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for SpkiPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpkiPin({self})")
    }
}

impl FromStr for SpkiPin {
    type Err = NoPin;

    fn from_str(text: &str) -> Result<Self, NoPin> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| NoPin)?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for SpkiPin {
    type Error = NoPin;

    fn try_from(text: String) -> Result<Self, NoPin> {
        text.parse()
    }
}

impl From<SpkiPin> for String {
    fn from(pin: SpkiPin) -> Self {
        pin.to_string()
    }
}

/// A certificate, perhaps with those that vouch for it behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    spki: Vec<u8>,
    not_after: Millis,
}

impl ClientCertificate {
    /// Reads PEM: the certificate first.
    pub fn from_pem(text: &str) -> Result<Self, CertificateError> {
        if text.len() > MAX_LEN {
            return Err(CertificateError::TooLarge);
        }
        let blocks = pem::parse_many(text).map_err(|_| CertificateError::NotPem)?;
        if blocks.len() != text.matches("-----BEGIN").count()
            || blocks.iter().any(|block| block.tag() != "CERTIFICATE")
        {
            return Err(CertificateError::NotPem);
        }
        let mut read = blocks.iter().map(|block| Self::from_der(block.contents()));
        let first = read.next().ok_or(CertificateError::NotPem)??;
        read.try_for_each(|other| other.map(drop))?;
        Ok(first)
    }

    fn from_der(der: &[u8]) -> Result<Self, CertificateError> {
        let Ok(([], read)) = X509Certificate::from_der(der) else {
            return Err(CertificateError::Unreadable);
        };
        let seconds = read.validity().not_after.timestamp();
        Ok(Self {
            spki: read.public_key().raw.to_vec(),
            not_after: Millis(seconds.saturating_mul(Millis::SECOND)),
        })
    }

    /// SubjectPublicKeyInfo of the key that it is for, DER.
    pub fn spki_der(&self) -> &[u8] {
        &self.spki
    }

    /// Names that key.
    pub fn pin(&self) -> SpkiPin {
        SpkiPin::of(&self.spki)
    }

    /// When it ends.
    pub fn not_after(&self) -> Millis {
        self.not_after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(days: i64) -> (rcgen::KeyPair, String) {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut params = rcgen::CertificateParams::default();
        params.not_before = rcgen::date_time_ymd(2020, 1, 1);
        params.not_after = rcgen::date_time_ymd(2020, 1, 1 + u8::try_from(days).expect("few"));
        let certificate = params.self_signed(&key).expect("a certificate");
        (key, certificate.pem())
    }

    #[test]
    fn whose_it_is_and_when_it_ends() {
        use rcgen::PublicKeyData as _;
        let (key, pem) = made(1);
        let read = ClientCertificate::from_pem(&pem).expect("a certificate");
        assert_eq!(read.spki_der(), key.subject_public_key_info());
        assert_eq!(read.not_after(), Millis(1_577_923_200_000));
        let (_, other) = made(2);
        assert_eq!(
            ClientCertificate::from_pem(&(pem + &other)),
            Ok(read),
            "the first of a chain"
        );
    }

    #[test]
    fn a_certificate_renewed_for_its_key_keeps_its_pin() {
        let (key, first) = made(1);
        let renewed = rcgen::CertificateParams::new(["acme.example".to_owned()]);
        let renewed = renewed.expect("parameters").self_signed(&key);
        let pin = |pem: &str| {
            ClientCertificate::from_pem(pem)
                .expect("a certificate")
                .pin()
        };
        let renewed = renewed.expect("a certificate").pem();
        assert_ne!(first, renewed);
        assert_eq!(pin(&first), pin(&renewed));
        assert_ne!(pin(&first), pin(&made(1).1), "of another key");
        let text = pin(&first).to_string();
        assert_eq!(text.parse(), Ok(pin(&first)));
        assert_eq!(text[1..].parse::<SpkiPin>(), Err(NoPin));
    }

    #[test]
    fn nothing_but_certificates() {
        let (key, pem) = made(1);
        let with_key = pem.clone() + &key.serialize_pem();
        let cut = pem.replace("-----END CERTIFICATE-----", "");
        let long = pem.repeat(200);
        let other = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (text, why) in [
            ("", CertificateError::NotPem),
            ("no PEM", CertificateError::NotPem),
            (&with_key, CertificateError::NotPem),
            (&cut, CertificateError::NotPem),
            (other, CertificateError::Unreadable),
            (&long, CertificateError::TooLarge),
        ] {
            assert_eq!(ClientCertificate::from_pem(text), Err(why), "{text}");
        }
    }
}
