//! Medians and how they are written.

use std::time::Duration;

use anyhow::Context;

/// The same thing measured in several rounds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures(Vec<f64>);

impl Figures {
    /// One more round.
    pub(crate) fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The middle one; of an even number the mean of the two in the middle.
    pub(crate) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let at = |index: usize| sorted.get(index).copied().unwrap_or(f64::NAN);
        if sorted.len().is_multiple_of(2) {
            (at(middle.wrapping_sub(1)) + at(middle)) / 2.0
        } else {
            at(middle)
        }
    }

    /// The least and the greatest.
    pub(crate) fn range(&self) -> (f64, f64) {
        self.0.iter().fold(
            (f64::INFINITY, f64::NEG_INFINITY),
            |(least, most), value| (least.min(*value), most.max(*value)),
        )
    }

    /// Round by round, this less that.
    pub(crate) fn beyond(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a - b).collect())
    }

    /// Round by round, this over that.
    pub(crate) fn over(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(a, b)| a / b).collect())
    }
}

impl FromIterator<f64> for Figures {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

/// How many in a second.
pub(crate) fn per_second(count: usize, took: Duration) -> anyhow::Result<f64> {
    let count = u32::try_from(count).context("too many to count")?;
    Ok(f64::from(count) / took.as_secs_f64())
}

/// A whole number with its thousands apart: `12,345`.
pub(crate) fn whole(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The median, with the least and the greatest: `0.86 (0.84-0.88)`.
pub(crate) fn ratio(figures: &Figures) -> String {
    let (least, most) = figures.range();
    format!("**{:.2}** ({least:.2}-{most:.2})", figures.median())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_the_middle() {
        let figures = |values: &[f64]| values.iter().copied().collect::<Figures>();
        assert!((figures(&[9.0, 1.0, 2.0]).median() - 2.0).abs() < 1e-9);
        assert!((figures(&[9.0, 1.0, 2.0, 4.0]).median() - 3.0).abs() < 1e-9);
        assert!(figures(&[]).median().is_nan());
        let over = figures(&[4.0, 9.0]).over(&figures(&[2.0, 3.0]));
        assert_eq!(ratio(&over), "**2.50** (2.00-3.00)");
        let beyond = figures(&[4.0, 9.0]).beyond(&figures(&[2.0, 3.0]));
        assert!((beyond.median() - 4.0).abs() < 1e-9);
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(whole(7.4), "7");
        assert_eq!(whole(999.6), "1,000");
        assert_eq!(whole(1_234_567.0), "1,234,567");
    }
}
