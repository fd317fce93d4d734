//! A transaction as it is read (`TransactionResponse`).

mod peer;
mod status;

use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

pub use peer::{BadPeerKind, Peer, PeerKind};
pub use status::{BadStatus, TransactionStatus};

use super::null_as_default;
use crate::amount::Amount;
use crate::ids::{AssetId, TxId};
use crate::time::Millis;

/// A transaction. Empty strings stand for "not yet", as on the wire.
///
/// Printed with the deprecated numbers (`amount`, `fee`, ...) beside the strings, since older
/// clients still read them; read from the strings alone. Books keep the print and answer with it:
/// who changes it adds a migration that prints anew.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    /// Its public id.
    pub id: TxId,
    /// The initiator's own id for it, unique for ever.
    #[serde(default)]
    pub external_tx_id: Option<String>,
    /// How far it is.
    pub status: TransactionStatus,
    /// Why, in the contract's words; empty when there is nothing to say.
    #[serde(default, deserialize_with = "null_as_default")]
    pub sub_status: String,
    /// What it does; the contract's names (`TRANSFER`, `CONTRACT_CALL`...).
    #[serde(default = "transfer", deserialize_with = "operation_or_transfer")]
    pub operation: String,
    /// The asset.
    pub asset_id: AssetId,
    /// What kind of asset (`BASE_ASSET`, `ERC20`...).
    #[serde(default, deserialize_with = "null_as_default")]
    pub asset_type: String,
    /// What people wrote on it; not sent to the chain.
    #[serde(default, deserialize_with = "null_as_default")]
    pub note: String,
    /// Where it comes from.
    pub source: Peer,
    /// Where it goes.
    #[serde(default, deserialize_with = "null_as_default")]
    pub destination: Peer,
    /// Where its parts go, if there are several.
    #[serde(default, deserialize_with = "null_as_default")]
    pub destinations: Vec<DestinationPart>,
    /// The address it comes from, from `CONFIRMING` on.
    #[serde(default, deserialize_with = "null_as_default")]
    pub source_address: String,
    /// The address it goes to, from `CONFIRMING` on.
    #[serde(default, deserialize_with = "null_as_default")]
    pub destination_address: String,
    /// What people call that address.
    #[serde(default, deserialize_with = "null_as_default")]
    pub destination_address_description: String,
    /// Tag or memo of that address.
    #[serde(default, deserialize_with = "null_as_default")]
    pub destination_tag: String,
    /// How much.
    #[serde(default, deserialize_with = "null_as_default")]
    pub amount_info: AmountInfo,
    /// What it costs.
    #[serde(default, deserialize_with = "null_as_default")]
    pub fee_info: FeeInfo,
    /// The asset that the fee is paid in.
    #[serde(default)]
    pub fee_currency: Option<AssetId>,
    /// Its hash on the chain.
    #[serde(default, deserialize_with = "null_as_default")]
    pub tx_hash: String,
    /// How many blocks confirm it. Never falls.
    #[serde(default, deserialize_with = "null_as_default")]
    pub num_of_confirmations: u32,
    /// The block it is in.
    #[serde(default)]
    pub block_info: Option<BlockInfo>,
    /// Which of the chain transaction's transfers it is.
    #[serde(default)]
    pub index: Option<u32>,
    /// The account's counter, on chains that have one.
    #[serde(default)]
    pub nonce: Option<String>,
    /// When it was made.
    pub created_at: Millis,
    /// When it last changed.
    pub last_updated: Millis,
    /// Who made it: a user's id, empty for what came in.
    #[serde(default, deserialize_with = "null_as_default")]
    pub created_by: String,
    /// Who signed it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub signed_by: Vec<String>,
    /// Who said no.
    #[serde(default, deserialize_with = "null_as_default")]
    pub rejected_by: String,
    /// `WHITELISTED`, `ONE_TIME` or empty.
    #[serde(default, deserialize_with = "null_as_default")]
    pub address_type: String,
    /// Who had to approve, and what each said.
    #[serde(default)]
    pub authorization_info: Option<AuthorizationInfo>,
    /// The client's own name for its customer, for screening.
    #[serde(default)]
    pub customer_ref_id: Option<String>,
    /// An exchange's id for it.
    #[serde(default, deserialize_with = "null_as_default")]
    pub exchange_tx_id: String,
    /// Whether the fee is taken from the amount.
    #[serde(default, deserialize_with = "null_as_default")]
    pub treat_as_gross_amount: bool,
    /// What went wrong on the chain.
    #[serde(default, deserialize_with = "null_as_default")]
    pub error_description: String,
    /// The hash of the one that this one replaces on the chain; empty where there is none.
    #[serde(default, deserialize_with = "null_as_default")]
    pub replaced_tx_hash: String,
    /// What the operation needs beside amount and places, as it was asked for.
    #[serde(default)]
    pub extra_parameters: Option<Value>,
    /// The messages of `RAW` and `TYPED_MESSAGE`, with their signatures.
    #[serde(default, deserialize_with = "null_as_default")]
    pub signed_messages: Vec<Value>,
}

