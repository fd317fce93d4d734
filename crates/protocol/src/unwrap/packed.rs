//! Files that are packed: gzip and zip are opened, others are told by their first bytes.

use std::io::{Cursor, Read};

use flate2::read::GzDecoder;
use zeroize::Zeroizing;
use zip::ZipArchive;
use zip::read::{ZipFile, read_zipfile_from_stream};

/// What opening costs whatever comes out, in bytes of work: the window of the decoder.
pub(crate) const COST: usize = 32 * 1024;
/// Most bytes that come out of one file.
pub(crate) const MOST: usize = 256 * 1024;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packed {
    /// RFC 1952.
    Gzip,
    /// One entry of a zip archive.
    Zip,
    /// In a way that is not opened here.
    Other,
}

/// First bytes of what is not opened: bzip2, xz, Zstandard, 7z, RAR.
const OTHERS: [&[u8]; 5] = [
    b"1AY&SY",
    b"\xfd7zXZ\0",
    b"\x28\xb5\x2f\xfd",
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
];

/// What begins here. Gzip is told by its two magic bytes, "deflate", and no flag that means nothing.
pub(crate) fn recognise(bytes: &[u8]) -> Option<Packed> {
    match bytes {
        [0x1f, 0x8b, 0x08, 0..=0x1f, ..] => Some(Packed::Gzip),
        [b'P', b'K', 3, 4, ..] => Some(Packed::Zip),
        _ => OTHERS
            .iter()
            .any(|magic| bytes.starts_with(magic))
            .then_some(Packed::Other),
    }
}

/// What is in the file that begins at this place, also where it is cut off; nothing if that is more
/// than `most` bytes, or cannot be opened. Further members begin like files of their own.
pub(super) fn open(
    packed: Packed,
    bytes: &[u8],
    at: usize,
    most: usize,
) -> Option<Zeroizing<Vec<u8>>> {
    let rest = bytes.get(at..)?;
    match packed {
        Packed::Gzip => all(GzDecoder::new(rest), most),
        Packed::Zip => entry(rest, most).or_else(|| listed(bytes, at, most)),
        Packed::Other => None,
    }
}

fn all(from: impl Read, most: usize) -> Option<Zeroizing<Vec<u8>>> {
    let limit = u64::try_from(most).ok()?.checked_add(1)?;
    let mut out = Zeroizing::new(Vec::new());
    // Where it is broken, what came out before is looked through.
    let _ = from.take(limit).read_to_end(&mut out);
    (out.len() <= most).then_some(out)
}

/// An entry that says itself how long it is.
fn entry(rest: &[u8], most: usize) -> Option<Zeroizing<Vec<u8>>> {
    let mut stream = rest;
    let mut file: ZipFile<'_, _> = read_zipfile_from_stream(&mut stream).ok()??;
    all(&mut file, most)
}

/// An entry of which only the archive's directory says how long it is.
fn listed(bytes: &[u8], at: usize, most: usize) -> Option<Zeroizing<Vec<u8>>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let at = u64::try_from(at).ok()?;
    let number = (0..archive.len()).find(|number| {
        let file = archive.by_index_raw(*number);
        file.is_ok_and(|file| file.header_start() == at)
    })?;
    all(archive.by_index(number).ok()?, most)
}
