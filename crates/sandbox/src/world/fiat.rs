//! Money of states: what exchanges and fiat accounts hold beside the workspace's assets, and what
//! prices can be told in.

use protocol::amount::Amount;

/// A currency, by its ISO 4217 code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Currency {
    pub(crate) code: &'static str,
    pub(crate) decimals: u8,
    /// About what one is worth, in millionths of a US dollar.
    micros: u32,
}

#[rustfmt::skip]
const CURRENCIES: [Currency; 7] = [
    Currency { code: "USD", decimals: 2, micros: 1_000_000 },
    Currency { code: "EUR", decimals: 2, micros: 1_080_000 },
    Currency { code: "GBP", decimals: 2, micros: 1_270_000 },
    Currency { code: "CHF", decimals: 2, micros: 1_130_000 },
    Currency { code: "JPY", decimals: 0, micros: 6_700 },
    Currency { code: "MXN", decimals: 2, micros: 58_100 },
    Currency { code: "BRL", decimals: 2, micros: 181_000 },
];

/// The currency of a code.
pub(crate) fn currency(code: &str) -> Option<&'static Currency> {
    CURRENCIES.iter().find(|currency| currency.code == code)
}

impl Currency {
    /// What one is worth in US dollars.
    pub(crate) fn dollars(&self) -> Amount {
        Amount::from_units(self.micros, 6)
    }
}
