//! Amounts by asset. Never less than nothing.

use std::collections::BTreeMap;

use protocol::amount::Amount;
use serde::{Deserialize, Serialize};

/// What an account of somebody else's holds for the workspace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Purse(BTreeMap<String, Amount>);

impl Purse {
    /// How much of an asset is in it; nothing: it has never held any.
    pub(crate) fn holds(&self, asset: &str) -> Option<&Amount> {
        self.0.get(asset)
    }

    /// Every asset that it has ever held, and how much.
    pub(crate) fn assets(&self) -> impl Iterator<Item = (&str, &Amount)> {
        self.0
            .iter()
            .map(|(asset, amount)| (asset.as_str(), amount))
    }

    /// Puts an amount in; `None` and nothing is changed if the sum would have too many digits.
    pub(crate) fn put(&mut self, asset: &str, amount: &Amount) -> Option<()> {
        let now = self
            .holds(asset)
            .map_or_else(|| Some(amount.clone()), |held| held.checked_add(amount))?;
        self.0.insert(asset.to_owned(), now);
        Some(())
    }

    /// Takes an amount out; `None` and nothing is changed if there is not so much.
    pub(crate) fn take(&mut self, asset: &str, amount: &Amount) -> Option<()> {
        let held = self.0.get_mut(asset)?;
        *held = held
            .checked_sub(amount)
            .filter(|left| !left.is_negative())?;
        Some(())
    }
}

impl<A: Into<String>> FromIterator<(A, Amount)> for Purse {
    fn from_iter<I: IntoIterator<Item = (A, Amount)>>(amounts: I) -> Self {
        let amounts = amounts.into_iter();
        Self(
            amounts
                .map(|(asset, amount)| (asset.into(), amount))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().expect("an amount")
    }

    #[test]
    fn nobody_takes_more_than_there_is() {
        let mut purse = Purse::from_iter([("BTC", amount("1.5"))]);
        assert_eq!(purse.take("BTC", &amount("1.50000001")), None);
        assert_eq!(purse.take("ETH", &amount("0.1")), None);
        assert_eq!(purse.take("BTC", &amount("1.5")), Some(()));
        assert_eq!(purse.holds("BTC"), Some(&Amount::zero()));
        assert_eq!(purse.put("ETH", &amount("2")), Some(()));
        let all: Vec<_> = purse
            .assets()
            .map(|(asset, held)| format!("{asset} {held}"))
            .collect();
        assert_eq!(all, ["BTC 0", "ETH 2"]);
        assert_eq!(purse.put("ETH", &amount(&"9".repeat(40))), None);
        assert_eq!(purse.holds("ETH"), Some(&amount("2")));
    }
}
