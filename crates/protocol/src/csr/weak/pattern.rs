//! Rule: its bytes do not repeat, as they do where a random source gave the same again and again, or
//! where somebody has written something into it.

/// So many equal bytes in a row are no chance.
const RUN: usize = 16;
/// Longest piece that is looked for, in bytes.
const LONGEST: usize = 64;
/// The ends are left out: primes are set right there after they were drawn.
const MARGIN: usize = 16;

/// Whether a byte stands there over and over, or the middle of it is one short piece.
pub(super) fn repeats(modulus: &[u8]) -> bool {
    let run = modulus.windows(RUN).any(|run| {
        run.iter()
            .zip(run.iter().skip(1))
            .all(|(one, next)| one == next)
    });
    let middle = modulus.get(MARGIN..modulus.len().saturating_sub(MARGIN));
    let middle = middle.unwrap_or_default();
    run || (1..=LONGEST.min(middle.len() / 2)).any(|piece| {
        let next = middle.iter().skip(piece);
        middle.iter().zip(next).all(|(one, next)| one == next)
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
        let mut run = KEY.public().modulus().to_vec();
        assert!(!repeats(&run));
        run[100..116].fill(0xff);
        assert!(repeats(&run));
        assert!(!repeats(&[]));
    }
}
