use std::fmt::Write;

use ledger::PartScope;
use protocol::operations::{self, Access, Method, by_id};
use protocol::role::{ProviderRole, Role};
use protocol::time::Millis;

use super::*;
use crate::testing::{accounts, connection};

/// What each operation comes to for a Viewer and an Editor; what follows on each line is asked for
/// over the wire, by the story of the same name. After a change that is meant, both of them write:
/// `ACCESS_GRID=write cargo nextest run -p gate -j 1 access_grid`, and read the difference.
const GRID: &str = include_str!("../../tests/access_grid.txt");
const GRID_FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/access_grid.txt");

fn of(role: ProviderRole) -> Connection {
    Connection {
        forward: true,
        ..connection("acme", role, accounts([1]))
    }
}

fn word(operation: &Operation, verdict: &Result<Permit, Denial>) -> String {
    match verdict {
        Ok(permit) => match permit.what() {
            What::Read => "read".to_owned(),
            What::Forward => class(operation).map_or_else(String::new, |class| class.to_string()),
            What::Propose => "propose".to_owned(),
        },
        Err(Denial::Closed) => "closed".to_owned(),
        Err(Denial::Fed) => "fed".to_owned(),
        Err(Denial::Role) => "role".to_owned(),
        Err(Denial::NotClassified) => "not-classified".to_owned(),
        Err(Denial::NotGranted) => "not-granted".to_owned(),
        Err(Denial::Hidden) => "hidden".to_owned(),
        Err(Denial::Never(reason)) => format!("never:{}", reason.as_str()),
    }
}

fn grid() -> String {
    let (viewer, editor) = (of(ProviderRole::Viewer), of(ProviderRole::Editor));
    let mut lines: Vec<_> = operations::all()
        .iter()
        .map(|operation| {
            let mut line = String::new();
            let _ = write!(
                line,
                "{} {} {} viewer={} editor={}",
                operation.path,
                operation.method,
                operation.id,
                word(operation, &decide(&viewer, operation)),
                word(operation, &decide(&editor, operation)),
            );
            line
        })
        .collect();
    lines.sort();
    lines.join("\n") + "\n"
}

/// The words of a line that are decided here.
fn decided(line: &str) -> &str {
    line.split_once(" nobody=")
        .map_or(line, |(decided, _)| decided)
}

/// No operation can be forgotten, and no verdict changes unseen.
#[test]
fn invariant_2_the_access_grid_is_as_it_was_decided() {
    let now = grid();
    if std::env::var("ACCESS_GRID").is_ok_and(|what| what == "write") {
        std::fs::write(GRID_FILE, &now).expect("written");
        return;
    }
    let (now, decided): (Vec<_>, Vec<_>) =
        (now.lines().collect(), GRID.lines().map(decided).collect());
    let fresh: Vec<_> = now.iter().filter(|line| !decided.contains(line)).collect();
    let gone: Vec<_> = decided.iter().filter(|line| !now.contains(line)).collect();
    assert!(
        fresh.is_empty() && gone.is_empty(),
        "new: {fresh:#?}\ngone: {gone:#?}"
    );
    assert_eq!(now.len(), operations::all().len());
}

/// Said again without `decide`'s own words: who the contract does not name does not come in.
#[test]
fn invariant_2_nothing_is_permitted_that_the_contract_does_not_give_the_role() {
    for (role, contract) in [
        (ProviderRole::Viewer, Role::Viewer),
        (ProviderRole::Editor, Role::Editor),
    ] {
        let connection = of(role);
        for operation in operations::all() {
            let Ok(permit) = decide(&connection, operation) else {
                continue;
            };
            assert!(
                operation.roles.contains(contract) || !operation.roles_stated,
                "{} is not for {contract}",
                operation.id
            );
            match permit.what() {
                What::Read | What::Forward => {
                    assert_eq!(operation.access, Access::Read, "{}", operation.id);
                }
                What::Propose => assert_eq!(operation.id, "createTransaction"),
            }
        }
    }
}

/// Invariant 1: of all that writes, one operation is offered, and it makes a proposal.
#[test]
fn invariant_1_the_one_write_is_a_proposal() {
    let offered = |role| {
        let connection = of(role);
        let all = operations::all().iter();
        let offered = all.filter(move |operation| {
            decide(&connection, operation).is_ok_and(|permit| permit.what() == What::Propose)
        });
        offered
            .map(|operation| operation.id.as_str())
            .collect::<Vec<_>>()
    };
    assert_eq!(offered(ProviderRole::Viewer), [""; 0]);
    assert_eq!(offered(ProviderRole::Editor), ["createTransaction"]);
}

