//! Fiat accounts: money of states at a provider, and the bank account that it is linked to.

use protocol::amount::Amount;
use serde::{Deserialize, Serialize};

use super::Purse;
use crate::shelf::Kept;

/// A fiat account, and what its linked bank account (DDA) holds, which nobody is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FiatAccount {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The one asset that its linked bank account is of.
    pub(crate) asset: String,
    pub(crate) holds: Purse,
    pub(crate) linked: Amount,
}

impl Kept for FiatAccount {
    const KIND: &'static str = "fiat_account";

    fn key(&self) -> String {
        self.id.clone()
    }
}

impl FiatAccount {
    /// Takes money from the linked bank account; `None` if there is not so much.
    pub(crate) fn deposit(&mut self, amount: &Amount) -> Option<()> {
        let left = self.linked.checked_sub(amount)?;
        if left.is_negative() {
            return None;
        }
        self.holds.put(&self.asset, amount)?;
        self.linked = left;
        Some(())
    }

    /// Sends money to the linked bank account; `None` if there is not so much.
    pub(crate) fn redeem(&mut self, amount: &Amount) -> Option<()> {
        let linked = self.linked.checked_add(amount)?;
        self.holds.take(&self.asset, amount)?;
        self.linked = linked;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_made_or_lost() {
        let amount = |units: u32| Amount::from_units(units, 2);
        let mut account = FiatAccount {
            id: String::new(),
            name: String::new(),
            asset: "USD".to_owned(),
            holds: Purse::from_iter([("USD", amount(5_000))]),
            linked: amount(5_000),
        };
        for (inwards, units, done) in [
            (true, 5_000, true),
            (true, 1, false),
            (false, 10_001, false),
            (false, 10_000, true),
            (false, 1, false),
            (true, 1, true),
        ] {
            let before = account.clone();
            let moved = if inwards {
                account.deposit(&amount(units))
            } else {
                account.redeem(&amount(units))
            };
            assert_eq!(moved.is_some(), done, "{inwards} {units}");
            assert!(done || account == before);
            let held = account.holds.holds("USD").cloned().unwrap_or_default();
            assert_eq!(held.checked_add(&account.linked), Some(amount(10_000)));
        }
    }
}
