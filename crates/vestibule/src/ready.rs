//! The ready file: tells a script what is served and where, once it is.

use std::path::Path;

use anyhow::Context;
use serde::Serialize;

/// Writes the file whole: a reader sees all of it or none.
pub(crate) fn write(file: &Path, content: &impl Serialize) -> anyhow::Result<()> {
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
