//! What a transaction costs on its chain: work times price. Pure.

use protocol::amount::Amount;
use protocol::error::ApiError;
use protocol::ids::AssetId;
use protocol::model::transaction_request::FeeLevel;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::world::assets::{self, AddressForm, AssetRow, Chain};
use crate::world::units_of;

/// Gas of a plain transfer, and of what else Ethereum's chains do.
const TRANSFER: u64 = 21_000;
const TOKEN_TRANSFER: u64 = 65_000;
const APPROVE: u64 = 46_000;
const ISSUE: u64 = 70_000;
const CALL: u64 = 120_000;
/// Each byte that a call carries.
const CALL_BYTE: u64 = 16;
/// Of the price of gas, what the chain burns, in percent; the rest is the priority fee.
const BASE_SHARE: i128 = 90;
/// Decimals of the units that gas and bytes are priced in: Gwei, and the smallest unit.
const GWEI: u8 = 9;

/// What a chain has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// Gas.
    Gas(u64),
    /// Bytes of a transaction with inputs and outputs.
    Bytes(u64),
    /// Always the same.
    Flat,
}

/// What an operation asks of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    Transfer,
    Approve,
    Issue,
    /// A call with so many bytes of data.
    Call(usize),
}

impl Work {
    /// The work of a job on an asset; where coins are spent, by how many inputs and outputs.
    pub(crate) fn of(asset: &AssetRow, job: Job, inputs: usize, outputs: usize) -> Self {
        let bytes = |input: usize, output: usize| {
            let size = 10 + input.saturating_mul(inputs) + output.saturating_mul(outputs);
            Self::Bytes(u64::try_from(size).unwrap_or(u64::MAX))
        };
        match assets::chain_of(asset).map(|chain| chain.form) {
            Some(AddressForm::Segwit(_)) => bytes(68, 31),
            Some(AddressForm::Base58(_)) => bytes(148, 34),
            Some(AddressForm::Evm) => Self::Gas(match job {
                Job::Transfer if asset.native == asset.id => TRANSFER,
                Job::Transfer => TOKEN_TRANSFER,
                Job::Approve => APPROVE,
                Job::Issue => ISSUE,
                Job::Call(len) => CALL + CALL_BYTE * u64::try_from(len).unwrap_or(u64::MAX >> 8),
            }),
            _ => Self::Flat,
        }
    }

    fn units(self) -> i128 {
        match self {
            Self::Gas(units) | Self::Bytes(units) => i128::from(units),
            Self::Flat => 1,
        }
    }
}

/// What each unit of work costs on a chain now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prices {
    base: &'static AssetRow,
    chain: &'static Chain,
    /// In percent of what is usual.
    climate: u32,
}

/// A fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quote {
    pub(crate) work: Work,
    /// In the base asset's smallest unit, per unit of work.
    pub(crate) price: i128,
    decimals: u8,
    /// Why it never gets through, in the contract's words.
    pub(crate) doom: Option<&'static str>,
}

/// What a request says of its fee.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct FeeTerms {
    pub(crate) fee_level: Option<FeeLevel>,
    fee: Option<Amount>,
    priority_fee: Option<Amount>,
    max_fee: Option<Amount>,
    max_total_fee: Option<Amount>,
    gas_limit: Option<Amount>,
    gas_price: Option<Amount>,
    network_fee: Option<Amount>,
    fail_on_low_fee: Option<bool>,
}

impl Prices {
    /// Those of the chain that an asset lives on.
    pub(crate) fn of(asset: &'static AssetRow, climate: u32) -> Option<Self> {
        let native: Option<AssetId> = asset.native.parse().ok();
        Some(Self {
            base: native.as_ref().and_then(assets::find)?,
            chain: assets::chain_of(asset)?,
            climate,
        })
    }

    /// The asset that fees are paid in.
    pub(crate) fn asset(&self) -> AssetId {
        self.base.asset_id()
    }

    fn price(&self, level: FeeLevel) -> i128 {
        let cents: u64 = match level {
            FeeLevel::Low => 35,
            FeeLevel::Medium => 80,
            FeeLevel::High => 210,
        };
        let usual = Work::of(self.base, Job::Transfer, 1, 2).units();
        let whole = units_of(self.base, cents) * i128::from(self.climate) / 100;
        (whole / usual).max(1)
    }

    /// The fee at a level.
    pub(crate) fn at(&self, level: FeeLevel, work: Work) -> Quote {
        self.quote(work, self.price(level))
    }

    fn quote(&self, work: Work, price: i128) -> Quote {
        Quote {
            work,
            price,
            decimals: self.base.decimals,
            doom: None,
        }
    }

