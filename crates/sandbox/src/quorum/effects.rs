//! What follows from a decision of the quorum.

use ledger::Fault;

use super::ask::Ask;
use super::settings::QuorumSettings;
use crate::cosigner;
use crate::deed::Deed;
use crate::lives::{self, Turn};
use crate::operations::counterparties::{exchange_accounts, network_connections, whitelists};
use crate::operations::governance::ota;
use crate::operations::people::{approval_keys, groups};
use crate::operations::{tag_attachments, tags};
use crate::policy;

/// What was asked for becomes true. Refused, with nothing written, where it has become impossible.
pub(super) fn come_about(deed: &mut Deed<'_, '_>, ask: &Ask) -> Result<(), Fault> {
    match ask {
        Ask::NewUser { user } => lives::turn(deed, *user, Turn::Admitted),
        Ask::DeleteUser { user } => lives::delete(deed, *user),
        Ask::DeviceReset { user } => lives::turn(deed, *user, Turn::DeviceReset),
        Ask::Threshold { threshold } => {
            let settings = deed.quorum_settings()?;
            Ok(deed.keep(&QuorumSettings {
                threshold: *threshold,
                ..settings
            })?)
        }
        Ask::OneTimeAddress { enabled } => ota::turn(deed, *enabled),
        Ask::WhitelistAddress {
            kind,
            wallet,
            asset,
        } => whitelists::decided(deed, (*kind, *wallet), asset, true),
        Ask::ExchangeAccount { account } => exchange_accounts::decided(deed, account, true),
        Ask::NetworkConnection { connection } => {
            network_connections::decided(deed, connection, true)
        }
        Ask::NewUserGroup { group } => groups::admit(deed, group),
        Ask::UserGroupChange {
            group,
            name,
            members,
        } => groups::change(deed, group, name.as_deref(), members.as_deref()),
        Ask::UserGroupDeletion { group } => groups::remove(deed, group),
        Ask::TagUpdate { tag, look } => tags::look(deed, tag, look),
        Ask::TagDelete { tag } => tags::remove(deed, tag),
        Ask::TagAttachDetach { operations } => tag_attachments::apply(deed, operations),
        Ask::ApprovalKeyRegistration { key, .. } => approval_keys::enable(deed, key),
        Ask::ApprovalKeyDeletion { key, .. } => approval_keys::remove(deed, key),
        Ask::PolicyChange { .. } => policy::in_force(deed),
        Ask::CosignerKey { request, .. } => cosigner::settle(deed, request),
    }
}

/// What was asked for will not become true.
pub(super) fn come_to_nothing(deed: &mut Deed<'_, '_>, ask: &Ask) -> Result<(), Fault> {
    match ask {
        Ask::NewUser { user } => lives::turn(deed, *user, Turn::Refused),
        Ask::WhitelistAddress {
            kind,
            wallet,
            asset,
        } => whitelists::decided(deed, (*kind, *wallet), asset, false),
        Ask::ExchangeAccount { account } => exchange_accounts::decided(deed, account, false),
        Ask::NetworkConnection { connection } => {
            network_connections::decided(deed, connection, false)
        }
        Ask::NewUserGroup { group } => groups::remove(deed, group),
        Ask::ApprovalKeyRegistration { key, .. } => approval_keys::remove(deed, key),
        Ask::ApprovalKeyDeletion { key, .. } => approval_keys::enable(deed, key),
        Ask::PolicyChange { .. } => policy::not_in_force(deed),
        _ => Ok(()),
    }
}
