//! Which letters are owed: of what will end, to whom, from when on. Pure.

use protocol::time::Millis;
use serde::{Deserialize, Serialize};

use super::{Mail, MailAddress};
use crate::connections::{Connection, DAY, Mode, Standing};
use crate::reminders::due;

/// The first wait after a failure, in milliseconds; it doubles.
const FIRST_PAUSE: i64 = Millis::SECOND;
/// Longest wait after a failure.
const LONGEST_PAUSE: i64 = Millis::HOUR;

/// A side of the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Whose workspace it is.
    Client,
    /// Who comes in.
    Provider,
}

/// The newest letter to an address about a connection, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Posted {
    pub(crate) address: String,
    /// Of which end it tells, and how many days before.
    pub(crate) until: Millis,
    pub(crate) days: i64,
    /// How often it was tried.
    pub(crate) tries: u32,
    /// When it is tried next; nothing: a mail server has it.
    pub(crate) next_at: Option<Millis>,
    /// Why it did not go out when it was tried last.
    pub(crate) trouble: Option<String>,
}

/// A letter that no mail server has taken yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owed {
    pub(crate) connection: String,
    pub(crate) provider: String,
    pub(crate) mode: Mode,
    pub(crate) side: Side,
    pub(crate) to: MailAddress,
    /// When the connection ends, and which of the days before it this is.
    pub(crate) until: Millis,
    pub(crate) days: i64,
    /// How often it was tried, when it is to be tried next, and what was wrong last.
    pub(crate) tries: u32,
    pub(crate) due_at: Millis,
    pub(crate) trouble: Option<String>,
}

impl Owed {
    /// It, as it is kept.
    pub(super) fn posted(&self, tries: u32, next_at: Option<Millis>) -> Posted {
        Posted {
            address: self.to.to_string(),
            until: self.until,
            days: self.days,
            tries,
            next_at,
            trouble: None,
        }
    }
}

/// How long a letter waits that was tried so often, in milliseconds.
pub(super) fn pause(tries: u32) -> i64 {
    let doubled = 1_i64
        .checked_shl(tries.saturating_sub(1))
        .filter(|it| *it > 0);
    doubled
        .and_then(|doubled| FIRST_PAUSE.checked_mul(doubled))
        .map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE))
}

/// The letters that are owed about a connection, given the newest to each address.
pub(crate) fn owed(
    mail: &Mail,
    connection: &Connection,
    posted: &[Posted],
    now: Millis,
) -> Vec<Owed> {
    let letter = |(side, to): (Side, &MailAddress)| {
        let known = posted.iter().find(|one| one.address == to.to_string());
        let last = known.map(|one| (one.until, one.days));
        let (days, kept) = match (due(connection, last, now), known) {
            (Some(days), _) => (days, None),
            (None, Some(one)) if one.until == connection.until && is_open(connection, now) => {
                (one.days, Some((one, one.next_at?)))
            }
            (None, _) => return None,
        };
        Some(Owed {
            connection: connection.name.clone(),
            provider: connection.provider.clone(),
            mode: connection.mode,
            side,
            to: to.clone(),
            until: connection.until,
            days,
            tries: kept.map_or(0, |(one, _)| one.tries),
            due_at: kept.map_or(connection.until.plus(-days * DAY), |(_, at)| at),
            trouble: kept.and_then(|(one, _)| one.trouble.clone()),
        })
    };
    people(mail, connection).filter_map(letter).collect()
}

fn is_open(connection: &Connection, now: Millis) -> bool {
    connection.standing(now) == Standing::Active
}

/// Whoever is written to, each once.
fn people<'p>(
    mail: &'p Mail,
    connection: &'p Connection,
) -> impl Iterator<Item = (Side, &'p MailAddress)> {
    let own = mail.to.iter().enumerate();
    let own = own.filter(|(at, to)| !mail.to.iter().take(*at).any(|before| before == *to));
    let contact = connection.contact.as_ref();
    let contact = contact.filter(|to| !mail.to.contains(to));
    own.map(|(_, to)| (Side::Client, to))
        .chain(contact.map(|to| (Side::Provider, to)))
}

