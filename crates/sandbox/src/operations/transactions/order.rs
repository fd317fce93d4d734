//! What a request for a transaction asks for, read as a whole: whatever does not fit together is
//! refused before anything is looked up. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::ids::VaultAccountId;
use protocol::model::transaction::PeerKind;
use protocol::model::transaction_request::{PeerRequest, PlainTransfer, TransactionRequest};
use protocol::time::Millis;
use serde::Deserialize;
use serde_json::Value;

use super::super::vault::accounts::customer_ref_id;
use super::messages::{self, Message};
use crate::coins::has_coins;
use crate::fees::{FeeTerms, Job};
use crate::flight::Effect;
use crate::utxo::{Choice, Outpoint};
use crate::world::assets::{self, AddressForm, AssetRow};

/// Most destinations of one transaction.
const MAX_DESTINATIONS: usize = 650;
/// Longest data of a call, in bytes.
const MAX_CALL: usize = 64 * 1024;

/// What is asked for.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) operation: Operation,
    /// All that is moved.
    pub(super) amount: Amount,
    pub(super) from: From,
    pub(super) to: To,
    /// Whether the fee is to be taken from the amount.
    pub(super) gross: bool,
    pub(super) fees: FeeTerms,
    pub(super) coins: Choice,
    pub(super) note: String,
    pub(super) external_tx_id: Option<String>,
    pub(super) customer_ref_id: Option<String>,
    /// How long people have to approve and to sign.
    pub(super) patience: Option<i64>,
    /// The hash of the transaction that this one replaces.
    pub(super) replaces: Option<String>,
    pub(super) extra_parameters: Option<Value>,
}

/// What is done.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    Transfer,
    Mint,
    Burn,
    Approve,
    /// Of a contract or a program, with so many bytes of data.
    Call(usize),
    /// Messages are signed, and nothing goes to a chain.
    Sign(Vec<Message>),
}

/// Where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum From {
    Vault(VaultAccountId),
    /// A place that holds the workspace's money outside its vault: its kind, and which.
    Outside(PeerKind, String),
}

/// Where it goes.
#[derive(Clone, Debug)]
pub(super) enum To {
    Nowhere,
    One(PeerRequest),
    Several(Vec<(Amount, PeerRequest)>),
}

impl Operation {
    /// What it does to the books.
    pub(super) const fn effect(&self) -> Effect {
        match self {
            Self::Transfer | Self::Burn | Self::Call(_) => Effect::Moves,
            Self::Mint => Effect::Issues,
            Self::Approve => Effect::Costs,
            Self::Sign(_) => Effect::Signs,
        }
    }

    pub(super) const fn job(&self) -> Job {
        match self {
            Self::Transfer | Self::Sign(_) => Job::Transfer,
            Self::Mint | Self::Burn => Job::Issue,
            Self::Approve => Job::Approve,
            Self::Call(len) => Job::Call(*len),
        }
    }
}

