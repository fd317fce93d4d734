//! Moments as text, where the contract wants a `date-time`.

use protocol::time::Millis;

/// RFC 3339, in UTC, to the millisecond.
pub(crate) fn date_time(at: Millis) -> String {
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
    format!("{at:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_always_there() {
        assert_eq!(date_time(Millis(0)), "1970-01-01T00:00:00.000Z");
        assert_eq!(
            date_time(Millis(1_700_000_000_120)),
            "2023-11-14T22:13:20.120Z"
        );
    }
}
