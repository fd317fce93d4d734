//! A gate's folder while the gate is being made: what is made in it goes again, unless it is kept.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

use crate::folder::{Folder, FolderError};

/// Dropped without [`Making::keep`], it removes all that was not there before.
pub(super) struct Making {
    /// What belongs to a gate; nothing of it was there.
    parts: Vec<PathBuf>,
    /// Folders that were not there, the innermost first.
    folders: Vec<PathBuf>,
    /// Nobody else makes or runs a gate here meanwhile.
    _lock: File,
}

impl Making {
    /// Begins in a folder that has no gate, nor a part of one.
    pub(super) fn begin(folder: &Folder) -> Result<Self, FolderError> {
        untouched(folder)?;
        let is_missing = |path: &&std::path::Path| !path.as_os_str().is_empty() && !path.exists();
        let missing = folder.path().ancestors().take_while(is_missing);
        let folders = missing.map(ToOwned::to_owned).collect();
        let failed = |error| FolderError::Io {
            file: folder.path().to_owned(),
            error,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder.path())
            .map_err(failed)?;
        let mut parts = folder.parts();
        if !folder.lock_path().exists() {
            parts.push(folder.lock_path());
        }
        let lock = folder.lock()?;
        // Somebody may have been quicker to take it.
        untouched(folder)?;
        Ok(Self {
            parts,
            folders,
            _lock: lock,
        })
    }

    /// The gate is whole.
    pub(super) fn keep(mut self) {
        self.parts.clear();
        self.folders.clear();
    }
}

/// Nothing is overwritten, and nothing that is found here is removed.
fn untouched(folder: &Folder) -> Result<(), FolderError> {
    if folder.config().exists() {
        return Err(FolderError::Taken(folder.config()));
    }
    match folder.parts().into_iter().find(|part| part.exists()) {
        Some(part) => Err(FolderError::Leftover(part)),
        None => Ok(()),
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        let parts = self.parts.iter().map(|part| {
            let removed = if part.is_dir() {
                fs::remove_dir_all(part)
            } else {
                fs::remove_file(part)
            };
            (part, removed)
        });
        let folders = self.folders.iter().map(|path| (path, fs::remove_dir(path)));
        for (path, removed) in parts.chain(folders) {
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(path = %path.display(), %error, "what was half made is still there");
                }
                _ => {}
            }
        }
    }
}
