use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::connections::{Connection, NotNow};
use crate::testing::{NOW, accounts, connection};
use protocol::role::ProviderRole;

/// `docs/gate.md` draws the machine: these are its arrows.
const PAGE: &str = include_str!("../../../../../docs/gate.md");

fn in_state(state: State) -> Connection {
    Connection {
        state,
        ..connection("acme", ProviderRole::Viewer, accounts([1]))
    }
}

#[test]
fn the_diagram_is_the_machine() {
    let mut drawn: Vec<(String, String, String)> = PAGE
        .lines()
        .filter_map(|line| {
            let (from, rest) = line.trim().split_once(" --> ")?;
            let (to, what) = rest.split_once(": ")?;
            Some((from.to_owned(), what.to_owned(), to.to_owned()))
        })
        .collect();
    let mut real = Vec::new();
    for state in State::ALL {
        for what in Move::ALL {
            if let Some(next) = state.after(what) {
                let text = |word: &str| word.to_owned();
                real.push((
                    text(state.as_str()),
                    text(what.as_str()),
                    text(next.as_str()),
                ));
            }
        }
    }
    drawn.sort();
    real.sort();
    assert_eq!(drawn, real);
}

/// What may happen to a connection.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Moved(Move),
    Days(i64),
    EndsIn(i64),
}

fn happenings() -> impl Strategy<Value = Vec<Happening>> {
    let one = prop_oneof![
        4 => select(Move::ALL.to_vec()).prop_map(Happening::Moved),
        2 => (0..60_i64).prop_map(Happening::Days),
        1 => (-10..200_i64).prop_map(Happening::EndsIn),
    ];
    proptest::collection::vec(one, 0..40)
}

proptest! {
    /// The whole machine, walked at random: what is let in was approved and opened, ends later, and was
    /// not closed since; and revoked is for ever.
    #[test]
    fn invariant_2_whatever_happens_only_what_was_opened_and_has_not_ended_comes_in(all in happenings()) {
        let (mut one, mut now) = (in_state(State::Requested), NOW);
        let (mut approved, mut open, mut revoked) = (false, false, false);
        for happening in all {
            match happening {
                Happening::Days(days) => now = now.plus(days * DAY),
                Happening::EndsIn(days) => one.until = now.plus(days * DAY),
                Happening::Moved(what) => {
                    let before = one.standing(now);
                    match one.after(what, now) {
                        Ok(next) => {
                            prop_assert!(!revoked);
                            prop_assert!(!(what.opens() && before == Standing::Expired));
                            match what {
                                Move::Approve => approved = true,
                                Move::Activate | Move::Resume => {
                                    prop_assert!(approved);
                                    open = true;
                                }
                                Move::Suspend => open = false,
                                Move::Revoke => (open, revoked) = (false, true),
                            }
                            one.state = next;
                        }
                        Err(NotNow::State(told)) => prop_assert_eq!(told, before),
                        Err(why) => {
                            let late = matches!(why, NotNow::Expired | NotNow::TooLong);
                            prop_assert!(late, "{}", why);
                        }
                    }
                }
            }
            prop_assert_eq!(one.comes_in(now), open && now < one.until);
            prop_assert_eq!(one.standing(now) == Standing::Revoked, revoked);
            let over = one.standing(now) == Standing::Expired;
            prop_assert_eq!(over, !revoked && now >= one.until);
            // Closing is never refused for anything but where it is.
            if !revoked {
                prop_assert_eq!(one.after(Move::Revoke, now), Ok(State::Revoked));
            }
        }
    }
}

#[test]
fn invariant_2_it_ends_by_the_clock_alone() {
    let mut one = in_state(State::Active);
    one.until = NOW.plus(1);
    assert!(one.comes_in(NOW));
    assert!(!one.comes_in(NOW.plus(1)));
    assert_eq!(one.standing(NOW.plus(1)), Standing::Expired);
    assert_eq!(
        in_state(State::Revoked).standing(NOW.plus(1000 * DAY)),
        Standing::Revoked
    );
}

#[test]
fn invariant_2_what_is_kept_without_an_end_is_over() {
    let mut kept = serde_json::to_value(in_state(State::Active)).expect("a document");
    kept.as_object_mut().expect("an object").remove("until");
    let read: Connection = serde_json::from_value(kept).expect("a connection");
    assert_eq!(read.standing(NOW), Standing::Expired);
    assert!(!read.comes_in(NOW));
}

#[test]
fn invariant_2_a_watched_key_never_comes_in_here() {
    let watched = Connection {
        mode: Mode::Watched,
        ..in_state(State::Active)
    };
    assert_eq!(watched.standing(NOW), Standing::Active);
    assert!(!watched.comes_in(NOW));
}

#[test]
fn a_fed_connection_proposes_nothing_and_no_life_is_too_long() {
    let fed = Connection {
        mode: Mode::Fed,
        role: ProviderRole::Editor,
        ..in_state(State::Requested)
    };
    assert_eq!(fed.after(Move::Approve, NOW), Err(NotNow::FedEditor));
    let long = Connection {
        until: NOW.plus(MAX_DAYS * DAY + 1),
        ..in_state(State::Requested)
    };
    assert_eq!(long.after(Move::Approve, NOW), Err(NotNow::TooLong));
}
