//! Rule: its primes are not so close that Fermat's method finds them at once (CVE-2022-26320).

use num_bigint::BigUint;

/// Rounds of Fermat's method: enough for primes that were taken one after the other.
const ROUNDS: u32 = 128;

/// Fermat: where `n = a^2 - b^2` for an `a` little above the root, its factors are `a - b` and `a + b`.
pub(super) fn found(modulus: &BigUint) -> bool {
    let mut a = modulus.sqrt();
    if &a * &a < *modulus {
        a += 1u32;
    }
    let mut square = &a * &a - modulus;
    for _ in 0..ROUNDS {
        if is_square(&square) {
            return true;
        }
        square += (&a << 1u32) + 1u32;
        a += 1u32;
    }
    false
}

fn is_square(number: &BigUint) -> bool {
    // Squares leave few remainders: most numbers are told without a root.
    let low = number.iter_u32_digits().next().unwrap_or(0) % 16;
    if !matches!(low, 0 | 1 | 4 | 9) {
        return false;
    }
    let root = number.sqrt();
    &root * &root == *number
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::KEY;

    /// A number of 1024 bits, near others of its kind.
    fn big(seed: u32) -> BigUint {
        (BigUint::from(1u32) << 1023u32) + BigUint::from(seed)
    }

    #[test]
    fn close_factors_are_found() {
        assert!(found(&(big(1_155) * big(1_155))));
        assert!(found(&(big(1_155) * big(99_999_999))));
        assert!(!found(&BigUint::from_bytes_be(KEY.public().modulus())));
    }
}
