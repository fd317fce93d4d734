//! Dates as the Console and the people who touched its files write them. All are UTC.

use protocol::time::Millis;

/// `22 Apr 2026 08:34:43 GMT`, ISO 8601 (`2026-04-22T08:34:43Z`, or with a blank and no zone), or
/// milliseconds since the epoch.
pub(super) fn read(text: &str) -> Option<Millis> {
    if text.len() >= 10 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text
            .parse()
            .ok()
            .map(Millis)
            .filter(|at| jiff::Timestamp::from_millisecond(at.0).is_ok());
    }
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Some(Millis(at.as_millisecond()));
    }
    let plain = text
        .strip_suffix("GMT")
        .or_else(|| text.strip_suffix("UTC"))
        .unwrap_or(text)
        .trim_end();
    let forms = [
        "%d %b %Y %H:%M:%S",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S",
    ];
    let civil = forms
        .iter()
        .find_map(|form| jiff::civil::DateTime::strptime(form, plain).ok())?;
    let at = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(Millis(at.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_the_same_moment() {
        let at = Some(Millis(1_776_846_883_000));
        for text in [
            "22 Apr 2026 08:34:43 GMT",
            "2026-04-22T08:34:43Z",
            "2026-04-22T10:34:43+02:00",
            "2026-04-22 08:34:43",
            "2026-04-22 08:34:43 UTC",
            "1776846883000",
        ] {
            assert_eq!(read(text), at, "{text}");
        }
        for text in [
            "",
            "22/04/2026",
            "yesterday",
            "31 Feb 2026 00:00:00 GMT",
            "99999999999999999999",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
