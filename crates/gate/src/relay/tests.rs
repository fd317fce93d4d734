mod waits;

use std::collections::HashSet;

use ledger::change::Origin;
use ledger::{AccountFacts, AssetFilter, PartScope, Version};
use proptest::prelude::*;
use protocol::ids::{AssetId, TxId, VaultAccountId, WalletId};
use protocol::model::transaction::{Peer, PeerKind, Transaction};
use protocol::model::webhook::NotificationAttempt;
use protocol::role::ProviderRole;
use serde_json::Value;
use store::testing::{Engine, TestStore};
use store::{Store, on_both};
use wire::hooks_out::{Next, Outbox};

use super::*;
use crate::connections::{Connection, Place};
use crate::operations::connections::approve;
use crate::operations::handed_in::HandedIn;
use crate::operations::request::{Request, request};
use crate::rows::deliveries::{Parcel, due};
use crate::start::ROOMS;
use crate::testing::{
    KEY, NOW, WORKSPACE, World, accounts, connection, directory, handover, write,
};

const ASSETS: [&str; 3] = ["BTC", "ETH", "USDC"];

/// Something that happens in the workspace. Accounts 1 to 4, whitelisted wallets 1 to 3.
#[derive(Clone, Debug)]
enum Happens {
    Moved(Option<u32>, Goes, usize),
    Made(u32),
    Added(u32, usize),
    Balance(u32, usize),
    Listed(u128, usize),
}

/// Where a transfer goes.
#[derive(Clone, Copy, Debug)]
enum Goes {
    Account(u32),
    Wallet(u128),
}

fn happens() -> impl Strategy<Value = Happens> {
    let to = prop_oneof![
        (1u32..5).prop_map(Goes::Account),
        (1u128..4).prop_map(Goes::Wallet)
    ];
    prop_oneof![
        (proptest::option::of(1u32..5), to, 0usize..3)
            .prop_map(|(from, to, asset)| Happens::Moved(from, to, asset)),
        (1u32..5).prop_map(Happens::Made),
        (1u32..5, 0usize..3).prop_map(|(account, asset)| Happens::Added(account, asset)),
        (1u32..5, 0usize..3).prop_map(|(account, asset)| Happens::Balance(account, asset)),
        (1u128..4, 0usize..3).prop_map(|(wallet, asset)| Happens::Listed(wallet, asset)),
    ]
}

fn wallet_id(number: u128) -> WalletId {
    WalletId(Uuid::from_u128(0xaa00 + number))
}

fn asset(number: usize) -> AssetId {
    ASSETS[number].parse().expect("an asset")
}

/// The event that tells it, and what the books made of it.
fn event(number: u128, what: &Happens) -> (Envelope, Vec<Outcome>) {
    let mut outcomes = Vec::new();
    let mut applied = |change| {
        outcomes.push(Outcome {
            version: Version::at(NOW),
            change,
            applied: Applied::Changed,
        });
    };
    let (kind, data) = match what {
        Happens::Moved(from, to, of) => {
            let vault = |number: u32| Peer {
                kind: PeerKind::VaultAccount,
                id: Some(number.to_string()),
                name: format!("Account {number}"),
                sub_type: String::new(),
            };
            let transaction = Transaction {
                source: from.map_or(Peer::UNKNOWN, vault),
                destination: match to {
                    Goes::Account(number) => vault(*number),
                    Goes::Wallet(number) => Peer {
                        kind: PeerKind::ExternalWallet,
                        id: Some(wallet_id(*number).to_string()),
                        name: format!("Wallet {number}"),
                        sub_type: "External".to_owned(),
                    },
                },
                note: "the client's own words".to_owned(),
                external_tx_id: Some("the client's own id".to_owned()),
                created_by: "somebody of the client's".to_owned(),
                signed_by: vec!["somebody of the client's".to_owned()],
                ..Transaction::new(TxId(Uuid::from_u128(number)), asset(*of), NOW)
            };
            let data = json!(transaction);
            applied(Change::Transaction(
                Box::new(transaction),
                Origin::default(),
            ));
            ("transaction.status.updated", data)
        }
        Happens::Made(account) => {
            let facts = AccountFacts {
                id: VaultAccountId::new(*account),
                name: format!("Account {account}"),
                hidden_on_ui: false,
                customer_ref_id: Some("the client's own words".to_owned()),
                auto_fuel: false,
                tags: Vec::new(),
            };
            applied(Change::Account(facts));
            ("vault_account.created", json!({}))
        }
        Happens::Added(account, of) => (
            "vault_account.asset.added",
            json!({"accountId": account.to_string(), "accountName": format!("Account {account}"), "assetId": asset(*of)}),
        ),
        Happens::Balance(account, of) => (
            "vault_account.asset.balance_updated",
            json!({"vaultAccountId": account.to_string(), "assetId": asset(*of), "total": "5", "pending": "0", "frozen": "0"}),
        ),
        Happens::Listed(wallet, of) => (
            "external_wallet.asset.added",
            json!({"assetId": asset(*of), "walletId": wallet_id(*wallet), "walletName": format!("Wallet {wallet}"),
                "address": "0x00", "secretOfTheFuture": "the client's own words"}),
        ),
    };
    let envelope = json!({"id": Uuid::from_u128(number), "resourceId": null, "webhookId": Uuid::from_u128(2),
        "workspaceId": WORKSPACE, "eventType": kind, "createdAt": NOW, "data": data});
    (
        serde_json::from_value(envelope).expect("an envelope"),
        outcomes,
    )
}

