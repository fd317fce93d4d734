//! Recognises the DER of private keys by its first fields, also where it is cut off.

use super::Kind;

const INTEGER: u8 = 0x02;
const OCTETS: u8 = 0x04;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// 1.2.840.113549.1.5: PKCS#5, the schemes a passphrase is used with.
const PKCS5: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05];
/// 1.2.840.113549.1.12.1: the older schemes, of PKCS#12.
const PKCS12_PBE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x0c, 0x01];
/// 1.2.840.113549.1.7: PKCS#7, what a PKCS#12 file holds.
const PKCS7: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];

/// What begins here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Recognised {
    pub(super) kind: Kind,
    /// How long it is in all, as far as it says so.
    pub(super) len: Option<usize>,
}

/// Whether a private key begins here.
pub(super) fn recognise(bytes: &[u8]) -> Option<Recognised> {
    if bytes.first() != Some(&SEQUENCE) {
        return None;
    }
    let mut all = Fields {
        bytes,
        declared: usize::MAX,
    };
    let outer = all.next(SEQUENCE)?;
    Some(Recognised {
        kind: kind(outer)?,
        len: outer.total(bytes),
    })
}

fn kind(mut outer: Fields<'_>) -> Option<Kind> {
    if outer.tag()? == SEQUENCE {
        let scheme = outer.next(SEQUENCE)?.next(OID)?.bytes;
        let passphrase = scheme.starts_with(PKCS5) || scheme.starts_with(PKCS12_PBE);
        return (passphrase && is_octets(outer.tag()?)).then_some(Kind::EncryptedPkcs8);
    }
    let version = outer.next(INTEGER)?.bytes;
    match (version, outer.tag()?) {
        ([0 | 1], SEQUENCE) => {
            outer.next(SEQUENCE)?.next(OID)?;
            is_octets(outer.tag()?).then_some(Kind::Pkcs8)
        }
        ([3], SEQUENCE) => {
            let content = outer.next(SEQUENCE)?.next(OID)?.bytes;
            content.starts_with(PKCS7).then_some(Kind::Pkcs12)
        }
        ([0 | 1], INTEGER) => numbers(outer),
        ([1], OCTETS) => {
            let number = outer.next(OCTETS)?;
            let sized = (14..=72).contains(&number.declared);
            let then = matches!(outer.tag(), None | Some(0xa0 | 0xa1));
            (sized && then).then_some(Kind::Sec1)
        }
        _ => None,
    }
}

/// RSA has a long number, a short one and more; DSA a long one, one of 160 bits or more, and more.
fn numbers(mut outer: Fields<'_>) -> Option<Kind> {
    let first = outer.next(INTEGER)?.declared;
    let second = outer.next(INTEGER)?.declared;
    if first < 32 || outer.tag()? != INTEGER {
        return None;
    }
    match second {
        0..=16 => Some(Kind::Pkcs1),
        20..=33 => Some(Kind::Dsa),
        _ => None,
    }
}

/// An OCTET STRING, in one piece or (BER) in several.
fn is_octets(tag: u8) -> bool {
    matches!(tag, OCTETS | 0x24)
}

/// Fields in a row. They may promise more than there is.
#[derive(Clone, Copy)]
struct Fields<'a> {
    bytes: &'a [u8],
    /// How long they say they are; `usize::MAX` where they do not (BER).
    declared: usize,
}

impl<'a> Fields<'a> {
    fn tag(&self) -> Option<u8> {
        self.bytes.first().copied()
    }

    /// Takes the next field, which must have this tag and fit; its inside.
    fn next(&mut self, tag: u8) -> Option<Self> {
        let (head, declared) = header(self.bytes, tag)?;
        let inside = self.bytes.get(head..)?;
        if declared == usize::MAX {
            // Where it ends is not known: only what is inside can be looked at.
            self.bytes = &[];
        } else {
            let taken = head.checked_add(declared)?;
            if taken > self.declared {
                return None;
            }
            self.bytes = self.bytes.get(taken..).unwrap_or_default();
            if self.declared != usize::MAX {
                self.declared -= taken;
            }
        }
        let bytes = inside.get(..declared).unwrap_or(inside);
        Some(Self { bytes, declared })
    }

    /// How long the field is in all whose inside this is.
    fn total(&self, whole: &[u8]) -> Option<usize> {
        let (head, declared) = header(whole, SEQUENCE)?;
        (declared != usize::MAX).then(|| head + declared)
    }
}

/// How long the header is, and what it says of what follows.
fn header(bytes: &[u8], tag: u8) -> Option<(usize, usize)> {
    let (found, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    if *found != tag {
        return None;
    }
    match *first {
        0x80 => Some((2, usize::MAX)),
        short @ ..0x80 => Some((2, short.into())),
        long => {
            let count = usize::from(long & 0x7f);
            let digits = rest.get(..count).filter(|_| count <= 4)?;
            let len = digits
                .iter()
                .fold(0, |len: usize, digit| len << 8 | usize::from(*digit));
            // Nothing of interest is that long, and sums stay far from overflowing.
            (len < 1 << 24).then_some((2 + count, len))
        }
    }
}
