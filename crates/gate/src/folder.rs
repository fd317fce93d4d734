//! The gate's folder: configuration, keys (mode 0600), store.

use std::borrow::Cow;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use protocol::ed25519::SigningKey;
use protocol::keys::{KeyError, KeySize, PrivateKey};
use protocol::time::Millis;

/// Where everything of a gate lies.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

/// A file of the gate's that is not as it must be.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It cannot be read or written.
    #[error("{file}: {error}")]
    Io {
        /// Which.
        file: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It is no key.
    #[error("{file}: {error}")]
    Key {
        /// Which.
        file: PathBuf,
        /// What is wrong.
        error: KeyError,
    },
    /// Another process runs this gate.
    #[error("another process runs the gate of {0}: one gate, one process")]
    Running(PathBuf),
    /// There is a gate already.
    #[error("{0} is there already: this folder has a gate")]
    Taken(PathBuf),
    /// There is a part of a gate, and no gate.
    #[error(
        "{0} is there already, but no gate: an init that was interrupted left it. Move it away, or name another folder"
    )]
    Leftover(PathBuf),
}

/// The gate's own keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyName<'n> {
    /// Reads upstream.
    Viewer,
    /// Proposes upstream.
    Editor,
    /// Proposes upstream for one connection alone, by that connection's name.
    EditorOf(&'n str),
    /// Signs webhooks.
    Webhooks,
    /// The first owner's.
    Owner,
}

/// What stands behind the name of a file that was moved aside, before the moment.
const BEFORE_RESTORE: &str = ".before-restore-";
/// What stands before and after the connection's name in the name of its Editor's key.
const EDITOR_OF: (&str, &str) = ("upstream-editor.", ".pem");

impl KeyName<'_> {
    fn file(self) -> Cow<'static, str> {
        let (before, after) = EDITOR_OF;
        match self {
            Self::Viewer => "upstream-viewer.pem".into(),
            Self::Editor => "upstream-editor.pem".into(),
            Self::EditorOf(connection) => format!("{before}{connection}{after}").into(),
            Self::Webhooks => "webhooks.pem".into(),
            Self::Owner => "owner.pem".into(),
        }
    }

    const fn size(self) -> KeySize {
        match self {
            Self::Viewer | Self::Editor | Self::EditorOf(_) => KeySize::Rsa4096,
            Self::Webhooks | Self::Owner => KeySize::Rsa2048,
        }
    }
}

impl Folder {
    /// A gate's folder.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The configuration.
    pub fn config(&self) -> PathBuf {
        self.0.join("gate.toml")
    }

    /// The database, where no other is named.
    pub fn database(&self) -> PathBuf {
        self.0.join("gate.db")
    }

    /// Held by who makes or runs the gate.
    pub(crate) fn lock_path(&self) -> PathBuf {
        self.0.join("gate.lock")
    }

    /// All that making a gate makes.
    pub(crate) fn parts(&self) -> Vec<PathBuf> {
        let names = [
            "gate.toml",
            "keys",
            "csr",
            "gate.db",
            "gate.db-wal",
            "gate.db-shm",
            "access",
        ];
        names.map(|name| self.0.join(name)).into()
    }

    /// A key.
    pub fn key_path(&self, name: KeyName<'_>) -> PathBuf {
        self.0.join("keys").join(&*name.file())
    }

    /// The key that signs log and manifests.
    pub fn log_key_path(&self) -> PathBuf {
        self.0.join("keys").join("log.pem")
    }

    /// What this machine knew of the log whenever a copy was put back: the checkpoints that were moved aside.
    pub(crate) fn checkpoints_before_restores(&self) -> Vec<PathBuf> {
        let checkpoint = self.checkpoint();
        let name = checkpoint.file_name().unwrap_or_default();
        let aside = |entry: fs::DirEntry| {
            let file = entry.file_name();
            let rest = file.to_str()?.strip_prefix(name.to_str()?)?;
            rest.starts_with(BEFORE_RESTORE).then(|| entry.path())
        };
        let entries = fs::read_dir(&self.0).into_iter().flatten();
        entries.flatten().filter_map(aside).collect()
    }

    /// Where a file is moved when a copy is put back at this moment.
    pub(crate) fn before_restore(&self, file: &Path, at: Millis) -> PathBuf {
        let mut name = file.as_os_str().to_owned();
        name.push(format!("{BEFORE_RESTORE}{at}"));
        name.into()
    }

    /// The newest signed checkpoint of the log, kept beside the store.
    pub fn checkpoint(&self) -> PathBuf {
        self.0.join("log.checkpoint")
    }

    /// Access records of accepted reads, a segment a file.
    pub fn access(&self) -> PathBuf {
        self.0.join("access")
    }

