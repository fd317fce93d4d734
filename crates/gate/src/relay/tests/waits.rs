//! What waits to be sent when a scope changes.

use ledger::Directions;
use store::testing::TestStore;

use super::super::anew;
use super::*;
use crate::rows::tests::forget_scopes;

/// A gate with this connection.
async fn gate_with(store: TestStore, connection: &Connection) -> World {
    let world = World::over(store).await;
    becomes(&world, connection.clone()).await;
    world
}

/// The connection is this from now on.
async fn becomes(world: &World, connection: Connection) {
    let put = world.gate.deed(move |deed| {
        rows::connections::put_connection(deed.writing, deed.workspace, &connection)?;
        Ok(())
    });
    put.await.expect("written");
    world.gate.reload().await.expect("read");
}

fn with(part: PartScope) -> Connection {
    connection("acme", ProviderRole::Viewer, part)
}

/// These happen: the books take them in, and they are relayed.
async fn happen(world: &World, happenings: &[Happens]) {
    let events: Vec<_> = (100u128..)
        .zip(happenings)
        .map(|(number, what)| event(number, what))
        .collect();
    let changes = events.iter().flat_map(|(_, outcomes)| outcomes);
    let changes = changes.map(|outcome| (outcome.version, outcome.change.clone()));
    let applied = world.gate.books.apply(NOW, changes.collect());
    applied.await.expect("applied");
    let to = world.gate.directory.load_full();
    told(&world.gate.store, &to, events).await;
}

/// Everything that is due, by position: each is signed as it is.
async fn sent(world: &World) -> Vec<Value> {
    let outbox = RelayOutbox(Arc::clone(&world.gate));
    let due = outbox.due(NOW, HashSet::new(), 1_000).await.expect("due");
    let jwks = world.gate.jwks();
    let mut events: Vec<(i64, Value)> = due
        .deliveries
        .iter()
        .map(|delivery| {
            let header = |name: &str| delivery.headers[name].to_str().expect("text");
            let jws = header(protocol::signature::JWS_HEADER);
            protocol::signature::verify_jws(jws, &delivery.body, &jwks).expect("signed");
            let position = header("vestibule-position").parse().expect("a number");
            (
                position,
                serde_json::from_slice(&delivery.body).expect("JSON"),
            )
        })
        .collect();
    events.sort_by_key(|(position, _)| *position);
    let positions: Vec<_> = events.iter().map(|(position, _)| *position).collect();
    let count = i64::try_from(events.len()).expect("few");
    assert_eq!(positions, (1..=count).collect::<Vec<_>>(), "without a gap");
    events.into_iter().map(|(_, event)| event).collect()
}

fn everything() -> Vec<Happens> {
    vec![
        Happens::Moved(None, Goes::Account(2), 1),
        Happens::Moved(Some(2), Goes::Account(1), 1),
        Happens::Moved(Some(1), Goes::Wallet(1), 1),
        Happens::Made(2),
        Happens::Made(1),
        Happens::Added(2, 0),
        Happens::Balance(2, 0),
        Happens::Balance(1, 0),
        Happens::Listed(1, 0),
    ]
}

fn listed(accounts: PartScope) -> PartScope {
    PartScope {
        whitelists: [wallet_id(1)].into(),
        ..accounts
    }
}

