//! Files that are nobody else's: mode 0600, in folders of mode 0700.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::output::note;

/// Makes a folder, with those it stands in.
pub(crate) fn private_folder(folder: &Path) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("{} cannot be made", folder.display()))
}

/// Writes a file that only its owner can read; what was there is replaced whole.
pub(crate) fn write_secret(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = file.parent() {
        private_folder(folder)?;
    }
    let mut half = file.as_os_str().to_owned();
    half.push(format!(".{}.tmp", std::process::id()));
    let half = PathBuf::from(half);
    let written = (|| {
        let mut out = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&half)?;
        out.write_all(content)?;
        out.sync_all()?;
        std::fs::rename(&half, file)
    })();
    written.with_context(|| format!("{} cannot be written", file.display()))
}

/// A file's bytes; of one that is longer, one byte more than the limit.
pub(crate) fn read_at_most(file: &Path, limit: usize) -> anyhow::Result<Vec<u8>> {
    let bad = || format!("{} cannot be read", file.display());
    let mut bytes = Vec::new();
    let limit = u64::try_from(limit)?.saturating_add(1);
    let open = File::open(file).with_context(bad)?;
    open.take(limit).read_to_end(&mut bytes).with_context(bad)?;
    Ok(bytes)
}

/// A folder that goes when its owner does.
#[derive(Debug)]
pub(crate) struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    /// A new one.
    pub(crate) fn new(name: &str) -> anyhow::Result<Self> {
        let folder = std::env::temp_dir().join(format!("{name}-{}", uuid::Uuid::new_v4()));
        private_folder(&folder)?;
        Ok(Self(folder))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            note(format_args!(
                "{} cannot be removed ({error}): remove it by hand, there may be keys in it",
                self.0.display()
            ));
        }
    }
}
