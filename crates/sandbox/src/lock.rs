//! A sandbox's file is one process's: two would each believe their own memory of it.

use std::fs::{self, File, OpenOptions};
use std::path::Path;

use crate::start::StartError;

/// A file taken for this process, until this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes it, by a file beside it. (SQLite's own locks go when anybody closes the file.)
    pub(crate) fn take(data: &Path) -> Result<Self, StartError> {
        let mut name = data.as_os_str().to_owned();
        name.push(".lock");
        let path = std::path::PathBuf::from(name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let failed = |error| StartError::Lock(path.clone(), error);
        let file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(fs::TryLockError::WouldBlock) => Err(StartError::Running(data.to_owned())),
            Err(fs::TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}
