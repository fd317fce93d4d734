//! What may be shown of a key, and the file it stands in.

use protocol::keys::KeyFingerprint;
use protocol::time::Millis;
use serde::Serialize;

use crate::client_name::ClientName;

/// Where a key came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyOrigin {
    /// Made here: it was never anywhere else.
    Made,
    /// Made elsewhere: whoever made it may still have it.
    Adopted,
}

impl KeyOrigin {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Adopted => "adopted",
        }
    }
}

/// What may be shown of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyEntry {
    /// Whose it is.
    pub client: ClientName,
    /// Which key: SHA-256 of the modulus.
    #[serde(serialize_with = "as_text")]
    pub fingerprint: KeyFingerprint,
    /// The modulus' length, in bits.
    pub bits: usize,
    /// Where it came from.
    pub origin: KeyOrigin,
    /// Since when it is kept here.
    pub kept_since: Millis,
}

fn as_text<S: serde::Serializer>(
    fingerprint: &KeyFingerprint,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(fingerprint)
}

/// Where a sealed key begins.
pub(super) const BEGIN: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";

impl KeyEntry {
    /// The whole file: text before the PEM block is explanatory (RFC 7468, section 2), so that
    /// openssl reads the file as it is.
    pub(super) fn print(&self, sealed: &str) -> String {
        let Self {
            client,
            fingerprint,
            bits,
            origin,
            kept_since,
        } = self;
        let origin = origin.as_str();
        format!(
            "client: {client}\nmodulus-sha256: {fingerprint}\nbits: {bits}\norigin: {origin}\nkept-since: {kept_since}\n\n{sealed}"
        )
    }

    pub(super) fn parse(text: &str) -> Option<(Self, String)> {
        let at = text.find(BEGIN)?;
        let (head, sealed) = text.split_at_checked(at)?;
        let line = |name: &str| {
            head.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(':').map(str::trim))
        };
        let entry = Self {
            client: line("client")?.parse().ok()?,
            fingerprint: line("modulus-sha256")?.parse().ok()?,
            bits: line("bits")?.parse().ok()?,
            origin: [KeyOrigin::Made, KeyOrigin::Adopted]
                .into_iter()
                .find(|o| Some(o.as_str()) == line("origin"))?,
            kept_since: Millis(line("kept-since")?.parse().ok()?),
        };
        Some((entry, sealed.to_owned()))
    }
}
