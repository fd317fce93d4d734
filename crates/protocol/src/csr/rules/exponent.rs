//! Rule: a public exponent that forgives mistakes in padding.

use super::{Broken, positive};

/// Smallest public exponent: what every program makes.
pub(super) const MIN_EXPONENT: u64 = 65_537;
/// Largest public exponent.
pub(super) const MAX_EXPONENT: u64 = 1 << 32;

/// 3 is refused although it can be sound: it forgives no mistake in padding, and nobody needs it.
pub(super) fn check(bytes: &[u8]) -> Result<(), Broken> {
    let value = positive(bytes)
        .filter(|bytes| bytes.len() <= 8)
        .map(|bytes| {
            bytes
                .iter()
                .fold(0, |value: u64, byte| value << 8 | u64::from(*byte))
        });
    match value {
        Some(value) if (MIN_EXPONENT..=MAX_EXPONENT).contains(&value) && value % 2 == 1 => Ok(()),
        _ => Err(Broken::Exponent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_odd_and_65537_or_more() {
        for good in [
            &[1, 0, 1][..],
            &[0, 1, 0, 1],
            &[1, 0, 3],
            &[0, 255, 255, 255, 255],
        ] {
            assert_eq!(check(good), Ok(()), "{good:?}");
        }
        for bad in [
            &[][..],
            &[0],
            &[1],
            &[3],
            &[17],
            &[0, 255, 255],
            &[1, 0, 0],
            &[1, 0, 2],
            &[0x81, 0, 1],
            &[1, 0, 0, 0, 1],
            &[1, 0, 0, 0, 0, 0, 0, 0, 1],
        ] {
            assert_eq!(check(bad), Err(Broken::Exponent), "{bad:?}");
        }
    }
}