    /// Where a running gate's admin listener is.
    pub fn admin_url_path(&self) -> PathBuf {
        self.0.join("admin.url")
    }

    /// The id that the first owner's key signs for.
    pub fn owner_id_path(&self) -> PathBuf {
        self.0.join("keys").join("owner.id")
    }

    /// A CSR that the client uploads in its Console.
    pub fn csr_path(&self, name: KeyName<'_>) -> PathBuf {
        self.0
            .join("csr")
            .join(name.file().replace(".pem", ".csr.pem"))
    }

    /// Reads a key.
    pub fn key(&self, name: KeyName<'_>) -> Result<PrivateKey, FolderError> {
        let file = self.key_path(name);
        let text = secrecy::SecretString::from(self.read(&file)?);
        let key = PrivateKey::from_pem(secrecy::ExposeSecret::expose_secret(&text));
        key.map_err(|error| FolderError::Key { file, error })
    }

    /// The connections for whose own Editors there are keys.
    pub(crate) fn editors_of(&self) -> Vec<String> {
        let (before, after) = EDITOR_OF;
        let connection = |entry: fs::DirEntry| {
            let name = entry.file_name().into_string().ok()?;
            let connection = name.strip_prefix(before)?.strip_suffix(after)?;
            Some(connection.to_owned())
        };
        let entries = fs::read_dir(self.0.join("keys")).into_iter().flatten();
        entries.flatten().filter_map(connection).collect()
    }

    /// Makes a key.
    pub fn make_key(&self, name: KeyName<'_>) -> Result<PrivateKey, FolderError> {
        let file = self.key_path(name);
        let bad = |error| FolderError::Key {
            file: file.clone(),
            error,
        };
        let key = PrivateKey::generate(name.size()).map_err(bad)?;
        let pem = key.to_pkcs8_pem().map_err(bad)?;
        self.write_new(&file, pem.as_bytes())?;
        Ok(key)
    }

    /// Reads the key that signs log and manifests.
    pub fn log_key(&self) -> Result<SigningKey, FolderError> {
        let file = self.log_key_path();
        let text = secrecy::SecretString::from(self.read(&file)?);
        let key = SigningKey::from_pem(secrecy::ExposeSecret::expose_secret(&text));
        key.map_err(|error| FolderError::Key { file, error })
    }

    /// Makes the key that signs log and manifests.
    pub fn make_log_key(&self) -> Result<SigningKey, FolderError> {
        let file = self.log_key_path();
        let bad = |error| FolderError::Key {
            file: file.clone(),
            error,
        };
        let key = SigningKey::generate().map_err(bad)?;
        self.write_new(&file, key.to_pem().map_err(bad)?.as_bytes())?;
        Ok(key)
    }

    /// Takes the folder for this process alone, until what is returned is dropped.
    pub(crate) fn lock(&self) -> Result<fs::File, FolderError> {
        let file = self.lock_path();
        let failed = |error| FolderError::Io {
            file: file.clone(),
            error,
        };
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&file)
            .map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(lock),
            Err(fs::TryLockError::WouldBlock) => Err(FolderError::Running(self.0.clone())),
            Err(fs::TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Whether a process runs this gate now.
    pub(crate) fn is_running(&self) -> Result<bool, FolderError> {
        match self.lock() {
            Ok(lock) => {
                drop(lock);
                Ok(false)
            }
            Err(FolderError::Running(_)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Reads a file.
    pub fn read(&self, file: &Path) -> Result<String, FolderError> {
        fs::read_to_string(file).map_err(|error| FolderError::Io {
            file: file.to_owned(),
            error,
        })
    }

    /// Writes a file that only its owner can read, and that must not be there yet.
    pub fn write_new(&self, file: &Path, content: &[u8]) -> Result<(), FolderError> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::AlreadyExists => FolderError::Taken(file.to_owned()),
            _ => FolderError::Io {
                file: file.to_owned(),
                error,
            },
        };
        if let Some(folder) = file.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)
                .map_err(failed)?;
        }
        let mut out = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(file)
            .map_err(failed)?;
        out.write_all(content)
            .and_then(|()| out.sync_all())
            .map_err(failed)
    }
    /// Writes a file that only its owner can read: the old content or the new is there, whatever
    /// happens, and the new once this returns.
    pub(crate) fn write_whole(&self, file: &Path, content: &[u8]) -> Result<(), FolderError> {
        let failed = |error: io::Error| FolderError::Io {
            file: file.to_owned(),
            error,
        };
        let new = file.with_extension("new");
        let mut out = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&new)
            .map_err(failed)?;
        out.write_all(content)
            .and_then(|()| out.sync_all())
            .and_then(|()| fs::rename(&new, file))
            .and_then(|()| fs::File::open(&self.0)?.sync_all())
            .map_err(failed)
    }
}
