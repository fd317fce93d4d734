//! What decides: the policy, the quorum, approvals, co-signers.

mod approvals;
mod cosigners;
pub(crate) mod ota;
mod policy;
mod policy_legacy;
mod quorum;

use super::areas;

areas! {
    approvals,
    cosigners,
    ota,
    policy,
    policy_legacy,
    quorum,
}
