//! Writing DER (X.690), as little of it as is needed.

/// Appends a field of this tag; nothing where it would be too long for two bytes of length.
pub(crate) fn field(tag: u8, inside: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let len = u16::try_from(inside.len()).ok()?.to_be_bytes();
    out.push(tag);
    match len {
        [0, short @ ..128] => out.push(short),
        [0, longer] => out.extend([0x81, longer]),
        [high, low] => out.extend([0x82, high, low]),
    }
    out.extend_from_slice(inside);
    Some(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn lengths_take_as_few_bytes_as_they_can() {
        for (len, head) in [
            (0, &[4, 0][..]),
            (127, &[4, 127]),
            (128, &[4, 0x81, 128]),
            (255, &[4, 0x81, 255]),
            (256, &[4, 0x82, 1, 0]),
            (65_535, &[4, 0x82, 255, 255]),
        ] {
            let mut out = Vec::new();
            assert_eq!(super::field(4, &vec![0; len], &mut out), Some(()));
            assert_eq!(out.strip_suffix(vec![0; len].as_slice()), Some(head));
        }
        assert_eq!(super::field(4, &[0; 65_536], &mut Vec::new()), None);
    }
}