impl Transaction {
    /// A TRANSFER of which nothing is known but its id, its asset and when it was made.
    pub fn new(id: TxId, asset_id: AssetId, at: Millis) -> Self {
        Self {
            id,
            external_tx_id: None,
            status: TransactionStatus::Submitted,
            sub_status: String::new(),
            operation: transfer(),
            asset_id,
            asset_type: String::new(),
            note: String::new(),
            source: Peer::UNKNOWN,
            destination: Peer::UNKNOWN,
            destinations: Vec::new(),
            source_address: String::new(),
            destination_address: String::new(),
            destination_address_description: String::new(),
            destination_tag: String::new(),
            amount_info: AmountInfo::default(),
            fee_info: FeeInfo::default(),
            fee_currency: None,
            tx_hash: String::new(),
            num_of_confirmations: 0,
            block_info: None,
            index: None,
            nonce: None,
            created_at: at,
            last_updated: at,
            created_by: String::new(),
            signed_by: Vec::new(),
            rejected_by: String::new(),
            address_type: String::new(),
            authorization_info: None,
            customer_ref_id: None,
            exchange_tx_id: String::new(),
            treat_as_gross_amount: false,
            error_description: String::new(),
            replaced_tx_hash: String::new(),
            extra_parameters: None,
            signed_messages: Vec::new(),
        }
    }
}

fn transfer() -> String {
    "TRANSFER".to_owned()
}

fn operation_or_transfer<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<String, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_else(transfer))
}

/// An amount as a deprecated JSON number, from its text.
fn number(amount: &Amount) -> Option<serde_json::Number> {
    amount.to_string().parse().ok()
}

impl Serialize for Transaction {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let amounts = &self.amount_info;
        let mut out = serializer.serialize_struct("TransactionResponse", 46)?;
        out.serialize_field("id", &self.id)?;
        if let Some(external) = &self.external_tx_id {
            out.serialize_field("externalTxId", external)?;
        }
        out.serialize_field("status", &self.status)?;
        out.serialize_field("subStatus", &self.sub_status)?;
        out.serialize_field("operation", &self.operation)?;
        out.serialize_field("assetId", &self.asset_id)?;
        out.serialize_field("assetType", &self.asset_type)?;
        out.serialize_field("note", &self.note)?;
        out.serialize_field("source", &self.source)?;
        out.serialize_field("destination", &self.destination)?;
        out.serialize_field("destinations", &self.destinations)?;
        out.serialize_field("sourceAddress", &self.source_address)?;
        out.serialize_field("destinationAddress", &self.destination_address)?;
        out.serialize_field(
            "destinationAddressDescription",
            &self.destination_address_description,
        )?;
        out.serialize_field("destinationTag", &self.destination_tag)?;
        out.serialize_field("amountInfo", amounts)?;
        out.serialize_field("feeInfo", &self.fee_info)?;
        if let Some(currency) = &self.fee_currency {
            out.serialize_field("feeCurrency", currency)?;
        }
        // What is not known is left out: the contract knows null for the worth in USD alone.
        for (name, amount) in [
            ("amount", &amounts.amount),
            ("requestedAmount", &amounts.requested_amount),
            ("netAmount", &amounts.net_amount),
            ("networkFee", &self.fee_info.network_fee),
        ] {
            if let Some(number) = amount.as_ref().and_then(number) {
                out.serialize_field(name, &number)?;
            }
        }
        out.serialize_field("amountUSD", &amounts.amount_usd.as_ref().and_then(number))?;
        out.serialize_field("fee", &-1)?;
        out.serialize_field("txHash", &self.tx_hash)?;
        out.serialize_field("numOfConfirmations", &self.num_of_confirmations)?;
        if let Some(block) = &self.block_info {
            out.serialize_field("blockInfo", block)?;
        }
        if let Some(index) = &self.index {
            out.serialize_field("index", index)?;
        }
        if let Some(nonce) = &self.nonce {
            out.serialize_field("nonce", nonce)?;
        }
        out.serialize_field("createdAt", &self.created_at)?;
        out.serialize_field("lastUpdated", &self.last_updated)?;
        out.serialize_field("createdBy", &self.created_by)?;
        out.serialize_field("signedBy", &self.signed_by)?;
        out.serialize_field("rejectedBy", &self.rejected_by)?;
        out.serialize_field("addressType", &self.address_type)?;
        if let Some(authorization) = &self.authorization_info {
            out.serialize_field("authorizationInfo", authorization)?;
        }
        if let Some(customer) = &self.customer_ref_id {
            out.serialize_field("customerRefId", customer)?;
        }
        out.serialize_field("exchangeTxId", &self.exchange_tx_id)?;
        out.serialize_field("treatAsGrossAmount", &self.treat_as_gross_amount)?;
        if !self.error_description.is_empty() {
            out.serialize_field("errorDescription", &self.error_description)?;
        }
        if !self.replaced_tx_hash.is_empty() {
            out.serialize_field("replacedTxHash", &self.replaced_tx_hash)?;
        }
        if let Some(extra) = &self.extra_parameters {
            out.serialize_field("extraParameters", extra)?;
        }
        out.serialize_field("signedMessages", &self.signed_messages)?;
        out.serialize_field("networkRecords", &[(); 0])?;
        out.end()
    }
}

