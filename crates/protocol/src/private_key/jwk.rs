//! JSON Web Keys with a private part, told by their members: so a piece of one is found as well, in
//! JSON that is broken, in a string, or in what only looks like JSON.

use super::labels;
use super::prove::{Number, Numbers};
use crate::unwrap::encoded;

/// Shortest private part, in characters: less than the shortest curve's.
const MIN_PRIVATE: usize = 32;
/// How far from its private part a key's other members are looked for, in bytes.
const NEAR: usize = 8 * 1024;

/// A place in a text with a member that may be the private part of a key.
pub(super) struct Place<'a> {
    /// What stands around it.
    pub(super) near: &'a [u8],
    /// From the brace before it to the brace after it.
    pub(super) object: &'a [u8],
}

/// Goes through all places, until told to stop.
pub(super) fn each<'a>(text: &'a [u8], mut go_on: impl FnMut(&Place<'a>) -> bool) {
    for member in members(text) {
        if member.name != b"d" || !is_private_part(member.value) {
            continue;
        }
        let from = member.colon.saturating_sub(NEAR);
        let to = (member.colon + NEAR).min(text.len());
        let near = text.get(from..to).unwrap_or_default();
        let (before, after) = near
            .split_at_checked(member.colon - from)
            .unwrap_or((near, b""));
        let open = before.iter().rposition(|byte| *byte == b'{').unwrap_or(0);
        let close = after.iter().position(|byte| *byte == b'}');
        let close = before.len() + close.unwrap_or(after.len());
        let object = near.get(open..close).unwrap_or_default();
        if !go_on(&Place { near, object }) {
            return;
        }
    }
}

/// Whether what stands around says that it is a key.
pub(super) fn is_private(near: &[u8]) -> bool {
    labels::contains(near, b"kty")
        || labels::contains(near, b"crv")
        || members(near).any(|member| member.name == b"n")
}

/// The numbers of an RSA key.
pub(super) fn numbers(object: &[u8]) -> Option<Numbers> {
    let number = |name: &[u8]| -> Option<Number> {
        let member = members(object).find(|member| member.name == name)?;
        let chars = encoded::joined(member.value);
        // The public exponent is too short to be told from a word.
        match chars.first() {
            Some(chars) => Some(encoded::decode(chars)),
            None => Some(encoded::decode(member.value)),
        }
    };
    Some(Numbers {
        n: number(b"n")?,
        e: number(b"e")?,
        d: number(b"d")?,
        primes: number(b"p").zip(number(b"q")),
    })
}

struct Member<'a> {
    colon: usize,
    name: &'a [u8],
    value: &'a [u8],
}

/// Everything in the text that looks like `name: value`, with quotes or without.
fn members(text: &[u8]) -> impl Iterator<Item = Member<'_>> {
    let colons = text.iter().enumerate().filter(|(_, byte)| **byte == b':');
    colons.filter_map(|(colon, _)| {
        let (before, after) = text.split_at_checked(colon)?;
        let name = name(before)?;
        let value = value(after.get(1..)?);
        Some(Member { colon, name, value })
    })
}

fn name(before: &[u8]) -> Option<&[u8]> {
    let blank = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'\'');
    let end = before.iter().rposition(|byte| !blank(byte))? + 1;
    let word = before.get(..end)?;
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let start = word
        .iter()
        .rposition(|byte| !inside(byte))
        .map_or(0, |at| at + 1);
    word.get(start..).filter(|name| !name.is_empty())
}

fn value(after: &[u8]) -> &[u8] {
    let start = after.iter().position(|byte| !byte.is_ascii_whitespace());
    let value = start.and_then(|at| after.get(at..)).unwrap_or_default();
    let (value, end): (_, fn(&u8) -> bool) = match value {
        [b'"' | b'\'', inside @ ..] => (inside, |byte| matches!(byte, b'"' | b'\'')),
        _ => (value, |byte| {
            byte.is_ascii_whitespace() || matches!(byte, b',' | b'}')
        }),
    };
    let near = value.get(..NEAR).unwrap_or(value);
    let len = near.iter().position(end).unwrap_or(near.len());
    near.get(..len).unwrap_or_default()
}

/// Whether it is base64 that is long enough, perhaps wrapped and quoted by a mail program.
fn is_private_part(value: &[u8]) -> bool {
    let base64 = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+' | b'/' | b'=')
    };
    let first = value.iter().take_while(|byte| base64(byte)).count();
    let carried = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'>';
    first >= MIN_PRIVATE && value.iter().all(|byte| base64(byte) || carried(byte))
}
