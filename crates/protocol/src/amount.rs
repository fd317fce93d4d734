//! Amounts of an asset: exact decimals, checked as text before any arithmetic.
//!
//! Form: `-?digits[.digits]`, at most 40 digits on each side of the point, no exponent, no plus
//! sign. Printed plain, without trailing zeros. A JSON number is taken from its text, never
//! through a float.

use std::fmt;
use std::ops::Neg;
use std::str::FromStr;

use bigdecimal::BigDecimal;
use num_bigint::BigInt;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Visitor};
use serde::{Deserialize, Serialize};

/// Digits allowed on each side of the decimal point.
pub const MAX_DIGITS: usize = 40;

/// An exact decimal amount.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(BigDecimal);

/// A text that is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadAmount {
    /// It is not `-?digits[.digits]`.
    #[error("an amount is digits with at most one decimal point, without exponent")]
    Form,
    /// It has more than [`MAX_DIGITS`] digits on one side.
    #[error("an amount has at most {MAX_DIGITS} digits on each side of the point")]
    TooLong,
}

impl Amount {
    /// Nothing.
    pub fn zero() -> Self {
        Self(BigDecimal::from(0))
    }

    /// `units` of the asset's smallest unit, `decimals` places after the point.
    pub fn from_units(units: impl Into<BigInt>, decimals: u8) -> Self {
        Self(BigDecimal::from_bigint(units.into(), i64::from(decimals)).normalized())
    }

    /// Whether it is nothing.
    pub fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// Whether it is below nothing.
    pub fn is_negative(&self) -> bool {
        self.0 < 0
    }

    /// Whether it is above nothing.
    pub fn is_positive(&self) -> bool {
        self.0 > 0
    }

    /// The sum, if it still is an amount.
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        Self::within_bounds(&self.0 + &other.0)
    }

    /// The sum of all of them, if it still is an amount.
    pub fn checked_sum<'a>(amounts: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut amounts = amounts.into_iter();
        amounts.try_fold(Self::zero(), |sum, amount| sum.checked_add(amount))
    }

    /// The difference, if it still is an amount.
    pub fn checked_sub(&self, other: &Self) -> Option<Self> {
        Self::within_bounds(&self.0 - &other.0)
    }

    /// The product, cut (not rounded) to `decimals` places, if it still is an amount.
    pub fn checked_mul(&self, other: &Self, decimals: u8) -> Option<Self> {
        let exact = &self.0 * &other.0;
        Self::within_bounds(
            exact.with_scale_round(i64::from(decimals), bigdecimal::RoundingMode::Down),
        )
    }

    /// How many of the smallest unit it is, `decimals` places after the point; nothing where a part
    /// of one is left, or where they are more than fit.
    pub fn to_units(&self, decimals: u8) -> Option<i128> {
        let (digits, scale) = self
            .0
            .with_scale(i64::from(decimals))
            .into_bigint_and_exponent();
        debug_assert_eq!(scale, i64::from(decimals));
        if self.decimals() > u64::from(decimals) {
            return None;
        }
        digits.try_into().ok()
    }

    /// The quotient, cut (not rounded) to `decimals` places, if there is one that is an amount.
    pub fn checked_div(&self, other: &Self, decimals: u8) -> Option<Self> {
        /// As many as an amount has at most: nothing is cut before the division.
        const PLACES: i64 = 40;
        let units = |amount: &Self| {
            let scaled = amount.0.with_scale(PLACES);
            scaled.into_bigint_and_exponent().0
        };
        if other.is_zero() {
            return None;
        }
        let quotient = units(self) * BigInt::from(10).pow(u32::from(decimals)) / units(other);
        Self::within_bounds(BigDecimal::from_bigint(quotient, i64::from(decimals)))
    }

    /// How many places after the point it uses.
    pub fn decimals(&self) -> u64 {
        self.0
            .normalized()
            .fractional_digit_count()
            .max(0)
            .unsigned_abs()
    }

    /// A text whose order as bytes is the amount's order as a number, for SQL columns.
    ///
    /// Sign (`0` below nothing, `1` else), 40 digits, 40 digits; below nothing the digits are
    /// complemented.
    pub fn sort_key(&self) -> String {
        let plain = self.to_string();
        let digits = plain.trim_start_matches('-');
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let key = format!("{whole:0>MAX_DIGITS$}{part:0<MAX_DIGITS$}");
        if self.is_negative() {
            let complement = key.bytes().map(|b| char::from(b'0' + (b'9' - b)));
            std::iter::once('0').chain(complement).collect()
        } else {
            format!("1{key}")
        }
    }

    fn within_bounds(value: BigDecimal) -> Option<Self> {
        let value = value.normalized();
        value.to_plain_string().parse().ok()
    }
}

