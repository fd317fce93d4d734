//! Rule: long enough, and not so long that it costs.

use super::Broken;

/// Shortest modulus, in bits.
pub(super) const MIN_BITS: usize = 2048;
/// Longest modulus, in bits.
pub(super) const MAX_BITS: usize = 8192;

pub(super) fn check(modulus: &[u8]) -> Result<(), Broken> {
    let zeros = modulus.first().map_or(0, |byte| byte.leading_zeros());
    let bits = (modulus.len() * 8).saturating_sub(zeros as usize);
    if (MIN_BITS..=MAX_BITS).contains(&bits) {
        Ok(())
    } else {
        Err(Broken::Size(bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_counted_in_bits() {
        let mut modulus = vec![0xff; 256];
        assert_eq!(check(&modulus), Ok(()));
        modulus[0] = 0x7f;
        assert_eq!(check(&modulus), Err(Broken::Size(2047)));
        assert_eq!(check(&[0xff; 1024]), Ok(()));
        assert_eq!(check(&[0x01; 1025]), Err(Broken::Size(8193)));
    }
}
