//! What upstream says, read into typed values: a field that is not known here is dropped. Pure.

use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::exchange::Reply;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::question::Question;
use super::unexpected;

/// Longest text taken over, in bytes.
const MAX_TEXT_LEN: usize = 512;

/// Prices for little, the usual and much haste.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound(deserialize = "T: DeserializeOwned"))]
struct Levels<T> {
    low: T,
    medium: T,
    high: T,
}

/// A price of a transaction, in the chain's own words.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fee {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fee_per_byte: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gas_price: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gas_limit: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    network_fee: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base_fee: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    priority_fee: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_fee_per_gas_delta: Option<Amount>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    l1_fee: Option<Amount>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AddressVerdict {
    is_valid: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    is_active: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    requires_tag: Option<bool>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct MaxSpendable {
    max_spendable_amount: Amount,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Coin {
    input: Outpoint,
    address: Text,
    amount: Amount,
    confirmations: u64,
    status: Text,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Outpoint {
    tx_hash: Text,
    index: u64,
}

/// A short text.
#[derive(Debug, Serialize, Deserialize)]
#[serde(try_from = "String")]
struct Text(String);

impl TryFrom<String> for Text {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text.len() <= MAX_TEXT_LEN {
            Ok(Self(text))
        } else {
            Err("a text is too long")
        }
    }
}

/// The answer to a question.
pub(super) fn read(question: &Question, body: &[u8]) -> Result<Reply, ApiError> {
    match question {
        Question::NetworkFee(_) => typed::<Levels<Fee>>(body),
        Question::Address(..) => typed::<AddressVerdict>(body),
        Question::StakingChains => list::<Text>(body),
        Question::MaxSpendable(..) => typed::<MaxSpendable>(body),
        Question::UnspentInputs(_) => list::<Coin>(body),
    }
}

fn typed<T: Serialize + DeserializeOwned>(body: &[u8]) -> Result<Reply, ApiError> {
    let value: T = serde_json::from_slice(body).map_err(|_| unexpected())?;
    Ok(Reply::json(200, &value))
}

fn list<T: Serialize + DeserializeOwned>(body: &[u8]) -> Result<Reply, ApiError> {
    let rows: Vec<T> = serde_json::from_slice(body).map_err(|_| unexpected())?;
    Ok(Reply::json(200, &rows).of_rows(rows.len()))
}
