//! Which calls the audit log tells of, once they have succeeded. What goes through the quorum, and
//! transactions, are told of where they happen. Pure.

use serde_json::Value;
use wire::server::{Call, Route};

use super::Event;

/// How a call is told.
enum Told {
    /// In the same words whatever its body says.
    As(Event),
    /// By a flag of its body: set, not set, missing.
    Flag(&'static str, [Event; 3]),
    /// By whether a field of its body is that word.
    Word(&'static str, &'static str, [Event; 2]),
}

use Event as E;
use Told::{As, Flag, Word};

/// Operation by operation.
const TOLD: &[(&str, Told)] = &[
    ("registerNewAsset", As(E::AssetListed)),
    ("setAssetPrice", As(E::AssetPriceSet)),
    ("createWebhook", As(E::WebhookAdded)),
    ("deleteWebhook", As(E::WebhookDeleted)),
    (
        "updateWebhook",
        Flag(
            "/enabled",
            [
                E::WebhookActivated,
                E::WebhookDeactivated,
                E::WebhookUpdated,
            ],
        ),
    ),
    ("createWebhookMtlsConfig", As(E::WebhookUpdated)),
    ("updateWebhookMtlsConfig", As(E::WebhookUpdated)),
    ("deleteWebhookMtlsConfig", As(E::WebhookUpdated)),
    ("createWebhookOauth", As(E::WebhookUpdated)),
    ("updateWebhookOauth", As(E::WebhookUpdated)),
    ("deleteWebhookOauth", As(E::WebhookUpdated)),
    ("addExchangeAccount", As(E::ExchangeAdded)),
    ("createValidationKey", As(E::ValidationKeySubmitted)),
    ("disableValidationKey", As(E::ValidationKeyDeactivated)),
    ("createSigningKey", As(E::SigningKeySubmitted)),
    ("createBulkSigningKeys", As(E::SigningKeySubmitted)),
    ("updateSigningKey", As(E::SigningKeyAssigned)),
    ("setAgentId", As(E::SigningKeyLinked)),
    ("updateDraft", As(E::PolicyDraftEdited)),
    ("updateDraftLegacy", As(E::PolicyDraftEdited)),
    ("publishDraft", As(E::PolicyPublishRequested)),
    ("publishDraftLegacy", As(E::PolicyPublishRequested)),
    ("publishPolicyRules", As(E::PolicyPublishRequested)),
    (
        "updateSecurityFindingById",
        Word(
            "/status",
            "ACCEPTED",
            [E::FindingAccepted, E::FindingReopened],
        ),
    ),
    ("createNetworkConnection", As(E::NetworkConnectionMade)),
    ("deleteNetworkConnection", As(E::NetworkConnectionRemoved)),
    ("createNetworkId", As(E::NetworkProfileCreated)),
    ("deleteNetworkId", As(E::NetworkProfileRemoved)),
    ("setNetworkIdName", As(E::NetworkProfileRenamed)),
    (
        "setNetworkIdDiscoverability",
        Flag(
            "/isDiscoverable",
            [
                E::NetworkDiscoverabilityOn,
                E::NetworkDiscoverabilityOff,
                E::NetworkDiscoverabilityOff,
            ],
        ),
    ),
    ("setRoutingPolicy", As(E::NetworkRoutingChanged)),
    (
        "setNetworkIdRoutingPolicy",
        As(E::NetworkDefaultRoutingChanged),
    ),
    (
        "setTransactionConfirmationThreshold",
        As(E::TransactionThresholdOverridden),
    ),
    (
        "setConfirmationThresholdByTransactionHash",
        As(E::TransactionThresholdOverridden),
    ),
    ("unfreezeTransaction", As(E::TransactionUnfrozen)),
    ("createVaultAccount", As(E::AccountCreated)),
    ("createMultipleAccounts", As(E::AccountsCreated)),
    ("updateVaultAccount", As(E::AccountRenamed)),
    ("hideVaultAccount", As(E::AccountHidden)),
    ("unhideVaultAccount", As(E::AccountShown)),
    (
        "setVaultAccountAutoFuel",
        Flag("/autoFuel", [E::AutoFuelOn, E::AutoFuelOff, E::AutoFuelOff]),
    ),
    ("createVaultAccountAsset", As(E::WalletAdded)),
    ("activateAssetForVaultAccount", As(E::WalletUnarchived)),
    ("updateVaultAccountAssetAddress", As(E::AddressDescribed)),
    ("createInternalWallet", As(E::InternalWalletAdded)),
    ("deleteInternalWallet", As(E::InternalWalletRemoved)),
    ("createExternalWallet", As(E::ExternalWalletAdded)),
    ("deleteExternalWallet", As(E::ExternalWalletRemoved)),
    ("createContract", As(E::ContractAdded)),
    ("deleteContract", As(E::ContractRemoved)),
    ("deleteInternalWalletAsset", As(E::AddressRemoved)),
    ("removeAssetFromExternalWallet", As(E::AddressRemoved)),
    ("deleteContractAsset", As(E::AddressRemoved)),
    (
        "updateTokensOwnershipSpam",
        Flag("/assets/0/spam", [E::NftSpam, E::NftNotSpam, E::NftNotSpam]),
    ),
];

/// What a call is, in the audit log's words.
pub(crate) fn event_of(call: &Call) -> Option<Event> {
    let Route::Operation { operation, .. } = &call.route else {
        return None;
    };
    of(operation.id.as_str(), call.body.as_ref())
}

fn of(operation: &str, body: Option<&Value>) -> Option<Event> {
    let (_, told) = TOLD.iter().find(|(id, _)| *id == operation)?;
    let field = |path: &str| body.and_then(|body| body.pointer(path));
    Some(match told {
        As(event) => *event,
        Flag(path, [set, not_set, missing]) => match field(path).and_then(Value::as_bool) {
            Some(true) => *set,
            Some(false) => *not_set,
            None => *missing,
        },
        Word(path, word, [yes, no]) => {
            if field(path).and_then(Value::as_str) == Some(word) {
                *yes
            } else {
                *no
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::operations::{self, Access};
    use serde_json::json;

    #[test]
    fn a_call_is_told_by_what_it_changes() {
        let fuel = |body: Value| of("setVaultAccountAutoFuel", Some(&body));
        assert_eq!(fuel(json!({"autoFuel": true})), Some(E::AutoFuelOn));
        assert_eq!(fuel(json!({"autoFuel": false})), Some(E::AutoFuelOff));
        let hook = |body: Value| of("updateWebhook", Some(&body));
        assert_eq!(hook(json!({"enabled": false})), Some(E::WebhookDeactivated));
        assert_eq!(hook(json!({"description": "x"})), Some(E::WebhookUpdated));
        let finding = |word: &str| of("updateSecurityFindingById", Some(&json!({"status": word})));
        assert_eq!(finding("ACCEPTED"), Some(E::FindingAccepted));
        assert_eq!(finding("OPEN"), Some(E::FindingReopened));
        assert_eq!(of("createTag", None), None, "no event tells of tags");
    }

    #[test]
    fn every_call_that_is_told_of_changes_something_and_stands_once() {
        let mut seen = std::collections::BTreeSet::new();
        for (id, _) in TOLD {
            let known = operations::by_id(id);
            assert!(
                known.is_some_and(|known| known.access == Access::Write),
                "{id}"
            );
            assert!(seen.insert(id), "{id} stands twice");
        }
    }
}
