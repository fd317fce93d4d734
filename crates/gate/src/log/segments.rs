//! Segments of access records: files outside the tree, each with its digest in the log.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};

use super::copy::ExportError;
pub(crate) use super::copy::private_folder;
use super::verify::{Broken, ToldSegment};
use crate::gates::GateName;

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

/// Whose folder it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Whose<'a> {
    /// A gate's own, by its name: all of its segments must be there, and newer ones may be.
    Gate(Option<&'a GateName>),
    /// A copy: some may be missing, and none is newer.
    Copy,
}

impl Whose<'_> {
    /// Whether the segment is to be in the folder.
    fn has(self, segment: &ToldSegment) -> bool {
        match self {
            Self::Gate(name) => segment.gate.as_ref() == name,
            Self::Copy => true,
        }
    }
}

/// Compares the segments in a folder with what the log tells; how many are not there, but for those
/// that were deleted when their time was over.
pub(crate) fn check(folder: &Path, told: &[ToldSegment], whose: Whose<'_>) -> Result<u64, Broken> {
    let own = matches!(whose, Whose::Gate(_));
    // Several gates count theirs each.
    let mut by_number: BTreeMap<u64, Vec<&ToldSegment>> = BTreeMap::new();
    for segment in told.iter().filter(|segment| whose.has(segment)) {
        by_number.entry(segment.number).or_default().push(segment);
    }
    let mut missing = 0;
    for (number, segments) in &by_number {
        let file = file_name(*number);
        let wrong = |what: String| Broken::Access {
            file: file.clone(),
            what,
        };
        let kept = segments.iter().filter(|segment| !segment.deleted).count() as u64;
        match digest(&folder.join(&file)) {
            Ok(digest) if segments.iter().any(|segment| segment.sha256 == digest) => {
                missing += kept.saturating_sub(1);
            }
            Ok(_) => return Err(wrong("they are not those that the log tells of".to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && (!own || kept == 0) => {
                missing += kept;
            }
            Err(error) => return Err(wrong(error.to_string())),
        }
    }
    let there = list(folder).map_err(|error| Broken::Access {
        file: folder.display().to_string(),
        what: error.to_string(),
    })?;
    let last = by_number.last_key_value().map_or(0, |(number, _)| *number);
    let strange = |number: u64| !by_number.contains_key(&number) && (!own || number < last);
    match there.iter().find(|(number, _)| strange(*number)) {
        Some((number, _)) => Err(Broken::Access {
            file: file_name(*number),
            what: "no entry of the log tells of them".to_owned(),
        }),
        None => Ok(missing),
    }
}

/// Copies these segments, as far as they are there.
pub(super) fn copy(numbers: &[u64], from: &Path, to: &Path) -> Result<u64, ExportError> {
    let failed = |file: &Path| {
        let file = file.to_owned();
        move |error| ExportError::Io(file, error)
    };
    if !numbers.is_empty() {
        private_folder(to).map_err(failed(to))?;
    }
    let mut copied = 0;
    for number in numbers {
        let file = from.join(file_name(*number));
        match fs::copy(&file, to.join(file_name(*number))) {
            Ok(_) => copied += 1,
            // Its time was over meanwhile; `log verify` knows whether the log says so.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(&file)(error)),
        }
    }
    Ok(copied)
}
