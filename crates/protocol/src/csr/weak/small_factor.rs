//! Rule: no small prime divides the modulus.

use std::sync::LazyLock;

use num_bigint::BigUint;

use super::{primes, remainder};

/// Primes up to here are tried: some 6,500 divisions.
const MOST: u32 = 65_538;

static PRIMES: LazyLock<Vec<u32>> = LazyLock::new(|| primes(MOST));

/// The smallest of them that divides it.
pub(super) fn find(modulus: &BigUint) -> Option<u32> {
    let divides = |prime: &u32| remainder(modulus, *prime) == 0;
    PRIMES.iter().copied().find(divides)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_is_named() {
        let number = |factors: &[u32]| factors.iter().map(|one| BigUint::from(*one)).product();
        assert_eq!(find(&number(&[65_537, 101])), Some(101));
        assert_eq!(find(&number(&[65_539, 65_543])), None);
    }
}
