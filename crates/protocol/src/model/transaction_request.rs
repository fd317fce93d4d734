//! A transaction as it is asked for (`POST /transactions`).
//!
//! Two readings of one body: [`TransactionRequest`] is what a workspace takes; [`PlainTransfer`]
//! is the closed type that a provider may propose: a TRANSFER with the plain fields, where every
//! other operation and field is refused by name.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::transaction::PeerKind;
use crate::amount::Amount;
use crate::ids::{AssetId, TxId, VaultAccountId, WalletId};

/// What a workspace takes. (Serde passes over what is not here: who takes a request looks at its
/// other fields first.)
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TransactionRequest {
    /// `TRANSFER` if missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset_id: Option<AssetId>,
    /// How much, in the asset's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<PeerRequest>,
    /// Where it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destination: Option<PeerRequest>,
    /// Where its parts go, if there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destinations: Option<Vec<DestinationRequest>>,
    /// What people write on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The initiator's own id, unique for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_tx_id: Option<String>,
    /// `LOW`, `MEDIUM` or `HIGH`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_level: Option<FeeLevel>,
    /// Whether the fee is taken from the amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treat_as_gross_amount: Option<bool>,
    /// The client's own name for its customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_ref_id: Option<String>,
}

/// A place in a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PeerRequest {
    /// What kind of place.
    #[serde(rename = "type")]
    pub kind: PeerKind,
    /// Which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// An address that stands on no list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub one_time_address: Option<OneTimeAddress>,
}

/// An address that stands on no list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneTimeAddress {
    /// The address.
    pub address: String,
    /// Its tag or memo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
}

/// One of several destinations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestinationRequest {
    /// How much goes there.
    pub amount: Amount,
    /// Where.
    pub destination: PeerRequest,
}

/// How much haste is paid for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum FeeLevel {
    /// Little.
    Low,
    /// The usual.
    Medium,
    /// Much.
    High,
}

/// The answer of `POST /transactions`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateTransactionResponse {
    /// Its public id.
    pub id: TxId,
    /// How far it is.
    pub status: super::transaction::TransactionStatus,
}

/// Where a proposed transfer may go: places the client itself has put on a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    /// One of the client's vault accounts.
    VaultAccount(VaultAccountId),
    /// One of the client's own wallets outside the workspace.
    InternalWallet(WalletId),
    /// A whitelisted wallet of somebody else.
    ExternalWallet(WalletId),
}

/// All that a provider may propose: a TRANSFER with the plain fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainTransfer {
    /// The asset.
    pub asset: AssetId,
    /// How much; above nothing.
    pub amount: Amount,
    /// From which account.
    pub source: VaultAccountId,
    /// To where.
    pub destination: Destination,
    /// What people read when they approve.
    pub note: Option<String>,
    /// The provider's own id, unique within its connection.
    pub external_tx_id: Option<String>,
    /// How much haste is paid for.
    pub fee_level: FeeLevel,
    /// Whether the fee is taken from the amount.
    pub treat_as_gross_amount: bool,
}

/// Why a body is no plain transfer. Each names the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPlain {
    /// The body is no JSON object.
    #[error("the body is not a JSON object")]
    NotAnObject,
    /// An operation that signs or changes what amount and destination do not show.
    #[error("operation '{0}' is not offered: only TRANSFER is")]
    Operation(String),
    /// A field that is not on the list of plain ones.
    #[error("field '{0}' is not offered")]
    Field(String),
    /// A field that must be there.
    #[error("field '{0}' is required")]
    Missing(&'static str),
    /// A field that has the wrong form.
    #[error("field '{field}' is not valid: {why}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What it must be.
        why: String,
    },
}

impl NotPlain {
    fn invalid(field: &'static str, why: impl std::fmt::Display) -> Self {
        Self::Invalid {
            field,
            why: why.to_string(),
        }
    }
}

impl PlainTransfer {
    /// Longest note, in characters.
    pub const MAX_NOTE: usize = 1_024;
    /// Longest `externalTxId`, in characters.
    pub const MAX_EXTERNAL_TX_ID: usize = 255;
    /// The fields that may be there.
    const FIELDS: [&'static str; 9] = [
        "operation",
        "assetId",
        "amount",
        "source",
        "destination",
        "note",
        "externalTxId",
        "feeLevel",
        "treatAsGrossAmount",
    ];