    /// The fee of a request.
    pub(crate) fn on(&self, terms: &FeeTerms, work: Work) -> Result<Quote, ApiError> {
        let level = terms.fee_level.unwrap_or(FeeLevel::Medium);
        let mut quote = match work {
            Work::Gas(needed) => {
                not(&[("fee", &terms.fee)])?;
                self.gas(terms, level, needed)?
            }
            Work::Bytes(_) => {
                no_gas(terms)?;
                not(&[("networkFee", &terms.network_fee)])?;
                let given = terms.fee.as_ref().map(|fee| units(fee, 0)).transpose()?;
                self.quote(work, given.unwrap_or_else(|| self.price(level)))
            }
            Work::Flat => {
                no_gas(terms)?;
                let given = terms.fee.as_ref().or(terms.network_fee.as_ref());
                let given = given
                    .map(|fee| units(fee, self.base.decimals))
                    .transpose()?;
                self.quote(work, given.unwrap_or_else(|| self.price(level)))
            }
        };
        let above =
            |most: &Option<Amount>, is: &Amount| most.as_ref().is_some_and(|most| is > most);
        if terms.fail_on_low_fee == Some(true) && quote.price < self.price(FeeLevel::Low) {
            quote.doom = Some("FAIL_ON_LOW_FEE");
        }
        let unit_price = Amount::from_units(quote.price, 0);
        let dear = matches!(work, Work::Bytes(_)) && above(&terms.max_fee, &unit_price);
        if dear || above(&terms.max_total_fee, &quote.fee()) {
            quote.doom = Some("MAX_FEE_EXCEEDED");
        }
        Ok(quote)
    }

    /// Price and limit of gas. Any two of limit, price and whole fee give the third.
    fn gas(&self, terms: &FeeTerms, level: FeeLevel, needed: u64) -> Result<Quote, ApiError> {
        if terms.gas_limit.is_some() && terms.gas_price.is_some() && terms.network_fee.is_some() {
            let why = "give two of gasLimit, gasPrice and networkFee";
            return Err(ApiError::bad_transaction(why));
        }
        let given = |amount: &Option<Amount>, decimals| {
            amount
                .as_ref()
                .map(|amount| units(amount, decimals))
                .transpose()
        };
        let price = given(&terms.gas_price, GWEI)?;
        let whole = given(&terms.network_fee, self.base.decimals)?;
        let limit = match (given(&terms.gas_limit, 0)?, price, whole) {
            (Some(limit), _, _) => limit,
            (None, Some(price), Some(whole)) => whole / price,
            _ => i128::from(needed),
        };
        let limit = u64::try_from(limit).ok().filter(|limit| *limit > 0);
        let limit = limit.ok_or_else(|| ApiError::bad_transaction("gasLimit is out of range"))?;
        let usual = self.price(level);
        let tip = given(&terms.priority_fee, GWEI)?;
        let price = match (price, whole) {
            (Some(price), _) => price,
            (None, Some(whole)) => (whole / i128::from(limit)).max(1),
            (None, None) => tip.map_or(usual, |tip| usual * BASE_SHARE / 100 + tip),
        };
        let most = given(&terms.max_fee, GWEI)?;
        let price = most.map_or(price, |most| price.min(most));
        let mut quote = self.quote(Work::Gas(limit), price);
        if limit < needed {
            quote.doom = Some("SMART_CONTRACT_EXECUTION_FAILED");
        }
        Ok(quote)
    }

    /// As fee estimates show it. `limit`: with the limit of gas.
    pub(crate) fn shown(&self, quote: &Quote, limit: bool) -> Value {
        let fee = quote.fee().to_string();
        match (quote.work, self.chain.form) {
            (Work::Gas(gas), _) => {
                let base = quote.price * BASE_SHARE / 100;
                let gwei = |units: i128| Amount::from_units(units, GWEI).to_string();
                let mut shown = json!({
                    "networkFee": fee,
                    "gasPrice": gwei(quote.price),
                    "baseFee": gwei(base),
                    "priorityFee": gwei(quote.price - base),
                });
                if limit {
                    shown["gasLimit"] = gas.to_string().into();
                }
                shown
            }
            (Work::Bytes(_), _) => json!({
                "networkFee": fee,
                "feePerByte": quote.price.to_string(),
            }),
            (Work::Flat, _) => json!({ "networkFee": fee }),
        }
    }
}

impl Quote {
    /// All of it, in the base asset.
    pub(crate) fn fee(&self) -> Amount {
        Amount::from_units(self.price * self.work.units(), self.decimals)
    }
}

fn no_gas(terms: &FeeTerms) -> Result<(), ApiError> {
    not(&[
        ("gasLimit", &terms.gas_limit),
        ("gasPrice", &terms.gas_price),
        ("priorityFee", &terms.priority_fee),
    ])
}

