//! Moduli that are known not to protect, as far as the modulus alone shows it.

use num_bigint::BigUint;

/// Primes up to here are tried as factors.
const SMALL: u32 = 1 << 14;
/// Primes up to here divide the number that the keys of ROCA are built on, at every size from 2048 bits.
const ROCA: u32 = 167;
/// Rounds of Fermat's method: enough for primes that were taken one after the other.
const FERMAT_ROUNDS: u32 = 64;

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
    #[error("its primes are too close to each other")]
    ClosePrimes,
}

/// What is wrong with a modulus (big-endian).
pub fn find(modulus: &[u8]) -> Option<Weakness> {
    let modulus = BigUint::from_bytes_be(modulus);
    if !modulus.bit(0) {
        return Some(Weakness::Even);
    }
    let primes = primes(SMALL);
    if let Some(prime) = primes
        .iter()
        .find(|prime| remainder(&modulus, **prime) == 0)
    {
        return Some(Weakness::SmallFactor(*prime));
    }
    let roca = primes
        .iter()
        .filter(|prime| (3..=ROCA).contains(*prime))
        .all(|prime| is_power_of_65537(remainder(&modulus, *prime), *prime));
    if roca {
        return Some(Weakness::Roca);
    }
    close_primes(&modulus).then_some(Weakness::ClosePrimes)
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

/// ROCA's primes are `k * M + 65537^a mod M`, so their product is a power of 65537 modulo each prime factor of `M`.
fn is_power_of_65537(rest: u32, prime: u32) -> bool {
    let mut power = 1;
    for _ in 0..prime {
        if power == rest {
            return true;
        }
        power = power * (65_537 % prime) % prime;
    }
    false
}

/// Fermat: where `n = a^2 - b^2` for an `a` little above the root, its factors are `a - b` and `a + b`.
fn close_primes(modulus: &BigUint) -> bool {
    let mut a = modulus.sqrt();
    if &a * &a < *modulus {
        a += 1u32;
    }
    let mut square = &a * &a - modulus;
    for _ in 0..FERMAT_ROUNDS {
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
    use crate::keys::tests::{KEY, OTHER};

    /// A number of 1024 bits, near others of its kind.
    fn big(seed: u32) -> BigUint {
        (BigUint::from(1u32) << 1023u32) + BigUint::from(seed)
    }

    #[test]
    fn keys_that_are_made_here_are_not_weak() {
        assert_eq!(find(KEY.public().modulus()), None);
        assert_eq!(find(OTHER.public().modulus()), None);
    }

    #[test]
    fn even_and_small_factors_are_found() {
        let sound = BigUint::from_bytes_be(KEY.public().modulus());
        assert_eq!(find(&(&sound + 1u32).to_bytes_be()), Some(Weakness::Even));
        for factor in [3u32, 101, 16_381] {
            let weak = &sound * factor;
            assert_eq!(
                find(&weak.to_bytes_be()),
                Some(Weakness::SmallFactor(factor))
            );
        }
    }

    #[test]
    fn the_fingerprint_of_roca_is_found() {
        let product = primes(702)
            .into_iter()
            .fold(BigUint::from(1u32), |all, prime| all * prime);
        let prime_like = |k: u32, a: u32| {
            let power = BigUint::from(65_537u32).modpow(&BigUint::from(a), &product);
            (BigUint::from(k) << 32u32) * &product + power
        };
        // The form alone is tested; a number without small factors is one of few tries.
        let found = (0..200).map(|try_| {
            let modulus = prime_like(0x8123_4567 + try_, 1_234) * prime_like(0x9abc_def0, 77_777);
            find(&modulus.to_bytes_be())
        });
        let found: Vec<_> = found.collect();
        assert!(found.contains(&Some(Weakness::Roca)), "{found:?}");
        assert!(!found.contains(&None));
    }

    #[test]
    fn close_factors_are_found() {
        assert!(close_primes(&(big(1_155) * big(1_155))));
        assert!(close_primes(&(big(1_155) * big(99_999_999))));
        assert!(!close_primes(&BigUint::from_bytes_be(
            KEY.public().modulus()
        )));
    }
}
