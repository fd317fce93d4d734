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
    let operators = proptest::collection::btree_map("[a-z]{1,8}", roles, 1..5);
    (1..=MAX_QUORUM, operators, connections()).prop_map(|(quorum, operators, connections)| {
        Present {
            quorum,
            operators,
            connections,
        }
    })
}

fn named<'p>(present: &'p mut Present, name: &str) -> &'p mut Connection {
    let found = present.connections.iter_mut().find(|one| one.name == name);
    found.expect("a connection")
}

/// What becomes of a state, as the gate does it where one operator is quorum enough.
fn moved(state: State, what: &str) -> State {
    let one = Move::ALL.into_iter().find(|one| one.as_str() == what);
    let next = state.after(one.expect("a move")).expect("it fits");
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
        declared.operators = None;
        let Ok(steps) = plan(&present, &declared) else {
            return Ok(());
        };
        let mut now = present.clone();
        for step in steps {
            match step {
                Step::SetQuorum { needed } => now.quorum = needed,
                Step::SetTerms { connection, before, after, direction } => {
                    prop_assert_eq!(direction, classify(&before, &after));
                    prop_assert_eq!(&*before, &Terms::of(named(&mut now, &connection)));
                    after.put(named(&mut now, &connection));
                }
                Step::Go { connection, what } => {
                    let one = named(&mut now, &connection);
                    one.state = moved(one.state, what);
                }
                Step::SetRole { .. } | Step::RemoveOperator { .. } => prop_assert!(false),
            }
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
    };
    let file = Declared::of(&present).write().expect("a file");
    assert!(Declared::read(&file).is_ok());
    let slip = file.replacen(".scope]\n", ".scope]\nhistory_form = 1767225600000\n", 1);
    assert_ne!(file, slip, "{file}");
    let refused = Declared::read(&slip).expect_err("not known");
    assert!(refused.to_string().contains("history_form"), "{refused}");
}
