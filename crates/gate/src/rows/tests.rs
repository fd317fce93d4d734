//! Every statement on both engines: what is written in one workspace is not there in another.

use ledger::Scope;
use ledger::reports::Kind;
use protocol::csr::CertificateSigningRequest;
use protocol::ids::{NotificationId, TxId, UserId, WorkspaceId};
use protocol::keys::KeyFingerprint;
use protocol::model::webhook::NotificationAttempt;
use protocol::role::ProviderRole;
use protocol::time::Millis;
use serde_json::json;
use store::{Query, Room, Row, Sql, Store, StoreError, Writing, on_both, params};
use uuid::Uuid;
use wire::hooks_out::Next;

use super::deliveries::{Fresh, MadeIn};
use super::reports::ReportRow;
use super::{
    ROOM, budgets, connections, csrs, deliveries, editors, gates, keys, letters, log, operators,
    proposals, reports, strays,
};
use crate::changes::{Change, ChangeRequest, ChangeState};
use crate::connections::{BudgetName, KeyState, Place};
use crate::log::{Actor, Entry, Event, append, root};
use crate::mail::Posted;
use crate::meters::{Added, Day, Meters, Used};
use crate::operators::OperatorRole;
use crate::proposals::{Proposal, State, Stopped, Stray, Why};
use crate::testing::{NOW, WORKSPACE, accounts, connection, held, write};

/// Every row of a table.
pub(crate) const ALL_OF: &str = "SELECT * FROM ";

/// Ends the sessions that hold claims, as a restart of the server does.
pub(crate) const CUT: &str = "SELECT CASE WHEN pg_terminate_backend(pid) THEN 1 ELSE 0 END FROM pg_locks
    WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// More than any table has.
const MAX_COLUMNS: usize = 32;

const HERE: WorkspaceId = WORKSPACE;
const THERE: WorkspaceId = WorkspaceId(Uuid::from_u128(8));
/// A third one, where nothing is written.
const ELSEWHERE: WorkspaceId = WorkspaceId(Uuid::from_u128(9));

const KEY: UserId = UserId(Uuid::from_u128(11));
const ID: Uuid = Uuid::from_u128(12);
/// A modulus that was seen.
const SEEN: &[u8] = &[0xc5; 256];

fn seen() -> String {
    KeyFingerprint::of_modulus(SEEN).to_string()
}

fn print() -> KeyFingerprint {
    crate::testing::KEY.public().fingerprint()
}

async fn read<T: Send + 'static>(
    store: &Store,
    work: impl FnOnce(&mut store::Reading<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.read(work).await.expect("read")
}

