//! Whether a key is used, as far as a history of transactions tells.

use protocol::role::Role;
use protocol::time::Millis;

use super::History;
use super::practices::judged;
use crate::connections::DAY;
use crate::posture::{Finding, Practice, Severity, UNUSED, Verdict};
use Verdict::{Broken, CannotBeSeen, Held};

/// Judges whether somebody of that role, if it is known, uses its key. A history knows nothing of
/// reads: of a key that only reads it tells nothing, of one that may initiate whether it does.
pub(super) fn used(history: Option<&History>, name: &str, role: Option<Role>) -> Finding {
    let (verdict, evidence) = match history {
        None => (
            CannotBeSeen,
            "no API tells when a key was used: --history tells what it has created".to_owned(),
        ),
        Some(history) => told(history, name, role),
    };
    judged(Practice::C3Used, name, verdict, Severity::Low, evidence)
}

fn told(history: &History, name: &str, role: Option<Role>) -> (Verdict, String) {
    let Some((first, last)) = history.span else {
        return (CannotBeSeen, "the history given is empty".to_owned());
    };
    let created = history.created.get(name);
    let what = match created {
        Some(created) => format!(
            "in the history given it created {} transactions, the last on {}",
            created.count,
            day(created.last)
        ),
        None => format!(
            "it created nothing in the history given, {} to {}",
            day(first),
            day(last)
        ),
    };
    // Silence counts to the history's end: nobody knows what came after it.
    let silent = last.0 - created.map_or(first, |created| created.last).0;
    match (created, role) {
        (Some(_), _) if silent < UNUSED => (Held, what),
        (None, None | Some(Role::Viewer)) => (
            CannotBeSeen,
            format!("{what}; whether it reads, no export tells"),
        ),
        (None, _) if silent < UNUSED => (
            CannotBeSeen,
            format!("{what}: less than {} days", UNUSED / DAY),
        ),
        _ => (
            Broken,
            format!("{what}; whether it reads, no export tells, but a Viewer could"),
        ),
    }
}

fn day(at: Millis) -> String {
    let day = jiff::Timestamp::from_millisecond(at.0);
    day.map_or_else(
        |_| at.to_string(),
        |day| day.strftime("%Y-%m-%d").to_string(),
    )
}
