//! The events of the audit log, as Fireblocks lists them: `EventId`, category, subject, event.

use serde::{Deserialize, Serialize};

macro_rules! events {
    ($($category:literal { $($name:ident = $id:literal $subject:literal $event:literal,)+ })+) => {
        /// What the audit log can say.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub(crate) enum Event {
            $($(#[serde(rename = $id)] $name,)+)+
        }

        impl Event {
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$($(Self::$name,)+)+];

            pub(crate) const fn category(self) -> &'static str {
                match self {
                    $($(Self::$name)|+ => $category,)+
                }
            }

            pub(crate) const fn subject(self) -> &'static str {
                match self {
                    $($(Self::$name => $subject,)+)+
                }
            }

            pub(crate) const fn event(self) -> &'static str {
                match self {
                    $($(Self::$name => $event,)+)+
                }
            }
        }
    };
}

events! {
    "Administration" {
        IpListUpdated = "ApiIpWhitelisting_ListUpdated" "Whitelisted IP" "List updated",
        QuorumApproved = "AdminQuorum_ApprovedByAdmin" "Quorum" "Approved",
        QuorumCanceled = "AdminQuorum_Cancelled" "Quorum" "Canceled",
        QuorumRejected = "AdminQuorum_Rejected" "Quorum" "Rejected",
        QuorumSubmitted = "AdminQuorum_RequestSubmitted" "Quorum" "Submitted request",
        QuorumThresholdChanged = "AdminQuorum_ThresholdChanged" "Quorum" "Changed threshold",
        DeviceResetApproved = "DeviceReset_ApprovedByAdmin" "Device reset" "Approved",
        DeviceResetCompleted = "DeviceReset_DeviceReset" "Device reset" "Completed",
        DeviceResetRejected = "DeviceReset_Rejected" "Device reset" "Rejected",
        DeviceResetSubmitted = "DeviceReset_RequestSubmitted" "Device reset" "Submitted request",
        DeviceEnrolled = "ReEnrollDevice_Completed" "Re-enroll mobile device" "Completed",
        NewUserApproved = "NewUserApproval_ApprovedByAdmin" "New user" "Approved",
        NewUserCanceled = "NewUserApproval_Cancelled" "New user" "Canceled",
        NewUserRejected = "NewUserApproval_Rejected" "New user" "Rejected",
        NewUserSubmitted = "NewUserApproval_RequestSubmitted" "New user" "Submitted request",
        OneTimeAddressApproved = "OneTimeAddress_ApprovedByAdmin" "One-time address" "Approved",
        OneTimeAddressCanceled = "OneTimeAddress_Cancelled" "One-time address" "Canceled",
        OneTimeAddressRejected = "OneTimeAddress_Rejected" "One-time address" "Rejected",
        OneTimeAddressSubmitted = "OneTimeAddress_RequestSubmitted" "One-time address" "Submitted request",
        OneTimeAddressTurnedOff = "OneTimeAddress_ToggledOff" "One-time address" "Turned off",
        OneTimeAddressTurnedOn = "OneTimeAddress_ToggledOn" "One-time address" "Turned on",
        UserDeleted = "User_Deleted" "User" "Deleted",
        GroupChangesApproved = "UserGroups_ChangesApprovedByAdmin" "User group" "Changes approved",
        GroupChangesRejected = "UserGroups_ChangesRequestRejected" "User group" "Changes rejected",
        GroupChangesInEffect = "UserGroups_ChangesWentIntoAffect" "User group" "Changes in effect",
        GroupApprovedAndCreated = "UserGroups_NewGroupApprovedAndCreated" "User group" "Approved and created",
        GroupApproved = "UserGroups_NewGroupRequestWasApprovedByAdmin" "User group" "Approved",
        GroupRejected = "UserGroups_NewGroupRequestWasRejected" "User group" "Rejected",
        GroupChangeCanceled = "UserGroups_UserCanceledActiveGroupChangesRequest" "User group" "Canceled change request",
        GroupDeleted = "UserGroups_UserDeletedAGroup" "User group" "Deleted",
        GroupChangeRequested = "UserGroups_SubmittedApprovalRequestGroupChanges" "User group" "Requested change approval",
        GroupCreated = "UserGroups_UserSubmittedNewGroupForApproval" "User group" "Created",
    }
    "Assets" {
        AssetListed = "Asset_Listed" "Asset" "Listed",
        AssetPriceSet = "Asset_SetPrice" "Asset" "Set price",
    }
    "Developers" {
        WebhookAdded = "Webhook_Added" "Webhook endpoint" "Added",
        WebhookDeleted = "Webhook_Deleted" "Webhook endpoint" "Deleted",
        WebhookActivated = "Webhook_Activated" "Webhook endpoint" "Activated",
        WebhookDeactivated = "Webhook_Deactivated" "Webhook endpoint" "Deactivated",
        WebhookUpdated = "Webhook_Updated" "Webhook endpoint" "Updated",
    }
    "Exchanges" {
        ExchangeAdded = "ExchangeConnection_Added" "Exchange account" "Linked",
    }
    "Keys" {
        ValidationKeySubmitted = "ValidationKey_SubmittedRequest" "Validation key" "Submitted request",
        ValidationKeyDeactivated = "ValidationKey_Deactivated" "Validation key" "Deactivated",
        SigningKeySubmitted = "SigningKey_SubmittedRequest" "Signing key" "Submitted request",
        SigningKeyAssigned = "SigningKey_AssignedToVaultAccount" "Signing key" "Assigned to vault account",
        SigningKeyLinked = "SigningKey_LinkedToUser" "Signing key" "Linked to user",
    }
    "Policies" {
        PolicyDraftEdited = "PolicyEditor_UserStartedEditingTheDraftPolicy" "TAP" "Edited draft",
        PolicySigned = "PolicyEditor_ASignerApprovedThePendingDraftPolicy" "TAP" "Signed policy",
        PolicyRejected = "PolicyEditor_ThePendingPolicyWasRejected" "TAP" "Rejected policy",
        PolicyInEffect = "PolicyEditor_ThePendingPolicyWentIntoEffect" "TAP" "Put policy into effect",
        PolicyPublishRequested = "PolicyEditor_UserRequestedToPublishTheDraftPolicy" "TAP" "Requested policy draft publishing",
    }
    "Security" {
        FindingAccepted = "Fspm_FindingAccepted" "FSPM" "Finding accepted",
        FindingReopened = "Fspm_FindingReopened" "FSPM" "Finding reopened",
    }
    "Settlements" {
        NetworkConnectionMade = "NetworkConnection_Created" "Fireblocks network" "Made connection",
        NetworkConnectionRemoved = "NetworkConnection_Removed" "Fireblocks network" "Removed connection",
        NetworkDiscoverabilityOn = "NetworkDiscoverability_TurnedOn" "Fireblocks network" "Turned on discoverability",
        NetworkDiscoverabilityOff = "NetworkDiscoverability_TurnedOff" "Fireblocks network" "Turned off discoverability",
        NetworkProfileCreated = "NetworkProfile_Created" "Fireblocks network" "Created profile",
        NetworkProfileRemoved = "NetworkProfileRemoved_ProfileRemoved" "Fireblocks network" "Removed profile",
        NetworkProfileRenamed = "NetworkProfileNameChange_ProfileRenamed" "Fireblocks network" "Approved profile name change",
        NetworkRoutingChanged = "NetworkConnectionRoutingChange_RoutingChanged" "Fireblocks network" "Changed routing",
        NetworkDefaultRoutingChanged = "NetworkProfileRoutingChange_RoutingChanged" "Fireblocks network" "Changed default routing",
    }
    "Transactions" {
        IncomingCompleted = "IncomingTransaction_Completed" "Incoming transaction" "Completed",
        IncomingSubmitted = "IncomingTransaction_Submitted" "Incoming transaction" "Submitted",
        InternalCompleted = "InternalTransaction_Completed" "Internal transaction" "Completed",
        InternalSubmitted = "InternalTransaction_Submitted" "Internal transaction" "Submitted",
        OutgoingCompleted = "OutgoingTransaction_Completed" "Outgoing transaction" "Completed",
        OutgoingSubmitted = "OutgoingTransaction_Submitted" "Outgoing transaction" "Submitted",
        TransactionApproved = "Transaction_ApprovedBy2ndTier" "Transaction" "Approved by 2nd tier",
        TransactionDeclined = "Transaction_DeclinedBy2ndTier" "Transaction" "Declined by 2nd tier",
        TransactionAuthorization = "Transaction_AuthorizationRequestInitiated" "Transaction" "Authorization request initiated",
        TransactionBlocked = "Transaction_BlockedByPolicy" "Transaction" "Blocked by TAP",
        TransactionCanceled = "Transaction_Cancelled" "Transaction" "Canceled",
        TransactionRejected = "Transaction_Rejected" "Transaction" "Rejected",
        TransactionSigned = "Transaction_Signed" "Transaction" "Signed",
        TransactionThresholdOverridden = "Transaction_ConfirmationThresholdOverridden" "Transaction" "Confirmation threshold overridden",
        TransactionUnfrozen = "Transaction_FundsUnfrozen" "Transaction" "Funds unfrozen",
    }
    "Wallets" {
        AccountCreated = "VaultAccount_Added" "Vault" "Created",
        AccountsCreated = "VaultAccount_AddedInBulk" "Vault" "Bulk created",
        AutoFuelOff = "VaultAccount_DisabledAutoFueling" "Vault" "Turned off auto-fueling",
        AutoFuelOn = "VaultAccount_EnabledAutoFueling" "Vault" "Turned on auto-fueling",
        AccountRenamed = "VaultAccount_Renamed" "Vault" "Renamed",
        AccountHidden = "VaultAccount_SetHiddenOnUi" "Vault" "Hidden",
        AccountShown = "VaultAccount_SetVisibleOnUi" "Vault" "Made visible",
        AddressDescribed = "VaultDepositAddress_ChangedDescription" "Wallet" "Changed deposit address description",
        WalletAdded = "VaultWallet_Added" "Wallet" "Added",
        WalletUnarchived = "VaultWallet_Unarchived" "Wallet" "Unarchived",
        ExternalWalletAdded = "ExternalWallet_Added" "Wallet" "Added",
        ExternalWalletRemoved = "ExternalWallet_Removed" "Wallet" "Removed",
        InternalWalletAdded = "MyWallet_Added" "My wallet" "Added",
        InternalWalletRemoved = "MyWallet_Removed" "My wallet" "Removed",
    }
    "Web3" {
        ContractAdded = "Contract_Added" "Contract" "Added",
        ContractRemoved = "Contract_Removed" "Contract" "Removed",
        NftSpam = "Nft_MarkedAsSpam" "NFT" "Marked as spam",
        NftNotSpam = "Nft_MarkedAsNotSpam" "NFT" "Marked as not spam",
    }
    "Whitelist" {
        AddressAdded = "Address_Whitelisted" "Whitelisted address" "Added",
        AddressRemoved = "Address_Removed" "Whitelisted address" "Removed",
        AddressApproved = "AddressWhitelisting_ApprovedByAdmin" "Whitelisted address" "Approved",
        AddressCanceled = "AddressWhitelisting_Cancelled" "Whitelisted address" "Canceled",
        AddressRejected = "AddressWhitelisting_Rejected" "Whitelisted address" "Rejected",
        AddressRequested = "AddressWhitelisting_RequestSubmitted" "Whitelisted address" "Requested",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_event_has_an_id_of_its_own_and_is_read_back() {
        let mut seen = BTreeSet::new();
        for event in Event::ALL {
            let id = serde_json::to_string(event).expect("JSON");
            assert_eq!(
                &serde_json::from_str::<Event>(&id).expect("an event"),
                event
            );
            assert!(seen.insert(id), "{event:?} stands twice");
        }
    }
}
