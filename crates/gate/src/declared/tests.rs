use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::connections::terms;
use crate::testing::{accounts, connection};

fn connections() -> impl Strategy<Value = Vec<Connection>> {
    let one = (
        terms(),
        select(State::ALL.to_vec()),
        proptest::option::of("[ -~]{0,20}"),
    );
    vec(one, 0..5).prop_map(|all| {
        let named = all.into_iter().enumerate();
        named
            .map(|(at, (terms, state, reason))| {
                let name = format!("c{at}");
                let mut one = connection(&name, ProviderRole::Viewer, accounts([1]));
                terms.put(&mut one);
                one.state = state;
                one.addresses_reason = reason;
                one
            })
            .collect()
    })
}

fn present() -> impl Strategy<Value = Present> {
    let roles = select(OperatorRole::ALL.to_vec());
    // Few names: of two of these, some are the same.
    let operators = proptest::collection::btree_map("[a-f]", roles, 1..7);
    let asker = proptest::option::of("[a-f]");
    (0..MAX_QUORUM, operators, connections(), asker).prop_map(
        |(more, mut operators, connections, asker)| {
            if owners(&operators) == 0 {
                operators.insert("a".to_owned(), OperatorRole::Owner);
            }
            let most = u32::try_from(owners(&operators)).expect("a few");
            Present {
                quorum: 1 + more % most,
                operators,
                connections,
                asker,
            }
        },
    )
}

fn owners(operators: &BTreeMap<String, OperatorRole>) -> usize {
    let roles = operators.values();
    roles.filter(|role| **role == OperatorRole::Owner).count()
}

fn named<'p>(present: &'p mut Present, name: &str) -> &'p mut Connection {
    let found = present.connections.iter_mut().find(|one| one.name == name);
    found.expect("a connection")
}

/// What becomes of a state, as the gate does it where one operator is quorum enough.
fn moved(state: State, what: Move) -> State {
    let next = state.after(what).expect("it fits");
    if next == State::Approved {
        State::Active
    } else {
        next
    }
}

proptest! {
    #[test]
    fn a_plan_after_an_export_is_empty(present in present()) {
        let file = Declared::of(&present).write().expect("a file");
        let read = Declared::read(&file).expect("it is read");
        prop_assert_eq!(&read, &Declared::of(&present));
        prop_assert_eq!(plan(&present, &read), Ok(Vec::new()));
    }

    /// Whatever can be made so is so after the steps, and a second plan is empty.
    #[test]
    fn after_its_steps_it_is_as_the_file_says(present in present(), other in present()) {
        let mut declared = Declared::of(&other);
        let here = |name: &String| present.connections.iter().any(|one| one.name == *name);
        declared.connections.retain(|name, _| here(name));
        let people = declared.operators.as_mut().expect("people");
        people.retain(|name, _| present.operators.contains_key(name));
        let enough = enough(owners(people), other.quorum).is_ok();
        let changes = *people != present.operators || other.quorum != present.quorum;
        let steps = plan(&present, &declared);
        prop_assert!(enough || !changes || steps.is_err());
        let Ok(steps) = steps else {
            return Ok(());
        };
        let mut now = present.clone();
        let mut opened = false;
        for step in steps {
            let lowers = matches!(&step, Step::RemoveOperator { operator } | Step::SetRole { operator, .. } if now.asker.as_ref() == Some(operator));
            match step {
                Step::SetQuorum { needed } => now.quorum = needed,
                Step::SetTerms { connection, before, after, direction, opens } => {
                    prop_assert_eq!(direction, classify(&before, &after));
                    prop_assert_eq!(&*before, &Terms::of(named(&mut now, &connection)));
                    let widens = direction == Direction::Widens;
                    prop_assert!(widens || !opened, "what narrows comes first");
                    opened |= widens;
                    let one = named(&mut now, &connection);
                    after.put(one);
                    if let Some(what) = opens {
                        prop_assert!(widens && what.opens());
                        one.state = moved(one.state, what);
                    }
                }
                Step::Go { connection, what } => {
                    let closes = matches!(what, Move::Suspend | Move::Revoke);
                    prop_assert!(!closes || !opened, "what closes comes first");
                    opened |= !closes;
                    let one = named(&mut now, &connection);
                    one.state = moved(one.state, what);
                }
                Step::SetRole { operator, role } => {
                    prop_assert!(lowers || !opened, "people come before what opens");
                    now.operators.insert(operator, role);
                }
                Step::RemoveOperator { operator } => {
                    now.operators.remove(&operator);
                }
            }
            // At every step: else the gate refuses it.
            prop_assert!(super::enough(owners(&now.operators), now.quorum).is_ok());
        }
        prop_assert_eq!(plan(&now, &declared), Ok(Vec::new()));
        for one in &now.connections {
            let named = declared.connections.contains_key(&one.name);
            prop_assert!(named || one.state != State::Active, "not declared, not let in");
        }
    }
}

