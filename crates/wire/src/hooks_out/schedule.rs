//! When a delivery is tried again, and when it is over. Pure.

use protocol::model::webhook::NotificationAttempt;
use protocol::time::Millis;

/// The waits between attempts, in seconds (Fireblocks' page *Responses and retries*).
pub const WAITS: [i64; 9] = [10, 30, 120, 300, 900, 1_800, 3_600, 7_200, 14_400];

/// The same of the first generation of webhooks, on an older page.
pub const WAITS_V1: [i64; 10] = [5, 15, 35, 75, 155, 315, 635, 1_275, 2_555, 5_115];

/// What becomes of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The receiver took it.
    Completed,
    /// It is tried again then.
    Again(Millis),
    /// It is over: the receiver refused it, or the schedule has ended.
    Failed,
}

/// What becomes of a delivery after its attempt of this number (the first is 1), ended now.
/// 2xx is success; other answers below 500 are final, except 408 and 429.
pub fn next(attempt: &NotificationAttempt, number: u32, waits: &[i64], now: Millis) -> Next {
    match attempt.response_code {
        Some(200..=299) => return Next::Completed,
        Some(408 | 429 | 500..) | None => {}
        Some(_) => return Next::Failed,
    }
    let wait = usize::try_from(number)
        .ok()
        .and_then(|number| waits.get(number.saturating_sub(1)));
    wait.map_or(Next::Failed, |seconds| {
        Next::Again(now.plus(seconds * Millis::SECOND))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(response_code: Option<u16>) -> NotificationAttempt {
        NotificationAttempt {
            sent_time: Millis(0),
            duration: 1,
            response_code,
            failure_reason: None,
        }
    }

    #[test]
    fn ten_attempts_over_eight_hours() {
        let (mut now, mut number) = (Millis(0), 1);
        while let Next::Again(at) = next(&attempt(None), number, &WAITS, now) {
            (now, number) = (at, number + 1);
        }
        assert_eq!((number, now), (10, Millis(28_360 * Millis::SECOND)));
        (now, number) = (Millis(0), 1);
        while let Next::Again(at) = next(&attempt(None), number, &WAITS_V1, now) {
            (now, number) = (at, number + 1);
        }
        assert_eq!((number, now), (11, Millis(10_180 * Millis::SECOND)));
    }

    #[test]
    fn refusals_are_final_and_troubles_are_not() {
        let of = |code| next(&attempt(Some(code)), 1, &WAITS, Millis(0));
        for code in [200, 201, 204] {
            assert_eq!(of(code), Next::Completed);
        }
        for code in [301, 302, 400, 401, 403, 404, 410, 422] {
            assert_eq!(of(code), Next::Failed, "{code}");
        }
        for code in [408, 429, 500, 502, 503, 599] {
            assert_eq!(of(code), Next::Again(Millis(10_000)), "{code}");
        }
    }
}
