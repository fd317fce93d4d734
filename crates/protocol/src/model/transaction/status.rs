//! How far a transaction is (`TransactionStatus`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How far a transaction is, in the order of an outgoing one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the contract's words")]
pub enum TransactionStatus {
    Submitted,
    PendingAmlScreening,
    PendingEnrichment,
    PendingAuthorization,
    Queued,
    PendingSignature,
    #[serde(rename = "PENDING_3RD_PARTY_MANUAL_APPROVAL")]
    Pending3rdPartyManualApproval,
    #[serde(rename = "PENDING_3RD_PARTY")]
    Pending3rdParty,
    Broadcasting,
    Confirming,
    Cancelling,
    Completed,
    Cancelled,
    Blocked,
    Rejected,
    Failed,
}

impl TransactionStatus {
    /// Every status.
    pub const ALL: [Self; 16] = [
        Self::Submitted,
        Self::PendingAmlScreening,
        Self::PendingEnrichment,
        Self::PendingAuthorization,
        Self::Queued,
        Self::PendingSignature,
        Self::Pending3rdPartyManualApproval,
        Self::Pending3rdParty,
        Self::Broadcasting,
        Self::Confirming,
        Self::Cancelling,
        Self::Completed,
        Self::Cancelled,
        Self::Blocked,
        Self::Rejected,
        Self::Failed,
    ];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "SUBMITTED",
            Self::PendingAmlScreening => "PENDING_AML_SCREENING",
            Self::PendingEnrichment => "PENDING_ENRICHMENT",
            Self::PendingAuthorization => "PENDING_AUTHORIZATION",
            Self::Queued => "QUEUED",
            Self::PendingSignature => "PENDING_SIGNATURE",
            Self::Pending3rdPartyManualApproval => "PENDING_3RD_PARTY_MANUAL_APPROVAL",
            Self::Pending3rdParty => "PENDING_3RD_PARTY",
            Self::Broadcasting => "BROADCASTING",
            Self::Confirming => "CONFIRMING",
            Self::Cancelling => "CANCELLING",
            Self::Completed => "COMPLETED",
            Self::Cancelled => "CANCELLED",
            Self::Blocked => "BLOCKED",
            Self::Rejected => "REJECTED",
            Self::Failed => "FAILED",
        }
    }

    /// Whether nothing more is expected. (A row can still change after it.)
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            Self::Completed | Self::Cancelled | Self::Blocked | Self::Rejected | Self::Failed
        )
    }

    /// Its place among versions of the same time: later statuses win.
    pub const fn rank(self) -> u8 {
        self as u8
    }
}

impl fmt::Display for TransactionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a transaction status")]
pub struct BadStatus;

impl FromStr for TransactionStatus {
    type Err = BadStatus;

    fn from_str(text: &str) -> Result<Self, BadStatus> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or(BadStatus)
    }
}