#[test]
fn invariant_2_what_is_not_active_may_nothing() {
    for state in State::ALL
        .into_iter()
        .filter(|state| *state != State::Active)
    {
        for role in [ProviderRole::Viewer, ProviderRole::Editor] {
            let connection = Connection { state, ..of(role) };
            for operation in operations::all() {
                assert_eq!(decide(&connection, operation), Err(Denial::Closed));
            }
        }
    }
}

#[test]
fn invariant_2_what_is_fed_or_watched_reads_nothing_here() {
    for (mode, denial) in [(Mode::Fed, Denial::Fed), (Mode::Watched, Denial::Closed)] {
        for role in [ProviderRole::Viewer, ProviderRole::Editor] {
            let connection = Connection { mode, ..of(role) };
            for operation in operations::all() {
                assert_eq!(decide(&connection, operation), Err(denial));
            }
        }
    }
}

/// Off until it is granted, and then for what is asked upstream alone.
#[test]
fn invariant_2_nothing_is_asked_upstream_without_a_grant() {
    for role in [ProviderRole::Viewer, ProviderRole::Editor] {
        let granted = of(role);
        let bare = Connection {
            forward: false,
            ..granted.clone()
        };
        for operation in operations::all() {
            let (with, without) = (decide(&granted, operation), decide(&bare, operation));
            match &with {
                Ok(permit) if permit.what() == What::Forward => {
                    assert_eq!(without, Err(Denial::NotGranted), "{}", operation.id);
                }
                _ => assert_eq!(with, without, "{}", operation.id),
            }
        }
    }
}

/// A wallet's coins are the transactions that brought them.
#[test]
fn invariant_7_where_a_scope_hides_transactions_nothing_is_asked_of_its_wallets() {
    let shown = of(ProviderRole::Editor);
    let hides = |change: fn(&mut PartScope)| {
        let mut hides = shown.clone();
        change(&mut hides.part);
        hides
    };
    for hides in [
        hides(|part| part.history_from = Some(Millis(0))),
        hides(|part| part.directions.incoming = false),
        hides(|part| part.directions.outgoing = false),
        hides(|part| part.directions.internal = false),
        hides(|part| part.only_of = Some("acme".to_owned())),
    ] {
        let mut denied = 0;
        for operation in operations::all() {
            let (here, there) = (decide(&hides, operation), decide(&shown, operation));
            if class(operation) == Some(Class::Filter) {
                assert_eq!(here, Err(Denial::Hidden), "{}", operation.id);
                assert!(there.is_ok(), "{}", operation.id);
                denied += 1;
            } else {
                assert_eq!(here, there, "{}", operation.id);
            }
        }
        assert_eq!(denied, 2);
    }
}

/// An operation that a newer contract adds.
#[test]
fn invariant_2_an_operation_that_nobody_has_classified_is_refused() {
    let known = by_id("listAssets").expect("an operation");
    assert!(class(known).is_some() && !known.roles_stated);
    let fresh = |path: &'static str, method: Method| Operation {
        id: known.id,
        method,
        path,
        parameters: known.parameters.clone(),
        slash_too: known.slash_too,
        tag: known.tag,
        roles: known.roles,
        roles_stated: known.roles_stated,
        paging: known.paging,
        idempotent: known.idempotent,
        category: known.category,
        access: known.access,
        origin: known.origin,
    };
    let editor = of(ProviderRole::Editor);
    assert!(decide(&editor, &fresh(known.path, known.method)).is_ok());
    for fresh in [
        fresh("/assets/all", known.method),
        fresh(known.path, Method::Post),
    ] {
        assert_eq!(decide(&editor, &fresh), Err(Denial::NotClassified));
        assert_eq!(Denial::NotClassified.told(&fresh).status(), 403);
    }
}

/// A denial never tells that something is held which the role may not see.
#[test]
fn a_denial_is_told_in_fireblocks_own_words_or_with_a_reason() {
    let operation = by_id("createVaultAccount").expect("an operation");
    let told = |denial: Denial| {
        let error = denial.told(operation);
        (error.status(), error.code())
    };
    assert_eq!(told(Denial::Closed), (401, Some(-7)));
    assert_eq!(told(Denial::Role), (401, Some(-8)));
    for denial in Reason::ALL
        .map(Denial::Never)
        .into_iter()
        .chain([Denial::NotGranted])
    {
        assert_eq!(told(denial), (403, None));
        let message = denial.told(operation).message().to_owned();
        assert!(
            message.starts_with("createVaultAccount is not offered"),
            "{message}"
        );
    }
}