/// Whether a connection hears of it, said without the books' own words.
fn hears(part: &PartScope, what: &Happens) -> bool {
    let account = |number: u32| part.accounts.contains(&VaultAccountId::new(number));
    let of = |number: usize| match &part.assets {
        AssetFilter::All => true,
        AssetFilter::Only(assets) => assets.contains(&asset(number)),
    };
    match what {
        Happens::Moved(from, to, asset) => {
            let to = matches!(to, Goes::Account(to) if account(*to));
            of(*asset) && (from.is_some_and(account) || to)
        }
        Happens::Made(number) => account(*number),
        Happens::Added(number, asset) | Happens::Balance(number, asset) => {
            account(*number) && of(*asset)
        }
        Happens::Listed(wallet, asset) => {
            part.whitelists.contains(&wallet_id(*wallet)) && of(*asset)
        }
    }
}

/// One account; two of one asset, and a whitelisted wallet; all; and one without a webhook.
fn connections() -> Vec<Connection> {
    let mut narrow = accounts([2, 3]);
    narrow.assets = AssetFilter::Only([asset(1)].into());
    narrow.whitelists = [wallet_id(1)].into();
    let mut wide = accounts([1, 2, 3, 4]);
    wide.whitelists = [1, 2, 3].map(wallet_id).into();
    let made = |name: &str, part| connection(name, ProviderRole::Viewer, part);
    vec![
        made("one", accounts([1])),
        made("narrow", narrow),
        made("wide", wide.clone()),
        Connection {
            webhook: None,
            ..made("deaf", wide)
        },
    ]
}

async fn told(store: &Store, to: &Arc<Directory>, events: Vec<(Envelope, Vec<Outcome>)>) {
    let to = Arc::clone(to);
    let events = Arc::new(events);
    write(store, move |writing| {
        for (envelope, outcomes) in events.iter() {
            let told = of_event(envelope, outcomes).expect("told");
            relay(writing, WORKSPACE, &to, &told, NOW)?;
        }
        Ok(())
    })
    .await;
}

async fn parcels(store: &Store, name: &str) -> Vec<Parcel> {
    let name = name.to_owned();
    let read = store.read(move |reading| due(reading, WORKSPACE, &name, NOW, 1_000));
    let mut parcels = read.await.expect("parcels");
    parcels.sort_by_key(|parcel| parcel.position);
    parcels
}

async fn position(store: &Store, connection: &Connection) -> i64 {
    let subscriber = connection.subscriber();
    let read = store.read(move |reading| positions::current(reading, WORKSPACE, &subscriber));
    read.await.expect("a position")
}

fn rooms() -> [store::Room; 2] {
    [ledger::ROOM, rows::ROOM]
}

