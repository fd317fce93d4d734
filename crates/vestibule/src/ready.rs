//! The ready file: tells a script what is served and where, once it is. Nothing is served where
//! there is none.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Serialize;

/// Where a ready file goes, if anybody wants one. It goes away with this.
#[derive(Debug)]
pub(crate) struct File(Option<PathBuf>);

impl File {
    /// Takes away what an earlier run has left there: nothing serves yet.
    pub(crate) fn cleared(file: Option<PathBuf>) -> anyhow::Result<Self> {
        if let Some(file) = &file {
            match std::fs::remove_file(file) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(error)
                        .with_context(|| format!("{} cannot be removed", file.display()));
                }
                _ => {}
            }
        }
        Ok(Self(file))
    }

    /// Writes it, now that everything serves.
    pub(crate) fn write(&self, content: &impl Serialize) -> anyhow::Result<()> {
        self.0
            .as_deref()
            .map_or(Ok(()), |file| write(file, content))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if let Some(file) = &self.0 {
            // Whoever has removed it already has done the same.
            let _ = std::fs::remove_file(file);
        }
    }
}

/// Writes the file whole: a reader sees all of it or none.
fn write(file: &Path, content: &impl Serialize) -> anyhow::Result<()> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut name = file
        .file_name()
        .context("the ready file needs a name")?
        .to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let half = folder.join(name);
    let text = serde_json::to_string_pretty(content)?;
    std::fs::write(&half, text).with_context(|| format!("{} cannot be written", half.display()))?;
    std::fs::rename(&half, file).with_context(|| format!("{} cannot be written", file.display()))
}
