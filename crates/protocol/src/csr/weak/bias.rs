//! Rule: about half of its bits are ones. Of 2048 random bits the share stays within two points of a half
//! but once in a lifetime; ten points are no chance, but a program's doing: zeros in the middle of primes,
//! which make the modulus a polynomial that is factored, or words written into it.

/// The share of ones, in percent.
const SHARE: std::ops::RangeInclusive<usize> = 40..=60;

/// Whether there are too many or too few.
pub(super) fn is_biased(modulus: &[u8]) -> bool {
    let ones: u32 = modulus.iter().map(|byte| byte.count_ones()).sum();
    let share = usize::try_from(ones).unwrap_or(0) * 100 / (modulus.len() * 8).max(1);
    !SHARE.contains(&share)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{KEY, OTHER};

    #[test]
    fn a_bias_is_found() {
        assert!(is_biased(&[0x11; 256]));
        assert!(is_biased(&[0xee; 256]));
        assert!(is_biased(&[]));
        assert!(!is_biased(&[0x55; 256]));
        for key in [&KEY, &OTHER] {
            assert!(!is_biased(key.public().modulus()));
        }
    }
}
