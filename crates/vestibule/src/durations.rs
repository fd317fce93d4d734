//! Spans of time on the command line: `90m`, `24h`, `30d`.

use std::time::Duration;

const FORM: &str = "a span of time is a number and a unit: 90m, 24h, 30d";

/// Reads one. A day has 24 hours.
pub(crate) fn parse(text: &str) -> Result<Duration, &'static str> {
    let (number, unit) = text
        .char_indices()
        .next_back()
        .and_then(|(at, _)| text.split_at_checked(at))
        .ok_or(FORM)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return Err(FORM),
    };
    let number: u32 = number.parse().map_err(|_| FORM)?;
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_a_number_and_a_unit() {
        for (text, seconds) in [
            ("0s", 0),
            ("90m", 5_400),
            ("24h", 86_400),
            ("30d", 2_592_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_secs(seconds)));
        }
        for bad in [
            "",
            "h",
            "24",
            "-1h",
            "1.5h",
            "24 h",
            "1w",
            "99999999999d",
            "1é",
        ] {
            assert_eq!(parse(bad), Err(FORM), "{bad}");
        }
    }
}
