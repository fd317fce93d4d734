//! Moduli that are known not to protect, as far as the modulus shows it, alone or beside others. A
//! file a rule.

mod bias;
mod close_primes;
mod pattern;
mod prime;
mod roca;
pub mod shared;
mod small_factor;

use num_bigint::BigUint;

/// Why a modulus does not protect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Weakness {
    /// It is even.
    #[error("it is even")]
    Even,
    /// A small prime divides it.
    #[error("{0} divides it")]
    SmallFactor(u32),
    /// Made by Infineon's faulty library (CVE-2017-15361).
    #[error("it has the fingerprint of ROCA (CVE-2017-15361)")]
    Roca,
    /// Its primes lie so close that it is factored at once.
    #[error("its primes are too close to each other (Fermat, CVE-2022-26320)")]
    ClosePrimes,
    /// It is no product.
    #[error("it is a prime, so there is nothing secret about it")]
    Prime,
    /// Far from half of its bits are ones.
    #[error("far from half of its bits are ones, so it was not made at random")]
    Biased,
    /// Its bytes repeat: no random number was used.
    #[error("its bytes repeat, so it was not made at random")]
    Pattern,
}

/// What is wrong with a modulus (big-endian).
pub fn find(modulus: &[u8]) -> Option<Weakness> {
    let number = BigUint::from_bytes_be(modulus);
    if !number.bit(0) {
        return Some(Weakness::Even);
    }
    small_factor::find(&number)
        .map(Weakness::SmallFactor)
        .or_else(|| roca::has_fingerprint(&number).then_some(Weakness::Roca))
        .or_else(|| close_primes::found(&number).then_some(Weakness::ClosePrimes))
        .or_else(|| pattern::repeats(modulus).then_some(Weakness::Pattern))
        .or_else(|| bias::is_biased(modulus).then_some(Weakness::Biased))
        .or_else(|| prime::passes(&number).then_some(Weakness::Prime))
}

fn primes(below: u32) -> Vec<u32> {
    let mut primes: Vec<u32> = vec![2];
    for number in (3..below).step_by(2) {
        let prime = primes
            .iter()
            .take_while(|prime| **prime * **prime <= number)
            .all(|prime| number % prime != 0);
        if prime {
            primes.push(number);
        }
    }
    primes
}

fn remainder(modulus: &BigUint, prime: u32) -> u32 {
    let rest = modulus % prime;
    rest.iter_u32_digits().next().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{KEY, OTHER};

    #[test]
    fn keys_that_are_made_here_are_not_weak() {
        assert_eq!(find(KEY.public().modulus()), None);
        assert_eq!(find(OTHER.public().modulus()), None);
    }

    #[test]
    fn each_weakness_is_named() {
        let sound = BigUint::from_bytes_be(KEY.public().modulus());
        assert_eq!(find(&(&sound + 1u32).to_bytes_be()), Some(Weakness::Even));
        for factor in [3u32, 101, 16_381] {
            let weak = &sound * factor;
            let named = Some(Weakness::SmallFactor(factor));
            assert_eq!(find(&weak.to_bytes_be()), named);
        }
    }
}
