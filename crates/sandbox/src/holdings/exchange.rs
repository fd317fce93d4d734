//! Exchange accounts: trading accounts at an exchange, transfers between them, conversions.

use std::collections::BTreeMap;

use protocol::amount::Amount;
use serde::{Deserialize, Serialize};

use super::Purse;
use crate::shelf::Kept;

/// An account at an exchange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExchangeAccount {
    pub(crate) id: String,
    /// Which exchange, in the contract's words (`KRAKEN`...).
    pub(crate) exchange: String,
    pub(crate) name: String,
    pub(crate) status: Status,
    /// The account that this is a part of.
    #[serde(default)]
    pub(crate) main_account_id: Option<String>,
    /// What it holds, by kind of trading account (`SPOT`, `FUNDING`...).
    pub(crate) trading: BTreeMap<String, Purse>,
    /// What of it is about to leave: no part of the above.
    #[serde(default)]
    pub(crate) locked: Purse,
}

impl Kept for ExchangeAccount {
    const KIND: &'static str = "exchange_account";

    fn key(&self) -> String {
        self.id.clone()
    }
}

/// Whether the quorum wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Status {
    WaitingForApproval,
    Approved,
    Rejected,
}

/// Every exchange that the contract knows.
#[rustfmt::skip]
pub(crate) const EXCHANGES: [&str; 42] = [
    "INDEPENDENT_RESERVE", "ENCLAVE_MARKETS", "BIT", "COINFLEX", "KUCOIN", "PXS", "LIQUID", "BITHUMB",
    "BITFINEX", "BITSO", "BITSTAMP", "KRAKEN", "KRAKENINTL", "BINANCE", "BINANCEUS", "CRYPTOCOM", "BYBIT_V2",
    "COINBASEPRO", "COINBASEPRIME", "COINBASEINTERNATIONAL", "WHITEBIT", "COINBASEEXCHANGE", "KORBIT",
    "HITBTC", "GEMINI", "CIRCLE", "BITMEX", "HUOBI", "DERIBIT", "OKCOIN_V5", "OKEX", "COINMETRO", "GATEIO",
    "SCRYPT", "COINHAKO", "LIGHTBIT", "BULLISH", "CANVAS_CONNECT", "BITGET", "LUNO", "BIT_GENERA",
    "TRANSFERO",
];

/// The kind of trading account that money comes to and goes from.
pub(crate) const MAIN: &str = "SPOT";

/// Why an exchange does not do what it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("the trading accounts are the same")]
    Same,
    #[error("the exchange account has no such trading account")]
    NoTradingAccount,
    #[error("the balance is too low")]
    Low,
    #[error("the balance would have too many digits")]
    Overflow,
    #[error("the exchange does not convert between these assets")]
    NoConversion,
    #[error("the amount is too small to convert")]
    Nothing,
}

/// Which conversions an exchange offers.
fn converts(exchange: &str, from: &str, to: &str) -> bool {
    let dollars = |asset: &str| asset.starts_with("USDC");
    if exchange.starts_with("COINBASE") {
        (from == "USD" && dollars(to)) || (dollars(from) && to == "USD")
    } else {
        exchange == "BITSO" && from == "MXN" && to == "USD"
    }
}

/// What an asset is worth in US dollars, and how many decimals it has.
#[derive(Clone, Debug)]
pub(crate) struct Worth {
    pub(crate) dollars: Amount,
    pub(crate) decimals: u8,
}

impl ExchangeAccount {
    /// How much of an asset it can move, in all its trading accounts.
    pub(crate) fn total(&self) -> Purse {
        let mut total = Purse::default();
        for (asset, amount) in self.trading.values().flat_map(Purse::assets) {
            // Sums that have too many digits cannot have come in.
            let _ = total.put(asset, amount);
        }
        total
    }

    /// Moves an amount from one trading account to another.
    pub(crate) fn transfer(
        &mut self,
        asset: &str,
        amount: &Amount,
        from: &str,
        to: &str,
    ) -> Result<(), Refusal> {
        if from == to {
            return Err(Refusal::Same);
        }
        let mut after = self.trading.clone();
        if !after.contains_key(to) {
            return Err(Refusal::NoTradingAccount);
        }
        let source = after.get_mut(from).ok_or(Refusal::NoTradingAccount)?;
        source.take(asset, amount).ok_or(Refusal::Low)?;
        let destination = after.get_mut(to).ok_or(Refusal::NoTradingAccount)?;
        destination.put(asset, amount).ok_or(Refusal::Overflow)?;
        self.trading = after;
        Ok(())
    }

    /// Converts an amount of one asset to another, at their prices; what is less than the smallest
    /// unit stays with the exchange. How much came out.
    pub(crate) fn convert(
        &mut self,
        (from, from_worth): (&str, &Worth),
        (to, to_worth): (&str, &Worth),
        amount: &Amount,
    ) -> Result<Amount, Refusal> {
        if !converts(&self.exchange, from, to) {
            return Err(Refusal::NoConversion);
        }
        let out = exchanged(amount, from_worth, to_worth).ok_or(Refusal::Overflow)?;
        if !out.is_positive() {
            return Err(Refusal::Nothing);
        }
        let mut after = self.trading.clone();
        let purse = after.get_mut(MAIN).ok_or(Refusal::NoTradingAccount)?;
        purse.take(from, amount).ok_or(Refusal::Low)?;
        purse.put(to, &out).ok_or(Refusal::Overflow)?;
        self.trading = after;
        Ok(out)
    }

