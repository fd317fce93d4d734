//! The key that is to take a client's key's place: `next/<name>.pem`, sealed like the others. It takes
//! the place by one rename, and then the old one is no more.

use std::path::PathBuf;

use protocol::csr::CertificateSigningRequest;
use protocol::keys::{KeySize, PrivateKey};
use protocol::time::Millis;

use super::entry::{KeyEntry, KeyOrigin};
use super::{Keystore, KeystoreError, Passphrase, requested};
use crate::client_name::ClientName;
use crate::files;

impl Keystore {
    /// Makes a client's next key; born encrypted. Blocks for a second or so.
    pub fn make_next(
        &self,
        client: &ClientName,
        size: KeySize,
        with: &Passphrase,
        now: Millis,
    ) -> Result<KeyEntry, KeystoreError> {
        // One passphrase opens both.
        self.open_key(client, with)?;
        let key = PrivateKey::generate(size)?;
        let entry = KeyEntry {
            client: client.clone(),
            fingerprint: key.public().fingerprint(),
            bits: key.public().bits(),
            origin: KeyOrigin::Made,
            kept_since: now,
        };
        let text = entry.print(&key.to_encrypted_pem(with.reveal())?);
        let _turn = self.turn()?;
        let path = self.next_path(client);
        if self.next(client)?.is_some() {
            return Err(KeystoreError::HasNext(client.clone()));
        }
        let kept = files::private_folder(&self.folder.join("next"))
            .and_then(|()| files::write_whole(&path, text.as_bytes()));
        kept.map_err(|why| self.at(&path, why))?;
        Ok(entry)
    }

    /// A client's next key, if one waits.
    pub fn next(&self, client: &ClientName) -> Result<Option<KeyEntry>, KeystoreError> {
        match self.find_at(&self.next_path(client), client) {
            Ok((entry, _)) => Ok(Some(entry)),
            Err(KeystoreError::None(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The certificate signing request of a client's next key.
    pub fn next_request(
        &self,
        client: &ClientName,
        organization: &str,
        with: &Passphrase,
    ) -> Result<CertificateSigningRequest, KeystoreError> {
        let key = self.open_next(client, with)?;
        requested(&key, organization, client)
    }

    /// The next key itself: never beyond this room.
    pub(crate) fn open_next(
        &self,
        client: &ClientName,
        with: &Passphrase,
    ) -> Result<PrivateKey, KeystoreError> {
        self.open_at(&self.next_path(client), client, with)
    }

    /// Puts the next key in the place of the client's key, which is no more then.
    pub fn promote(
        &self,
        client: &ClientName,
        with: &Passphrase,
    ) -> Result<KeyEntry, KeystoreError> {
        self.open_next(client, with)?;
        let _turn = self.turn()?;
        let (from, to) = (self.next_path(client), self.path(client));
        std::fs::rename(&from, &to).map_err(|why| self.at(&to, why))?;
        self.entry(client)
    }

    /// Gives up a client's next key.
    pub fn discard_next(&self, client: &ClientName) -> Result<(), KeystoreError> {
        let _turn = self.turn()?;
        let path = self.next_path(client);
        std::fs::remove_file(&path).map_err(|why| self.at(&path, why))
    }

    fn next_path(&self, client: &ClientName) -> PathBuf {
        self.folder.join("next").join(format!("{client}.pem"))
    }
}