    /// Reads a body. `null` counts as a missing field, as the official clients send it.
    pub fn from_body(body: &Value) -> Result<Self, NotPlain> {
        let fields = body.as_object().ok_or(NotPlain::NotAnObject)?;
        let field = |name: &str| fields.get(name).filter(|value| !value.is_null());
        match field("operation") {
            None => {}
            Some(Value::String(name)) if name == "TRANSFER" => {}
            Some(Value::String(name)) => return Err(NotPlain::Operation(name.clone())),
            Some(_) => return Err(NotPlain::invalid("operation", "a string")),
        }
        if let Some(name) = fields
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, _)| name)
            .find(|name| !Self::FIELDS.contains(&name.as_str()))
        {
            return Err(NotPlain::Field(name.clone()));
        }
        let asset = field("assetId").ok_or(NotPlain::Missing("assetId"))?;
        let amount = field("amount").ok_or(NotPlain::Missing("amount"))?;
        let amount = Amount::deserialize(amount).map_err(|e| NotPlain::invalid("amount", e))?;
        if !amount.is_positive() {
            return Err(NotPlain::invalid("amount", "above zero"));
        }
        let fee_level = match field("feeLevel") {
            None => FeeLevel::Medium,
            Some(level) => FeeLevel::deserialize(level)
                .map_err(|_| NotPlain::invalid("feeLevel", "LOW, MEDIUM or HIGH"))?,
        };
        let treat_as_gross_amount = match field("treatAsGrossAmount") {
            None => false,
            Some(flag) => flag
                .as_bool()
                .ok_or_else(|| NotPlain::invalid("treatAsGrossAmount", "true or false"))?,
        };
        Ok(Self {
            asset: AssetId::deserialize(asset).map_err(|e| NotPlain::invalid("assetId", e))?,
            amount,
            source: source(field("source").ok_or(NotPlain::Missing("source"))?)?,
            destination: destination(
                field("destination").ok_or(NotPlain::Missing("destination"))?,
            )?,
            note: text(field("note"), "note", Self::MAX_NOTE)?,
            external_tx_id: text(
                field("externalTxId"),
                "externalTxId",
                Self::MAX_EXTERNAL_TX_ID,
            )?,
            fee_level,
            treat_as_gross_amount,
        })
    }
}

fn text(
    value: Option<&Value>,
    field: &'static str,
    most: usize,
) -> Result<Option<String>, NotPlain> {
    let Some(value) = value else { return Ok(None) };
    let text = value
        .as_str()
        .ok_or_else(|| NotPlain::invalid(field, "a string"))?;
    if text.chars().count() > most {
        return Err(NotPlain::invalid(
            field,
            format_args!("at most {most} characters"),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(NotPlain::invalid(field, "no control characters"));
    }
    Ok(Some(text.to_owned()))
}

/// Kind and id of a place; any further field is refused by name (`name` and empty ones tolerated,
/// since the official clients may send them).
fn peer<'a>(value: &'a Value, field: &'static str) -> Result<(&'a str, &'a str), NotPlain> {
    let peer = value
        .as_object()
        .ok_or_else(|| NotPlain::invalid(field, "an object"))?;
    if let Some((name, _)) = peer
        .iter()
        .find(|(name, value)| !value.is_null() && !matches!(name.as_str(), "type" | "id" | "name"))
    {
        return Err(NotPlain::Field(format!("{field}.{name}")));
    }
    let part = |name: &str, label: &'static str| {
        peer.get(name)
            .and_then(Value::as_str)
            .ok_or(NotPlain::Missing(label))
    };
    match field {
        "source" => Ok((part("type", "source.type")?, part("id", "source.id")?)),
        _ => Ok((
            part("type", "destination.type")?,
            part("id", "destination.id")?,
        )),
    }
}

fn source(value: &Value) -> Result<VaultAccountId, NotPlain> {
    match peer(value, "source")? {
        ("VAULT_ACCOUNT", id) => id.parse().map_err(|e| NotPlain::invalid("source.id", e)),
        (kind, _) => Err(NotPlain::invalid(
            "source.type",
            format_args!("VAULT_ACCOUNT, not '{kind}'"),
        )),
    }
}

