//! What of a request for a transaction is not served: a field that would change what happens is
//! refused by name, never passed over. Pure.

use protocol::error::ApiError;
use serde_json::Value;

const TRANSACTION: [&str; 25] = [
    "operation",
    "assetId",
    "amount",
    "source",
    "destination",
    "destinations",
    "note",
    "externalTxId",
    "feeLevel",
    "treatAsGrossAmount",
    "customerRefId",
    "fee",
    "priorityFee",
    "maxFee",
    "maxTotalFee",
    "failOnLowFee",
    "gasLimit",
    "gasPrice",
    "networkFee",
    "replaceTxByHash",
    "extraParameters",
    "utxoSelectionParams",
    "configurations",
    // Of chains that no workspace has.
    "forceSweep",
    "autoStaking",
];
/// Names are shown by clients' own models; the id decides.
const SOURCE: [&str; 4] = ["type", "id", "name", "subType"];
const DESTINATION: [&str; 5] = ["type", "id", "name", "subType", "oneTimeAddress"];
const ONE_TIME_ADDRESS: [&str; 2] = ["address", "tag"];
const EXTRA_PARAMETERS: [&str; 5] = [
    "rawMessageData",
    "contractCallData",
    "programCallData",
    "inputsSelection",
    "nodeControls",
];

/// Refuses the first field that is not served.
pub(super) fn check(body: &Value) -> Result<(), ApiError> {
    let places = [
        ("", body, &TRANSACTION[..]),
        ("source.", &body["source"], &SOURCE),
        (
            "extraParameters.",
            &body["extraParameters"],
            &EXTRA_PARAMETERS,
        ),
        ("destination.", &body["destination"], &DESTINATION),
        (
            "destination.oneTimeAddress.",
            &body["destination"]["oneTimeAddress"],
            &ONE_TIME_ADDRESS,
        ),
    ];
    for (place, value, served) in places {
        if let Some(name) = strange(value, served) {
            let why = format_args!("'{place}{name}' is not served by this sandbox yet");
            return Err(ApiError::bad_transaction(why));
        }
    }
    Ok(())
}

fn strange<'a>(value: &'a Value, served: &[&str]) -> Option<&'a str> {
    let fields = value.as_object()?;
    fields
        .iter()
        .find(|(name, value)| !served.contains(&name.as_str()) && asks(value))
        .map(|(name, _)| name.as_str())
}

/// Whether a field asks for something: clients also send what is switched off or empty.
fn asks(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(true) | Value::Number(_) | Value::String(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn refused(change: Value) -> Option<String> {
        let mut body = json!({
            "operation": "TRANSFER", "assetId": "ETH", "amount": "1", "feeLevel": "LOW", "note": "",
            "source": {"type": "VAULT_ACCOUNT", "id": "1", "name": "Main"},
            "destination": {"type": "ONE_TIME_ADDRESS", "oneTimeAddress": {"address": "0x", "tag": ""}},
        });
        for (pointer, value) in change.as_object().expect("an object") {
            let (place, name) = pointer.rsplit_once('/').expect("a pointer");
            body.pointer_mut(place).expect("a place")[name] = value.clone();
        }
        let error = check(&body).err()?;
        assert_eq!((error.status(), error.code()), (400, Some(1409)));
        let text = error.message().to_owned();
        Some(text.split('\'').nth(1).expect("a name").to_owned())
    }

    #[test]
    fn what_would_change_what_happens_is_named() {
        for (pointer, name) in [
            ("/travelRuleMessageId", "travelRuleMessageId"),
            ("/useGasless", "useGasless"),
            ("/nothingOfThatName", "nothingOfThatName"),
            ("/source/walletId", "source.walletId"),
            ("/destination/walletId", "destination.walletId"),
            (
                "/destination/oneTimeAddress/x",
                "destination.oneTimeAddress.x",
            ),
        ] {
            let asked = refused(json!({ pointer: "1" }));
            assert_eq!(asked.as_deref(), Some(name));
        }
        for value in [json!(true), json!(0), json!({"a": 1}), json!([1])] {
            assert!(refused(json!({"/useGasless": value})).is_some());
        }
    }

    #[test]
    fn what_asks_for_nothing_passes() {
        for value in [json!(null), json!(false), json!({}), json!([])] {
            let asked = refused(
                json!({"/useGasless": value, "/travelRuleMessage": value, "/source/walletId": value}),
            );
            assert_eq!(asked, None);
        }
        assert!(check(&json!([])).is_ok() && check(&json!(7)).is_ok());
    }
}
