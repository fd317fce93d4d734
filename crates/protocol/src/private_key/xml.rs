//! RSA keys in XML, as .NET writes them: `RSAKeyValue`, with `D` among its elements.

use super::labels;
use super::prove::{Number, Numbers};
use crate::unwrap::encoded;

/// The element that holds a key.
const ELEMENT: &[u8] = b"<RSAKeyValue";
/// How far its private part may be, in bytes.
const NEAR: usize = 16 * 1024;

/// Every such element with a private part; also where it is cut off.
pub(super) fn keys(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    labels::places(text, ELEMENT).filter_map(|at| {
        let key = text.get(at..(at + NEAR).min(text.len()))?;
        let end = labels::places(key, b"</RSAKeyValue").next();
        let key = key.get(..end.unwrap_or(key.len()))?;
        labels::contains(key, b"<D>").then_some(key)
    })
}

/// Its numbers.
pub(super) fn numbers(key: &[u8]) -> Option<Numbers> {
    Some(Numbers {
        n: number(key, b"<Modulus>")?,
        e: number(key, b"<Exponent>")?,
        d: number(key, b"<D>")?,
        primes: number(key, b"<P>").zip(number(key, b"<Q>")),
    })
}

fn number(key: &[u8], tag: &[u8]) -> Option<Number> {
    let at = labels::places(key, tag).next()? + tag.len();
    let value = key.get(at..)?;
    let value = value.get(..value.iter().position(|byte| *byte == b'<')?)?;
    // The public exponent is too short to be told from a word.
    Some(match encoded::joined(value).first() {
        Some(chars) => encoded::decode(chars),
        None => encoded::decode(value.trim_ascii()),
    })
}
