//! The parameters of a path: slices of it, decoded on demand.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The most parameters that a path of the table has.
const MAX_PARAMETERS: usize = 5;

/// The longest parameter, in bytes, as it stands in the path.
pub const MAX_PARAMETER_BYTES: usize = 1024;

/// The parameters of a resolved path, in order.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parameters<'a> {
    names: &'static [&'static str],
    values: [&'a str; MAX_PARAMETERS],
    count: usize,
}

/// A path parameter that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("path parameter {name}: {why}")]
pub struct BadParameter {
    /// Its name in the contract.
    pub name: &'static str,
    /// What is wrong.
    pub why: Why,
}

/// What is wrong with a path parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The operation has none of this name.
    #[error("the operation has none of this name")]
    Absent,
    /// More than [`MAX_PARAMETER_BYTES`].
    #[error("longer than {MAX_PARAMETER_BYTES} bytes")]
    TooLong,
    /// A `%` without two hexadecimal digits.
    #[error("a % without two hexadecimal digits")]
    Escape,
    /// Not UTF-8.
    #[error("not UTF-8")]
    Encoding,
    /// A control character.
    #[error("a control character")]
    Control,
    /// `.` or `..`, which every client and proxy would take as a step in the path.
    #[error("a step in the path")]
    Step,
}

impl<'a> Parameters<'a> {
    /// The decoded text of one.
    pub fn text(&self, name: &'static str) -> Result<Cow<'a, str>, BadParameter> {
        let raw = self.raw(name).ok_or(BadParameter {
            name,
            why: Why::Absent,
        })?;
        decode(raw).map_err(|why| BadParameter { name, why })
    }

    /// One as it stands in the path.
    pub fn raw(&self, name: &str) -> Option<&'a str> {
        self.raw_pairs()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Name and decoded text of each.
    pub fn texts(
        &self,
    ) -> impl Iterator<Item = Result<(&'static str, Cow<'a, str>), BadParameter>> {
        self.raw_pairs().map(|(name, raw)| match decode(raw) {
            Ok(text) => Ok((name, text)),
            Err(why) => Err(BadParameter { name, why }),
        })
    }

    fn raw_pairs(&self) -> impl Iterator<Item = (&'static str, &'a str)> {
        self.names.iter().copied().zip(self.values).take(self.count)
    }

    pub(super) fn named(self, names: &'static [&'static str]) -> Self {
        Self { names, ..self }
    }

    /// Deeper than the table no search goes, so there is always room.
    pub(super) fn push(&mut self, segment: &'a str) {
        if let Some(value) = self.values.get_mut(self.count) {
            *value = segment;
            self.count += 1;
        }
    }
}

fn decode(raw: &str) -> Result<Cow<'_, str>, Why> {
    if raw.len() > MAX_PARAMETER_BYTES {
        return Err(Why::TooLong);
    }
    let whole = |after: &[u8]| {
        after
            .iter()
            .take(2)
            .filter(|digit| digit.is_ascii_hexdigit())
            .count()
            == 2
    };
    if !raw
        .as_bytes()
        .split(|byte| *byte == b'%')
        .skip(1)
        .all(whole)
    {
        return Err(Why::Escape);
    }
    let text = percent_decode_str(raw)
        .decode_utf8()
        .map_err(|_| Why::Encoding)?;
    if text.chars().any(char::is_control) {
        return Err(Why::Control);
    }
    if matches!(text.as_ref(), "." | "..") {
        return Err(Why::Step);
    }
    Ok(text)
}