/// One of several destinations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DestinationPart {
    /// How much goes there.
    pub amount: Amount,
    /// Where.
    pub destination: Peer,
    /// The address.
    #[serde(default, deserialize_with = "null_as_default")]
    pub destination_address: String,
}

/// How much a transaction moves, in the asset's unit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AmountInfo {
    /// What is moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// What was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_amount: Option<Amount>,
    /// What arrives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub net_amount: Option<Amount>,
    /// What it was worth in US dollars.
    #[serde(rename = "amountUSD", default, skip_serializing_if = "Option::is_none")]
    pub amount_usd: Option<Amount>,
}

/// What a transaction costs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FeeInfo {
    /// Paid to the chain, in `feeCurrency`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_fee: Option<Amount>,
    /// Paid to a service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_fee: Option<Amount>,
}

/// The block a transaction is in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockInfo {
    /// Its height, as a string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_height: Option<String>,
    /// Its hash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block_hash: Option<String>,
}

/// Who has to approve a transaction, and what each said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizationInfo {
    /// Whether the initiator's own approval counts.
    #[serde(default)]
    pub allow_operator_as_authorizer: bool,
    /// `AND` or `OR` over the groups.
    pub logic: String,
    /// The groups.
    pub groups: Vec<AuthorizationGroup>,
}

impl AuthorizationInfo {
    /// Whether enough have approved: in every group, or with `OR` in one.
    pub fn is_approved(&self) -> bool {
        let enough = |group: &AuthorizationGroup| {
            let yes = group.users.values().filter(|said| *said == "APPROVED");
            usize::try_from(group.th).is_ok_and(|th| yes.count() >= th)
        };
        match self.logic.as_str() {
            "OR" => self.groups.iter().any(enough),
            _ => self.groups.iter().all(enough),
        }
    }
}

/// One group of approvers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationGroup {
    /// How many of it must approve.
    pub th: u32,
    /// What each user said: `PENDING_AUTHORIZATION`, `APPROVED`, `REJECTED`, `NA`.
    pub users: std::collections::BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = r#"{"id":"6ba7b810-9dad-41d1-80b4-00c04fd430c8","status":"CONFIRMING","assetId":"ETH_TEST5",
        "source":{"type":"VAULT_ACCOUNT","id":"0","name":"Main"},"destination":null,"subStatus":null,
        "amountInfo":{"amount":"0.001"},"feeInfo":{"networkFee":0.00002},"blockInfo":null,
        "createdAt":1754229343505,"lastUpdated":1754229350000,"somethingNew":{"a":[1]}}"#;

    #[test]
    fn reads_leniently_and_prints_one_form() {
        let read: Transaction = serde_json::from_str(SAMPLE).expect("a transaction");
        assert_eq!(read.operation, "TRANSFER");
        assert_eq!(read.destination, Peer::UNKNOWN);
        assert_eq!(
            read.fee_info
                .network_fee
                .as_ref()
                .map(ToString::to_string)
                .as_deref(),
            Some("0.00002")
        );
        let printed = serde_json::to_string(&read).expect("json");
        assert!(printed.contains(r#""amount":0.001"#), "{printed}");
        let again: Transaction = serde_json::from_str(&printed).expect("its own print");
        assert_eq!(read, again);
    }

    /// Books keep prints: a field more, or one less, needs a migration of theirs that prints anew.
    #[test]
    fn the_print_is_what_books_have_kept() {
        let at = Millis(5);
        let plain = Transaction::new(TxId(uuid::Uuid::nil()), "ETH".parse().expect("one"), at);
        let printed = serde_json::to_value(&plain).expect("json");
        let fields: Vec<_> = printed
            .as_object()
            .expect("fields")
            .keys()
            .map(String::as_str)
            .collect();
        let kept = "id status subStatus operation assetId assetType note source destination destinations \
            sourceAddress destinationAddress destinationAddressDescription destinationTag amountInfo feeInfo \
            amountUSD fee txHash numOfConfirmations createdAt lastUpdated createdBy signedBy rejectedBy \
            addressType exchangeTxId treatAsGrossAmount signedMessages networkRecords";
        assert_eq!(fields, kept.split_whitespace().collect::<Vec<_>>());
    }

    #[test]
    fn names_round_trip() {
        for status in TransactionStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(status));
            assert_eq!(serde_json::to_value(status).expect("json"), status.as_str());
        }
        for kind in PeerKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).expect("json"), kind.as_str());
        }
    }
}