#[cfg(test)]
mod tests {
    use protocol::role::ProviderRole;

    use super::*;
    use crate::connections::State;
    use crate::mail::tests::{address, mail};
    use crate::testing::{NOW, accounts, connection};

    fn ends_in(millis: i64) -> Connection {
        Connection {
            until: NOW.plus(millis),
            contact: Some(address("ops@acme.example")),
            ..connection("acme", ProviderRole::Viewer, accounts([1]))
        }
    }

    fn told(owed: &[Owed]) -> Vec<(Side, String, i64)> {
        let one = |one: &Owed| (one.side, one.to.to_string(), one.days);
        owed.iter().map(one).collect()
    }

    #[test]
    fn each_address_is_owed_three_letters_and_no_more() {
        let (one, mut posted, mut told) = (ends_in(20 * DAY), Vec::<Posted>::new(), Vec::new());
        for hour in 0..21 * 24 {
            let now = NOW.plus(hour * DAY / 24);
            for letter in owed(&mail(), &one, &posted, now) {
                told.push((hour / 24, letter.side, letter.days));
                posted.retain(|known| known.address != letter.to.to_string());
                posted.push(letter.posted(1, None));
            }
        }
        let both = |day, days| [(day, Side::Client, days), (day, Side::Provider, days)];
        let expected = [both(6, 14), both(13, 7), both(19, 1)].concat();
        assert_eq!(told, expected);
    }

    #[test]
    fn a_letter_that_was_put_off_is_owed_until_it_is_taken_or_it_is_over() {
        let one = ends_in(5 * DAY);
        let fresh = owed(&mail(), &one, &[], NOW);
        assert_eq!(
            fresh[0].due_at,
            NOW.plus(-2 * DAY),
            "since seven days before"
        );
        let later = NOW.plus(9_000);
        let put_off = Posted {
            trouble: Some("451 later".to_owned()),
            ..fresh[0].posted(3, Some(later))
        };
        let again = owed(&mail(), &one, std::slice::from_ref(&put_off), NOW);
        assert_eq!((again[0].tries, again[0].due_at), (3, later));
        assert_eq!(again[0].trouble.as_deref(), Some("451 later"));
        // The next one takes its place.
        let last_day = owed(
            &mail(),
            &one,
            std::slice::from_ref(&put_off),
            one.until.plus(-DAY),
        );
        assert_eq!((last_day[0].tries, last_day[0].days), (0, 1));
        // A later end, and what is shut: it is owed no more.
        let kept = Connection {
            until: one.until.plus(90 * DAY),
            ..one.clone()
        };
        let shut = Connection {
            state: State::Suspended,
            ..one.clone()
        };
        let known = [put_off];
        assert!(owed(&mail(), &kept, &known, NOW).is_empty());
        assert!(owed(&mail(), &shut, &known, NOW).is_empty());
        assert!(owed(&mail(), &one, &known, one.until).is_empty());
    }

    #[test]
    fn each_address_is_written_to_once_and_a_new_one_hears_at_once() {
        let client = address("treasury@client.example");
        let settings = Mail {
            to: vec![client.clone(), address("ops@acme.example"), client.clone()],
            ..mail()
        };
        let one = ends_in(5 * DAY);
        let both = [
            (Side::Client, client.to_string(), 7),
            (Side::Client, "ops@acme.example".to_owned(), 7),
        ];
        let letters = owed(&settings, &one, &[], NOW);
        assert_eq!(told(&letters), both);
        let posted: Vec<_> = letters.iter().map(|one| one.posted(1, None)).collect();
        let moved = Connection {
            contact: Some(address("new@acme.example")),
            ..one
        };
        let new = [(Side::Provider, "new@acme.example".to_owned(), 7)];
        assert_eq!(told(&owed(&settings, &moved, &posted, NOW)), new);
    }

    #[test]
    fn a_letter_waits_twice_as_long_each_time_and_an_hour_at_most() {
        let waits = [1, 2, 3, 12, 13, 64, u32::MAX].map(pause);
        let seconds = waits.map(|wait| wait / Millis::SECOND);
        assert_eq!(seconds, [1, 2, 4, 2_048, 3_600, 3_600, 3_600]);
    }
}
