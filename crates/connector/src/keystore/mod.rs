//! One key a client, one client a key (practices P2 and P3).
//!
//! A file a client, `<name>.pem`, mode 0600: a few lines that say which key it is and where it came
//! from, then the key as PKCS#8 sealed with the keystore's passphrase (PBES2: scrypt, AES-256),
//! which `openssl pkey -in FILE` opens too. There is no way to print or export the private half:
//! what leaves is a CSR, a fingerprint, or a signature.

mod entry;
mod next;
mod passphrase;
mod signer;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use protocol::csr::{CertificateSigningRequest, CsrError};
use protocol::ids::UserId;
use protocol::keys::{KeyError, KeyFingerprint, KeySize, PrivateKey};
use protocol::time::Millis;
use wire::client::RequestSigner;

pub use entry::{KeyEntry, KeyOrigin};
pub use passphrase::{BadPassphrase, ForeignPassphrase, Passphrase};
use signer::KeystoreSigner;

use crate::client_name::ClientName;
use crate::files;

/// Largest file of a key that is read, in bytes.
const MAX_KEY_FILE: u64 = 64 * 1024;

/// A folder of keys.
#[derive(Clone, Debug)]
pub struct Keystore {
    folder: PathBuf,
}

/// Why the keystore did not do it.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// One client, one key.
    #[error("{0} has a key already: one client, one key")]
    HasOne(ClientName),
    /// One key, one client.
    #[error("that key is {of}'s already: one key, one client")]
    Shared {
        /// Whose.
        of: ClientName,
    },
    /// Its next key waits already.
    #[error("{0} has a next key already: go on with it by `keys rotate`")]
    HasNext(ClientName),
    /// There is no key.
    #[error("{0} has no key: make one with `keys new`")]
    None(ClientName),
    /// The keystore's other keys have another passphrase.
    #[error("this passphrase does not open the keystore's other keys: one passphrase, all keys")]
    OtherPassphrase,
    /// Others may read the key's file.
    #[error("{0} may be read by others: set its mode to 0600, and think about who did read it")]
    Open(PathBuf),
    /// The file is damaged.
    #[error("{0} is no key of this keystore, or damaged")]
    Damaged(PathBuf),
    /// What is to be adopted is encrypted, and nothing was given that opens it.
    #[error(
        "that key is encrypted: say which file holds the passphrase that opens it, with --sealed-with FILE"
    )]
    Sealed,
    /// It is encrypted in the form that PKCS#8 replaced.
    #[error(
        "that key is encrypted in OpenSSL's old form, which is not read here: write it anew with `openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD -out NEW`, then adopt NEW with --sealed-with FILE"
    )]
    SealedOldForm,
    /// What is to be adopted is not encrypted, and a passphrase was given.
    #[error("that key is not encrypted: adopt it without --sealed-with")]
    NotSealed,
    /// The passphrase that was given does not open the key, or it is not a key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There is no request.
    #[error(transparent)]
    Request(#[from] CsrError),
    /// The disk.
    #[error("{path}: {why}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What happened.
        why: io::Error,
    },
}

/// How a PEM file is encrypted.
enum Sealing {
    None,
    /// PKCS#8 (RFC 5958).
    Pkcs8,
    /// A header inside the block (RFC 1421).
    OldForm,
}

impl Sealing {
    fn of(pem: &str) -> Self {
        if pem.contains(entry::BEGIN) {
            Self::Pkcs8
        } else if pem.contains("Proc-Type: 4,ENCRYPTED") {
            Self::OldForm
        } else {
            Self::None
        }
    }
}

