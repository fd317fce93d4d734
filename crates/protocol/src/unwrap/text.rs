//! Takes off what carriers put around text: escapes, percent signs, soft line ends, markup.

use zeroize::Zeroizing;

/// Longest name of a tag or entity, in bytes.
const MAX_MARK: usize = 64;

/// The text without the escapes of JSON strings, however often they were escaped again, and
/// without the zero bytes of UTF-16.
pub(super) fn unescaped(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = after;
        match first {
            0 => {}
            b'\\' => {
                while let [b'\\', after @ ..] = rest {
                    rest = after;
                }
                rest = escape(rest, &mut out);
            }
            byte => out.push(*byte),
        }
    }
    out
}

/// Reads what stands after backslashes; what is left.
fn escape<'a>(rest: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let code = |from: usize, to: usize| number(rest.get(from..to)?);
    match rest {
        [b'n' | b'r' | b't', after @ ..] => {
            out.push(b'\n');
            after
        }
        [b'u', ..] if let Some(code) = code(1, 5) => {
            // What is no ASCII is of no interest, but parts what stands around it. The zero bytes of
            // UTF-16 do not.
            if code != 0 {
                out.push(u8::try_from(code).ok().filter(u8::is_ascii).unwrap_or(0xff));
            }
            rest.get(5..).unwrap_or_default()
        }
        [b'x', ..] if let Some(code) = code(1, 3) => {
            out.push(u8::try_from(code).unwrap_or(0xff));
            rest.get(3..).unwrap_or_default()
        }
        _ => rest,
    }
}

/// The text without percent-encoding, quoted-printable and HTML, where there is any of it.
pub(super) fn undressed(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let dressed = |byte: &u8| matches!(byte, b'%' | b'=' | b'&' | b'<');
    if !text.iter().any(dressed) {
        return None;
    }
    let mut out = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let [first, after @ ..] = rest {
        let (byte, left) = match first {
            b'%' | b'=' => coded(after),
            b'&' => entity(after),
            b'<' => tag(after),
            _ => None,
        }
        .unwrap_or((Some(*first), after));
        out.extend(byte);
        rest = left;
    }
    (out.as_slice() != text).then_some(out)
}

type Read<'a> = Option<(Option<u8>, &'a [u8])>;

fn coded(after: &[u8]) -> Read<'_> {
    match after {
        [b'\r', b'\n', left @ ..] | [b'\n', left @ ..] => Some((None, left)),
        [high, low, left @ ..] => {
            let byte = u8::try_from(number(&[*high, *low])?).ok()?;
            Some((Some(byte), left))
        }
        _ => None,
    }
}

fn entity(after: &[u8]) -> Read<'_> {
    let end = after.iter().take(MAX_MARK).position(|byte| *byte == b';')?;
    let byte = match after.get(..end)? {
        b"gt" => b'>',
        b"lt" => b'<',
        b"quot" | b"#34" | b"#39" | b"apos" => b'"',
        b"nbsp" | b"#32" | b"#160" => b' ',
        b"#10" | b"#13" | b"#xA" | b"#xa" | b"#xD" => b'\n',
        b"#43" | b"#x2B" | b"plus" => b'+',
        b"#45" | b"#x2D" => b'-',
        b"#47" | b"#x2F" | b"sol" => b'/',
        b"#61" | b"#x3D" | b"equals" => b'=',
        _ => return None,
    };
    Some((Some(byte), after.get(end + 1..)?))
}

fn tag(after: &[u8]) -> Read<'_> {
    let (first, _) = after.split_first()?;
    if !first.is_ascii_alphabetic() && *first != b'/' {
        return None;
    }
    let end = after
        .iter()
        .take(4 * MAX_MARK)
        .position(|byte| *byte == b'>')?;
    Some((Some(b'\n'), after.get(end + 1..)?))
}

/// Hexadecimal digits as a number.
fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |number, digit| {
        Some(number * 16 + char::from(*digit).to_digit(16)?)
    })
}