impl Neg for Amount {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Default for Amount {
    fn default() -> Self {
        Self::zero()
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_plain_string())
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Amount({self})")
    }
}

impl FromStr for Amount {
    type Err = BadAmount;

    fn from_str(text: &str) -> Result<Self, BadAmount> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, part) = match digits.split_once('.') {
            Some((_, "")) => return Err(BadAmount::Form),
            Some(split) => split,
            None => (digits, ""),
        };
        let plain = |side: &str| side.bytes().all(|b| b.is_ascii_digit());
        if whole.is_empty() || !plain(whole) || !plain(part) {
            return Err(BadAmount::Form);
        }
        if whole.len() > MAX_DIGITS || part.len() > MAX_DIGITS {
            return Err(BadAmount::TooLong);
        }
        // Without zeros at the end of the part there is no need to look for them in the number.
        let part = part.trim_end_matches('0');
        let units = units(whole, part).ok_or(BadAmount::Form)?;
        let units = if digits == text { units } else { -units };
        let places = i64::try_from(part.len()).map_err(|_| BadAmount::TooLong)?;
        Ok(Self(BigDecimal::from_bigint(units, places)))
    }
}

/// The number that the digits of both sides are, one behind the other. Most fit into a word, and cost
/// no conversion of long numbers.
fn units(whole: &str, part: &str) -> Option<BigInt> {
    /// So many digits are always less than the greatest `i64`.
    const SHORT: usize = 18;
    if whole.len() + part.len() > SHORT {
        return format!("{whole}{part}").parse().ok();
    }
    let number = |side: &str| match side {
        "" => Some(0),
        side => side.parse::<i64>().ok(),
    };
    let places = u32::try_from(part.len()).ok()?;
    Some(BigInt::from(
        number(whole)? * 10_i64.pow(places) + number(part)?,
    ))
}

impl Serialize for Amount {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Amount {
    /// Takes a string, or a JSON number by its text.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Text)
    }
}

/// Reads an amount where it stands.
struct Text;

impl<'de> Visitor<'de> for Text {
    type Value = Amount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an amount: digits with at most one decimal point, without exponent")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Amount, E> {
        Ok(Amount::from_units(number, 0))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Amount, E> {
        Ok(Amount::from_units(number, 0))
    }

    fn visit_u128<E: de::Error>(self, number: u128) -> Result<Amount, E> {
        Ok(Amount::from_units(number, 0))
    }

    fn visit_i128<E: de::Error>(self, number: i128) -> Result<Amount, E> {
        Ok(Amount::from_units(number, 0))
    }

    /// Comes only where the number printed plain is the text that stood there, or its shortest form.
    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Amount, E> {
        self.visit_str(&number.to_string())
    }

