//! One search: what was found, and how many keys were tried.

use aws_lc_rs::digest::{SHA256, digest};

use super::prove::Numbers;
use super::{Found, Kind, MAX_INPUT, der, java, jwk, labels, prove, putty, xml};
use crate::keys::PublicKey;
use crate::unwrap::{self, Look, Work};

/// Most bytes looked at in one search.
const MAX_WORK: usize = 32 * MAX_INPUT;
/// Most keys tried in one search: each costs some milliseconds.
const MAX_PROOFS: usize = 16;

pub(super) fn run(input: &[u8]) -> Vec<Found> {
    let mut search = Search::default();
    if input.len() > MAX_INPUT {
        search.lost();
    } else {
        unwrap::walk(input, MAX_WORK, &mut search);
    }
    let more = search.proven.is_empty() || search.is_opaque();
    let unproven = search.unproven.filter(|_| more);
    let unproven = unproven.map(|kind| Found { kind, proven: None });
    search.proven.into_iter().chain(unproven).collect()
}

#[derive(Default)]
struct Search {
    /// Hashes of what was tried, and whether it was proven.
    tried: Vec<([u8; 32], bool)>,
    unproven: Option<Kind>,
    /// Whether something is a private key and was not proven, whatever else was.
    opaque: bool,
    /// Most blocks of private keys that one text names.
    named: usize,
    proven: Vec<Found>,
}

impl Search {
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
    fn try_key(
        &mut self,
        kind: Kind,
        key: &[u8],
        prove: impl FnOnce(&[u8]) -> Option<PublicKey>,
    ) -> bool {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, key).as_ref());
        let again = self.tried.iter().find(|(tried, _)| *tried == hash);
        let again = again.map(|(_, proven)| *proven);
        let proven = match again {
            None if self.tried.len() < MAX_PROOFS => {
                let proven = prove(key);
                self.tried.push((hash, proven.is_some()));
                proven
            }
            _ => None,
        };
        let holds = proven.is_some();
        self.opaque |= !holds && again != Some(true);
        self.report(kind, proven);
        holds
    }

    /// The same with a key that is written as numbers.
    fn try_numbers(&mut self, kind: Kind, key: &[u8], numbers: fn(&[u8]) -> Option<Numbers>) {
        self.try_key(kind, key, |key| numbers(key)?.prove());
    }

    fn der(&mut self, kind: Kind, whole: Option<&[u8]>) -> bool {
        match (kind, whole) {
            (Kind::Pkcs8 | Kind::Pkcs1, Some(der)) => self.try_key(kind, der, prove::der),
            _ => {
                self.opaque = true;
                self.report(kind, None);
                false
            }
        }
    }

    /// Looks at the labels of a text. What a label names is in its block, and tried there, unless it is
    /// encrypted or of a kind that is not.
    fn labels(&mut self, text: &[u8]) {
        let labels: Vec<_> = labels::all(text).collect();
        let tried = |kind: &Kind| matches!(kind, Kind::Pkcs8 | Kind::Pkcs1 | Kind::OpenSsh);
        self.opaque |= !labels.iter().all(tried);
        self.opaque |= !labels.is_empty() && labels::contains(text, b"ENCRYPTED");
        // At begin and end.
        self.named = self.named.max(labels.len().div_ceil(2));
    }

    /// Whether there may be a private key beside those that were proven.
    fn is_opaque(&self) -> bool {
        self.opaque || self.named > self.proven.len()
    }
}

impl Look for Search {
    /// Looks for the binary forms.
    fn bytes(&mut self, rest: &[u8], _work: &mut Work) -> usize {
        if let Some(found) = der::recognise(rest) {
            let whole = found.len.and_then(|len| rest.get(..len));
            if self.der(found.kind, whole) {
                return whole.map_or(0, <[u8]>::len);
            }
        } else if rest.starts_with(prove::OPENSSH_MAGIC) {
            self.try_key(Kind::OpenSsh, rest, prove::openssh);
        } else if java::is_keystore(rest) {
            self.opaque = true;
            self.report(Kind::JavaKeystore, None);
        }
        1
    }

    fn text(&mut self, text: &[u8], work: &mut Work) {
        if let Some(kind) = labels::find(text) {
            self.report(kind, None);
            self.labels(text);
        }
        jwk::each(text, |place| {
            let go_on = work.spend(place.near.len());
            if go_on && jwk::is_private(place.near) {
                self.try_numbers(Kind::Jwk, place.object, jwk::numbers);
            }
            go_on
        });
        for key in xml::keys(text) {
            self.try_numbers(Kind::Xml, key, xml::numbers);
        }
        for file in putty::files(text) {
            self.try_key(Kind::Putty, file, putty::prove);
        }
    }

    fn lost(&mut self) {
        self.opaque = true;
        self.report(Kind::Unsearchable, None);
    }
}