fn destination(value: &Value) -> Result<Destination, NotPlain> {
    let (kind, id) = peer(value, "destination")?;
    let bad = |e| NotPlain::invalid("destination.id", e);
    match kind {
        "VAULT_ACCOUNT" => id.parse().map(Destination::VaultAccount).map_err(bad),
        "INTERNAL_WALLET" => id.parse().map(Destination::InternalWallet).map_err(bad),
        "EXTERNAL_WALLET" => id.parse().map(Destination::ExternalWallet).map_err(bad),
        other => Err(NotPlain::invalid(
            "destination.type",
            format_args!("VAULT_ACCOUNT, INTERNAL_WALLET or EXTERNAL_WALLET, not '{other}'"),
        )),
    }
}

impl From<&PlainTransfer> for TransactionRequest {
    /// The body that goes upstream, made from the approved value alone. Without `externalTxId`:
    /// the provider's own never goes up, the dispatcher sets the gate's.
    fn from(transfer: &PlainTransfer) -> Self {
        let (kind, id) = match &transfer.destination {
            Destination::VaultAccount(id) => (PeerKind::VaultAccount, id.to_string()),
            Destination::InternalWallet(id) => (PeerKind::InternalWallet, id.to_string()),
            Destination::ExternalWallet(id) => (PeerKind::ExternalWallet, id.to_string()),
        };
        Self {
            operation: Some("TRANSFER".to_owned()),
            asset_id: Some(transfer.asset.clone()),
            amount: Some(transfer.amount.clone()),
            source: Some(PeerRequest {
                kind: PeerKind::VaultAccount,
                id: Some(transfer.source.to_string()),
                one_time_address: None,
            }),
            destination: Some(PeerRequest {
                kind,
                id: Some(id),
                one_time_address: None,
            }),
            destinations: None,
            note: transfer.note.clone(),
            external_tx_id: None,
            fee_level: Some(transfer.fee_level),
            treat_as_gross_amount: Some(transfer.treat_as_gross_amount),
            customer_ref_id: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plain() -> Value {
        json!({"assetId": "ETH", "amount": "1.5", "source": {"type": "VAULT_ACCOUNT", "id": "3"},
               "destination": {"type": "EXTERNAL_WALLET", "id": "6ba7b810-9dad-41d1-80b4-00c04fd430c8"}})
    }

    fn with(field: &str, value: Value) -> Value {
        let mut body = plain();
        body[field] = value;
        body
    }

    #[test]
    fn the_plain_fields_pass() {
        let transfer = PlainTransfer::from_body(&with("note", json!("invoice 7"))).expect("plain");
        assert_eq!(transfer.amount.to_string(), "1.5");
        assert!(PlainTransfer::from_body(&with("extraParameters", Value::Null)).is_ok());
    }

    #[test]
    fn every_other_operation_and_field_is_refused_by_name() {
        for name in [
            "RAW",
            "TYPED_MESSAGE",
            "CONTRACT_CALL",
            "PROGRAM_CALL",
            "MINT",
            "BURN",
            "transfer",
        ] {
            let refusal =
                PlainTransfer::from_body(&with("operation", json!(name))).expect_err(name);
            assert_eq!(refusal, NotPlain::Operation(name.to_owned()));
        }
        for name in [
            "extraParameters",
            "replaceTxByHash",
            "destinations",
            "gasPrice",
            "customerRefId",
            "__proto__",
        ] {
            let refusal = PlainTransfer::from_body(&with(name, json!({}))).expect_err(name);
            assert_eq!(refusal, NotPlain::Field(name.to_owned()));
        }
        let one_time = json!({"type": "ONE_TIME_ADDRESS", "oneTimeAddress": {"address": "0x0"}});
        let refusal =
            PlainTransfer::from_body(&with("destination", one_time)).expect_err("one-time address");
        assert_eq!(
            refusal,
            NotPlain::Field("destination.oneTimeAddress".to_owned())
        );
    }

    #[test]
    fn amounts_are_above_zero_and_finite() {
        for amount in [
            json!("0"),
            json!("-1"),
            json!("1e5"),
            json!("NaN"),
            json!([]),
            json!(true),
        ] {
            assert!(
                PlainTransfer::from_body(&with("amount", amount.clone())).is_err(),
                "{amount}"
            );
        }
    }
}
