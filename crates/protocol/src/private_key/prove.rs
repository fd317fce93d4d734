//! Tries a private key that was found: is it whole, and does it sign under the public half that
//! follows from it?

use num_bigint::BigUint;
use zeroize::Zeroizing;

use crate::der::field;
use crate::keys::{PrivateKey, PublicKey};

/// What an OpenSSH key's bytes begin with.
pub(super) const OPENSSH_MAGIC: &[u8] = b"openssh-key-v1\0";
/// Longest key tried, in bytes: one of 8192 bits has some 4.7 KiB.
const MAX_DER: usize = 8 * 1024;
/// Longest number of a key tried, in bytes.
const MAX_NUMBER: usize = 1025;
const MAX_EXPONENT: usize = 9;
/// How long the denominator may be that is looked for: the greatest number that divides both primes less one.
/// It has a few bits, unless somebody has wanted it to be long.
const MAX_DENOMINATOR_BITS: u64 = 64;
/// What is signed for a try.
const MESSAGE: &[u8] = b"Does this private key work?";

/// Tries PKCS#8 or PKCS#1.
pub(super) fn der(der: &[u8]) -> Option<PublicKey> {
    if der.len() > MAX_DER {
        return None;
    }
    let key = PrivateKey::from_der(der).ok()?;
    let signature = key.sign_rs256(MESSAGE).ok()?;
    key.public()
        .verifies_rs256(MESSAGE, &signature)
        .then(|| key.public().clone())
}

/// A number, big-endian.
pub(super) type Number = Zeroizing<Vec<u8>>;

/// The numbers of an RSA key.
pub(super) struct Numbers {
    pub(super) n: Number,
    pub(super) e: Number,
    pub(super) d: Number,
    /// The primes, where they are told.
    pub(super) primes: Option<(Number, Number)>,
}

impl Numbers {
    /// Tries a key of these numbers. Primes that are not told are computed.
    pub(super) fn prove(&self) -> Option<PublicKey> {
        let told = self.primes.as_ref();
        let computed = match told {
            Some(_) => None,
            None => Some(primes(&self.n, &self.e, &self.d)?),
        };
        let (p, q) = told.or(computed.as_ref())?;
        numbers([&self.n, &self.e, &self.d, p, q])
    }
}

/// The primes of a modulus that these exponents belong to. `(e * d - 1) / ((p - 1) * (q - 1))` is a fraction
/// of small numbers, and a convergent of `(e * d - 1) / n` (Wiener); with it the sum of the primes is known.
/// A few divisions do it, whatever numbers a forger has chosen.
fn primes(n: &[u8], e: &[u8], d: &[u8]) -> Option<(Number, Number)> {
    if n.len() > MAX_NUMBER || e.len() > MAX_EXPONENT || d.len() > MAX_NUMBER {
        return None;
    }
    let [n, e, d] = [n, e, d].map(BigUint::from_bytes_be);
    let one = BigUint::from(1u32);
    let undone = less(&(e * d), &one)?;
    let (mut over, mut under) = (undone.clone(), n.clone());
    // Numerator and denominator of a convergent, and of the one before.
    let mut k = [one.clone(), BigUint::ZERO];
    let mut g = [BigUint::ZERO, one];
    while under != BigUint::ZERO {
        let whole = &over / &under;
        let rest = over - &whole * &under;
        (over, under) = (under, rest);
        for [last, before] in [&mut k, &mut g] {
            let next = &whole * &*last + &*before;
            *before = std::mem::replace(last, next);
        }
        if g[0].bits() > MAX_DENOMINATOR_BITS {
            return None;
        }
        let primes = of_order(&n, &(&undone * &g[0]), &k[0]);
        if primes.is_some() {
            return primes;
        }
    }
    None
}

/// The primes of a modulus where `(p - 1) * (q - 1)` is this fraction.
fn of_order(n: &BigUint, over: &BigUint, under: &BigUint) -> Option<(Number, Number)> {
    if *under == BigUint::ZERO {
        return None;
    }
    let order = over / under;
    if &order * under != *over {
        return None;
    }
    let sum = less(&(n + 1u32), &order)?;
    let square = less(&(&sum * &sum), &(n << 2u32))?;
    let difference = square.sqrt();
    if &difference * &difference != square {
        return None;
    }
    let q = less(&sum, &difference)? >> 1u32;
    let p = sum - &q;
    Some([p, q].map(|it| Zeroizing::new(it.to_bytes_be())).into())
}

fn less(number: &BigUint, by: &BigUint) -> Option<BigUint> {
    (number >= by).then(|| number - by)
}

/// Tries a key of these numbers: n, e, d, p, q.
fn numbers(all: [&[u8]; 5]) -> Option<PublicKey> {
    if all.iter().any(|number| number.len() > MAX_NUMBER) {
        return None;
    }
    let [n, e, d, p, q] = all.map(BigUint::from_bytes_be);
    let one = BigUint::from(1u32);
    if p <= one || q <= one || &p * &q != n {
        return None;
    }
    let (dp, dq) = (&d % (&p - &one), &d % (&q - &one));
    let qi = q.modinv(&p)?;
    let mut inside = Zeroizing::new(Vec::with_capacity(MAX_DER));
    for number in [&BigUint::ZERO, &n, &e, &d, &p, &q, &dp, &dq, &qi] {
        field(0x02, &integer(number), &mut inside)?;
    }
    let mut pkcs1 = Zeroizing::new(Vec::with_capacity(MAX_DER));
    field(0x30, &inside, &mut pkcs1)?;
    der(&pkcs1)
}

/// Tries an OpenSSH key that is not encrypted (PROTOCOL.key of OpenSSH).
pub(super) fn openssh(bytes: &[u8]) -> Option<PublicKey> {
    let mut file = Strings(bytes.strip_prefix(OPENSSH_MAGIC)?);
    let (cipher, _kdf, _options) = (file.next()?, file.next()?, file.next()?);
    if cipher != b"none" || file.number()? != 1 {
        return None;
    }
    let _public = file.next()?;
    let mut key = Strings(file.next()?);
    let (_check, _again) = (key.number()?, key.number()?);
    if key.next()? != b"ssh-rsa" {
        return None;
    }
    let (n, e, d) = (key.next()?, key.next()?, key.next()?);
    let _coefficient = key.next()?;
    let (p, q) = (key.next()?, key.next()?);
    numbers([n, e, d, p, q])
}

/// Tries a PuTTY key that is not encrypted, by its two parts.
pub(super) fn putty(public: &[u8], private: &[u8]) -> Option<PublicKey> {
    let (mut public, mut private) = (Strings(public), Strings(private));
    if public.next()? != b"ssh-rsa" {
        return None;
    }
    let (e, n) = (public.next()?, public.next()?);
    let (d, p, q) = (private.next()?, private.next()?, private.next()?);
    numbers([n, e, d, p, q])
}

/// Strings as SSH writes them: their length in four bytes, and themselves.
struct Strings<'a>(&'a [u8]);

impl<'a> Strings<'a> {
    fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    fn next(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        let (string, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(string)
    }
}

/// The inside of a DER INTEGER.
fn integer(number: &BigUint) -> Zeroizing<Vec<u8>> {
    let digits = Zeroizing::new(number.to_bytes_be());
    let mut out = Zeroizing::new(Vec::with_capacity(digits.len() + 1));
    if digits.first().is_some_and(|first| first & 0x80 != 0) {
        out.push(0);
    }
    out.extend_from_slice(&digits);
    out
}
