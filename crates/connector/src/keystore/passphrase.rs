//! The keystore's passphrase: from a file or the environment, never from a command line.

use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::files;

/// Largest passphrase file, in bytes.
const MAX_FILE: u64 = 4096;

/// What opens the keystore. Cannot be printed.
#[derive(Clone)]
pub struct Passphrase(SecretString);

/// A passphrase that is not taken.
#[derive(Debug, thiserror::Error)]
pub enum BadPassphrase {
    /// It is too short.
    #[error("a passphrase has at least {} characters", Passphrase::MIN_LEN)]
    Short,
    /// Others may read its file.
    #[error("{0} may be read by others: set its mode to 0600")]
    Open(PathBuf),
    /// The file cannot be read.
    #[error("{path}: {why}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What happened.
        why: std::io::Error,
    },
    /// The file is not text.
    #[error("{0} holds no text")]
    NoText(PathBuf),
}

impl Passphrase {
    /// Least length taken, in characters.
    pub const MIN_LEN: usize = 12;

    /// A passphrase, as the environment holds it.
    pub fn new(text: String) -> Result<Self, BadPassphrase> {
        let secret = SecretString::from(text);
        if secret.expose_secret().chars().count() < Self::MIN_LEN {
            return Err(BadPassphrase::Short);
        }
        Ok(Self(secret))
    }

    /// The first line of a file of mode 0600.
    pub fn from_file(path: &Path) -> Result<Self, BadPassphrase> {
        Self::new(first_line(path)?)
    }

    pub(super) fn reveal(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase")
    }
}

/// What opens a key that somebody else sealed: as long or short as they made it. It opens that one
/// key, and never seals one here. Cannot be printed.
pub struct ForeignPassphrase(SecretString);

impl ForeignPassphrase {
    /// A passphrase, as it was told.
    pub fn new(text: String) -> Self {
        Self(text.into())
    }

    /// The first line of a file of mode 0600.
    pub fn from_file(path: &Path) -> Result<Self, BadPassphrase> {
        first_line(path).map(Self::new)
    }

    pub(super) fn reveal(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

impl std::fmt::Debug for ForeignPassphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ForeignPassphrase")
    }
}

fn first_line(path: &Path) -> Result<String, BadPassphrase> {
    let file = |why| BadPassphrase::File {
        path: path.to_owned(),
        why,
    };
    if files::open_to_others(path).map_err(file)? {
        return Err(BadPassphrase::Open(path.to_owned()));
    }
    let content = zeroize::Zeroizing::new(files::read_limited(path, MAX_FILE).map_err(file)?);
    let text = std::str::from_utf8(&content).map_err(|_| BadPassphrase::NoText(path.to_owned()))?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
