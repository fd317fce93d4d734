//! Names of things. A newtype each, so that one can never stand for another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// An identifier that does not have the form its kind asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind}")]
pub struct BadId {
    /// What it should have been, in words ("vault account id").
    pub kind: &'static str,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            /// Takes the hyphenated form only (36 characters), as Fireblocks prints it.
            fn from_str(text: &str) -> Result<Self, BadId> {
                if text.len() != 36 {
                    return Err(BadId { kind: $kind });
                }
                Uuid::try_parse(text).map(Self).map_err(|_| BadId { kind: $kind })
            }
        }
    };
}

uuid_id!(
    /// A workspace (Fireblocks' older word is *tenant*).
    WorkspaceId, "workspace id"
);
uuid_id!(
    /// A user of a workspace. Of an API user it is also the API key (`X-API-Key`).
    UserId, "user id"
);
uuid_id!(
    /// A transaction's public id.
    TxId, "transaction id"
);
uuid_id!(
    /// An entry of a whitelist: internal wallet, external wallet or contract.
    WalletId, "wallet id"
);
uuid_id!(
    /// A webhook of a workspace.
    WebhookId, "webhook id"
);
uuid_id!(
    /// One event sent to one webhook; the envelope's `id`.
    NotificationId, "notification id"
);
uuid_id!(
    /// One request, in `X-Request-ID` and in logs.
    RequestId, "request id"
);

/// A vault account's id: a decimal number counted from 0, in its one canonical text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct VaultAccountId(u32);

impl VaultAccountId {
    /// The account with this number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number, as stored.
    pub const fn number(self) -> u32 {
        self.0
    }
}

impl fmt::Display for VaultAccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for VaultAccountId {
    type Err = BadId;

    /// Only digits, no sign, no leading zero: one account has one name.
    fn from_str(text: &str) -> Result<Self, BadId> {
        const KIND: BadId = BadId {
            kind: "vault account id",
        };
        let canonical = !text.is_empty()
            && text.bytes().all(|b| b.is_ascii_digit())
            && (text.len() == 1 || !text.starts_with('0'));
        if !canonical {
            return Err(KIND);
        }
        text.parse().map(Self).map_err(|_| KIND)
    }
}

impl Serialize for VaultAccountId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for VaultAccountId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// An asset's id as the API uses it everywhere (the contract's *legacy id*): `BTC`, `USDC_ETH_TEST5_0GER`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct AssetId(std::sync::Arc<str>);

impl AssetId {
    /// Longest id taken, in bytes.
    pub const MAX_LEN: usize = 64;

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AssetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AssetId({})", self.0)
    }
}

impl std::borrow::Borrow<str> for AssetId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for AssetId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        // It stands in paths: dots alone would be another path.
        let named = text.bytes().any(|b| b.is_ascii_alphanumeric());
        if !named || text.len() > Self::MAX_LEN || !text.bytes().all(known) {
            return Err(BadId { kind: "asset id" });
        }
        Ok(Self(text.into()))
    }
}

impl<'de> Deserialize<'de> for AssetId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_account_has_one_name() {
        assert_eq!("0".parse(), Ok(VaultAccountId::new(0)));
        assert_eq!("4294967295".parse(), Ok(VaultAccountId::new(u32::MAX)));
        for text in [
            "",
            "00",
            "01",
            "+1",
            "-1",
            " 1",
            "1 ",
            "1.0",
            "4294967296",
            "٣",
        ] {
            assert!(text.parse::<VaultAccountId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_asset_id_is_short_and_plain() {
        assert!("USDC_ETH_TEST5_0GER".parse::<AssetId>().is_ok());
        for text in ["", ".", "..", "-_", "a b", "../x", "ü", &"A".repeat(65)] {
            assert!(text.parse::<AssetId>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_uuid_has_one_form() {
        let id = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
        assert_eq!(
            id.parse::<UserId>().map(|id| id.to_string()),
            Ok(id.to_owned())
        );
        assert!(
            "6ba7b8109dad11d180b400c04fd430c8"
                .parse::<UserId>()
                .is_err()
        );
        assert!(
            "{6ba7b810-9dad-11d1-80b4-00c04fd430c8}"
                .parse::<UserId>()
                .is_err()
        );
    }
}
