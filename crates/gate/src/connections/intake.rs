//! What a provider hands in, examined before anything of it is kept. Pure.

use protocol::certificate::{CertificateError, ClientCertificate, SpkiPin};
use protocol::csr::{self, CertificateSigningRequest, EnrollableKey};
use protocol::handover::{HandOver, HandoverError};
use protocol::keys::PublicKey;
use protocol::private_key::{self, Kind};

/// Why what was handed in is refused. Nothing of it is part of this.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Refused {
    /// It contains a private key.
    #[error("it contains a private key ({kind}): a private key never travels. To do: {todo}", todo = .wanted.todo())]
    PrivateKey {
        /// Of which kind.
        kind: Kind,
        /// What was to be handed in.
        wanted: Wanted,
        /// The public halves of those that were proven: these keys are burned.
        proven: Vec<PublicKey>,
        /// The moduli of the CSRs that came with it, but for those that are burned, where there is one that
        /// was not proven: it may be theirs.
        beside: Vec<Vec<u8>>,
    },
    /// Nobody can say whether there is a private key in it.
    #[error(
        "there is more wrapping in it than can be looked through for private keys: send the CSR as plain PEM, unpacked"
    )]
    Unsearchable,
    /// It is larger than any hand-over file.
    #[error("it is larger than {} KiB", private_key::MAX_INPUT / 1024)]
    TooLarge,
    /// It is no hand-over file.
    #[error("it is not a hand-over file: {0}. To do: {todo}", todo = form_todo(.0))]
    Form(#[from] HandoverError),
    /// Its CSR cannot be read.
    #[error("its CSR cannot be read: {0}. To do: {todo}", todo = csr::REQUEST_ANEW)]
    Csr(#[from] csr::CsrError),
    /// Its CSR breaks rules.
    #[error("its CSR is refused: {}. To do: {}", .broken.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "), csr::remedy(.broken))]
    Key {
        /// Which.
        broken: Vec<csr::Broken>,
        /// The key's modulus, to be remembered.
        modulus: Option<Vec<u8>>,
    },
    /// It is no client certificate.
    #[error(
        "it is not a client certificate: {0}. To do: hand in the certificate that the provider shows, as PEM, without its key; `none` asks for none any more"
    )]
    Certificate(#[from] CertificateError),
    /// Its key is published.
    #[error(
        "its key is a published development key: anybody has it. To do: {}",
        csr::MAKE_ANEW
    )]
    KnownKey,
}

/// What is to be handed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A CSR, or a file with one.
    Request,
    /// A client certificate.
    Certificate,
}

impl Wanted {
    const fn todo(self) -> &'static str {
        match self {
            Self::Request => csr::MAKE_ANEW,
            Self::Certificate => {
                "make a new key and have a certificate issued for it, and send only the certificate"
            }
        }
    }
}

/// What makes a file right that is none.
fn form_todo(error: &HandoverError) -> &'static str {
    match error {
        HandoverError::Value { place, .. } if place.field == "csr" => csr::REQUEST_ANEW,
        _ => {
            "have it made with `vestibule connector client handover NAME`; a CSR alone is taken with --csr FILE"
        }
    }
}

/// Reads a hand-over file. A private key anywhere in it refuses the whole.
pub fn examine(text: &[u8], allow_known_keys: bool) -> Result<(HandOver, EnrollableKey), Refused> {
    no_private_key(text, Wanted::Request)?;
    let mut handover = HandOver::from_json(text)?;
    let request = CertificateSigningRequest::from_pem(&handover.csr)?;
    // Words around it stay behind.
    handover.csr = request.to_pem();
    Ok((handover, enrollable(&request, allow_known_keys)?))
}

/// Reads a CSR alone, in whatever carried it: its key.
pub fn examine_request(paste: &[u8], allow_known_keys: bool) -> Result<EnrollableKey, Refused> {
    examine_csr(paste, allow_known_keys).map(|(_, key)| key)
}

/// Reads a CSR alone, in whatever carried it: the CSR itself, and its key.
pub fn examine_csr(
    paste: &[u8],
    allow_known_keys: bool,
) -> Result<(CertificateSigningRequest, EnrollableKey), Refused> {
    no_private_key(paste, Wanted::Request)?;
    let request = csr::intake::read(paste)?;
    let key = enrollable(&request, allow_known_keys)?;
    Ok((request, key))
}

/// Reads the client certificate that a connection is to show, or its pin; `none` is none.
pub fn examine_certificate(text: &[u8]) -> Result<Option<SpkiPin>, Refused> {
    no_private_key(text, Wanted::Certificate)?;
    let text = std::str::from_utf8(text).map_err(|_| CertificateError::NotPem)?;
    match text.trim() {
        "none" => Ok(None),
        text => match text.parse() {
            Ok(pin) => Ok(Some(pin)),
            Err(_) => Ok(Some(ClientCertificate::from_pem(text)?.pin())),
        },
    }
}

fn no_private_key(text: &[u8], wanted: Wanted) -> Result<(), Refused> {
    if text.len() > private_key::MAX_INPUT {
        return Err(Refused::TooLarge);
    }
    let found = private_key::find_all(text);
    match found.first().map(|first| first.kind) {
        None => Ok(()),
        Some(Kind::Unsearchable) => Err(Refused::Unsearchable),
        Some(kind) => {
            // Beside what was proven there may be what nobody can look into.
            let opaque = found.iter().any(|found| found.proven.is_none());
            let proven: Vec<_> = found.into_iter().filter_map(|found| found.proven).collect();
            let burned = |modulus: &Vec<u8>| proven.iter().any(|key| key.modulus() == modulus);
            let mut beside = if opaque { beside(text) } else { Vec::new() };
            beside.retain(|modulus| !burned(modulus));
            Err(Refused::PrivateKey {
                kind,
                wanted,
                proven,
                beside,
            })
        }
    }
}

/// The moduli of the CSRs in it, in whatever carries them.
fn beside(text: &[u8]) -> Vec<Vec<u8>> {
    let requests = match HandOver::from_json(text) {
        Ok(handover) => csr::intake::all(handover.csr.as_bytes()),
        Err(_) => csr::intake::all(text),
    };
    requests.iter().filter_map(csr::modulus).collect()
}

fn enrollable(
    request: &CertificateSigningRequest,
    allow_known_keys: bool,
) -> Result<EnrollableKey, Refused> {
    let key = csr::check(request).map_err(|broken| Refused::Key {
        broken,
        modulus: csr::modulus(request),
    })?;
    if key.is_development_key() && !allow_known_keys {
        return Err(Refused::KnownKey);
    }
    Ok(key)
}

#[cfg(test)]
mod tests;