    /// Something has come in.
    pub(crate) fn credit(&mut self, asset: &str, amount: &Amount) -> Result<(), Refusal> {
        let purse = self.trading.entry(MAIN.to_owned()).or_default();
        purse.put(asset, amount).ok_or(Refusal::Overflow)
    }

    /// Something is about to go out.
    pub(crate) fn hold(&mut self, asset: &str, amount: &Amount) -> Result<(), Refusal> {
        let mut after = self.clone();
        after.debit(asset, amount)?;
        after.locked.put(asset, amount).ok_or(Refusal::Overflow)?;
        *self = after;
        Ok(())
    }

    /// What was about to go out has gone, or stays. (Older releases held nothing back.)
    pub(crate) fn release(
        &mut self,
        asset: &str,
        amount: &Amount,
        stays: bool,
    ) -> Result<(), Refusal> {
        let mut after = self.clone();
        let _ = after.locked.take(asset, amount);
        if stays {
            after.credit(asset, amount)?;
        }
        *self = after;
        Ok(())
    }

    /// Something goes out.
    pub(crate) fn debit(&mut self, asset: &str, amount: &Amount) -> Result<(), Refusal> {
        let purse = self.trading.get_mut(MAIN).ok_or(Refusal::Low)?;
        purse.take(asset, amount).ok_or(Refusal::Low)
    }
}

/// What an amount of one asset is of another, cut to that one's decimals.
pub(crate) fn exchanged(amount: &Amount, from: &Worth, to: &Worth) -> Option<Amount> {
    let dollars = amount.checked_mul(&from.dollars, 20)?;
    dollars.checked_div(&to.dollars, to.decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> Amount {
        text.parse().expect("an amount")
    }

    fn account(exchange: &str, holds: &[(&str, &str)]) -> ExchangeAccount {
        let spot = holds.iter().map(|(asset, held)| (*asset, amount(held)));
        ExchangeAccount {
            id: "1".to_owned(),
            exchange: exchange.to_owned(),
            name: "Ours".to_owned(),
            status: Status::Approved,
            main_account_id: None,
            trading: BTreeMap::from([
                (MAIN.to_owned(), spot.collect()),
                ("FUNDING".to_owned(), Purse::default()),
            ]),
            locked: Purse::default(),
        }
    }

    fn worth(dollars: &str, decimals: u8) -> Worth {
        Worth {
            dollars: amount(dollars),
            decimals,
        }
    }

    #[test]
    fn a_transfer_moves_what_there_is_and_changes_no_total() {
        let mut ours = account("BINANCE", &[("BTC", "2")]);
        let before = ours.total();
        let moved = |ours: &mut ExchangeAccount, much: &str, from: &str, to: &str| {
            ours.transfer("BTC", &amount(much), from, to)
        };
        assert_eq!(moved(&mut ours, "1.5", MAIN, "FUNDING"), Ok(()));
        assert_eq!(ours.trading["FUNDING"].holds("BTC"), Some(&amount("1.5")));
        assert_eq!(moved(&mut ours, "0.6", MAIN, "FUNDING"), Err(Refusal::Low));
        assert_eq!(moved(&mut ours, "0.1", MAIN, MAIN), Err(Refusal::Same));
        for (from, to) in [(MAIN, "OPTIONS"), ("OPTIONS", MAIN)] {
            let refused = moved(&mut ours, "0.1", from, to);
            assert_eq!(refused, Err(Refusal::NoTradingAccount));
        }
        assert_eq!(ours.total(), before);
    }

    #[test]
    fn what_is_about_to_go_out_can_be_used_for_nothing_else() {
        let mut ours = account("BINANCE", &[("BTC", "2")]);
        assert_eq!(ours.hold("BTC", &amount("1.5")), Ok(()));
        assert_eq!(ours.locked.holds("BTC"), Some(&amount("1.5")));
        assert_eq!(ours.hold("BTC", &amount("0.6")), Err(Refusal::Low));
        assert_eq!(ours.release("BTC", &amount("0.5"), true), Ok(()));
        assert_eq!(ours.total().holds("BTC"), Some(&amount("1")));
        assert_eq!(ours.release("BTC", &amount("1"), false), Ok(()));
        assert_eq!(ours.locked.holds("BTC"), Some(&Amount::zero()));
        assert_eq!(ours.total().holds("BTC"), Some(&amount("1")));
    }

    #[test]
    fn an_exchange_converts_what_it_offers_at_the_prices() {
        let mut bitso = account("BITSO", &[("MXN", "1000"), ("USD", "1")]);
        let (peso, dollar) = (worth("0.0581", 2), worth("1", 2));
        let out = bitso.convert(("MXN", &peso), ("USD", &dollar), &amount("100.5"));
        assert_eq!(out, Ok(amount("5.83")), "5.83905");
        let total = bitso.total();
        assert_eq!(total.holds("MXN"), Some(&amount("899.5")));
        assert_eq!(total.holds("USD"), Some(&amount("6.83")));
        let before = bitso.clone();
        for (much, from, to, why) in [
            ("0.1", "MXN", "USD", Refusal::Nothing),
            ("900", "MXN", "USD", Refusal::Low),
            ("1", "USD", "MXN", Refusal::NoConversion),
            ("1", "USD", "USDC", Refusal::NoConversion),
        ] {
            let refused = bitso.convert((from, &peso), (to, &dollar), &amount(much));
            assert_eq!(refused, Err(why), "{much} {from} {to}");
        }
        assert_eq!(bitso, before);
        let mut coinbase = account("COINBASEPRIME", &[("USD", "10")]);
        let out = coinbase.convert(("USD", &dollar), ("USDC", &worth("1", 6)), &amount("10"));
        assert_eq!(out, Ok(amount("10")));
    }
}