/// Refuses what a chain's fees do not know.
fn not(fields: &[(&str, &Option<Amount>)]) -> Result<(), ApiError> {
    match fields.iter().find(|(_, field)| field.is_some()) {
        Some((name, _)) => Err(ApiError::bad_transaction(format_args!(
            "{name} is no part of this chain's fees"
        ))),
        None => Ok(()),
    }
}

/// An amount in units of which `decimals` places make one.
fn units(amount: &Amount, decimals: u8) -> Result<i128, ApiError> {
    amount
        .to_units(decimals)
        .filter(|units| (1..=i128::MAX >> 40).contains(units))
        .ok_or_else(|| ApiError::bad_transaction("a fee is out of range"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prices(id: &str) -> (&'static AssetRow, Prices) {
        let asset = assets::find(&id.parse().expect("an id")).expect("an asset");
        (asset, Prices::of(asset, 100).expect("prices"))
    }

    fn terms(value: Value) -> FeeTerms {
        serde_json::from_value(value).expect("terms")
    }

    #[test]
    fn haste_and_work_cost_more() {
        for id in ["BTC", "ETH", "USDC", "SOL", "XRP", "DOGE"] {
            let (asset, prices) = prices(id);
            let work = Work::of(asset, Job::Transfer, 1, 2);
            let at = |level| prices.at(level, work).fee();
            assert!(at(FeeLevel::Low) < at(FeeLevel::Medium), "{id}");
            assert!(at(FeeLevel::Medium) < at(FeeLevel::High), "{id}");
            let dear = Prices {
                climate: 300,
                ..prices
            };
            assert!(
                dear.at(FeeLevel::Low, work).fee() > at(FeeLevel::Low),
                "{id}"
            );
        }
        let (usdc, prices) = prices("USDC");
        let fee = |job| prices.at(FeeLevel::Low, Work::of(usdc, job, 0, 0)).fee();
        assert!(fee(Job::Call(4)) < fee(Job::Call(400)));
    }

    #[test]
    fn what_is_given_decides() {
        let (_, eth) = prices("ETH");
        let on = |value| eth.on(&terms(value), Work::Gas(21_000));
        let fee = |value| on(value).expect("a quote").fee().to_string();
        assert_eq!(fee(json!({"gasPrice": "10"})), "0.00021");
        assert_eq!(fee(json!({"gasPrice": 10, "gasLimit": "30000"})), "0.0003");
        assert_eq!(
            fee(json!({"networkFee": "0.00042", "gasLimit": "42000"})),
            "0.00042"
        );
        assert_eq!(
            fee(json!({"networkFee": "0.00021", "gasPrice": "10"})),
            "0.00021"
        );
        assert_eq!(fee(json!({"feeLevel": "HIGH", "maxFee": "1"})), "0.000021");
        for bad in [
            json!({"gasPrice": "1", "gasLimit": "21000", "networkFee": "1"}),
            json!({"gasLimit": "0"}),
            json!({"gasPrice": "-1"}),
            json!({"gasPrice": "99999999999999999999999999999999"}),
            json!({"gasLimit": "1.5"}),
        ] {
            assert_eq!(
                on(bad.clone()).expect_err("refused").code(),
                Some(1409),
                "{bad}"
            );
        }
        let (_, btc) = prices("BTC");
        let on = |value| btc.on(&terms(value), Work::Bytes(141));
        assert_eq!(
            on(json!({"fee": "10"})).expect("a quote").fee().to_string(),
            "0.0000141"
        );
        assert!(on(json!({"gasPrice": "10"})).is_err());
    }

    #[test]
    fn what_never_gets_through_says_why() {
        let (_, eth) = prices("ETH");
        let doom = |value| {
            eth.on(&terms(value), Work::Gas(65_000))
                .expect("a quote")
                .doom
        };
        assert_eq!(doom(json!({})), None);
        let out_of_gas = Some("SMART_CONTRACT_EXECUTION_FAILED");
        assert_eq!(doom(json!({"gasLimit": "21000"})), out_of_gas);
        let low = json!({"gasPrice": "0.1", "failOnLowFee": true});
        assert_eq!(doom(low), Some("FAIL_ON_LOW_FEE"));
        let (_, btc) = prices("BTC");
        let doom = |value| {
            btc.on(&terms(value), Work::Bytes(141))
                .expect("a quote")
                .doom
        };
        assert_eq!(doom(json!({"maxFee": "1"})), Some("MAX_FEE_EXCEEDED"));
        assert_eq!(
            doom(json!({"maxTotalFee": "0.0000001"})),
            Some("MAX_FEE_EXCEEDED")
        );
        assert_eq!(doom(json!({"maxTotalFee": "1"})), None);
    }
}
