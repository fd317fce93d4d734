//! Approval keys: public keys that sign approvals of pending requests (`/approvals`).

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ED25519, ParsedPublicKey,
    RSA_PSS_2048_8192_SHA256, VerificationAlgorithm,
};
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::keys::KeyError;

/// How a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ApprovalAlgorithm {
    /// RSASSA-PSS with SHA-256.
    #[serde(rename = "RSA_PS256")]
    RsaPs256,
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ECDSA_SECP256R1")]
    EcdsaSecp256r1,
    /// ECDSA on P-384 with SHA-384.
    #[serde(rename = "ECDSA_SECP384R1")]
    EcdsaSecp384r1,
    /// Ed25519.
    #[serde(rename = "EDDSA_ED25519")]
    EddsaEd25519,
}

impl ApprovalAlgorithm {
    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::RsaPs256 => &RSA_PSS_2048_8192_SHA256,
            Self::EcdsaSecp256r1 => &ECDSA_P256_SHA256_ASN1,
            Self::EcdsaSecp384r1 => &ECDSA_P384_SHA384_ASN1,
            Self::EddsaEd25519 => &ED25519,
        }
    }

    /// What a key of this kind calls itself: its algorithm, and its curve if it has one.
    const fn oids(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::RsaPs256 => ("1.2.840.113549.1.1.1", None),
            Self::EcdsaSecp256r1 => ("1.2.840.10045.2.1", Some("1.2.840.10045.3.1.7")),
            Self::EcdsaSecp384r1 => ("1.2.840.10045.2.1", Some("1.3.132.0.34")),
            Self::EddsaEd25519 => ("1.3.101.112", None),
        }
    }
}

/// A public key as it is registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalPublicKey {
    /// How it signs.
    pub algorithm: ApprovalAlgorithm,
    /// The key, a PEM `PUBLIC KEY`.
    pub public_key_pem: String,
}

impl ApprovalPublicKey {
    /// Whether it is a key of its algorithm.
    pub fn check(&self) -> Result<(), KeyError> {
        self.parsed().map(drop)
    }

    /// The key itself, the same however its PEM is wrapped.
    pub fn der(&self) -> Result<Vec<u8>, KeyError> {
        let block = pem::parse(&self.public_key_pem).map_err(|_| KeyError::Unreadable)?;
        if block.tag() != "PUBLIC KEY" {
            return Err(KeyError::Unreadable);
        }
        Ok(block.into_contents())
    }

    /// Whether this key made this signature, base64url of RSA-PSS, of ECDSA in DER, or of Ed25519.
    pub fn verifies(&self, message: &[u8], signature: &str) -> bool {
        let bytes = URL_SAFE_NO_PAD
            .decode(signature)
            .or_else(|_| URL_SAFE.decode(signature));
        match (bytes, self.parsed()) {
            (Ok(bytes), Ok(key)) => key.verify_sig(message, &bytes).is_ok(),
            _ => false,
        }
    }

    fn parsed(&self) -> Result<ParsedPublicKey, KeyError> {
        let der = self.der()?;
        let (rest, info) =
            SubjectPublicKeyInfo::from_der(&der).map_err(|_| KeyError::Unreadable)?;
        let curve = info.algorithm.parameters.as_ref();
        let curve = curve.and_then(|named| named.as_oid().ok());
        let (algorithm, named) = self.algorithm.oids();
        let is_one = rest.is_empty()
            && info.algorithm.algorithm.to_id_string() == algorithm
            && named.is_none_or(|named| curve.is_some_and(|curve| curve.to_id_string() == named));
        if !is_one {
            return Err(KeyError::Unreadable);
        }
        ParsedPublicKey::new(self.algorithm.verification(), &der).map_err(|_| KeyError::Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PSS_SHA256, RsaKeyPair,
    };

    type Sign = Box<dyn Fn(&[u8]) -> Vec<u8>>;

    fn registered(algorithm: ApprovalAlgorithm, der: &[u8]) -> ApprovalPublicKey {
        ApprovalPublicKey {
            algorithm,
            public_key_pem: pem::encode(&pem::Pem::new("PUBLIC KEY", der)),
        }
    }

    fn ecdsa(
        algorithm: ApprovalAlgorithm,
        with: &'static EcdsaSigningAlgorithm,
    ) -> (ApprovalPublicKey, Sign) {
        let pair = EcdsaKeyPair::generate(with).expect("a key");
        let der: PublicKeyX509Der<'_> = pair.public_key().as_der().expect("DER");
        let key = registered(algorithm, der.as_ref());
        let random = SystemRandom::new();
        (
            key,
            Box::new(move |text| pair.sign(&random, text).expect("signs").as_ref().to_vec()),
        )
    }

    fn keys() -> Vec<(ApprovalPublicKey, Sign)> {
        let edwards = Ed25519KeyPair::generate().expect("a key");
        let der: PublicKeyX509Der<'_> = edwards.public_key().as_der().expect("DER");
        let edwards_key = registered(ApprovalAlgorithm::EddsaEd25519, der.as_ref());
        let rsa = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
        let der: PublicKeyX509Der<'_> = rsa.public_key().as_der().expect("DER");
        let rsa_key = registered(ApprovalAlgorithm::RsaPs256, der.as_ref());
        vec![
            (
                edwards_key,
                Box::new(move |text| edwards.sign(text).as_ref().to_vec()),
            ),
            (
                rsa_key,
                Box::new(move |text| {
                    let mut signature = vec![0; rsa.public_modulus_len()];
                    rsa.sign(&RSA_PSS_SHA256, &SystemRandom::new(), text, &mut signature)
                        .expect("signs");
                    signature
                }),
            ),
            ecdsa(
                ApprovalAlgorithm::EcdsaSecp256r1,
                &ECDSA_P256_SHA256_ASN1_SIGNING,
            ),
            ecdsa(
                ApprovalAlgorithm::EcdsaSecp384r1,
                &ECDSA_P384_SHA384_ASN1_SIGNING,
            ),
        ]
    }

    #[test]
    fn each_kind_of_key_signs_what_it_signs_and_nothing_else() {
        for (key, sign) in keys() {
            assert_eq!(key.check(), Ok(()), "{key:?}");
            let signature = URL_SAFE_NO_PAD.encode(sign(b"this"));
            assert!(key.verifies(b"this", &signature), "{key:?}");
            assert!(!key.verifies(b"that", &signature), "{key:?}");
            for bad in ["", "AAAA", "not base64!", &signature[..signature.len() - 4]] {
                assert!(!key.verifies(b"this", bad), "{key:?} {bad}");
            }
        }
    }

    #[test]
    fn a_key_is_of_the_algorithm_it_says() {
        let keys = keys();
        for (key, _) in &keys {
            for (other, _) in &keys {
                let mixed = ApprovalPublicKey {
                    algorithm: other.algorithm,
                    ..key.clone()
                };
                assert_eq!(mixed.check().is_ok(), other.algorithm == key.algorithm);
            }
        }
        for bad in [
            "",
            "no PEM",
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
        ] {
            let key = ApprovalPublicKey {
                algorithm: ApprovalAlgorithm::EddsaEd25519,
                public_key_pem: bad.to_owned(),
            };
            assert_eq!(key.check(), Err(KeyError::Unreadable), "{bad}");
        }
    }
}
