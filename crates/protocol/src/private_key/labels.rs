//! Words that stand at private keys in text.

use super::Kind;

/// Longest label between `BEGIN` and `PRIVATE`, in bytes.
const MAX_LABEL: usize = 40;

/// The kinds of all PEM labels of private keys in a text, at begin and end of each.
pub(super) fn all(text: &[u8]) -> impl Iterator<Item = Kind> {
    places(text, b"PRIVATE").filter_map(|at| pem(text, at))
}

/// The private key that a text names by a PEM label, a PuTTY header, or as openssl writes one out.
pub(super) fn find(text: &[u8]) -> Option<Kind> {
    let pem = all(text).next();
    let putty = || contains(text, b"PuTTY-User-Key-File-").then_some(Kind::Putty);
    let written_out = || {
        let number = contains(text, b"privateExponent:") || contains(text, b"priv:");
        (contains(text, b"Private-Key:") && number).then_some(Kind::Other)
    };
    pem.or_else(putty).or_else(written_out)
}

/// The kind of a label with `PRIVATE` at this place: `BEGIN` or `END` before it, `KEY` after it, and dashes at either end.
fn pem(text: &[u8], at: usize) -> Option<Kind> {
    let (before, after) = text.split_at_checked(at)?;
    let after = trim_start(after.get(b"PRIVATE".len()..)?).strip_prefix(b"KEY")?;
    let from = before.len().saturating_sub(MAX_LABEL);
    let before = before.get(from..)?;
    let end_of_word = |word: &[u8]| places(before, word).last().map(|at| (at, at + word.len()));
    let (start, end) = end_of_word(b"BEGIN").or_else(|| end_of_word(b"END"))?;
    let label = before.get(end..)?;
    if !label.iter().copied().all(is_label) {
        return None;
    }
    let left = trim_end(before.get(..start)?);
    let right = trim_start(after.strip_prefix(b" BLOCK").unwrap_or(after));
    (is_dashes(left.iter().rev()) || is_dashes(right.iter())).then(|| kind(label))
}

fn kind(label: &[u8]) -> Kind {
    let words: Vec<&[u8]> = label
        .split(|byte| is_blank(*byte))
        .filter(|word| !word.is_empty())
        .collect();
    match words.as_slice() {
        [] => Kind::Pkcs8,
        [b"ENCRYPTED"] => Kind::EncryptedPkcs8,
        [b"RSA"] => Kind::Pkcs1,
        [b"EC"] => Kind::Sec1,
        [b"DSA"] => Kind::Dsa,
        [b"OPENSSH"] => Kind::OpenSsh,
        _ => Kind::Other,
    }
}

/// Two dashes, or what a word processor makes of them.
fn is_dashes<'a>(mut bytes: impl Iterator<Item = &'a u8>) -> bool {
    match bytes.next() {
        Some(b'-') => bytes.next() == Some(&b'-'),
        Some(byte) => !byte.is_ascii(),
        None => false,
    }
}

fn is_label(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || is_blank(byte)
}

/// A blank, also as forms and file names write it.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'+' | b'_')
}

fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_blank(*first)
    {
        bytes = rest;
    }
    bytes
}

fn trim_end(mut bytes: &[u8]) -> &[u8] {
    while let [rest @ .., last] = bytes
        && is_blank(*last)
    {
        bytes = rest;
    }
    bytes
}

/// Where the word is in the text.
pub(super) fn places(text: &[u8], word: &[u8]) -> impl Iterator<Item = usize> {
    text.windows(word.len())
        .enumerate()
        .filter(move |(_, found)| *found == word)
        .map(|(at, _)| at)
}

/// Whether the word is in the text.
pub(super) fn contains(text: &[u8], word: &[u8]) -> bool {
    places(text, word).next().is_some()
}
