//! Rule: it shares no factor with any other modulus that was ever seen. Two that do are both factored.
//!
//! The product of the others, modulo this one, is built up a multiplication a key, and one greatest
//! common divisor is taken of it: some 15 µs a key of 4096 bits, and nothing is kept in between. Only
//! where there is something to be found is it looked for, pack by pack.

use num_bigint::BigUint;

/// How many are looked at together when the one is looked for.
const PACK: usize = 64;

/// How a modulus is related to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kinship {
    /// A proper factor of both is known now: both are factored.
    Factor,
    /// It is a multiple of the other: nothing is known of the other's factors.
    Multiple,
}

/// Those of the others (big-endian) that have a factor in common with the modulus. The same modulus is
/// passed over, and so are multiples of it: anybody can make one, and it shows nothing of its factors.
pub fn find(modulus: &[u8], others: &[Vec<u8>]) -> Vec<(usize, Kinship)> {
    let number = BigUint::from_bytes_be(modulus);
    if number <= BigUint::from(1u32) || is_coprime(&number, others) {
        return Vec::new();
    }
    let packs = others.chunks(PACK).enumerate();
    let guilty = packs.filter(|(_, pack)| !is_coprime(&number, pack));
    guilty
        .flat_map(|(at, pack)| (at * PACK..).zip(pack))
        .filter_map(|(at, other)| Some((at, kinship(&number, &BigUint::from_bytes_be(other))?)))
        .collect()
}

fn is_coprime(number: &BigUint, others: &[Vec<u8>]) -> bool {
    let one = BigUint::from(1u32);
    let product = others.iter().fold(one.clone(), |product, other| {
        product * BigUint::from_bytes_be(other) % number
    });
    gcd(number.clone(), product) == one
}

fn kinship(number: &BigUint, other: &BigUint) -> Option<Kinship> {
    let common = gcd(number.clone(), other.clone());
    if common == BigUint::from(1u32) || common == *number {
        None
    } else if common == *other {
        Some(Kinship::Multiple)
    } else {
        Some(Kinship::Factor)
    }
}

/// Euclid: a division a step, so that the cost follows the shorter number.
fn gcd(mut a: BigUint, mut b: BigUint) -> BigUint {
    while b != BigUint::ZERO {
        let rest = a % &b;
        a = b;
        b = rest;
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(number: &BigUint) -> Vec<u8> {
        number.to_bytes_be()
    }

    /// Primes of some size; what matters is that they differ.
    const PRIMES: [u64; 6] = [
        18_446_744_073_709_551_557,
        18_446_744_073_709_551_533,
        18_446_744_073_709_551_521,
        18_446_744_073_709_551_437,
        18_446_744_073_709_551_427,
        18_446_744_073_709_551_359,
    ];

    fn product(factors: &[usize]) -> Vec<u8> {
        bytes(
            &factors
                .iter()
                .map(|at| BigUint::from(PRIMES[*at]))
                .product(),
        )
    }

    #[test]
    fn a_shared_factor_is_found_and_named_as_what_it_is() {
        let others = [product(&[0, 1]), product(&[2, 3])];
        assert_eq!(find(&product(&[4, 5]), &others), []);
        assert_eq!(find(&product(&[4, 5]), &[]), []);
        let shares = find(&product(&[3, 4]), &others);
        assert_eq!(shares, [(1, Kinship::Factor)]);
        let both = find(&product(&[1, 3]), &others);
        assert_eq!(both, [(0, Kinship::Factor), (1, Kinship::Factor)]);
        assert_eq!(find(&product(&[0, 1]), &others), [], "itself");
        // Whoever multiplies a rival's modulus by something of their own knows nothing of its factors.
        let multiple = find(&product(&[0, 1, 4]), &others);
        assert_eq!(multiple, [(0, Kinship::Multiple)]);
        assert_eq!(find(&[], &others), []);
        assert_eq!(find(&[1], &others), []);
    }

    #[test]
    fn a_multiple_of_it_says_nothing_and_hides_nothing() {
        let ours = product(&[0, 1]);
        let forged = [product(&[0, 1, 4]), product(&[0, 0, 1]), vec![0]];
        assert_eq!(find(&ours, &forged), []);
        let mut others = forged.to_vec();
        others.push(product(&[1, 2]));
        assert_eq!(find(&ours, &others), [(3, Kinship::Factor)]);
    }

    #[test]
    fn it_is_found_among_many() {
        let mut others = vec![product(&[0, 1]); 3 * PACK];
        others.push(product(&[2, 3]));
        let found = find(&product(&[3, 4]), &others);
        assert_eq!(found, [(3 * PACK, Kinship::Factor)]);
    }

    proptest! {
        #[test]
        fn nobody_else_is_accused(ours in 0usize..3, theirs in proptest::collection::vec(3usize..6, 0..200)) {
            let others: Vec<_> = theirs.iter().map(|at| product(&[*at, (*at + 1).min(5)])).collect();
            prop_assert_eq!(find(&product(&[ours]), &others), []);
        }
    }
}
