//! Every room and area of the API.

use super::{
    asset_changes, audit_logs, counterparties, governance, jobs, nfts, people, reports, security,
    seeded, staking, tag_attachments, tags, transactions, vault, webhooks, workspace,
};

super::areas! {
    asset_changes,
    audit_logs,
    counterparties,
    governance,
    jobs,
    nfts,
    people,
    reports,
    security,
    seeded,
    staking,
    tag_attachments,
    tags,
    transactions,
    vault,
    webhooks,
    workspace,
}
