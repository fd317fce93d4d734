//! Where a transaction comes from or goes to (`TransferPeerPath`).

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::null_as_default;

/// Where a transaction comes from or goes to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Peer {
    /// What kind of place.
    #[serde(rename = "type", default)]
    pub kind: PeerKind,
    /// Which: a vault account's number, a wallet's UUID; nothing where nothing is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Its name.
    #[serde(default, deserialize_with = "null_as_default")]
    pub name: String,
    /// `External`, `Internal`, an exchange's name.
    #[serde(default, deserialize_with = "null_as_default")]
    pub sub_type: String,
}

impl Peer {
    /// A place that nothing is known of.
    pub const UNKNOWN: Self = Self {
        kind: PeerKind::Unknown,
        id: None,
        name: String::new(),
        sub_type: String::new(),
    };

    /// The vault account, if it is one.
    pub fn vault_account(&self) -> Option<crate::ids::VaultAccountId> {
        match self.kind {
            PeerKind::VaultAccount => self.id.as_deref()?.parse().ok(),
            _ => None,
        }
    }
}

impl Default for Peer {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

/// The contract's `TransferPeerPathType`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the contract's words")]
pub enum PeerKind {
    VaultAccount,
    ExchangeAccount,
    InternalWallet,
    ExternalWallet,
    UnmanagedWallet,
    Contract,
    NetworkConnection,
    FiatAccount,
    Compound,
    GasStation,
    OneTimeAddress,
    #[default]
    Unknown,
    EndUserWallet,
    ProgramCall,
    MultiDestination,
    OecPartner,
}

impl PeerKind {
    /// Every kind.
    pub const ALL: [Self; 16] = [
        Self::VaultAccount,
        Self::ExchangeAccount,
        Self::InternalWallet,
        Self::ExternalWallet,
        Self::UnmanagedWallet,
        Self::Contract,
        Self::NetworkConnection,
        Self::FiatAccount,
        Self::Compound,
        Self::GasStation,
        Self::OneTimeAddress,
        Self::Unknown,
        Self::EndUserWallet,
        Self::ProgramCall,
        Self::MultiDestination,
        Self::OecPartner,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::VaultAccount => "VAULT_ACCOUNT",
            Self::ExchangeAccount => "EXCHANGE_ACCOUNT",
            Self::InternalWallet => "INTERNAL_WALLET",
            Self::ExternalWallet => "EXTERNAL_WALLET",
            Self::UnmanagedWallet => "UNMANAGED_WALLET",
            Self::Contract => "CONTRACT",
            Self::NetworkConnection => "NETWORK_CONNECTION",
            Self::FiatAccount => "FIAT_ACCOUNT",
            Self::Compound => "COMPOUND",
            Self::GasStation => "GAS_STATION",
            Self::OneTimeAddress => "ONE_TIME_ADDRESS",
            Self::Unknown => "UNKNOWN",
            Self::EndUserWallet => "END_USER_WALLET",
            Self::ProgramCall => "PROGRAM_CALL",
            Self::MultiDestination => "MULTI_DESTINATION",
            Self::OecPartner => "OEC_PARTNER",
        }
    }
}

/// A text that names no kind of peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a peer type")]
pub struct BadPeerKind;

impl FromStr for PeerKind {
    type Err = BadPeerKind;

    fn from_str(text: &str) -> Result<Self, BadPeerKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(BadPeerKind)
    }
}