/// The same write in two workspaces: nothing of it may collide.
async fn in_both(
    store: &Store,
    work: impl Fn(&mut Writing<'_>, WorkspaceId) -> Result<(), StoreError> + Copy + Send + 'static,
) {
    for workspace in [HERE, THERE] {
        write(store, move |writing| work(writing, workspace)).await;
    }
}

/// Puts a table out of reach, and back.
pub(crate) fn rename(writing: &mut Writing<'_>, from: &str, to: &str) -> Result<(), StoreError> {
    writing
        .execute(&format!("ALTER TABLE {from} RENAME TO {to}"), &params![])
        .map(drop)
}

fn proposal(state: State) -> Proposal {
    let transfer =
        json!({"operation": "TRANSFER", "assetId": "ETH", "amount": "1", "externalTxId": "theirs"});
    Proposal {
        id: TxId(ID),
        connection: "acme".to_owned(),
        asset: "ETH".parse().expect("an asset"),
        transfer: serde_json::from_value(transfer).expect("a transfer"),
        place: Place::Gate,
        state,
        created_at: NOW,
        updated_at: NOW,
        decision: None,
        approved_upstream: None,
        upstream_id: None,
        taken_back: None,
        why: None,
        told: None,
        probe: None,
        went_up_as: [].into(),
    }
}

on_both! {
    rooms: &[ledger::ROOM, ROOM],
    async fn the_newest_letter_to_an_address_is_kept_in_its_workspace(store: TestStore) {
        let letter = |address: &str, days, next_at, trouble: Option<&str>| Posted {
            address: address.to_owned(),
            until: NOW,
            days,
            tries: 2,
            next_at,
            trouble: trouble.map(str::to_owned),
        };
        let put_off = letter("a@example.com", 14, Some(NOW), Some("451 later"));
        let (taken, other) = (letter("a@example.com", 7, None, None), letter("b@example.com", 7, None, None));
        let both = [taken.clone(), other.clone()];
        write(&store, move |writing| {
            for posted in [&other, &put_off, &taken] {
                letters::put(writing, HERE, "acme", posted)?;
            }
            letters::put(writing, THERE, "acme", &put_off)?;
            letters::put(writing, HERE, "bolt", &put_off)
        }).await;
        let here = read(&store, |reading| letters::of(reading, HERE, "acme")).await;
        assert_eq!(here, both);
        let there = read(&store, |reading| letters::of(reading, THERE, "acme")).await;
        assert_eq!(there.len(), 1);
        assert_eq!(there[0].trouble.as_deref(), Some("451 later"));
    }
}

on_both! {
    rooms: &[ledger::ROOM, ROOM],
    async fn what_was_used_is_of_one_workspace(store: TestStore) {
        let (day, next) = (Day::of(NOW), Day::of(NOW.plus(Millis::DAY)));
        let added = |day, counts| Added { day, counts };
        let used = |day, counts| Used { day, counts };
        in_both(&store, move |writing, workspace| {
            budgets::add(writing, workspace, "acme", &added(day, [1, 2, 3, 4]))?;
            budgets::add(writing, workspace, "acme", &added(day, [10, 0, 0, -1]))?;
            proposals::add(writing, workspace, &proposal(State::Waiting))
        }).await;
        let large = i64::from(u32::MAX);
        let today = read(&store, |reading| budgets::used(reading, HERE)).await;
        assert_eq!(today, [("acme".to_owned(), used(day, [11, 2, 3, 3]))].into());
        in_both(&store, move |writing, workspace| {
            budgets::add(writing, workspace, "acme", &added(next, [large, 0, 1, 2]))?;
            // A gate whose clock is behind.
            budgets::add(writing, workspace, "acme", &added(day, [5, 5, 5, 5]))
        }).await;
        for workspace in [HERE, THERE] {
            let now = read(&store, move |reading| budgets::used(reading, workspace)).await;
            assert_eq!(now, [("acme".to_owned(), used(next, [u64::from(u32::MAX), 0, 1, 2]))].into());
            let counted = |from| read(&store, move |reading| {
                proposals::counted(reading, workspace, "acme", from)
            });
            assert_eq!(counted(NOW).await, (1, 1));
            assert_eq!(counted(NOW.plus(1)).await, (0, 1));
        }
        let none = read(&store, |reading| budgets::used(reading, ELSEWHERE)).await;
        assert!(none.is_empty());
    }

    rooms: &[ledger::ROOM, ROOM],
    async fn invariant_6_several_gates_count_in_one_budget_and_know_of_each_other_with_each_fold(store: TestStore) {
        let rows = BudgetName::RowsPerDay;
        let mut acme = connection("acme", ProviderRole::Viewer, accounts([1]));
        acme.budgets = acme.budgets.granting(&[(rows, 1_000)].into());
        let gates = [Meters::default(), Meters::default(), Meters::default()];
        let meters = gates.each_ref().map(|gate| gate.of(&acme));
        let left = |at| meters.each_ref().map(|meter| meter.left(rows, at));
        let (day, midnight) = (Day::of(NOW), Day::of(NOW).ends());
        for _ in 0..10 {
            for (meter, many) in meters.iter().zip([1, 20, 0]) {
                assert_eq!(meter.take(rows, many, NOW), Ok(()));
            }
            meters[1].give_back(rows, 10, NOW);
            // At once: neither loses what the other adds.
            let all = gates.each_ref().map(|gate| gate.fold(&store, HERE, day));
            let [first, second, third] = all;
            let folded = tokio::join!(first, second, third);
            assert!(folded.0.is_ok() && folded.1.is_ok() && folded.2.is_ok(), "{folded:?}");
        }
        // What was added by the last one that folded is known to all with the next.
        for gate in &gates {
            gate.fold(&store, HERE, day).await.expect("folded");
        }
        assert_eq!(left(NOW), [Some(890); 3]);
        assert_eq!(meters[2].take(rows, 891, NOW).map_err(|error| error.status()), Err(429));
        // What was counted there is known to one that begins now, and to nobody of another workspace.
        let begun = Meters::open(&store, HERE).await.expect("read");
        assert_eq!(begun.of(&acme).left(rows, NOW), Some(890));
        let apart = Meters::open(&store, THERE).await.expect("read");
        assert_eq!(apart.of(&acme).left(rows, NOW), Some(1_000));
        // One is over midnight before the others.
        assert_eq!(meters[0].take(rows, 7, midnight), Ok(()));
        assert_eq!(meters[1].take(rows, 100, NOW), Ok(()));
        for gate in [0, 1, 2] {
            let day = if gate == 0 { Day::of(midnight) } else { day };
            gates[gate].fold(&store, HERE, day).await.expect("folded");
        }
        assert_eq!(left(midnight), [Some(993); 3]);
        // Nothing more is counted, and nothing is counted again.
        for gate in &gates {
            gate.fold(&store, HERE, Day::of(midnight)).await.expect("folded");
        }
        assert_eq!(left(midnight), [Some(993); 3]);
    }

    rooms: &[ledger::ROOM, ROOM],
    async fn settings_and_people_are_of_one_workspace(store: TestStore) {
        in_both(&store, |writing, workspace| {
            connections::set(writing, workspace, "viewer", "before")?;
            connections::set(writing, workspace, "viewer", &workspace.to_string())?;
            let key = crate::testing::KEY.public().spki_der();
            operators::add(writing, workspace, KEY, "owner", OperatorRole::Owner, key)?;
            let (other, role) = (UserId(Uuid::from_u128(workspace.0.as_u128() + 50)), OperatorRole::Auditor);
            operators::add(writing, workspace, other, &workspace.to_string(), role, key)
        }).await;
        for workspace in [HERE, THERE] {
            let setting = read(&store, move |reading| connections::setting(reading, workspace, "viewer")).await;
            assert_eq!(setting, Some(workspace.to_string()));
            let people = read(&store, move |reading| operators::all(reading, workspace)).await;
            let people: Vec<_> = people.iter().map(|one| (one.name.clone(), one.role)).collect();
            let other = workspace.to_string();
            assert_eq!(people, [(other.clone(), OperatorRole::Auditor), ("owner".to_owned(), OperatorRole::Owner)]);
            write(&store, move |writing| operators::set_role(writing, workspace, &other, OperatorRole::Admin)).await;
        }
        write(&store, |writing| operators::remove(writing, HERE, "owner", NOW)).await;
        let (here, there) = read(&store, |reading| Ok((operators::all(reading, HERE)?, operators::all(reading, THERE)?))).await;
        assert_eq!((here.len(), there.len()), (1, 2));
        assert!(there.iter().all(|one| one.role != OperatorRole::Auditor));
        assert_eq!(read(&store, |reading| operators::known(reading, HERE)).await.len(), 2, "no name is used twice");
        assert_eq!(read(&store, |reading| connections::setting(reading, ELSEWHERE, "viewer")).await, None);
        assert!(read(&store, |reading| operators::all(reading, ELSEWHERE)).await.is_empty());
    }

    rooms: &[ledger::ROOM, ROOM],
    async fn gates_and_the_version_of_connections_are_of_one_workspace(store: TestStore) {
        let gate = Uuid::from_u128(21);
        in_both(&store, move |writing, workspace| {
            gates::join(writing, workspace, gate, "b", NOW)?;
            gates::join(writing, workspace, gate, "b", NOW)
        }).await;
        write(&store, move |writing| {
            gates::changed(writing, HERE)?;
            assert!(gates::beat(writing, HERE, gate, 1, true)?);
            assert!(!gates::beat(writing, ELSEWHERE, gate, 1, true)?);
            // It has done something since.
            gates::forget(writing, HERE, gate, 0)
        }).await;
        let of = |workspace| read(&store, move |reading| {
            Ok((gates::version(reading, workspace)?, gates::all(reading, workspace)?))
        });
        let row = |beat, acknowledged, leads| {
            vec![gates::Row { instance: gate, name: "b".to_owned(), beat, acknowledged, leads }]
        };
        assert_eq!(of(HERE).await, (1, row(1, 1, true)));
        assert_eq!(of(THERE).await, (0, row(0, -1, false)));
        assert_eq!(of(ELSEWHERE).await, (0, Vec::new()));
        write(&store, move |writing| gates::forget(writing, HERE, gate, 1)).await;
        write(&store, move |writing| gates::leave(writing, THERE, gate)).await;
        assert_eq!((of(HERE).await.1, of(THERE).await.1), (Vec::new(), Vec::new()));
    }

    rooms: &[ledger::ROOM, ROOM],
    async fn changes_and_last_visits_are_of_one_workspace(store: TestStore) {
        let made = |at: i64| {
            let change = Change::SetQuorum { before: 1, after: 2 };
            ChangeRequest::new(change, "two of us".to_owned(), "owner", NOW.plus(at))
        };
        let all: Vec<_> = [0, 0, 1].map(made).into();
        let kept = all.clone();
        write(&store, move |writing| kept.iter().try_for_each(|one| operators::put_change(writing, HERE, one))).await;
        let mut seen = Vec::new();
        while let Some(one) = {
            let after = seen.last().map(|one: &ChangeRequest| (one.asked_at, one.id));
            read(&store, move |reading| operators::changes(reading, HERE, after, 1)).await.pop()
        } {
            seen.push(one);
        }
        let mut newest_first = all.clone();
        newest_first.sort_by_key(|one| (-one.asked_at.0, one.id.to_string()));
        assert_eq!(seen, newest_first);
        let id = all[0].id;
        let done = ChangeRequest { state: ChangeState::Made, ..all[0].clone() };
        let kept = done.clone();
        write(&store, move |writing| operators::put_change(writing, HERE, &kept)).await;
        assert_eq!(read(&store, move |reading| operators::change(reading, HERE, id)).await, Some(done));
        assert_eq!(read(&store, move |reading| operators::change(reading, THERE, id)).await, None);
        in_both(&store, |writing, workspace| {
            operators::put_seen(writing, workspace, "acme", NOW)?;
            operators::put_seen(writing, workspace, "acme", NOW.plus(workspace.0.as_u128() as i64))
        }).await;
        for workspace in [HERE, THERE] {
            let seen = read(&store, move |reading| operators::seen(reading, workspace)).await;
            assert_eq!(seen, [("acme".to_owned(), NOW.plus(workspace.0.as_u128() as i64))]);
        }
    }

    rooms: &[ledger::ROOM, ROOM],
    async fn connections_and_keys_are_of_one_workspace(store: TestStore) {
        in_both(&store, |writing, workspace| {
            let mut kept = connection("acme", ProviderRole::Viewer, accounts([1]));
            connections::put_connection(writing, workspace, &kept)?;
            kept.provider = workspace.to_string();
            connections::put_connection(writing, workspace, &kept)?;
            keys::put(writing, workspace, KEY, &held(&kept))?;
            let csr = |name: &str| {
                CertificateSigningRequest::new(&crate::testing::KEY, name, None).expect("a request")
            };
            csrs::keep(writing, workspace, print(), &csr(&workspace.to_string()), NOW)?;
            csrs::keep(writing, workspace, print(), &csr("again"), NOW)?;
            keys::used(writing, workspace, held(&kept).fingerprint(), NOW.plus(7))?;
            keys::used(writing, workspace, held(&kept).fingerprint(), NOW)?;
            keys::burn(writing, workspace, SEEN, NOW, "handed in")?;
            keys::burn(writing, workspace, SEEN, NOW, "again")
        }).await;
        for workspace in [HERE, THERE] {
            let all = read(&store, move |reading| connections::connections(reading, workspace)).await;
            assert_eq!(all.len(), 1);
            assert_eq!(all[0].provider, workspace.to_string());
            let one = read(&store, move |reading| connections::connection(reading, workspace, "acme")).await;
            assert_eq!(one.expect("there").provider, workspace.to_string());
            let kept = read(&store, move |reading| keys::of(reading, workspace, "acme")).await;
            assert_eq!((kept.len(), kept[0].last_used), (1, Some(NOW.plus(7))));
            let found = read(&store, move |reading| keys::one(reading, workspace, print())).await;
            assert_eq!(found.as_ref(), kept.first());
            assert_eq!(read(&store, move |reading| keys::living(reading, workspace)).await, kept);
            let csr = read(&store, move |reading| csrs::of(reading, workspace, &print().to_string())).await;
            let csr = CertificateSigningRequest::from_pem(&csr.expect("there")).expect("a request");
            let key = protocol::csr::check(&csr).expect("a key");
            assert_eq!((key.fingerprint(), key.subject().organization == Some(workspace.to_string())), (print(), true));
            assert!(read(&store, move |reading| keys::is_burned(reading, workspace, &seen())).await);
            assert_eq!(read(&store, move |reading| keys::moduli(reading, workspace)).await.len(), 2);
        }
        assert!(read(&store, |reading| connections::connections(reading, ELSEWHERE)).await.is_empty());
        assert!(read(&store, |reading| connections::connection(reading, ELSEWHERE, "acme")).await.is_none());
        assert!(read(&store, |reading| keys::one(reading, ELSEWHERE, print())).await.is_none());
        assert!(read(&store, |reading| csrs::of(reading, ELSEWHERE, &print().to_string())).await.is_none());
        assert!(read(&store, |reading| keys::living(reading, ELSEWHERE)).await.is_empty());
        assert!(!read(&store, |reading| keys::is_burned(reading, ELSEWHERE, &seen())).await);
        assert!(read(&store, |reading| keys::moduli(reading, ELSEWHERE)).await.is_empty());
        // Burned, it is living no more, and nothing brings it back.
        write(&store, |writing| keys::burn(writing, HERE, crate::testing::KEY.public().modulus(), NOW, "seen")).await;
        assert!(read(&store, |reading| keys::living(reading, HERE)).await.is_empty());
        let kept = read(&store, |reading| keys::of(reading, HERE, "acme")).await;
        assert_eq!(kept[0].state, KeyState::Burned);
        assert_eq!(read(&store, |reading| keys::living(reading, THERE)).await.len(), 1);
    }

    rooms: &[ledger::ROOM, ROOM],
    async fn proposals_are_of_one_workspace(store: TestStore) {
        in_both(&store, |writing, workspace| proposals::add(writing, workspace, &proposal(State::Waiting))).await;
        let again = store.write(|writing| proposals::add(writing, HERE, &proposal(State::Waiting))).await;
        assert!(again.expect_err("the same id").is_constraint());
        write(&store, |writing| proposals::update(writing, HERE, &proposal(State::Sent))).await;
        for (workspace, state, count) in [(HERE, State::Sent, 1), (THERE, State::Waiting, 1), (ELSEWHERE, State::Waiting, 0)] {
            let lists = read(&store, move |reading| Ok([
                proposals::one(reading, workspace, TxId(ID))?.into_iter().collect(),
                proposals::by_own_id(reading, workspace, "acme", "theirs")?.into_iter().collect(),
                proposals::in_state(reading, workspace, state.as_str())?,
                proposals::newest(reading, workspace, None, 10)?,
                if state == State::Sent {
                    proposals::just_sent(reading, workspace, "acme")?
                } else {
                    proposals::kept_here(reading, workspace, "acme")?
                },
            ])).await;
            for list in lists {
                assert_eq!(list.iter().filter(|one| one.state == state).count(), count);
                assert_eq!(list.len(), count);
            }
            let gone_up = read(&store, move |reading| proposals::gone_up(reading, workspace)).await;
            assert_eq!(gone_up.len(), usize::from(workspace == HERE));
        }
    }

    rooms: &[ledger::ROOM, ROOM],
    async fn strays_and_whether_anything_is_sent_are_of_one_workspace(store: TestStore) {
        let stray = |standing: &str, at: Millis| -> Stray {
            let stray = json!({"upstream": TxId(ID), "why": "NO_PROPOSAL", "standing": standing, "seen_at": at,
                "status": "SUBMITTED"});
            serde_json::from_value(stray).expect("a stray")
        };
        for workspace in [HERE, THERE] {
            let (first, second) = (stray("SUSPECTED", NOW), stray("RAISED", NOW.plus(1)));
            let (fresh, again) = store.write(move |writing| Ok::<_, StoreError>((
                strays::add(writing, workspace, &first)?,
                strays::add(writing, workspace, &second)?,
            ))).await.expect("written");
            assert!(fresh && !again, "the first word counts");
        }
        let raised = stray("RAISED", NOW);
        let stopped = Stopped { at: NOW, upstream: TxId(ID), why: Why::NoProposal };
        let (kept, stop) = (raised.clone(), stopped.clone());
        write(&store, move |writing| {
            strays::put(writing, HERE, &kept)?;
            strays::stop(writing, HERE, &stop)?;
            strays::begin(writing, HERE, NOW)
        }).await;
        let of = |workspace| read(&store, move |reading| Ok((
            strays::open(reading, workspace)?,
            strays::raised(reading, workspace)?,
            strays::stopped(reading, workspace)?,
            strays::held(reading, workspace)?.is_some(),
            strays::since(reading, workspace)?,
        )));
        assert_eq!(of(HERE).await, (vec![raised.clone()], vec![raised.clone()], Some(stopped), true, NOW));
        let suspected = stray("SUSPECTED", NOW);
        assert_eq!(of(THERE).await, (vec![suspected], Vec::new(), None, true, Millis(0)));
        assert_eq!(of(ELSEWHERE).await, (Vec::new(), Vec::new(), None, false, Millis(0)));
        write(&store, move |writing| strays::resume(writing, HERE)).await;
        assert_eq!(of(HERE).await, (vec![raised.clone()], vec![raised], None, false, NOW));
        write(&store, move |writing| strays::put(writing, THERE, &stray("CLEARED", NOW))).await;
        assert_eq!(of(THERE).await, (Vec::new(), Vec::new(), None, false, Millis(0)));
        // Cleared of one thing is not cleared of another.
        let (same, other) = (stray("SUSPECTED", NOW), Stray { why: Why::Differs, ..stray("SUSPECTED", NOW) });
        let suspected = other.clone();
        let (same, other) = store.write(move |writing| Ok::<_, StoreError>((
            strays::add(writing, THERE, &same)?,
            strays::add(writing, THERE, &other)?,
        ))).await.expect("written");
        assert!(!same && other);
        assert_eq!(of(THERE).await, (vec![suspected], Vec::new(), None, true, Millis(0)));
    }

    rooms: &[ROOM],
    async fn editors_are_of_one_workspace_and_stay(store: TestStore) {
        write(&store, |writing| {
            editors::add(writing, HERE, KEY, NOW)?;
            editors::add(writing, HERE, KEY, NOW.plus(1))?;
            editors::add(writing, THERE, KEY, NOW.plus(2))
        }).await;
        let of = |workspace| read(&store, move |reading| editors::all(reading, workspace));
        assert_eq!(of(HERE).await, [(KEY, NOW)].into(), "since the first time");
        assert_eq!(of(THERE).await, [(KEY, NOW.plus(2))].into());
        assert!(of(ELSEWHERE).await.is_empty());
    }

    rooms: &[ledger::ROOM, ROOM],
    async fn deliveries_are_of_one_workspace(store: TestStore) {
        in_both(&store, |writing, workspace| {
            let body = workspace.to_string();
            let fresh = Fresh { position: 1, id: NotificationId(ID), event_type: "a", at: NOW, body: body.as_bytes(), made_in: None };
            deliveries::add(writing, workspace, "acme", &fresh)
        }).await;
        let due = |workspace, now| read(&store, move |reading| deliveries::due(reading, workspace, "acme", now, 10));
        let mut here = due(HERE, NOW).await.remove(0);
        assert_eq!(here.body, HERE.to_string().as_bytes());
        assert_eq!((here.event_type.as_str(), here.made_in), ("a", MadeIn::None));
        here.jws = Some("signed".to_owned());
        (here.event_type, here.body, here.made_in) = ("b".to_owned(), "anew".into(), MadeIn::Scope("name".to_owned()));
        let again = NOW.plus(1_000);
        write(&store, move |writing| {
            deliveries::keep_body(writing, HERE, "acme", &here)?;
            deliveries::keep_signature(writing, HERE, "acme", &here)?;
            let attempt = NotificationAttempt { sent_time: NOW, duration: 1, response_code: Some(503), failure_reason: None };
            deliveries::record(writing, HERE, "acme", NotificationId(ID), &attempt, Next::Again(again))
        }).await;
        assert!(due(HERE, NOW).await.is_empty());
        let later = due(HERE, again).await.remove(0);
        assert_eq!((later.attempt, later.jws.as_deref()), (2, Some("signed")));
        assert_eq!((&*later.body, later.event_type.as_str()), (&b"anew"[..], "b"));
        assert_eq!(later.made_in, MadeIn::Scope("name".to_owned()));
        let there = due(THERE, NOW).await.remove(0);
        assert_eq!((there.attempt, there.jws, &*there.body), (1, None, THERE.to_string().as_bytes()));
        assert!(due(ELSEWHERE, again).await.is_empty());
        for (workspace, next, count) in [(HERE, Some(again), 1), (THERE, None, 1), (ELSEWHERE, None, 0)] {
            let seen = read(&store, move |reading| Ok((
                deliveries::next_due(reading, workspace, "acme", NOW)?,
                deliveries::counts(reading, workspace, "acme")?,
            ))).await;
            assert_eq!(seen, (next, [0, count, 0]));
        }
    }

    rooms: &[ledger::ROOM, ROOM],
    async fn reports_are_of_one_workspace_and_of_one_scope(store: TestStore) {
        let [scope, other] = [1, 2].map(|account| Scope::part(HERE, accounts([account])).id());
        in_both(&store, move |writing, workspace| {
            let report = ReportRow {
                id: ID, kind: Kind::Balances, created_at: NOW, position: 3, rows: 1, sha256: workspace.to_string(),
            };
            reports::put(writing, workspace, ("acme", scope), &report, workspace.to_string().as_bytes(), b"manifest")
        }).await;
        for workspace in [HERE, THERE] {
            let list = read(&store, move |reading| reports::of(reading, workspace, ("acme", scope))).await;
            assert_eq!(list.len(), 1);
            assert_eq!((list[0].id, list[0].kind, list[0].rows, &list[0].sha256), (ID, Kind::Balances, 1, &workspace.to_string()));
            let files = read(&store, move |reading| reports::files(reading, workspace, ("acme", scope), ID)).await;
            assert_eq!(files.expect("there").csv, workspace.to_string().as_bytes());
        }
        for (workspace, whose) in [(HERE, ("other", scope)), (HERE, ("acme", other)), (ELSEWHERE, ("acme", scope))] {
            assert!(read(&store, move |reading| reports::of(reading, workspace, whose)).await.is_empty());
            assert!(read(&store, move |reading| reports::files(reading, workspace, whose, ID)).await.is_none());
        }
        // What an older gate has written says of no scope: it is in none.
        write(&store, |writing| forget_scopes(writing, "gate_reports")).await;
        assert!(read(&store, move |reading| reports::of(reading, HERE, ("acme", scope))).await.is_empty());
        assert!(read(&store, move |reading| reports::files(reading, HERE, ("acme", scope), ID)).await.is_none());
    }

    rooms: &[ledger::ROOM, ROOM],
    async fn a_log_is_of_one_workspace(store: TestStore) {
        for (workspace, entries) in [(HERE, 3_i64), (THERE, 2)] {
            write(&store, move |writing| {
                for number in 0..entries {
                    let event = Event::ProposalRejected { proposal: TxId(ID), connection: None, reason: number.to_string(), told: None };
                    let index = append(writing, workspace, Millis(number), &Entry { actor: Actor::Gate, event })?;
                    assert_eq!(index, crate::rows::count(number));
                }
                log::put_checkpoint(writing, workspace, 2, &workspace.to_string())
            }).await;
        }
        for (workspace, entries) in [(HERE, 3), (THERE, 2)] {
            let (size, leaves, hashes, checkpoints) = read(&store, move |reading| Ok((
                root(reading, workspace)?.0,
                log::leaves(reading, workspace, 0, 10)?,
                log::hash_count(reading, workspace)?,
                log::checkpoints(reading, workspace)?,
            ))).await;
            assert_eq!((size, leaves.len()), (entries, usize::try_from(entries).expect("few")));
            assert_eq!(hashes, tlog_tiles::tlog::stored_hash_count(entries));
            assert_eq!(checkpoints, [(2, workspace.to_string())]);
        }
        let (size, hash) = read(&store, |reading| Ok((log::size(reading, ELSEWHERE)?, log::hash(reading, ELSEWHERE, 0)?))).await;
        assert_eq!((size, hash), (0, None));
        let of_kind = |workspace| read(&store, move |reading| log::of_kind(reading, workspace, "proposal_rejected", 2));
        assert_eq!((of_kind(HERE).await.len(), of_kind(ELSEWHERE).await.len()), (2, 0));
        let range = read(&store, |reading| log::hashes(reading, THERE, 1..3)).await;
        assert_eq!(range.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [1, 2]);
        let erased = |index| write(&store, move |writing| log::erase(writing, HERE, index));
        assert!(erased(1).await && !erased(1).await && !erased(9).await);
        assert_eq!((of_kind(HERE).await.len(), of_kind(THERE).await.len()), (1, 2));
    }

    rooms: &[ledger::ROOM, ROOM],
    async fn cosignatures_are_of_one_workspace(store: TestStore) {
        in_both(&store, |writing, workspace| {
            for size in [2, 3] {
                log::put_checkpoint(writing, workspace, size, &format!("{workspace} {size}\n"))?;
            }
            for (size, witness) in [(2, "a"), (2, "b"), (3, "a")] {
                log::put_cosignature(writing, workspace, size, witness, (NOW, "before\n"))?;
                log::put_cosignature(writing, workspace, size, witness, (NOW.plus(1), witness))?;
            }
            Ok(())
        }).await;
        write(&store, |writing| log::put_cosignature(writing, HERE, 3, "b", (NOW, "b"))).await;
        for (workspace, by_two) in [(HERE, Some((3, format!("{HERE} 3\nab")))), (THERE, Some((2, format!("{THERE} 2\nab")))), (ELSEWHERE, None)] {
            let (two, three, newest, word) = read(&store, move |reading| Ok((
                log::newest_cosigned(reading, workspace, 2)?,
                log::newest_cosigned(reading, workspace, 3)?,
                log::newest_checkpoint(reading, workspace)?,
                log::cosigned(reading, workspace, "a")?,
            ))).await;
            assert_eq!((two, three), (by_two.clone(), None));
            let both = ["a".to_owned(), "b".to_owned()];
            let (most, above, other) = read(&store, move |reading| Ok((
                log::most_cosigned(reading, workspace, 1, &both)?,
                log::most_cosigned(reading, workspace, 3, &both)?,
                log::most_cosigned(reading, workspace, 1, &["c".to_owned()])?,
            ))).await;
            assert_eq!((most, above, other), (by_two.clone().map(|(_, note)| (2, note)), None, None));
            assert_eq!(newest.is_some(), by_two.is_some());
            assert_eq!(word, by_two.map(|_| (3, NOW.plus(1))));
        }
        let (signed, all) = read(&store, |reading| Ok((log::newest_signed(reading, THERE)?, log::checkpoints(reading, THERE)?))).await;
        assert_eq!(signed, Some((3, format!("{THERE} 3\n"))));
        assert_eq!(all, [(2, format!("{THERE} 2\nab")), (3, format!("{THERE} 3\na"))]);
    }

    rooms: &[ledger::ROOM, ROOM],
    async fn a_store_has_lives_and_is_shut_for_one_workspace(store: TestStore) {
        let epoch = |workspace| write(&store, move |writing| connections::epoch(writing, workspace));
        let (here, there) = (epoch(HERE).await, epoch(THERE).await);
        assert!(here != there && here == epoch(HERE).await);
        write(&store, |writing| {
            connections::set_epoch(writing, HERE, ID)?;
            connections::set_quarantine(writing, HERE, true)
        }).await;
        assert_eq!((epoch(HERE).await, epoch(THERE).await), (ID, there));
        let shut = |workspace| read(&store, move |reading| connections::quarantined(reading, workspace));
        assert!(shut(HERE).await && !shut(THERE).await && !shut(ELSEWHERE).await);
        write(&store, |writing| connections::set_quarantine(writing, HERE, false)).await;
        assert!(!shut(HERE).await);
    }
}

/// The statements that made these rooms' tables.
fn statements(rooms: &[Room]) -> impl Iterator<Item = &'static str> {
    let migrations = rooms.iter().flat_map(|room| room.migrations);
    let texts = migrations.map(|migration| match migration.sql {
        Sql::Same(sql) | Sql::PerEngine { sqlite: sql, .. } => sql,
    });
    texts.flat_map(|text| text.split(';')).map(str::trim)
}

