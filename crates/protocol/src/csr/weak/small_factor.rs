//! Rule: no small prime divides the modulus.

use num_bigint::BigUint;

use super::{primes, remainder};

/// Primes up to here are tried: some 2,000 divisions.
const MOST: u32 = 1 << 14;

/// The smallest of them that divides it.
pub(super) fn find(modulus: &BigUint) -> Option<u32> {
    let divides = |prime: &u32| remainder(modulus, *prime) == 0;
    primes(MOST).into_iter().find(divides)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_is_named() {
        let number = |factors: &[u32]| factors.iter().map(|one| BigUint::from(*one)).product();
        assert_eq!(find(&number(&[16_381, 101])), Some(101));
        assert_eq!(find(&number(&[16_411, 16_417])), None);
    }
}
