//! Rule: its bytes do not repeat, as they do where a random source gave the same few again and again.

/// Longest piece that is looked for, in bytes.
const LONGEST: usize = 64;
/// The ends are left out: primes are set right there after they were drawn.
const MARGIN: usize = 16;

/// Whether the middle of it is one short piece, over and over.
pub(super) fn repeats(modulus: &[u8]) -> bool {
    let middle = modulus.get(MARGIN..modulus.len().saturating_sub(MARGIN));
    let middle = middle.unwrap_or_default();
    (1..=LONGEST.min(middle.len() / 2)).any(|piece| {
        middle
            .iter()
            .zip(middle.iter().skip(piece))
            .all(|(one, next)| one == next)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::KEY;

    #[test]
    fn what_repeats_is_found() {
        let mut modulus = [0xab, 0xcd, 0xef].repeat(86);
        modulus.truncate(256);
        if let Some(last) = modulus.last_mut() {
            *last = 0x55;
        }
        assert!(repeats(&modulus));
        assert!(!repeats(KEY.public().modulus()));
        assert!(!repeats(&[]));
    }
}
