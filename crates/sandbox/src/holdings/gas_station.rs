//! Gas stations: a wallet for each chain that pays other accounts' fees, and when it fuels one.

use protocol::amount::Amount;
use serde::{Deserialize, Serialize};

use crate::shelf::Kept;

/// A gas station: of which chain's own asset, what it holds, when and how far it fuels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GasStation {
    pub(crate) asset_id: String,
    pub(crate) balance: Amount,
    pub(crate) configuration: Configuration,
}

impl Kept for GasStation {
    const KIND: &'static str = "gas_station";

    fn key(&self) -> String {
        self.asset_id.clone()
    }
}

/// When a gas station fuels, and how far.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Configuration {
    /// Below this much an account is fuelled.
    pub(crate) gas_threshold: Amount,
    /// Up to this much.
    pub(crate) gas_cap: Amount,
    /// The highest price of gas, in Gwei, at which it still fuels; nothing: any.
    #[serde(default)]
    pub(crate) max_gas_price: Option<Amount>,
}

/// Why a gas station's configuration is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadConfiguration {
    #[error("gasThreshold must be above 0")]
    Threshold,
    #[error("gasCap must be above gasThreshold")]
    Cap,
    #[error("maxGasPrice must be above 0")]
    Price,
    #[error("the asset has fewer decimals")]
    Decimals,
}

impl Configuration {
    /// Whether a gas station of an asset of so many decimals may be so.
    pub(crate) fn check(&self, decimals: u8) -> Result<(), BadConfiguration> {
        let price = self.max_gas_price.as_ref();
        if !self.gas_threshold.is_positive() {
            return Err(BadConfiguration::Threshold);
        }
        if self.gas_cap <= self.gas_threshold {
            return Err(BadConfiguration::Cap);
        }
        if price.is_some_and(|price| !price.is_positive()) {
            return Err(BadConfiguration::Price);
        }
        let fits = |amount: &Amount| amount.decimals() <= u64::from(decimals);
        if !fits(&self.gas_threshold) || !fits(&self.gas_cap) {
            return Err(BadConfiguration::Decimals);
        }
        Ok(())
    }
}

impl GasStation {
    /// How much an account is fuelled with that has so much of the chain's own asset left, and that
    /// is about to send, or has received, one of its tokens: up to the cap, if it is below the
    /// threshold, gas is not too dear and the station can pay that and the fee of sending it.
    pub(crate) fn fuel(&self, left: &Amount, gas_price: &Amount, fee: &Amount) -> Option<Amount> {
        let configuration = &self.configuration;
        let dear = configuration.max_gas_price.as_ref();
        if *left >= configuration.gas_threshold || dear.is_some_and(|most| gas_price > most) {
            return None;
        }
        let fuel = configuration.gas_cap.checked_sub(left)?;
        let whole = fuel.checked_add(fee)?;
        (whole <= self.balance).then_some(fuel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().expect("an amount")
    }

    fn station(balance: &str) -> GasStation {
        GasStation {
            asset_id: "ETH".to_owned(),
            balance: amount(balance),
            configuration: Configuration {
                gas_threshold: amount("0.01"),
                gas_cap: amount("0.05"),
                max_gas_price: Some(amount("100")),
            },
        }
    }

    #[test]
    fn an_account_below_the_threshold_is_fuelled_up_to_the_cap() {
        let fuel = |balance: &str, left: &str, price: &str| {
            let fuel = station(balance).fuel(&amount(left), &amount(price), &amount("0.001"));
            fuel.map(|fuel| fuel.to_string())
        };
        assert_eq!(fuel("1", "0.009", "20").as_deref(), Some("0.041"));
        assert_eq!(fuel("1", "0.01", "20"), None, "it has enough");
        assert_eq!(fuel("1", "0", "100.1"), None, "gas is too dear");
        assert_eq!(fuel("0.051", "0", "100").as_deref(), Some("0.05"));
        assert_eq!(fuel("0.0509", "0", "100"), None, "it cannot pay the fee");
    }

    #[test]
    fn a_configuration_makes_sense_or_is_none() {
        let check = |threshold: &str, cap: &str, price: Option<&str>| {
            let configuration = Configuration {
                gas_threshold: amount(threshold),
                gas_cap: amount(cap),
                max_gas_price: price.map(amount),
            };
            configuration.check(3)
        };
        assert_eq!(check("0.01", "0.02", None), Ok(()));
        assert_eq!(check("0", "0.02", None), Err(BadConfiguration::Threshold));
        assert_eq!(check("-1", "0.02", None), Err(BadConfiguration::Threshold));
        assert_eq!(check("0.02", "0.02", None), Err(BadConfiguration::Cap));
        let free = check("0.01", "0.02", Some("0"));
        assert_eq!(free, Err(BadConfiguration::Price));
        assert_eq!(check("0.0001", "1", None), Err(BadConfiguration::Decimals));
    }
}
