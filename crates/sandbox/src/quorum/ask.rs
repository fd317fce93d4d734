//! What can be asked of the quorum.

use protocol::ids::{AssetId, UserId, VaultAccountId, WalletId};
use protocol::model::whitelist::WhitelistKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::settings::Threshold;
use crate::audit::Event;
use crate::cosigner::Command;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    content = "data",
    rename_all = "SCREAMING_SNAKE_CASE",
    rename_all_fields = "camelCase"
)]
pub(crate) enum Ask {
    NewUser {
        user: UserId,
    },
    DeleteUser {
        user: UserId,
    },
    DeviceReset {
        user: UserId,
    },
    Threshold {
        threshold: Threshold,
    },
    OneTimeAddress {
        enabled: bool,
    },
    WhitelistAddress {
        kind: WhitelistKind,
        wallet: WalletId,
        asset: AssetId,
    },
    /// An exchange account is to be used.
    ExchangeAccount {
        account: String,
    },
    /// A peer of the network is to be connected with.
    NetworkConnection {
        connection: String,
    },
    NewUserGroup {
        group: String,
    },
    UserGroupChange {
        group: String,
        name: Option<String>,
        members: Option<Vec<UserId>>,
    },
    UserGroupDeletion {
        group: String,
    },
    TagUpdate {
        tag: String,
        #[serde(flatten)]
        look: TagLook,
    },
    TagDelete {
        tag: String,
    },
    TagAttachDetach {
        operations: Vec<Attachment>,
    },
    ApprovalKeyRegistration {
        user: UserId,
        key: String,
    },
    ApprovalKeyDeletion {
        user: UserId,
        key: String,
    },
    /// A policy is to be in force.
    PolicyChange {
        version: String,
    },
    /// An API user is to be paired with a co-signer, or not any more, or to have another callback
    /// handler.
    CosignerKey {
        request: String,
        api_key: String,
        command: Command,
    },
}

/// What changes of a tag.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TagLook {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) label: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) color: Option<String>,
}

/// A tag put on an account, or taken off it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Attachment {
    pub(crate) vault_account_id: VaultAccountId,
    pub(crate) tag_id: String,
    pub(crate) action: Action,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Action {
    Attach,
    Detach,
}

/// What the audit log says of a request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    pub(crate) submitted: Option<Event>,
    pub(crate) approved: Option<Event>,
    pub(crate) rejected: Option<Event>,
    pub(crate) cancelled: Option<Event>,
    /// When it has come into effect.
    pub(crate) done: Option<Event>,
}

impl Ask {
    /// The request's type, in the API's words.
    pub(crate) fn word(&self) -> String {
        let whole = serde_json::to_value(self).unwrap_or_default();
        whole["type"].as_str().unwrap_or_default().to_owned()
    }

    /// What it is about.
    pub(crate) fn data(&self) -> Value {
        let mut whole = serde_json::to_value(self).unwrap_or_default();
        whole["data"].take()
    }

    /// Whether one of those who say yes must be the Owner.
    pub(crate) const fn needs_owner(&self) -> bool {
        matches!(
            self,
            Self::NewUser { .. }
                | Self::DeleteUser { .. }
                | Self::DeviceReset { .. }
                | Self::Threshold { .. }
                | Self::OneTimeAddress { .. }
                | Self::NewUserGroup { .. }
                | Self::UserGroupChange { .. }
                | Self::UserGroupDeletion { .. }
                | Self::PolicyChange { .. }
                | Self::CosignerKey {
                    command: Command::PairApiKey | Command::UpdateCallbackHandler,
                    ..
                }
        )
    }

    /// Whether one yes is enough, whatever the threshold: the Owner's, where the Owner's is needed.
    pub(crate) const fn takes_one(&self) -> bool {
        matches!(self, Self::CosignerKey { .. })
    }

    /// Whether asking counts as a yes of who asks.
    pub(crate) const fn counts_who_asks(&self) -> bool {
        matches!(self, Self::DeleteUser { .. })
    }

    /// Whether it is decided on by `/approvals` too; the others are decided on by people alone.
    pub(crate) const fn is_of_tags(&self) -> bool {
        matches!(
            self,
            Self::TagUpdate { .. } | Self::TagDelete { .. } | Self::TagAttachDetach { .. }
        )
    }

    /// Whether `/approvals` shows it: what its callers may approve by a key.
    pub(crate) const fn is_in_approvals(&self) -> bool {
        self.is_of_tags()
            || matches!(
                self,
                Self::ApprovalKeyRegistration { .. } | Self::ApprovalKeyDeletion { .. }
            )
    }