    /// Any other number: a map of one, which holds its text.
    fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Amount, A::Error> {
        let number = serde_json::Number::deserialize(MapAccessDeserializer::new(map))?;
        self.visit_str(number.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn units_are_whole_or_none() {
        let units = |text: &str, decimals| {
            text.parse::<Amount>()
                .expect("an amount")
                .to_units(decimals)
        };
        assert_eq!(units("1.5", 2), Some(150));
        assert_eq!(units("1.50", 1), Some(15));
        assert_eq!(units("-3", 0), Some(-3));
        assert_eq!(units("1.5", 0), None);
        assert_eq!(units(&"9".repeat(40), 2), None);
        let amount = Amount::from_units(123_456_789_i128, 8);
        assert_eq!(amount.to_units(8), Some(123_456_789));
    }

    #[test]
    fn what_is_no_amount_is_refused_before_arithmetic() {
        for text in [
            "",
            "-",
            ".5",
            "5.",
            "1e3",
            "1e2000000000",
            "+1",
            " 1",
            "1_000",
            "0x1",
            "NaN",
            "1.2.3",
            "--1",
            "١",
        ] {
            assert_eq!(text.parse::<Amount>(), Err(BadAmount::Form), "{text:?}");
        }
        assert_eq!("1".repeat(41).parse::<Amount>(), Err(BadAmount::TooLong));
        assert!(serde_json::from_str::<Amount>("1e2000000000").is_err());
    }

    #[test]
    fn a_json_number_is_taken_from_its_text() {
        let amount: Amount =
            serde_json::from_str("0.100000000000000000000000000001").expect("an amount");
        assert_eq!(amount.to_string(), "0.100000000000000000000000000001");
        for (json, text) in [
            ("7", "7"),
            ("-7", "-7"),
            ("0.30", "0.3"),
            ("-0", "0"),
            ("18446744073709551616", "18446744073709551616"),
            ("1.0", "1"),
            ("0.000001", "0.000001"),
            ("0.00000123", "0.00000123"),
            (
                "1000000000000000000000000000000000000000",
                "1000000000000000000000000000000000000000",
            ),
            (
                "123456789012345678.000000000000000001",
                "123456789012345678.000000000000000001",
            ),
        ] {
            for amount in [
                serde_json::from_str::<Amount>(json),
                serde_json::from_str(json).and_then(serde_json::from_value),
            ] {
                assert_eq!(amount.expect("an amount").to_string(), text, "{json}");
            }
        }
        for json in ["null", "true", "[]", "{}", r#"{"a": 1}"#, r#"["1"]"#] {
            assert!(serde_json::from_str::<Amount>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_sum_that_is_too_long_is_no_amount() {
        let most: Amount = "9".repeat(40).parse().expect("an amount");
        assert_eq!(most.checked_add(&"1".parse().expect("one")), None);
    }

    #[test]
    fn a_quotient_is_cut() {
        let divided = |a: &str, b: &str| {
            let (a, b): (Amount, Amount) = (a.parse().expect("a"), b.parse().expect("b"));
            a.checked_div(&b, 2).map(|quotient| quotient.to_string())
        };
        assert_eq!(divided("2", "3").as_deref(), Some("0.66"));
        assert_eq!(divided("-2", "3").as_deref(), Some("-0.66"));
        assert_eq!(
            divided("100.5", "0.0000000001").as_deref(),
            Some("1005000000000")
        );
        assert_eq!(divided("1", "0"), None);
        assert_eq!(divided(&"9".repeat(40), "0.1"), None);
    }

    proptest! {
        #[test]
        fn text_round_trips_in_one_form(text in "-?[0-9]{1,40}(\\.[0-9]{1,40})?") {
            let amount: Amount = text.parse().expect("an amount");
            let again: Amount = amount.to_string().parse().expect("its own text");
            prop_assert_eq!(&amount, &again);
            prop_assert_eq!(amount.to_string(), again.to_string());
            let number = BigDecimal::from_str(&text).expect("a number").normalized();
            prop_assert_eq!(&amount.0, &number);
            prop_assert_eq!(amount.to_string(), number.to_plain_string());
            prop_assert_eq!(amount.decimals(), number.fractional_digit_count().max(0).unsigned_abs());
            let told: [Amount; 2] = serde_json::from_str(&format!("[\"{text}\", \"{text}\"]")).expect("JSON");
            prop_assert_eq!(&told, &[amount.clone(), amount.clone()]);
            let value = serde_json::Value::String(text);
            prop_assert_eq!(&serde_json::from_value::<Amount>(value).expect("an amount"), &amount);
            prop_assert!(!amount.to_string().contains(['e', 'E', '+']));
        }

        #[test]
        fn sort_keys_have_the_order_of_numbers(
            a in "-?[0-9]{1,40}(\\.[0-9]{1,40})?", b in "-?[0-9]{1,40}(\\.[0-9]{1,40})?",
        ) {
            let (a, b): (Amount, Amount) = (a.parse().expect("a"), b.parse().expect("b"));
            prop_assert_eq!(a.cmp(&b), a.sort_key().cmp(&b.sort_key()));
        }
    }
}
