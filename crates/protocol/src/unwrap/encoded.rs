//! Base64 and hexadecimal in text, put together over what carriers put in between.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

/// Shortest base64 that is opened: shorter than any key's.
const MIN_BASE64: usize = 24;
/// Fewest hexadecimal digits that are opened.
const MIN_DIGITS: usize = 64;
/// What is left over at the end is ignored, so that what is cut off can be read.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The bytes of base64 in the standard alphabet, without padding.
pub(crate) fn decode(chars: &[u8]) -> Zeroizing<Vec<u8>> {
    let len = chars.len() - usize::from(chars.len() % 4 == 1);
    let chars = chars.get(..len).unwrap_or_default();
    let mut out = Zeroizing::new(Vec::with_capacity(chars.len()));
    // It fails for no text that comes out of here.
    if LENIENT.decode_vec(chars, &mut out).is_err() {
        out.clear();
    }
    out
}

/// Base64 in a text, put together over line ends, quotation marks of mails and of strings; in the
/// standard alphabet.
pub(crate) fn joined(text: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let mut runs = Vec::new();
    let mut run = Zeroizing::new(Vec::new());
    let mut rest = text;
    let mut end = |run: &mut Zeroizing<Vec<u8>>| {
        if run.len() >= MIN_BASE64 {
            runs.push(std::mem::take(run));
        }
        run.clear();
    };
    while let [first, after @ ..] = rest {
        rest = after;
        if *first == b'-' && after.starts_with(b"----") {
            // The dashes of PEM are no base64.
            end(&mut run);
            rest = without_dashes(after);
        } else if let Some(char) = standard(*first) {
            run.push(char);
        } else if !is_glue(*first) {
            end(&mut run);
        }
    }
    end(&mut run);
    runs
}

/// Hexadecimal digits in a text, put together over blanks, line ends and colons.
pub(crate) fn digits(text: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let mut all = Vec::new();
    for run in text.split(|byte| !byte.is_ascii_hexdigit() && !is_glue(*byte) && *byte != b':') {
        if run.len() >= MIN_DIGITS {
            let digits = run.iter().copied().filter(u8::is_ascii_hexdigit);
            all.push(Zeroizing::new(digits.collect::<Vec<u8>>()));
        }
    }
    all.retain(|digits| digits.len() >= MIN_DIGITS);
    all
}

/// The bytes of hexadecimal digits; one that is left over is ignored.
pub(crate) fn decode_digits(digits: &[u8]) -> Zeroizing<Vec<u8>> {
    let even = digits.get(..digits.len() & !1).unwrap_or_default();
    Zeroizing::new(hex::decode(even).unwrap_or_default())
}

fn standard(byte: u8) -> Option<u8> {
    match byte {
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        b'+' | b'/' => Some(byte),
        _ => byte.is_ascii_alphanumeric().then_some(byte),
    }
}

fn is_glue(byte: u8) -> bool {
    byte.is_ascii_whitespace()
        || matches!(
            byte,
            b'>' | b'|' | b'"' | b'\'' | b'`' | b',' | b'#' | b'*' | b';'
        )
}

fn without_dashes(text: &[u8]) -> &[u8] {
    let at = text.iter().position(|byte| *byte != b'-');
    at.and_then(|at| text.get(at..)).unwrap_or_default()
}
