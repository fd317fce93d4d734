//! Rule: the modulus is no prime: with one factor there is no secret.

use num_bigint::BigUint;

/// Fermat's test to the base 2: every prime passes it, and hardly anything else does.
pub(super) fn passes(modulus: &BigUint) -> bool {
    let (one, two) = (BigUint::from(1u32), BigUint::from(2u32));
    *modulus > two && two.modpow(&(modulus - &one), modulus) == one
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::KEY;

    #[test]
    fn a_prime_is_found() {
        // 2^2203 - 1 is one (Mersenne's).
        let prime = (BigUint::from(1u32) << 2203u32) - 1u32;
        assert!(passes(&prime));
        assert!(!passes(&BigUint::from_bytes_be(KEY.public().modulus())));
        assert!(!passes(&BigUint::from(1u32)));
    }
}