async fn scopes_hold(engine: Engine, happenings: &[Happens]) {
    let store = TestStore::new(engine, &rooms()).await;
    let all = connections();
    let to = Arc::new(directory(all.clone()));
    let events: Vec<_> = (100u128..)
        .zip(happenings)
        .map(|(number, what)| event(number, what))
        .collect();
    told(&store, &to, events).await;
    for connection in &all {
        let part = &connection.part;
        let heard: Vec<_> = happenings.iter().filter(|what| hears(part, what)).collect();
        // Positions count what is heard, without a gap: what is not heard leaves no trace.
        let count = i64::try_from(heard.len()).expect("few");
        assert_eq!(
            position(&store, connection).await,
            count,
            "{}",
            connection.name
        );
        let parcels = parcels(&store, &connection.name).await;
        if connection.webhook.is_none() {
            assert!(parcels.is_empty());
            continue;
        }
        let positions: Vec<_> = parcels.iter().map(|parcel| parcel.position).collect();
        assert_eq!(
            positions,
            (1..=count).collect::<Vec<_>>(),
            "{}",
            connection.name
        );
        let hidden: Vec<String> = (1u32..5)
            .filter(|number| !part.accounts.contains(&VaultAccountId::new(*number)))
            .map(|number| format!("Account {number}"))
            .chain(
                (1u128..4)
                    .filter(|n| !part.whitelists.contains(&wallet_id(*n)))
                    .map(|n| format!("Wallet {n}")),
            )
            .chain(["the client's own".to_owned(), "somebody".to_owned()])
            .collect();
        for (parcel, what) in parcels.iter().zip(heard) {
            let body = String::from_utf8_lossy(&parcel.body);
            for word in &hidden {
                assert!(
                    !body.contains(word),
                    "{} hears {word} of {what:?}: {body}",
                    connection.name
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn invariant_7_a_relay_tells_what_the_scope_shows_and_no_more(
        happenings in proptest::collection::vec(happens(), 1..30)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(scopes_hold(Engine::Sqlite, &happenings));
    }
}

/// A whitelisted wallet in scope does not bring assets with it that are not.
#[tokio::test]
async fn invariant_7_a_whitelist_event_tells_of_assets_in_scope_alone() {
    for engine in [Engine::Sqlite, Engine::Postgres] {
        scopes_hold(engine, &[Happens::Listed(1, 0)]).await;
        scopes_hold(engine, &[Happens::Listed(1, 1)]).await;
    }
}

on_both! {
    rooms: &rooms(),
    /// Each connection's events are its own: another id, another webhook, its own position.
    async fn the_same_event_is_another_one_for_everybody(store: TestStore) {
        let to = Arc::new(directory(connections()));
        told(
            &store,
            &to,
            vec![event(5, &Happens::Moved(Some(2), Goes::Account(1), 1))],
        )
        .await;
        let mut ids = HashSet::from([Uuid::from_u128(5)]);
        for connection in connections()
            .iter()
            .filter(|connection| connection.webhook.is_some())
        {
            let parcels = parcels(&store, &connection.name).await;
            let body: Value = serde_json::from_slice(&parcels[0].body).expect("JSON");
            let webhook = connection.webhook.as_ref().expect("a webhook").id;
            assert_eq!(body["webhookId"], json!(webhook));
            assert_eq!(body["workspaceId"], json!(WORKSPACE));
            assert_eq!(body["resourceId"], json!(Uuid::from_u128(5)));
            assert!(ids.insert(parcels[0].id.0), "an id of its own");
            let (source, destination) = (&body["data"]["source"], &body["data"]["destination"]);
            match connection.name.as_str() {
                "one" => assert_eq!(
                    (&source["type"], &destination["id"]),
                    (&json!("UNKNOWN"), &json!("1"))
                ),
                "narrow" => assert_eq!(
                    (&source["id"], &destination["type"]),
                    (&json!("2"), &json!("UNKNOWN"))
                ),
                _ => assert_eq!(
                    (&source["id"], &destination["id"]),
                    (&json!("2"), &json!("1"))
                ),
            }
        }
    }

    rooms: &rooms(),
    async fn who_is_suspended_hears_nothing_and_has_no_position_for_it(store: TestStore) {
        let mut one = connections().remove(0);
        let moved = || vec![event(rand::random(), &Happens::Made(1))];
        told(&store, &Arc::new(directory([one.clone()])), moved()).await;
        one.state = crate::connections::State::Suspended;
        told(&store, &Arc::new(directory([one.clone()])), moved()).await;
        assert_eq!(position(&store, &one).await, 1);
        one.state = crate::connections::State::Active;
        told(&store, &Arc::new(directory([one.clone()])), moved()).await;
        assert_eq!(position(&store, &one).await, 2);
    }
}

/// A gate with one connection, and an event on its way to it.
async fn on_its_way(store: TestStore) -> World {
    let world = World::over(store).await;
    let ask = Request {
        name: "acme".to_owned(),
        handover: HandedIn::text(&handover(&KEY).to_json()),
        role: None,
        scope: None,
        addresses: None,
        addresses_reason: None,
        client_certificate: None,
        place: Place::Gate,
        mode: crate::connections::Mode::Guarded,
        until: None,
        contact: None,
    };
    request(&world.gate, &world.operator, ask)
        .await
        .expect("kept");
    approve(
        &world.gate,
        &world.operator,
        "acme",
        crate::testing::grant(),
    )
    .await
    .expect("approved");
    let to = world.gate.directory.load_full();
    told(
        &world.gate.store,
        &to,
        vec![event(5, &Happens::Balance(1, 0))],
    )
    .await;
    world
}

async fn next(world: &World, now: Millis) -> Option<wire::hooks_out::Delivery> {
    let outbox = RelayOutbox(Arc::clone(&world.gate));
    let due = outbox.due(now, HashSet::new(), 10).await.expect("due");
    assert!(due.deliveries.len() <= 1);
    due.deliveries.into_iter().next()
}

async fn answered(world: &World, code: u16, next: Next) {
    let outbox = RelayOutbox(Arc::clone(&world.gate));
    let due = outbox.due(NOW, HashSet::new(), 1).await.expect("due");
    let delivery = due.deliveries.into_iter().next().expect("a delivery");
    let attempt = NotificationAttempt {
        sent_time: NOW,
        duration: 1,
        response_code: Some(code),
        failure_reason: None,
    };
    outbox
        .record(delivery, attempt, next)
        .await
        .expect("recorded");
}

on_both! {
    rooms: &ROOMS,
    async fn invariant_4_a_delivery_survives_the_process_signed_as_it_was(store: TestStore) {
        let world = on_its_way(store).await;
        let before = next(&world, NOW).await.expect("due");
        let jwks = world.gate.jwks();
        let world = world.again().await;
        let after = next(&world, NOW).await.expect("still due");
        assert_eq!(
            (
                &after.body,
                &after.headers,
                after.notification,
                after.attempt
            ),
            (&before.body, &before.headers, before.notification, 1)
        );
        let header = |name: &str| {
            let value = after.headers.get(name);
            value.map(|value| value.to_str().expect("text"))
        };
        let signature = header(protocol::signature::JWS_HEADER).expect("signed");
        protocol::signature::verify_jws(signature, &after.body, &jwks).expect("by the gate's key");
        assert_eq!(header("vestibule-position"), Some("1"));
        assert_eq!(
            header(protocol::signature::LEGACY_HEADER),
            None,
            "nobody asked for it"
        );
    }

    rooms: &ROOMS,
    async fn invariant_5_a_delivery_is_due_until_it_is_taken(store: TestStore) {
        let world = on_its_way(store).await;
        let again = NOW.plus(10_000);
        answered(&world, 503, Next::Again(again)).await;
        assert!(next(&world, NOW).await.is_none(), "not before its time");
        let second = next(&world, again).await.expect("due again");
        assert_eq!(second.attempt, 2);
        let world = world.again().await;
        assert_eq!(next(&world, again).await.expect("still").attempt, 2);
    }

    rooms: &ROOMS,
    async fn a_delivery_that_was_taken_is_not_due_again(store: TestStore) {
        let world = on_its_way(store).await;
        answered(&world, 200, Next::Completed).await;
        assert!(next(&world, NOW.plus(Millis::DAY)).await.is_none());
    }
}
