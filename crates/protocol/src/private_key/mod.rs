//! Finds private keys where none may be: in whatever one party hands to the other.
//!
//! Looked for are PEM, DER, JWK, OpenSSH, PuTTY, PKCS#12, XML of .NET and keystores of Java, encrypted
//! or not, whole or cut off; as they are, in JSON, in a mail (quoted, wrapped, as HTML), in base64 or
//! hexadecimal, in gzip or zip, in each other. What is packed otherwise is not called clean.
//! Nothing of the input is kept, and nothing of it can be printed: what comes out is a [`Kind`] and,
//! where the private half was tried and holds, its public half.
//!
//! It helps against mistakes. Who wants to hide a key from it can.

mod der;
mod java;
mod jwk;
mod labels;
mod prove;
mod putty;
mod search;
mod xml;

use std::fmt;

use crate::keys::PublicKey;

/// Longest input looked through, in bytes. Longer ones are to be refused before.
pub const MAX_INPUT: usize = 256 * 1024;

/// In what form a private key was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// PKCS#8 (`PRIVATE KEY`).
    Pkcs8,
    /// PKCS#8 under a passphrase (`ENCRYPTED PRIVATE KEY`).
    EncryptedPkcs8,
    /// RSA's own form (`RSA PRIVATE KEY`), encrypted or not.
    Pkcs1,
    /// The form of elliptic curves (`EC PRIVATE KEY`), encrypted or not.
    Sec1,
    /// DSA's own form (`DSA PRIVATE KEY`), encrypted or not.
    Dsa,
    /// A PKCS#12 or PFX file.
    Pkcs12,
    /// OpenSSH's form (`OPENSSH PRIVATE KEY`), encrypted or not.
    OpenSsh,
    /// A PuTTY file (`.ppk`).
    Putty,
    /// A JSON Web Key with its private part.
    Jwk,
    /// An RSA key in XML (`RSAKeyValue`), as .NET writes it.
    Xml,
    /// A keystore of Java (JKS or JCEKS).
    JavaKeystore,
    /// Another PEM label of a private key, or one written out in numbers.
    Other,
    /// Too large, or wrapped too often, to be looked through to the end: nobody can say that there is none.
    Unsearchable,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pkcs8 => "a private key (PKCS#8)",
            Self::EncryptedPkcs8 => "an encrypted private key (PKCS#8)",
            Self::Pkcs1 => "an RSA private key (PKCS#1)",
            Self::Sec1 => "an elliptic curve private key (SEC 1)",
            Self::Dsa => "a DSA private key",
            Self::Pkcs12 => "a PKCS#12 file",
            Self::OpenSsh => "an OpenSSH private key",
            Self::Putty => "a PuTTY private key",
            Self::Jwk => "a JSON Web Key with its private part",
            Self::Xml => "an RSA private key in XML",
            Self::JavaKeystore => "a Java keystore",
            Self::Other => "a private key",
            Self::Unsearchable => "more wrapping than can be looked through",
        })
    }
}

/// A private key that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// In what form.
    pub kind: Kind,
    /// Its public half, where the private half was read, is consistent and signs under it: RSA, unencrypted.
    pub proven: Option<PublicKey>,
}

/// Whether there is a private key in the input. A proven one is preferred.
pub fn find(input: &[u8]) -> Option<Found> {
    find_all(input).into_iter().next()
}

/// Every private key that is proven, each once (a few at most); and one that is not, where there is none
/// or may be another beside them.
pub fn find_all(input: &[u8]) -> Vec<Found> {
    search::run(input)
}

#[cfg(test)]
mod tests;
