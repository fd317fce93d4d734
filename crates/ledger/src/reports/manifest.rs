//! What a report says of itself, under a signature.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use protocol::ed25519::{SigningKey, VerifyingKey};
use protocol::ids::WorkspaceId;
use protocol::time::Millis;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::digest::{Digest, OtherFormula, first_formula};
use crate::scope::PartScope;

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// What each wallet holds.
    Balances,
    /// Each wallet's deposit addresses.
    Addresses,
    /// The transactions.
    Transactions,
}

impl Kind {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Balances => "balances",
            Self::Addresses => "addresses",
            Self::Transactions => "transactions",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no kind of report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a report is of 'balances', 'addresses' or 'transactions'")]
pub struct BadKind;

impl FromStr for Kind {
    type Err = BadKind;

    fn from_str(text: &str) -> Result<Self, BadKind> {
        [Self::Balances, Self::Addresses, Self::Transactions]
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(BadKind)
    }
}

/// What a report says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of this manifest: 1.
    pub version: u32,
    /// What the report is about.
    pub kind: Kind,
    /// Whose books.
    pub workspace: WorkspaceId,
    /// Names what is covered.
    pub scope: String,
    /// What is covered; nothing where all is.
    pub part: Option<PartScope>,
    /// Whose position.
    pub subscriber: String,
    /// The last event that is in the report.
    pub position: i64,
    /// Rows of the file, without its header.
    pub rows: u64,
    /// The digest of those rows.
    pub digest: Digest,
    /// By which formula it is counted ([`crate::digest::FORMULA`]); where it says none: by the first.
    #[serde(default = "first_formula")]
    pub digest_formula: u32,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// When it was made.
    pub created_at: Millis,
}

/// A manifest under its signature. The signature is over the manifest's bytes as they stand.
#[derive(Debug, Serialize, Deserialize)]
pub struct SignedManifest {
    manifest: Box<RawValue>,
    key: VerifyingKey,
    signature: String,
}

/// Why a manifest is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadManifest {
    /// It cannot be read.
    #[error("the manifest cannot be read: {0}")]
    Unreadable(String),
    /// Another key signed it.
    #[error("the manifest is signed by a key that is not pinned")]
    ForeignKey,
    /// The signature is not over these bytes.
    #[error("the manifest was changed after it was signed")]
    Signature,
    /// It is of a newer form.
    #[error("the manifest is of form {0}, which this version does not read")]
    Version(u32),
    /// Its digest is by another formula.
    #[error("{0}; then have the report made anew")]
    Formula(OtherFormula),
}

impl SignedManifest {
    /// Signs a manifest.
    pub fn sign(manifest: &Manifest, key: &SigningKey) -> Result<Self, serde_json::Error> {
        let manifest = serde_json::value::to_raw_value(manifest)?;
        let signature = STANDARD.encode(key.sign(manifest.get().as_bytes()));
        Ok(Self {
            manifest,
            key: key.public(),
            signature,
        })
    }

    /// Reads a file's text.
    pub fn parse(text: &[u8]) -> Result<Self, BadManifest> {
        serde_json::from_slice(text).map_err(|error| BadManifest::Unreadable(error.to_string()))
    }

    /// The manifest, if the pinned key signed it.
    pub fn verify(&self, pinned: &VerifyingKey) -> Result<Manifest, BadManifest> {
        if self.key != *pinned {
            return Err(BadManifest::ForeignKey);
        }
        let signature = STANDARD
            .decode(&self.signature)
            .map_err(|_| BadManifest::Signature)?;
        if !pinned.verifies(self.manifest.get().as_bytes(), &signature) {
            return Err(BadManifest::Signature);
        }
        let manifest: Manifest = serde_json::from_str(self.manifest.get())
            .map_err(|error| BadManifest::Unreadable(error.to_string()))?;
        if manifest.version != 1 {
            return Err(BadManifest::Version(manifest.version));
        }
        OtherFormula::check(manifest.digest_formula).map_err(BadManifest::Formula)?;
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::digest::FORMULA;

    /// A manifest of another release says so, and no row of its report is called another.
    #[test]
    fn a_manifest_whose_digest_is_by_another_formula_is_told_as_that() {
        let key = SigningKey::generate().expect("a key");
        let signed = |formula: Option<u32>| {
            let mut manifest = json!({"version": 1, "kind": "balances", "workspace": WorkspaceId(Uuid::from_u128(7)),
                "scope": "s", "part": null, "subscriber": "connection:acme", "position": 3, "rows": 0,
                "digest": Digest::default(), "sha256": "", "created_at": 5});
            if let Some(formula) = formula {
                manifest["digest_formula"] = formula.into();
            }
            let text = manifest.to_string();
            let signature = STANDARD.encode(key.sign(text.as_bytes()));
            SignedManifest {
                manifest: serde_json::from_str(&text).expect("JSON"),
                key: key.public(),
                signature,
            }
        };
        let ours = signed(Some(FORMULA)).verify(&key.public());
        assert_eq!(ours.expect("ours").digest_formula, FORMULA);
        for (says, theirs) in [(Some(FORMULA + 1), FORMULA + 1), (None, 1)] {
            let other = signed(says).verify(&key.public());
            assert_eq!(other, Err(BadManifest::Formula(OtherFormula(theirs))));
        }
    }
}
