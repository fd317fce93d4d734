//! Segments of access records: files outside the tree, each with its digest in the log.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};

use super::copy::ExportError;
pub(crate) use super::copy::private_folder;
use super::verify::{Broken, ToldSegment};

/// What a segment's file is called after its number.
const ENDING: &str = ".jsonl";

/// The file of a segment.
pub(crate) fn file_name(number: u64) -> String {
    format!("{number:08}{ENDING}")
}

/// The segment of a file.
pub(crate) fn number_of(file: &Path) -> Option<u64> {
    let name = file.file_name()?.to_str()?;
    let number = name.strip_suffix(ENDING)?.parse().ok()?;
    (file_name(number) == name).then_some(number)
}

/// The segments in a folder, the oldest first. A folder that is not there has none.
pub(crate) fn list(folder: &Path) -> std::io::Result<Vec<(u64, PathBuf)>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        found.extend(number_of(&path).map(|number| (number, path)));
    }
    found.sort_unstable();
    Ok(found)
}

/// The digest of a file, hex.
pub(crate) fn digest(file: &Path) -> std::io::Result<String> {
    let mut file = fs::File::open(file)?;
    let (mut hash, mut buffer) = (Context::new(&SHA256), vec![0; 1 << 16]);
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hex::encode(hash.finish().as_ref()));
        }
        hash.update(buffer.get(..read).unwrap_or_default());
    }
}

/// Compares the segments in a folder with what the log tells; how many are not there. In a gate's own
/// folder all must be there, and newer ones may be; in a copy some may be missing, and none is newer.
pub(crate) fn check(folder: &Path, told: &[ToldSegment], own: bool) -> Result<u64, Broken> {
    let mut missing = 0;
    for segment in told {
        let file = file_name(segment.number);
        let wrong = |what: String| Broken::Access {
            file: file.clone(),
            what,
        };
        match digest(&folder.join(&file)) {
            Ok(digest) if digest == segment.sha256 => {}
            Ok(_) => return Err(wrong("they are not those that the log tells of".to_owned())),
            Err(error) if !own && error.kind() == std::io::ErrorKind::NotFound => missing += 1,
            Err(error) => return Err(wrong(error.to_string())),
        }
    }
    let told: BTreeSet<u64> = told.iter().map(|segment| segment.number).collect();
    let there = list(folder).map_err(|error| Broken::Access {
        file: folder.display().to_string(),
        what: error.to_string(),
    })?;
    let last = told.last().copied().unwrap_or_default();
    let strange = |number: u64| !told.contains(&number) && (!own || number < last);
    match there.iter().find(|(number, _)| strange(*number)) {
        Some((number, _)) => Err(Broken::Access {
            file: file_name(*number),
            what: "no entry of the log tells of them".to_owned(),
        }),
        None => Ok(missing),
    }
}

/// Copies these segments.
pub(super) fn copy(numbers: &[u64], from: &Path, to: &Path) -> Result<u64, ExportError> {
    let failed = |file: &Path| {
        let file = file.to_owned();
        move |error| ExportError::Io(file, error)
    };
    if !numbers.is_empty() {
        private_folder(to).map_err(failed(to))?;
    }
    for number in numbers {
        let file = from.join(file_name(*number));
        fs::copy(&file, to.join(file_name(*number))).map_err(failed(&file))?;
    }
    Ok(numbers.len() as u64)
}
