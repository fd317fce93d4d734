//! Keystores of Java.

/// Whether one begins here: the magic of JKS or JCEKS, and one of its two versions.
pub(super) fn is_keystore(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 1 | 2, ..] | [0xce, 0xce, 0xce, 0xce, 0, 0, 0, 1 | 2, ..]
    )
}