#[test]
fn what_cannot_be_made_is_named_all_of_it() {
    let present = Present {
        quorum: 1,
        operators: [("ann".to_owned(), OperatorRole::Owner)].into(),
        connections: vec![Connection {
            state: State::Revoked,
            ..connection("gone", ProviderRole::Viewer, accounts([1]))
        }],
        asker: None,
    };
    let mut declared = Declared::of(&Present {
        connections: ["gone", "new"]
            .map(|name| connection(name, ProviderRole::Viewer, accounts([1])))
            .into(),
        ..present.clone()
    });
    declared.quorum = Some(0);
    let people = declared.operators.as_mut().expect("people");
    people.insert("bob".to_owned(), OperatorRole::Admin);
    let Err(Fault::Cannot(faults)) = plan(&present, &declared) else {
        panic!("nothing is wrong?");
    };
    for word in ["bob", "quorum", "gone is REVOKED", "no connection new"] {
        assert!(
            faults.iter().any(|fault| fault.contains(word)),
            "{word}: {faults:?}"
        );
    }
}

#[test]
fn a_slip_in_the_file_is_told_with_its_place() {
    let present = Present {
        quorum: 1,
        connections: vec![connection("acme", ProviderRole::Viewer, accounts([1]))],
        ..Present::default()
    };
    let file = Declared::of(&present).write().expect("a file");
    let slip = file.replace("until", "unitl");
    let fault = Declared::read(&slip).expect_err("a slip").to_string();
    assert!(fault.contains("unitl") && fault.contains("line"), "{fault}");
    assert!(Declared::read(&file.replace("VIEWER", "ADMIN")).is_err());
}

/// A slip of the pen in what hides must not show everything.
#[test]
fn invariant_7_a_dimension_that_is_not_known_is_refused() {
    let present = Present {
        quorum: 1,
        operators: [("owner".to_owned(), OperatorRole::Owner)].into(),
        connections: vec![connection("acme", ProviderRole::Viewer, accounts([1]))],
        asker: None,
    };
    let file = Declared::of(&present).write().expect("a file");
    assert!(Declared::read(&file).is_ok());
    let slip = file.replacen(".scope]\n", ".scope]\nhistory_form = 1767225600000\n", 1);
    assert_ne!(file, slip, "{file}");
    let refused = Declared::read(&slip).expect_err("not known");
    assert!(refused.to_string().contains("history_form"), "{refused}");
}

fn of_two(quorum: u32, connections: Vec<Connection>) -> Present {
    let people = [
        ("ann", OperatorRole::Owner),
        ("bob", OperatorRole::Admin),
        ("zoe", OperatorRole::Owner),
    ];
    Present {
        quorum,
        operators: people.map(|(name, role)| (name.to_owned(), role)).into(),
        connections,
        asker: Some("ann".to_owned()),
    }
}

/// An owner and an admin change places, and a door is shut: by name the last owner would go first, and
/// the door would be left open.
#[test]
fn doors_are_shut_first_and_who_asks_goes_last() {
    let mut present = of_two(
        1,
        vec![connection("acme", ProviderRole::Viewer, accounts([1]))],
    );
    present.operators.remove("zoe");
    let mut declared = Declared::of(&present);
    let people = declared.operators.as_mut().expect("people");
    people.insert("ann".to_owned(), OperatorRole::Admin);
    people.insert("bob".to_owned(), OperatorRole::Owner);
    let acme = declared.connections.get_mut("acme").expect("a connection");
    acme.state = State::Suspended;
    let role = |operator: &str, role| Step::SetRole {
        operator: operator.to_owned(),
        role,
    };
    let expected = vec![
        go("acme", Move::Suspend),
        role("bob", OperatorRole::Owner),
        role("ann", OperatorRole::Admin),
    ];
    assert_eq!(plan(&present, &declared), Ok(expected));
    declared.quorum = Some(2);
    let told = plan(&present, &declared)
        .expect_err("one owner")
        .to_string();
    assert!(
        told.contains("1 owners would be left, and 2 must sign"),
        "{told}"
    );
}

#[test]
fn what_is_widened_and_opened_is_one_change() {
    let mut acme = connection("acme", ProviderRole::Viewer, accounts([1]));
    acme.state = State::Suspended;
    let before = Terms::of(&acme);
    let present = of_two(2, vec![acme]);
    let mut declared = Declared::of(&present);
    let acme = declared.connections.get_mut("acme").expect("a connection");
    acme.state = State::Active;
    acme.forward = true;
    let steps = plan(&present, &declared).expect("steps");
    let [step] = steps.as_slice() else {
        panic!("{steps:?}");
    };
    let after = Terms {
        forward: true,
        ..before.clone()
    };
    let change = Change::Terms {
        connection: "acme".to_owned(),
        before: before.into(),
        after: after.into(),
        opens: Some(Move::Resume),
    };
    assert_eq!(change.words(), "widen connection acme, and resume it");
    assert_eq!(step.asks(&present), Some(change));
}
