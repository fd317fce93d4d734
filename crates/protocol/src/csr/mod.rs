//! Certificate signing requests (PKCS#10, RFC 2986): made, read, and checked.
//!
//! A request that was read is believed in nothing. [`check`] holds it against a list of small rules;
//! only what passes all of them becomes an [`EnrollableKey`].

pub mod intake;
mod remedy;
mod rules;
mod subject;
pub mod weak;

use std::fmt;

use rcgen::{CertificateParams, DistinguishedName, DnType, PublicKeyData, SigningKey};
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::keys::{KeyFingerprint, PrivateKey, PublicKey, development};

pub use remedy::{MAKE_ANEW, REQUEST_ANEW, remedy};
pub use rules::{Broken, RECOMMENDED_BITS, check, modulus};
pub use subject::is_printable;
pub use subject::{MAX_SUBJECT_CHARS, Subject};

/// Longest request read, in bytes of PEM. One with a key of 8192 bits has some 3 KiB.
pub const MAX_LEN: usize = 16 * 1024;
/// The labels a request is known by. The second is what Microsoft's and Java's programs write.
const LABELS: [&str; 2] = ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"];

/// Why a request cannot be made or read. Nothing of the input is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CsrError {
    /// Too many bytes.
    #[error("a certificate signing request has at most {MAX_LEN} bytes")]
    TooLarge,
    /// None, or several.
    #[error("there must be exactly one PEM block, and it must be whole")]
    NotOnePem,
    /// Something else under PEM.
    #[error("the PEM block is no CERTIFICATE REQUEST")]
    Label,
    /// Nothing that looks like one.
    #[error("there is no certificate signing request (CERTIFICATE REQUEST) in it")]
    None,
    /// More than one, and different ones.
    #[error("there are {0} different certificate signing requests in it: send exactly one")]
    Several(usize),
    /// Something else.
    #[error("{0}, not a certificate signing request")]
    Instead(intake::Instead),
    /// Packed in a way that is not opened, or too much of it.
    #[error(
        "it is packed in a way that is not opened here (zip and gzip are, without a passphrase), or too often"
    )]
    Packed,
    /// Not the structure of a request.
    #[error("the certificate signing request cannot be read")]
    Unreadable,
    /// A name to put in that is none.
    #[error("a name in a request has 1 to {MAX_SUBJECT_CHARS} printable characters")]
    Name,
    /// The key did not sign.
    #[error("the key cannot sign a request")]
    Key,
}

/// A request that was made or read. It may still break every rule.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateSigningRequest {
    der: Vec<u8>,
}

impl CertificateSigningRequest {
    /// Makes the request of a key, signed by it (SHA-256).
    pub fn new(
        key: &PrivateKey,
        organization: &str,
        common_name: Option<&str>,
    ) -> Result<Self, CsrError> {
        let mut name = DistinguishedName::new();
        let named = [
            (DnType::OrganizationName, Some(organization)),
            (DnType::CommonName, common_name),
        ];
        for (kind, text) in named {
            let Some(text) = text else { continue };
            if !subject::is_name(text) {
                return Err(CsrError::Name);
            }
            name.push(kind, text);
        }
        let mut params = CertificateParams::default();
        params.distinguished_name = name;
        let made = params
            .serialize_request(&Signer::of(key)?)
            .map_err(|_| CsrError::Key)?;
        Ok(Self {
            der: made.der().to_vec(),
        })
    }

    /// Reads a text with exactly one PEM block, of a request. Words around the block do no harm.
    pub fn from_pem(text: &str) -> Result<Self, CsrError> {
        if text.len() > MAX_LEN {
            return Err(CsrError::TooLarge);
        }
        if text.matches("-----BEGIN").count() != 1 {
            return Err(CsrError::NotOnePem);
        }
        let block = pem::parse(text).map_err(|_| CsrError::NotOnePem)?;
        if !LABELS.contains(&block.tag()) {
            return Err(CsrError::Label);
        }
        Self::from_der(block.contents())
    }

    /// Reads a request, DER, with nothing after it.
    pub fn from_der(der: &[u8]) -> Result<Self, CsrError> {
        if der.len() > MAX_LEN {
            return Err(CsrError::TooLarge);
        }
        let request = Self { der: der.to_vec() };
        request.parsed()?;
        Ok(request)
    }

    /// The request, DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The request, PEM.
    pub fn to_pem(&self) -> String {
        pem::encode_config(
            &pem::Pem::new(LABELS[0], self.der.as_slice()),
            pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF),
        )
    }

    /// SubjectPublicKeyInfo of the key that it is for, DER.
    pub fn spki_der(&self) -> Result<Vec<u8>, CsrError> {
        let request = self.parsed()?;
        Ok(request.certification_request_info.subject_pki.raw.to_vec())
    }

    fn parsed(&self) -> Result<X509CertificationRequest<'_>, CsrError> {
        match X509CertificationRequest::from_der(&self.der) {
            Ok(([], request)) => Ok(request),
            _ => Err(CsrError::Unreadable),
        }
    }
}

impl fmt::Debug for CertificateSigningRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificateSigningRequest({} bytes)", self.der.len())
    }
}

/// The key of a request that broke no rule. It comes out of [`check`] alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrollableKey {
    key: PublicKey,
    subject: Subject,
}

impl EnrollableKey {
    /// The key.
    pub fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// Which key it is.
    pub fn fingerprint(&self) -> KeyFingerprint {
        self.key.fingerprint()
    }

    /// Whom the request names. For showing: nobody has confirmed it.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    /// Whether its private half is one of the public development keys; who enrols decides what then.
    pub fn is_development_key(&self) -> bool {
        development::is_known(self.fingerprint())
    }
}

/// What could be better about a key that is taken.
pub fn advice(key: &PublicKey) -> Option<String> {
    let bits = key.bits();
    (bits < RECOMMENDED_BITS).then(|| {
        format!("the key has {bits} bits; {RECOMMENDED_BITS} are recommended: {MAKE_ANEW}")
    })
}

/// Lets a key sign a request without leaving its place.
struct Signer<'a> {
    key: &'a PrivateKey,
    public: Vec<u8>,
}

impl<'a> Signer<'a> {
    fn of(key: &'a PrivateKey) -> Result<Self, CsrError> {
        let (_, info) =
            SubjectPublicKeyInfo::from_der(key.public().spki_der()).map_err(|_| CsrError::Key)?;
        let public = info.subject_public_key.data.to_vec();
        Ok(Self { key, public })
    }
}

impl PublicKeyData for Signer<'_> {
    fn der_bytes(&self) -> &[u8] {
        &self.public
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_RSA_SHA256
    }
}

impl SigningKey for Signer<'_> {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rcgen::Error> {
        self.key
            .sign_rs256(message)
            .map_err(|_| rcgen::Error::RemoteKeyError)
    }
}

#[cfg(test)]
mod tests;