on_both! {
    rooms: &ROOMS,
    async fn invariant_7_what_waits_is_sent_in_the_scope_of_now_alone(store: TestStore) {
        let wide = with(listed(accounts([1, 2])));
        let world = gate_with(store, &wide).await;
        happen(&world, &everything()).await;
        let before = sent(&world).await;
        assert_eq!(before.len(), everything().len());
        assert!(before.iter().all(|event| event["eventType"] != anew::WITHDRAWN));
        let narrow = with(accounts([1]));
        becomes(&world, narrow.clone()).await;
        let after = sent(&world).await;
        let id = narrow.scope(WORKSPACE).id().to_string();
        for ((event, before), what) in after.iter().zip(&before).zip(everything()) {
            assert_eq!(event["id"], before["id"]);
            if hears(&narrow.part, &what) {
                assert_eq!(event["eventType"], before["eventType"]);
                assert_eq!(event["resourceId"], before["resourceId"]);
            } else {
                let told = (&event["eventType"], &event["data"], &event["resourceId"]);
                let withdrawn = (&json!(anew::WITHDRAWN), &json!({"scope": id}), &Value::Null);
                assert_eq!(told, withdrawn, "{what:?}");
            }
        }
        // It came from outside, and went outside, as far as this scope shows.
        assert_eq!(after[1]["data"]["source"]["type"], "UNKNOWN");
        assert_eq!(after[2]["data"]["destination"]["type"], "UNKNOWN");
        let text = Value::from(after).to_string();
        for hidden in ["Account 2", "Wallet 1", "\"2\"", "the client's own"] {
            assert!(!text.contains(hidden), "{hidden}: {text}");
        }
        // Where the scope shows it again before it has arrived, nothing is lost.
        becomes(&world, wide.clone()).await;
        assert_eq!(sent(&world).await, before);
        becomes(&world, narrow).await;
        sent(&world).await;
        // So it stays, also for the process that comes next, and it is signed once.
        let kept = parcels(&world.gate.store, "acme").await;
        let world = world.again().await;
        let again = parcels(&world.gate.store, "acme").await;
        let signatures = |parcels: &[Parcel]| -> Vec<_> { parcels.iter().map(|one| one.jws.clone()).collect() };
        assert_eq!(signatures(&kept), signatures(&again));
        assert!(kept.iter().all(|one| one.jws.is_some()));
        sent(&world).await;
        assert_eq!(signatures(&kept), signatures(&parcels(&world.gate.store, "acme").await));
    }

    rooms: &ROOMS,
    async fn invariant_7_what_waits_shows_no_way_that_is_hidden_by_now(store: TestStore) {
        let world = gate_with(store, &with(accounts([1]))).await;
        // In the scope of then it went out.
        happen(&world, &[Happens::Moved(Some(1), Goes::Account(2), 1)]).await;
        assert_eq!(sent(&world).await[0]["data"]["destination"]["type"], "UNKNOWN");
        let ways = Directions { internal: false, ..Directions::default() };
        becomes(&world, with(PartScope { directions: ways, ..accounts([1, 2]) })).await;
        assert_eq!(sent(&world).await[0]["eventType"], anew::WITHDRAWN);
    }

    rooms: &ROOMS,
    async fn what_waits_when_a_scope_is_widened_is_told_as_it_shows_it(store: TestStore) {
        let world = gate_with(store, &with(accounts([1]))).await;
        let happenings = [
            Happens::Moved(Some(1), Goes::Account(2), 1),
            Happens::Balance(1, 0),
            Happens::Made(1),
        ];
        happen(&world, &happenings).await;
        becomes(&world, with(accounts([1, 2]))).await;
        let told = sent(&world).await;
        assert_eq!(told.len(), 3, "none is lost");
        assert_eq!(told[0]["data"]["destination"]["id"], "2");
        assert!(told.iter().all(|event| event["eventType"] != anew::WITHDRAWN));
    }

    rooms: &ROOMS,
    /// What an older gate has left says of no scope.
    async fn invariant_7_what_was_made_in_nobody_knows_which_scope_is_seen_anew(store: TestStore) {
        let world = gate_with(store, &with(accounts([1]))).await;
        happen(&world, &[Happens::Balance(1, 0)]).await;
        let before = sent(&world).await;
        write(&world.gate.store, |writing| forget_scopes(writing, "gate_deliveries")).await;
        assert_eq!(sent(&world).await, before);
        write(&world.gate.store, |writing| forget_scopes(writing, "gate_deliveries")).await;
        becomes(&world, with(accounts([2]))).await;
        assert_eq!(sent(&world).await[0]["eventType"], anew::WITHDRAWN);
    }

    rooms: &ROOMS,
    async fn what_is_of_no_scope_is_sent_in_each(store: TestStore) {
        let world = gate_with(store, &with(accounts([1]))).await;
        let to = Addressee::of(&with(accounts([1]))).expect("one");
        write(&world.gate.store, move |writing| {
            own_event(writing, WORKSPACE, &to, "vestibule.connection.ending", &json!({"days": 7}), NOW)
        }).await;
        let before = sent(&world).await;
        becomes(&world, with(accounts([2]))).await;
        assert_eq!(sent(&world).await, before);
        assert_eq!(before[0]["data"]["days"], 7);
    }
}
