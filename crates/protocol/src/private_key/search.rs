//! One search: what was found, and how much work it may still do.

use aws_lc_rs::digest::{SHA256, digest};
use zeroize::Zeroizing;

use super::{Found, Kind, MAX_INPUT, der, encoded, jwk, labels, packed, prove, putty, text, xml};
use crate::keys::PublicKey;

/// How many wrappings of base64 or hexadecimal are opened, one in the other, beside a key's own.
const MAX_DEPTH: u8 = 4;
/// Most bytes unwrapped in one search.
const MAX_WORK: usize = 32 * MAX_INPUT;
/// Most keys tried in one search: each costs some milliseconds.
const MAX_PROOFS: usize = 16;

pub(super) fn run(input: &[u8]) -> Vec<Found> {
    let mut search = Search {
        work: MAX_WORK,
        tried: Vec::new(),
        unproven: None,
        proven: Vec::new(),
    };
    if input.len() > MAX_INPUT {
        search.report(Kind::Unsearchable, None);
    } else {
        search.bytes(input, 0);
    }
    if search.proven.is_empty() {
        let unproven = search.unproven.map(|kind| Found { kind, proven: None });
        return unproven.into_iter().collect();
    }
    search.proven
}

pub(super) struct Search {
    work: usize,
    /// Hashes of what was tried.
    tried: Vec<[u8; 32]>,
    unproven: Option<Kind>,
    proven: Vec<Found>,
}

impl Search {
    /// Takes that much from what may still be done; false where too little is left.
    pub(super) fn spend(&mut self, bytes: usize) -> bool {
        match self.work.checked_sub(bytes) {
            Some(left) => self.work = left,
            None => {
                self.work = 0;
                self.report(Kind::Unsearchable, None);
            }
        }
        self.work > 0
    }

    fn report(&mut self, kind: Kind, proven: Option<PublicKey>) {
        let Some(key) = proven else {
            // The first word stands, unless it was "cannot be told".
            if matches!(self.unproven, None | Some(Kind::Unsearchable)) {
                self.unproven = Some(kind);
            }
            return;
        };
        let known = |found: &Found| found.proven.as_ref() == Some(&key);
        if !self.proven.iter().any(known) {
            let proven = Some(key);
            self.proven.push(Found { kind, proven });
        }
    }

    /// Reports a key, and tries it, unless it was tried before or too many were. Whether that proved it.
    fn try_key(&mut self, kind: Kind, key: &[u8], prove: fn(&[u8]) -> Option<PublicKey>) -> bool {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, key).as_ref());
        let again = self.tried.contains(&hash);
        let proven = if again || self.tried.len() >= MAX_PROOFS {
            None
        } else {
            self.tried.push(hash);
            prove(key)
        };
        let holds = proven.is_some();
        self.report(kind, proven);
        holds
    }

    /// Looks through bytes: as they are, and as text in each way it may be written.
    pub(super) fn bytes(&mut self, bytes: &[u8], depth: u8) {
        self.binary(bytes, depth);
        self.text(&text::unescaped(bytes), depth);
        if let Some(other) = text::undressed(bytes) {
            self.text(&text::unescaped(&other), depth);
        }
    }

    /// Looks for the binary forms, wherever they begin.
    fn binary(&mut self, bytes: &[u8], depth: u8) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            at += 1;
            if let Some(found) = der::recognise(rest) {
                let whole = found.len.and_then(|len| rest.get(..len));
                if self.der(found.kind, whole) {
                    at += whole.map_or(0, <[u8]>::len).saturating_sub(1);
                }
            } else if rest.starts_with(prove::OPENSSH_MAGIC) {
                self.try_key(Kind::OpenSsh, rest, prove::openssh);
            } else if packed::is_java_keystore(rest) {
                self.report(Kind::JavaKeystore, None);
            } else if packed::is_gzip(rest) {
                self.packed(rest, depth);
            }
        }
    }

    /// Unpacks, as far as there is work left for it.
    fn packed(&mut self, gzip: &[u8], depth: u8) {
        if !self.spend(packed::COST) {
            return;
        }
        match packed::open(gzip, self.work.min(MAX_INPUT)) {
            Some(bytes) if bytes.is_empty() => {}
            Some(bytes) if depth < MAX_DEPTH => self.unwrapped(bytes, depth),
            _ => self.report(Kind::Unsearchable, None),
        }
    }

    fn der(&mut self, kind: Kind, whole: Option<&[u8]>) -> bool {
        match (kind, whole) {
            (Kind::Pkcs8 | Kind::Pkcs1, Some(der)) => self.try_key(kind, der, prove::der),
            _ => {
                self.report(kind, None);
                false
            }
        }
    }

    fn text(&mut self, text: &[u8], depth: u8) {
        if let Some(kind) = labels::find(text) {
            self.report(kind, None);
        }
        for run in encoded::joined(text) {
            // Words before it may have shifted it.
            for from in 0..4 {
                self.unwrapped(encoded::decode(run.get(from..).unwrap_or_default()), depth);
            }
        }
        for digits in encoded::digits(text) {
            for from in 0..2 {
                let bytes = encoded::decode_digits(digits.get(from..).unwrap_or_default());
                self.unwrapped(bytes, depth);
            }
        }
        jwk::each(text, |place| {
            let go_on = self.spend(place.near.len());
            if go_on && jwk::is_private(place.near) {
                self.try_key(Kind::Jwk, place.object, jwk::prove);
            }
            go_on
        });
        for key in xml::keys(text) {
            self.try_key(Kind::Xml, key, xml::prove);
        }
        for file in putty::files(text) {
            self.try_key(Kind::Putty, file, putty::prove);
        }
    }

    fn unwrapped(&mut self, bytes: Zeroizing<Vec<u8>>, depth: u8) {
        if !self.spend(bytes.len()) {
            return;
        }
        if depth < MAX_DEPTH {
            self.bytes(&bytes, depth + 1);
        } else {
            self.binary(&bytes, depth);
        }
    }
}
