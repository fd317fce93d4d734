//! Taking a transaction back that is upstream.

use bytes::Bytes;
use http::Method;
use protocol::ids::TxId;
use protocol::model::transaction::TransactionStatus;
use wire::client::{Client, ClientError, Once};

/// Whether upstream takes it back still, as far as the status tells.
pub(super) const fn can_be_cancelled(status: TransactionStatus) -> bool {
    use TransactionStatus as S;
    matches!(
        status,
        S::Submitted
            | S::PendingAmlScreening
            | S::PendingEnrichment
            | S::PendingAuthorization
            | S::Queued
            | S::PendingSignature
            | S::Pending3rdPartyManualApproval
            | S::Pending3rdParty
    )
}

/// Whether nothing more comes of it.
pub(super) const fn is_over(status: TransactionStatus) -> bool {
    use TransactionStatus as S;
    matches!(
        status,
        S::Completed | S::Cancelled | S::Blocked | S::Rejected | S::Failed
    )
}

/// Asks upstream to cancel it. What comes of that its status tells.
pub(super) async fn cancel(editor: &Client, upstream: TxId) -> Result<(), ClientError> {
    let target = format!("/v1/transactions/{upstream}/cancel");
    let body = Bytes::from_static(b"{}");
    editor
        .write(Method::POST, &target, body, Once::Unkeyed)
        .await
        .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_cancelled_is_not_over() {
        for status in TransactionStatus::ALL {
            assert!(!(can_be_cancelled(status) && is_over(status)), "{status:?}");
        }
    }
}