/// The fields beside those of a plain transfer.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Beside {
    replace_tx_by_hash: Option<String>,
    extra_parameters: Option<ExtraParameters>,
    utxo_selection_params: Option<UtxoSelectionParams>,
    configurations: Option<Configurations>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ExtraParameters {
    raw_message_data: Option<Value>,
    contract_call_data: Option<String>,
    program_call_data: Option<String>,
    inputs_selection: Option<InputSelection>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct InputSelection {
    inputs_to_spend: Vec<Outpoint>,
    inputs_to_exclude: Vec<Outpoint>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct UtxoSelectionParams {
    selection_strategy: Option<crate::utxo::Strategy>,
    filters: Option<crate::utxo::Filter>,
    input_selection: Option<InputSelection>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Configurations {
    expires_after_seconds: Option<u32>,
}

fn bad(why: &str) -> ApiError {
    ApiError::bad_transaction(why)
}

impl Order {
    /// Reads a body, of which the contract has been checked.
    pub(super) fn read(body: &Value, asset: &AssetRow) -> Result<Self, ApiError> {
        super::fields::check(body)?;
        let plain: TransactionRequest =
            protocol::objects::read(body).map_err(ApiError::bad_body)?;
        let beside: Beside = protocol::objects::read(body).map_err(ApiError::bad_body)?;
        let fees: FeeTerms = protocol::objects::read(body).map_err(ApiError::bad_body)?;
        let extra = beside.extra_parameters.unwrap_or_default();
        let operation = operation(plain.operation.as_deref(), &extra, asset)?;
        let (to, amount) = places(&operation, &plain, asset)?;
        let from = source(plain.source.as_ref())?;
        if matches!(from, From::Outside(..)) && !matches!(operation, Operation::Transfer) {
            return Err(ApiError::bad_source_type());
        }
        let external_tx_id = plain.external_tx_id.filter(|id| !id.is_empty());
        let long = |id: &String| id.chars().count() > PlainTransfer::MAX_EXTERNAL_TX_ID;
        if external_tx_id.as_ref().is_some_and(long) {
            return Err(bad("externalTxId is longer than 255 characters"));
        }
        let gross = plain.treat_as_gross_amount.unwrap_or(false);
        if gross && asset.native != asset.id {
            return Err(bad("treatAsGrossAmount is for base assets"));
        }
        if beside.replace_tx_by_hash.is_some() && !is_evm(asset) {
            return Err(bad("replaceTxByHash is for chains of Ethereum's kind"));
        }
        let coins = choice(extra.inputs_selection, beside.utxo_selection_params);
        if coins != Choice::default() && !has_coins(asset) {
            return Err(bad("inputs can be chosen on UTXO chains alone"));
        }
        let expires = beside
            .configurations
            .and_then(|wanted| wanted.expires_after_seconds);
        Ok(Self {
            operation,
            amount,
            from,
            to,
            gross,
            fees,
            coins,
            note: plain.note.unwrap_or_default(),
            external_tx_id,
            customer_ref_id: customer_ref_id(plain.customer_ref_id)?,
            patience: expires.map(|seconds| i64::from(seconds) * Millis::SECOND),
            replaces: beside.replace_tx_by_hash,
            extra_parameters: body
                .get("extraParameters")
                .filter(|extra| asks(extra))
                .cloned(),
        })
    }
}

fn asks(extra: &Value) -> bool {
    let fields = extra.as_object();
    fields.is_some_and(|fields| fields.values().any(|value| !value.is_null()))
}

/// Whether an asset's chain is of Ethereum's kind.
pub(super) fn is_evm(asset: &AssetRow) -> bool {
    assets::chain_of(asset).is_some_and(|chain| chain.form == AddressForm::Evm)
}

fn operation(
    name: Option<&str>,
    extra: &ExtraParameters,
    asset: &AssetRow,
) -> Result<Operation, ApiError> {
    let token = asset.native != asset.id;
    let read = match name {
        None | Some("TRANSFER") => Operation::Transfer,
        Some("MINT") if token => Operation::Mint,
        Some("BURN") if token => Operation::Burn,
        Some("APPROVE") if token && is_evm(asset) => Operation::Approve,
        Some("CONTRACT_CALL") if is_evm(asset) && !token => {
            let data = extra.contract_call_data.as_deref();
            let data = data.ok_or_else(|| bad("extraParameters.contractCallData is required"))?;
            let bytes = hex::decode(data.strip_prefix("0x").unwrap_or(data));
            Operation::Call(call(
                bytes.ok().as_deref(),
                "contractCallData",
                "hexadecimal",
            )?)
        }
        Some("PROGRAM_CALL") if asset.native.starts_with("SOL") && !token => {
            let data = extra.program_call_data.as_deref();
            let data = data.ok_or_else(|| bad("extraParameters.programCallData is required"))?;
            let bytes = STANDARD.decode(data);
            Operation::Call(call(bytes.ok().as_deref(), "programCallData", "base64")?)
        }
        Some(kind @ ("RAW" | "TYPED_MESSAGE")) => {
            let data = extra.raw_message_data.as_ref();
            let data = data.ok_or_else(|| bad("extraParameters.rawMessageData is required"))?;
            Operation::Sign(messages::read(data, kind == "TYPED_MESSAGE", asset)?)
        }
        Some(_) => return Err(ApiError::unsupported_operation()),
    };
    let carries_call = extra.contract_call_data.is_some() || extra.program_call_data.is_some();
    if carries_call && !matches!(read, Operation::Call(_)) {
        return Err(bad(
            "call data goes with CONTRACT_CALL and PROGRAM_CALL alone",
        ));
    }
    if extra.raw_message_data.is_some() && !matches!(read, Operation::Sign(_)) {
        return Err(bad("rawMessageData goes with RAW and TYPED_MESSAGE alone"));
    }
    Ok(read)
}

fn call(bytes: Option<&[u8]>, field: &str, must: &str) -> Result<usize, ApiError> {
    let fits = |bytes: &&[u8]| bytes.len() <= MAX_CALL;
    bytes.filter(fits).map(<[u8]>::len).ok_or_else(|| {
        bad(&format!(
            "extraParameters.{field} must be {must}, at most {MAX_CALL} bytes"
        ))
    })
}

/// Where it goes, and how much altogether.
fn places(
    operation: &Operation,
    plain: &TransactionRequest,
    asset: &AssetRow,
) -> Result<(To, Amount), ApiError> {
    let several = plain.destinations.clone().filter(|list| !list.is_empty());
    if plain.destination.is_some() && several.is_some() {
        return Err(bad("give destination or destinations, not both"));
    }
    if let Some(list) = several {
        if !matches!(operation, Operation::Transfer) || !has_coins(asset) {
            return Err(bad("several destinations are for transfers on UTXO chains"));
        }
        if list.len() > MAX_DESTINATIONS {
            return Err(bad("there are more than 650 destinations"));
        }
        let parts: Vec<_> = list
            .into_iter()
            .map(|part| Ok((exact(&part.amount, asset)?, part.destination)))
            .collect::<Result<_, ApiError>>()?;
        let sum = Amount::checked_sum(parts.iter().map(|(amount, _)| amount))
            .ok_or_else(ApiError::bad_amount)?;
        if plain.amount.as_ref().is_some_and(|amount| *amount != sum) {
            return Err(bad("amount is not the sum of the destinations' amounts"));
        }
        return Ok((To::Several(parts), sum));
    }
    let amount = || plain.amount.as_ref().ok_or_else(ApiError::bad_amount);
    let one = || {
        let one = plain.destination.clone();
        one.ok_or_else(|| bad("destination is required"))
            .map(To::One)
    };
    match operation {
        Operation::Transfer | Operation::Mint | Operation::Approve => {
            Ok((one()?, exact(amount()?, asset)?))
        }
        Operation::Burn => Ok((To::Nowhere, exact(amount()?, asset)?)),
        // A program's accounts are within its data.
        Operation::Call(_) if plain.destination.is_none() && !is_evm(asset) => {
            Ok((To::Nowhere, value(plain, asset)?))
        }
        Operation::Call(_) => Ok((one()?, value(plain, asset)?)),
        Operation::Sign(_) => Ok((To::Nowhere, Amount::zero())),
    }
}

/// What goes along with a call: often nothing.
fn value(plain: &TransactionRequest, asset: &AssetRow) -> Result<Amount, ApiError> {
    match &plain.amount {
        Some(amount) if !amount.is_zero() => exact(amount, asset),
        _ => Ok(Amount::zero()),
    }
}

/// An amount that the asset can express.
fn exact(amount: &Amount, asset: &AssetRow) -> Result<Amount, ApiError> {
    if !amount.is_positive() || amount.decimals() > u64::from(asset.decimals) {
        return Err(ApiError::bad_amount());
    }
    Ok(amount.clone())
}

fn source(source: Option<&PeerRequest>) -> Result<From, ApiError> {
    let source = source.ok_or_else(|| bad("source is required"))?;
    let id = source.id.as_deref().unwrap_or_default();
    match source.kind {
        PeerKind::VaultAccount => {
            let invalid = "The vault account of the source is not valid";
            let id = id.parse();
            id.map(From::Vault)
                .map_err(|_| ApiError::new(400, 11001, invalid))
        }
        PeerKind::ExchangeAccount | PeerKind::FiatAccount | PeerKind::GasStation => {
            Ok(From::Outside(source.kind, id.to_owned()))
        }
        _ => Err(ApiError::bad_source_type()),
    }
}

/// Which coins may be spent: the newer way of saying so before the older.
fn choice(older: Option<InputSelection>, newer: Option<UtxoSelectionParams>) -> Choice {
    let newer = newer.unwrap_or_default();
    let selection = newer.input_selection.or(older).unwrap_or_default();
    Choice {
        strategy: newer.selection_strategy,
        filter: newer.filters.unwrap_or_default(),
        spend: selection.inputs_to_spend,
        exclude: selection.inputs_to_exclude,
    }
}