/// The names of these rooms' tables.
pub(crate) fn tables(rooms: &[Room]) -> impl Iterator<Item = &'static str> {
    statements(rooms).filter_map(|sql| sql.split_once("CREATE TABLE ")?.1.split(' ').next())
}

/// Rows as a gate has written them that knew of no scopes.
pub(crate) fn forget_scopes(writing: &mut Writing<'_>, table: &str) -> Result<(), StoreError> {
    let sql = format!("UPDATE {table} SET scope = NULL");
    writing.execute(&sql, &[]).map(drop)
}

/// What a table holds, as text.
pub(crate) fn text_of(query: &mut impl Query, table: &str) -> Result<String, StoreError> {
    let cell = |row: &Row, column| match (row.opt_text(column), row.opt_bytes(column)) {
        (Ok(Some(text)), _) => format!("{text}\n"),
        (_, Ok(Some(bytes))) => format!("{}\n", String::from_utf8_lossy(bytes)),
        _ => String::new(),
    };
    let rows = query.rows(&format!("{ALL_OF}{table}"), &[])?;
    let text = |row: &Row| -> String { (0..MAX_COLUMNS).map(|column| cell(row, column)).collect() };
    Ok(rows.iter().map(text).collect())
}

/// A table that is added later is held to it, too.
#[test]
fn the_workspace_leads_every_key() {
    for sql in statements(&[ROOM]) {
        let key = if sql.contains("CREATE TABLE") {
            "PRIMARY KEY (workspace, "
        } else {
            " (workspace, "
        };
        let makes = sql.contains("CREATE ");
        assert!(!makes || sql.contains(key), "{sql}");
        assert!(!sql.contains(" UNIQUE,"), "an index says of what: {sql}");
    }
    assert_eq!(tables(&[ROOM]).count(), 22);
}