    /// What only one request at a time may be about.
    pub(crate) fn subject(&self) -> Option<String> {
        Some(match self {
            Self::NewUser { user } | Self::DeleteUser { user } | Self::DeviceReset { user } => {
                format!("{} {user}", self.word())
            }
            Self::Threshold { .. } => "threshold".to_owned(),
            Self::OneTimeAddress { .. } => "one-time addresses".to_owned(),
            Self::WhitelistAddress {
                kind,
                wallet,
                asset,
            } => format!("{kind:?} {wallet} {asset}"),
            Self::ExchangeAccount { account } => format!("exchange account {account}"),
            Self::NetworkConnection { connection } => format!("connection {connection}"),
            Self::NewUserGroup { group }
            | Self::UserGroupChange { group, .. }
            | Self::UserGroupDeletion { group } => format!("group {group}"),
            Self::TagUpdate { tag, .. } | Self::TagDelete { tag } => format!("tag {tag}"),
            Self::ApprovalKeyRegistration { key, .. } | Self::ApprovalKeyDeletion { key, .. } => {
                format!("approval key {key}")
            }
            Self::PolicyChange { .. } => "policy".to_owned(),
            Self::CosignerKey { api_key, .. } => format!("co-signer's key {api_key}"),
            Self::TagAttachDetach { .. } => return None,
        })
    }

    pub(crate) fn told(&self) -> Told {
        use Event as E;
        let told = |submitted, approved, rejected, cancelled, done| Told {
            submitted: Some(submitted),
            approved: Some(approved),
            rejected: Some(rejected),
            cancelled: Some(cancelled),
            done,
        };
        match self {
            Self::NewUser { .. } => told(
                E::NewUserSubmitted,
                E::NewUserApproved,
                E::NewUserRejected,
                E::NewUserCanceled,
                None,
            ),
            Self::DeleteUser { .. } => Told {
                done: Some(E::UserDeleted),
                ..Told::default()
            },
            Self::DeviceReset { .. } => Told {
                submitted: Some(E::DeviceResetSubmitted),
                approved: Some(E::DeviceResetApproved),
                rejected: Some(E::DeviceResetRejected),
                cancelled: None,
                done: Some(E::DeviceResetCompleted),
            },
            Self::Threshold { .. } => told(
                E::QuorumSubmitted,
                E::QuorumApproved,
                E::QuorumRejected,
                E::QuorumCanceled,
                Some(E::QuorumThresholdChanged),
            ),
            Self::OneTimeAddress { enabled } => told(
                E::OneTimeAddressSubmitted,
                E::OneTimeAddressApproved,
                E::OneTimeAddressRejected,
                E::OneTimeAddressCanceled,
                Some(if *enabled {
                    E::OneTimeAddressTurnedOn
                } else {
                    E::OneTimeAddressTurnedOff
                }),
            ),
            Self::WhitelistAddress { .. } => told(
                E::AddressRequested,
                E::AddressApproved,
                E::AddressRejected,
                E::AddressCanceled,
                Some(E::AddressAdded),
            ),
            Self::NewUserGroup { .. } => Told {
                submitted: Some(E::GroupCreated),
                approved: Some(E::GroupApproved),
                rejected: Some(E::GroupRejected),
                cancelled: None,
                done: Some(E::GroupApprovedAndCreated),
            },
            Self::UserGroupChange { .. } => told(
                E::GroupChangeRequested,
                E::GroupChangesApproved,
                E::GroupChangesRejected,
                E::GroupChangeCanceled,
                Some(E::GroupChangesInEffect),
            ),
            Self::UserGroupDeletion { .. } => Told {
                done: Some(E::GroupDeleted),
                ..told(
                    E::GroupChangeRequested,
                    E::GroupChangesApproved,
                    E::GroupChangesRejected,
                    E::GroupChangeCanceled,
                    None,
                )
            },
            // Fireblocks' list of events has none of tags, of approval keys and of co-signers; of a
            // policy the call tells.
            Self::ExchangeAccount { .. }
            | Self::NetworkConnection { .. }
            | Self::TagUpdate { .. }
            | Self::TagDelete { .. }
            | Self::TagAttachDetach { .. }
            | Self::ApprovalKeyRegistration { .. }
            | Self::ApprovalKeyDeletion { .. }
            | Self::CosignerKey { .. } => Told::default(),
            // The call that asks is told of by itself.
            Self::PolicyChange { .. } => Told {
                approved: Some(E::PolicySigned),
                rejected: Some(E::PolicyRejected),
                done: Some(E::PolicyInEffect),
                ..Told::default()
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_request_says_its_type_and_what_it_is_about() {
        let ask = Ask::TagUpdate {
            tag: "7".to_owned(),
            look: TagLook {
                label: Some("Cold".to_owned()),
                ..TagLook::default()
            },
        };
        assert_eq!(ask.word(), "TAG_UPDATE");
        assert_eq!(ask.data(), json!({"tag": "7", "label": "Cold"}));
        let text = serde_json::to_string(&ask).expect("JSON");
        assert_eq!(serde_json::from_str::<Ask>(&text).expect("an ask"), ask);
    }

    #[test]
    fn only_one_at_a_time_about_the_same_thing() {
        let tag = || "7".to_owned();
        let delete = Ask::TagDelete { tag: tag() };
        let update = Ask::TagUpdate {
            tag: tag(),
            look: TagLook::default(),
        };
        assert_eq!(delete.subject(), update.subject());
        let on = Ask::OneTimeAddress { enabled: true };
        let off = Ask::OneTimeAddress { enabled: false };
        assert_eq!(on.subject(), off.subject());
    }
}
