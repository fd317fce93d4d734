//! Names with a number in them: `Client {n}`, or `client-{n:5}` with five digits at least.

use std::str::FromStr;

/// A text with a place for a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    before: String,
    /// The place: how many digits it has at least, and what stands behind it.
    place: Option<(usize, String)>,
}

/// Most digits that a place asks for.
const MAX_DIGITS: usize = 10;

impl Pattern {
    /// The text with this number.
    pub(crate) fn fill(&self, number: u32) -> String {
        match &self.place {
            None => self.before.clone(),
            Some((digits, after)) => format!("{}{number:0digits$}{after}", self.before),
        }
    }

    /// Whether every number gives another text.
    pub(crate) const fn counts(&self) -> bool {
        self.place.is_some()
    }
}

impl FromStr for Pattern {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const MUST: &str = "one {n} at most, or {n:3} for three digits at least";
        let Some((before, rest)) = text.split_once('{') else {
            return Ok(Self {
                before: text.to_owned(),
                place: None,
            });
        };
        let (inside, after) = rest.split_once('}').ok_or(MUST)?;
        let digits = match inside.strip_prefix('n').ok_or(MUST)? {
            "" => 1,
            digits => digits
                .strip_prefix(':')
                .and_then(|digits| digits.parse().ok())
                .filter(|digits| (1..=MAX_DIGITS).contains(digits))
                .ok_or(MUST)?,
        };
        if after.contains(['{', '}']) {
            return Err(MUST);
        }
        Ok(Self {
            before: before.to_owned(),
            place: Some((digits, after.to_owned())),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_with_its_digits() {
        let filled = |text: &str, number| text.parse::<Pattern>().map(|it| it.fill(number));
        assert_eq!(filled("Client {n}", 7).as_deref(), Ok("Client 7"));
        assert_eq!(filled("c-{n:5}-x", 7).as_deref(), Ok("c-00007-x"));
        assert_eq!(filled("{n:2}", 1_234).as_deref(), Ok("1234"));
        assert_eq!(filled("Treasury", 7).as_deref(), Ok("Treasury"));
        for bad in [
            "{", "{}", "{m}", "{n:}", "{n:99}", "{n}{n}", "{n:-1}", "{n} }",
        ] {
            assert!(filled(bad, 1).is_err(), "{bad}");
        }
    }
}