impl Keystore {
    /// The keystore in this folder, made if there is none.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, KeystoreError> {
        let folder = folder.into();
        files::private_folder(&folder).map_err(|why| KeystoreError::File {
            path: folder.clone(),
            why,
        })?;
        Ok(Self { folder })
    }

    /// Makes a client's key; born encrypted. Blocks for a second or so.
    pub fn make(
        &self,
        client: &ClientName,
        size: KeySize,
        with: &Passphrase,
        now: Millis,
    ) -> Result<KeyEntry, KeystoreError> {
        self.vacant(client)?;
        let key = PrivateKey::generate(size)?;
        self.keep(client, &key, KeyOrigin::Made, with, now)
    }

    /// Takes in a key that was made elsewhere, and marks it so. `sealed_with` opens it where it is encrypted.
    /// What was outside stays where it is: removing it there is its owner's to do.
    pub fn adopt(
        &self,
        client: &ClientName,
        pem: &str,
        sealed_with: Option<&ForeignPassphrase>,
        with: &Passphrase,
        now: Millis,
    ) -> Result<KeyEntry, KeystoreError> {
        self.vacant(client)?;
        let key = match (Sealing::of(pem), sealed_with) {
            (Sealing::Pkcs8, Some(foreign)) => {
                PrivateKey::from_encrypted_pem(pem, foreign.reveal())?
            }
            (Sealing::Pkcs8, None) => return Err(KeystoreError::Sealed),
            (Sealing::OldForm, _) => return Err(KeystoreError::SealedOldForm),
            (Sealing::None, Some(_)) => return Err(KeystoreError::NotSealed),
            (Sealing::None, None) => PrivateKey::from_pem(pem)?,
        };
        self.keep(client, &key, KeyOrigin::Adopted, with, now)
    }

    /// Every key, by its client's name.
    pub fn list(&self) -> Result<Vec<KeyEntry>, KeystoreError> {
        let mut entries = Vec::new();
        for file in std::fs::read_dir(&self.folder).map_err(|why| self.at(&self.folder, why))? {
            let path = file.map_err(|why| self.at(&self.folder, why))?.path();
            if path.extension().is_some_and(|extension| extension == "pem") {
                entries.push(self.read(&path)?.0);
            }
        }
        entries.sort_by(|a, b| a.client.cmp(&b.client));
        Ok(entries)
    }

    /// A client's key, as far as it may be shown.
    pub fn entry(&self, client: &ClientName) -> Result<KeyEntry, KeystoreError> {
        Ok(self.find(client)?.0)
    }

    /// What signs a client's requests, also after its key was replaced in the keystore.
    pub fn signer(
        &self,
        client: &ClientName,
        user: UserId,
        with: &Passphrase,
    ) -> Result<Arc<dyn RequestSigner>, KeystoreError> {
        let signer = KeystoreSigner::open(self.clone(), client.clone(), user, with.clone())?;
        Ok(Arc::new(signer))
    }

    /// A client's certificate signing request: all of its key that ever leaves.
    pub fn request(
        &self,
        client: &ClientName,
        organization: &str,
        with: &Passphrase,
    ) -> Result<CertificateSigningRequest, KeystoreError> {
        let key = self.open_key(client, with)?;
        requested(&key, organization, client)
    }

    /// The key itself: never beyond this room.
    pub(crate) fn open_key(
        &self,
        client: &ClientName,
        with: &Passphrase,
    ) -> Result<PrivateKey, KeystoreError> {
        self.open_at(&self.path(client), client, with)
    }

    fn open_at(
        &self,
        path: &Path,
        client: &ClientName,
        with: &Passphrase,
    ) -> Result<PrivateKey, KeystoreError> {
        let (entry, pem) = self.find_at(path, client)?;
        let key = PrivateKey::from_encrypted_pem(&pem, with.reveal())?;
        if key.public().fingerprint() != entry.fingerprint {
            return Err(KeystoreError::Damaged(path.to_owned()));
        }
        Ok(key)
    }

    fn keep(
        &self,
        client: &ClientName,
        key: &PrivateKey,
        origin: KeyOrigin,
        with: &Passphrase,
        now: Millis,
    ) -> Result<KeyEntry, KeystoreError> {
        let entry = KeyEntry {
            client: client.clone(),
            fingerprint: key.public().fingerprint(),
            bits: key.public().bits(),
            origin,
            kept_since: now,
        };
        let text = entry.print(&key.to_encrypted_pem(with.reveal())?);
        // Two commands at once would otherwise both find the modulus new.
        let _turn = self.turn()?;
        self.vacant(client)?;
        self.one_passphrase(with)?;
        if let Some(of) = self.holder(entry.fingerprint)? {
            return Err(KeystoreError::Shared { of });
        }
        let path = self.path(client);
        files::write_whole(&path, text.as_bytes()).map_err(|why| self.at(&path, why))?;
        Ok(entry)
    }

    /// One passphrase opens all: a mistyped one would seal a key that nobody opens again.
    fn one_passphrase(&self, with: &Passphrase) -> Result<(), KeystoreError> {
        let Some(other) = self.list()?.into_iter().next() else {
            return Ok(());
        };
        match self.open_key(&other.client, with) {
            Err(KeystoreError::Key(KeyError::Passphrase)) => Err(KeystoreError::OtherPassphrase),
            _ => Ok(()),
        }
    }

    fn turn(&self) -> Result<File, KeystoreError> {
        let path = self.folder.join("lock");
        let taken = File::create(&path).and_then(|file| file.lock().map(|()| file));
        taken.map_err(|why| self.at(&path, why))
    }

    fn holder(&self, fingerprint: KeyFingerprint) -> Result<Option<ClientName>, KeystoreError> {
        Ok(self
            .list()?
            .into_iter()
            .find(|entry| entry.fingerprint == fingerprint)
            .map(|entry| entry.client))
    }

    fn vacant(&self, client: &ClientName) -> Result<(), KeystoreError> {
        match self.path(client).try_exists() {
            Ok(false) => Ok(()),
            Ok(true) => Err(KeystoreError::HasOne(client.clone())),
            Err(why) => Err(self.at(&self.path(client), why)),
        }
    }

    fn find(&self, client: &ClientName) -> Result<(KeyEntry, String), KeystoreError> {
        self.find_at(&self.path(client), client)
    }

    fn find_at(
        &self,
        path: &Path,
        client: &ClientName,
    ) -> Result<(KeyEntry, String), KeystoreError> {
        match self.read(path) {
            Err(KeystoreError::File { why, .. }) if why.kind() == io::ErrorKind::NotFound => {
                Err(KeystoreError::None(client.clone()))
            }
            Ok((entry, _)) if entry.client != *client => {
                Err(KeystoreError::Damaged(path.to_owned()))
            }
            other => other,
        }
    }

    fn read(&self, path: &Path) -> Result<(KeyEntry, String), KeystoreError> {
        if files::open_to_others(path).map_err(|why| self.at(path, why))? {
            return Err(KeystoreError::Open(path.to_owned()));
        }
        let content = files::read_limited(path, MAX_KEY_FILE).map_err(|why| self.at(path, why))?;
        let text = String::from_utf8(content).ok();
        text.as_deref()
            .and_then(KeyEntry::parse)
            .ok_or_else(|| KeystoreError::Damaged(path.to_owned()))
    }

    fn path(&self, client: &ClientName) -> PathBuf {
        self.folder.join(format!("{client}.pem"))
    }

    fn at(&self, path: &Path, why: io::Error) -> KeystoreError {
        KeystoreError::File {
            path: path.to_owned(),
            why,
        }
    }
}

fn requested(
    key: &PrivateKey,
    organization: &str,
    client: &ClientName,
) -> Result<CertificateSigningRequest, KeystoreError> {
    let name = Some(client.as_str());
    Ok(CertificateSigningRequest::new(key, organization, name)?)
}

#[cfg(test)]
mod tests;
