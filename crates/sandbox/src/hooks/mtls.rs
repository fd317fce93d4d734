//! Certificates that webhooks present: made by the receiver's own authority for a request of ours.

use protocol::certificate::ClientCertificate;
use protocol::csr::CertificateSigningRequest;
use protocol::error::ApiError;
use protocol::model::webhook::WebhookMtls;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use wire::hooks_out::Identity;

use crate::shelf::Kept;

/// Longest name, in characters.
const MAX_NAME: usize = 255;

/// A kind of key. There is one of each, of the public development set, for all workspaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum KeyAlgorithm {
    #[default]
    Rsa,
    Ecdsa,
}

impl KeyAlgorithm {
    const ALL: [Self; 2] = [Self::Rsa, Self::Ecdsa];

    /// The request that certificates are made for: always the same one.
    pub(crate) fn csr(self) -> &'static str {
        match self {
            Self::Rsa => include_str!("../../keys/mtls_rsa.csr"),
            Self::Ecdsa => include_str!("../../keys/mtls_ecdsa.csr"),
        }
    }

    fn private_key(self) -> &'static str {
        match self {
            Self::Rsa => include_str!("../../keys/mtls_rsa.pem"),
            Self::Ecdsa => include_str!("../../keys/mtls_ecdsa.pem"),
        }
    }

    /// Which key a certificate is for.
    fn of(certificate: &ClientCertificate) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| {
            let request = CertificateSigningRequest::from_pem(kind.csr());
            let key = request.and_then(|request| request.spki_der());
            key.is_ok_and(|key| key == certificate.spki_der())
        })
    }
}

/// A certificate of the workspace: shown as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MtlsConfig {
    pub(crate) id: Uuid,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    pub(crate) signed_cert: String,
    pub(crate) expires_at: Millis,
    pub(crate) created_at: Millis,
    pub(crate) updated_at: Millis,
}

impl Kept for MtlsConfig {
    const KIND: &'static str = "webhook_mtls";

    fn key(&self) -> String {
        self.id.to_string()
    }
}

impl MtlsConfig {
    /// A configuration of this certificate.
    pub(crate) fn new(id: Uuid, signed_cert: &str, now: Millis) -> Result<Self, ApiError> {
        Ok(Self {
            id,
            name: None,
            signed_cert: signed_cert.to_owned(),
            expires_at: ends(signed_cert)?,
            created_at: now,
            updated_at: now,
        })
    }

    pub(crate) fn rename(&mut self, name: Option<String>) -> Result<(), ApiError> {
        let fits = |name: &String| {
            name.chars().count() <= MAX_NAME
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ')
        };
        if name.as_ref().is_some_and(|name| !fits(name)) {
            let must = "at most 255 letters, digits and spaces";
            return Err(ApiError::invalid("name", must));
        }
        self.name = name;
        Ok(())
    }

    pub(crate) fn replace(&mut self, signed_cert: String) -> Result<(), ApiError> {
        self.expires_at = ends(&signed_cert)?;
        self.signed_cert = signed_cert;
        Ok(())
    }

    /// What stands of it within a webhook.
    pub(crate) fn within(&self) -> WebhookMtls {
        WebhookMtls {
            client_signed_cert: self.signed_cert.clone(),
        }
    }

    /// The certificate with its private key, to be presented.
    pub(crate) fn identity(&self) -> Option<Identity> {
        let certificate = ClientCertificate::from_pem(&self.signed_cert).ok()?;
        let key = KeyAlgorithm::of(&certificate)?.private_key();
        Some(Identity {
            name: format!("{}/{}", self.id, self.updated_at),
            pem: format!("{key}\n{}", self.signed_cert).into(),
        })
    }
}

/// When a certificate for one of our keys ends.
fn ends(signed_cert: &str) -> Result<Millis, ApiError> {
    let read = ClientCertificate::from_pem(signed_cert);
    let certificate = read.map_err(|why| ApiError::invalid("signedCert", why))?;
    if KeyAlgorithm::of(&certificate).is_none() {
        let must = "issued for the key of a CSR of this workspace";
        return Err(ApiError::invalid("signedCert", must));
    }
    Ok(certificate.not_after())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_of_its_key_and_signed_by_it() {
        for kind in KeyAlgorithm::ALL {
            let request = CertificateSigningRequest::from_pem(kind.csr()).expect("a request");
            assert!(request.spki_der().is_ok());
            assert!(kind.private_key().contains("BEGIN PRIVATE KEY"));
        }
    }

    #[test]
    fn a_name_is_letters_digits_and_spaces() {
        let mut config = MtlsConfig {
            id: Uuid::nil(),
            name: None,
            signed_cert: String::new(),
            expires_at: Millis(0),
            created_at: Millis(0),
            updated_at: Millis(0),
        };
        for (name, fits) in [
            ("Gateway 2", true),
            ("", true),
            ("a-b", false),
            ("ü", false),
        ] {
            assert_eq!(config.rename(Some(name.to_owned())).is_ok(), fits, "{name}");
        }
        assert!(config.rename(Some("a".repeat(256))).is_err());
        assert!(config.rename(None).is_ok());
    }
}
