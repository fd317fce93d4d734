//! Rule: not made by Infineon's library, whose keys can be factored (ROCA, CVE-2017-15361).

use num_bigint::BigUint;

use super::{primes, remainder};

/// Primes up to here divide the number that the keys of ROCA are built on, at every size from 2048 bits.
const MOST: u32 = 167;

/// Its primes are `k * M + 65537^a mod M`, so their product is a power of 65537 modulo each prime factor of `M`.
pub(super) fn has_fingerprint(modulus: &BigUint) -> bool {
    primes(MOST + 1)
        .into_iter()
        .filter(|prime| *prime >= 3)
        .all(|prime| is_power_of_65537(remainder(modulus, prime), prime))
}

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

#[cfg(test)]
mod tests {
    use super::super::{Weakness, find};
    use super::*;

    #[test]
    fn the_fingerprint_is_found() {
        let product = primes(702)
            .into_iter()
            .fold(BigUint::from(1u32), |all, prime| all * prime);
        let prime_like = |k: u32, a: u32| {
            let power = BigUint::from(65_537u32).modpow(&BigUint::from(a), &product);
            (BigUint::from(k) << 32u32) * &product + power
        };
        // The form alone is tested; a number without small factors is one of few tries.
        let found = (0..200).map(|try_| {
            let modulus =
                prime_like(0x8123_4567 + try_, 1_234) * prime_like(0x9abc_def0 + try_, 77_777);
            find(&modulus.to_bytes_be())
        });
        let found: Vec<_> = found.collect();
        assert!(found.contains(&Some(Weakness::Roca)), "{found:?}");
        assert!(!found.contains(&None));
    }
}
