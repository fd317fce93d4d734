//! Binary files that hold others: gzip is opened, a keystore of Java is told by its first bytes.

use std::io::Read;

use flate2::read::GzDecoder;
use zeroize::Zeroizing;

/// What opening costs whatever comes out, in bytes of work: the window of the decoder.
pub(super) const COST: usize = 32 * 1024;

/// Whether gzip begins here: its two magic bytes, "deflate", and no flag that means nothing (RFC 1952).
pub(super) fn is_gzip(bytes: &[u8]) -> bool {
    matches!(bytes, [0x1f, 0x8b, 0x08, 0..=0x1f, ..])
}

/// What is in its first member, also where it is cut off; nothing if that is more than `most` bytes.
/// Further members begin like files of their own.
pub(super) fn open(gzip: &[u8], most: usize) -> Option<Zeroizing<Vec<u8>>> {
    let limit = u64::try_from(most).ok()?.checked_add(1)?;
    let mut out = Zeroizing::new(Vec::new());
    // Where it is broken, what came out before is looked through.
    let _ = GzDecoder::new(gzip).take(limit).read_to_end(&mut out);
    (out.len() <= most).then_some(out)
}

/// Whether a keystore of Java begins here: the magic of JKS or JCEKS, and one of its two versions.
pub(super) fn is_java_keystore(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 1 | 2, ..] | [0xce, 0xce, 0xce, 0xce, 0, 0, 0, 1 | 2, ..]
    )
}
