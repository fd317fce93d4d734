use protocol::keys::PrivateKey;
use protocol::role::ProviderRole;
use store::on_both;

use super::*;
use crate::admin_api::page::Page;
use crate::connections::Move;
use crate::folder::KeyName;
use crate::operations::connections::{Grant, Reason, Shown, approve};
use crate::operations::life;
use crate::start::ROOMS;
use crate::testing::{KEY, NOW, OTHER, World, handover, new_key};

mod grants;
mod raw;

async fn ask(world: &World, name: &str, handover: String) -> Result<Connection, ApiError> {
    request_of(world, named(name, HandedIn::text(&handover))).await
}

fn named(name: &str, handover: HandedIn) -> Request {
    Request {
        name: name.to_owned(),
        handover,
        role: None,
        scope: None,
        addresses: None,
        addresses_reason: None,
        client_certificate: None,
        place: Place::Gate,
        mode: Mode::Guarded,
        until: None,
        contact: None,
    }
}

/// The owner moves a connection.
async fn change(world: &World, name: &str, what: Move) -> Result<Shown, ApiError> {
    let (gate, operator) = (&world.gate, &world.operator);
    let reason = Reason {
        reason: "as agreed".to_owned(),
    };
    if what.opens() {
        life::open(gate, operator, name, what, reason).await
    } else {
        life::close(gate, operator, name, what, reason).await
    }
}

async fn request_of(world: &World, input: Request) -> Result<Connection, ApiError> {
    request(&world.gate, &world.operator, input).await
}

fn csr_of(key: &PrivateKey) -> String {
    handover(key).to_json()
}

/// A file that is sound but for the private key in its margin.
fn leaking(key: &PrivateKey) -> String {
    let pem = key.to_pkcs8_pem().expect("pem");
    format!("{}\n{}", csr_of(&KEY), pem.as_str())
}

async fn refused(world: &World, name: &str, handover: String, word: &str) {
    let before = world.count("gate_connections").await;
    let error = ask(world, name, handover).await.expect_err("refused");
    assert!((400..500).contains(&error.status()), "{error}");
    assert!(error.message().contains(word), "{error} without {word}");
    assert_eq!(
        world.count("gate_connections").await,
        before,
        "nothing is kept"
    );
}

on_both! {
    rooms: &ROOMS,
    async fn a_request_waits_for_the_client(store: TestStore) {
        let world = World::over(store).await;
        let made = ask(&world, "acme", csr_of(&KEY)).await.expect("kept");
        assert_eq!(
            (made.state, made.role),
            (State::Requested, ProviderRole::Viewer)
        );
        let door = world.gate.directory.load();
        assert!(
            door.open(made.api_key, [192, 0, 2, 7].into(), NOW).is_none(),
            "not let in yet"
        );
        refused(&world, "acme", csr_of(&OTHER), "already").await;
        refused(&world, "a b", csr_of(&OTHER), "name").await;
    }

    rooms: &ROOMS,
    async fn an_end_that_has_passed_or_is_far_off_is_refused_at_once(store: TestStore) {
        let world = World::over(store).await;
        let ending = |until: i64| {
            let file = HandedIn::text(&csr_of(&KEY));
            let until = Some(NOW.plus(until));
            request_of(&world, Request { until, ..named("acme", file) })
        };
        for (until, word) in [(-1, "passed already"), (0, "passed already"), (366 * DAY + 1, "366 days")] {
            let refused = ending(until).await.expect_err("refused");
            assert_eq!(refused.status(), 400, "{refused}");
            assert!(refused.message().contains(word), "{refused}");
            assert_eq!(world.count("gate_connections").await, 0, "nothing is kept");
        }
        let kept = ending(366 * DAY).await.expect("kept");
        let later = |until: i64| life::Wanted {
            until: Some(kept.until.plus(until)),
            reason: "as agreed".to_owned(),
            ..life::Wanted::default()
        };
        for until in [1, -366 * DAY] {
            let refused = life::change(&world.gate, &world.operator, "acme", later(until)).await;
            assert_eq!(refused.expect_err("refused").status(), 400, "{until}");
        }
        life::change(&world.gate, &world.operator, "acme", later(-DAY)).await.expect("sooner");
    }

    rooms: &ROOMS,
    /// C3: a key belongs to one connection, for ever.
    async fn the_key_of_another_connection_is_refused(store: TestStore) {
        let world = World::over(store).await;
        ask(&world, "acme", csr_of(&KEY)).await.expect("kept");
        refused(&world, "other", csr_of(&KEY), "another connection").await;
        change(&world, "acme", Move::Revoke).await.expect("revoked");
        refused(&world, "other", csr_of(&KEY), "another connection").await;
    }

    rooms: &ROOMS,
    async fn the_gates_own_keys_are_refused(store: TestStore) {
        let world = World::over(store).await;
        for name in [KeyName::Webhooks, KeyName::Owner] {
            let own = world.gate.folder.key(name).expect("a key");
            refused(&world, "acme", csr_of(&own), "the gate's own").await;
        }
        // Handed in whole, it is a private key first of all.
        let own = world.gate.folder.key(KeyName::Owner).expect("a key");
        refused(&world, "acme", leaking(&own), "private key").await;
    }

    rooms: &ROOMS,
    async fn invariant_3_a_private_key_is_never_kept_and_is_burned(store: TestStore) {
        let world = World::over(store).await;
        let leaked = new_key();
        refused(&world, "careless", leaking(&leaked), "private key").await;
        refused(&world, "careless", csr_of(&leaked), "burned").await;
        let pem = leaked.to_pkcs8_pem().expect("pem");
        let kept = world.everything().await;
        for line in pem.lines().filter(|line| !line.starts_with('-')) {
            assert!(!kept.contains(line), "a line of the key was written down");
        }
        let fingerprint = leaked.public().fingerprint().to_string();
        assert!(
            kept.contains(&fingerprint),
            "it is known which key is burned"
        );
        // A new key of the same provider is fine.
        ask(&world, "careless", csr_of(&KEY)).await.expect("kept");
        // Also after a restart.
        let world = world.again().await;
        refused(&world, "again", csr_of(&leaked), "burned").await;
    }

    rooms: &ROOMS,
    async fn invariant_3_a_connection_whose_private_key_shows_up_is_suspended(store: TestStore) {
        let world = World::over(store).await;
        let made = ask(&world, "acme", csr_of(&OTHER)).await.expect("kept");
        let without = Grant::default();
        let without = approve(&world.gate, &world.operator, "acme", without).await;
        assert_eq!(without.expect_err("no reason").status(), 400);
        let approved = approve(&world.gate, &world.operator, "acme", crate::testing::grant())
            .await
            .expect("approved");
        assert_eq!(approved.handback["connection"], "acme");
        let open = |world: &World| {
            world
                .gate
                .directory
                .load()
                .open(made.api_key, [192, 0, 2, 7].into(), NOW)
                .is_some()
        };
        assert!(open(&world));
        refused(&world, "careless", leaking(&OTHER), "private key").await;
        assert!(!open(&world), "suspended at once");
        let resumed = change(&world, "acme", Move::Resume).await;
        assert!(resumed.expect_err("not again").message().contains("burned"));
        assert!(!open(&world));
    }

    rooms: &ROOMS,
    async fn addresses_are_checked_wherever_they_come_from(store: TestStore) {
        let world = World::over(store).await;
        let with = |addresses: &[&str], reason: Option<&str>| Request {
            addresses: Some(
                addresses
                    .iter()
                    .map(|net| net.parse().expect("a net"))
                    .collect(),
            ),
            addresses_reason: reason.map(str::to_owned),
            ..named("acme", HandedIn::text(&csr_of(&KEY)))
        };
        for (addresses, reason) in [
            (["0.0.0.0/0"], Some("because")),
            (["::/0"], None),
            (["10.0.0.0/8"], None),
        ] {
            let error = request_of(&world, with(&addresses, reason))
                .await
                .expect_err("refused");
            assert_eq!(error.status(), 400);
        }
        assert_eq!(world.count("gate_connections").await, 0);
        let kept = request_of(&world, with(&["10.0.0.0/8"], Some("their office"))).await;
        assert_eq!(
            kept.expect("kept").addresses_reason.as_deref(),
            Some("their office")
        );
        // What the client grants is checked the same way.
        let grant = |addresses: &[&str]| Grant {
            addresses: Some(
                addresses
                    .iter()
                    .map(|net| net.parse().expect("a net"))
                    .collect(),
            ),
            ..crate::testing::grant()
        };
        for bad in [&["0.0.0.0/0"][..], &[]] {
            assert!(
                approve(&world.gate, &world.operator, "acme", grant(bad))
                    .await
                    .is_err()
            );
        }
        let no_scope = Grant {
            scope: Some(ScopeGrant {
                accounts: Some([].into()),
                ..ScopeGrant::default()
            }),
            ..crate::testing::grant()
        };
        assert!(
            approve(&world.gate, &world.operator, "acme", no_scope)
                .await
                .is_err()
        );
        approve(
            &world.gate,
            &world.operator,
            "acme",
            grant(&["192.0.2.9/32"]),
        )
        .await
        .expect("approved");
        let again = approve(&world.gate, &world.operator, "acme", crate::testing::grant()).await;
        assert_eq!(again.expect_err("once").status(), 409);
    }

    rooms: &ROOMS,
    /// Each decision is in the log, in the transaction that made it.
    async fn invariant_4_every_decision_is_in_the_log_and_survives(store: TestStore) {
        let world = World::over(store).await;
        let _ = ask(&world, "acme", leaking(&new_key())).await;
        ask(&world, "acme", csr_of(&KEY)).await.expect("kept");
        approve(&world.gate, &world.operator, "acme", crate::testing::grant())
            .await
            .expect("approved");
        for what in [Move::Suspend, Move::Resume, Move::Revoke] {
            change(&world, "acme", what).await.expect("changed");
        }
        let world = world.again().await;
        let entries = crate::operations::log_entries::latest(&world.gate, &Page::whole())
            .await
            .expect("entries");
        let kinds: Vec<_> = entries.rows().iter().rev().map(|one| one.kind.as_str()).collect();
        assert_eq!(
            kinds,
            [
                "gate_initialised",
                "private_key_refused",
                "connection_requested",
                "connection_approved",
                "connection_activated",
                "connection_suspended",
                "connection_resumed",
                "connection_revoked",
            ]
        );
        let key = world.gate.log_key.public();
        let running = crate::log::Against {
            running: true,
            ..crate::log::Against::default()
        };
        let (store, workspace) = (&world.gate.store, world.gate.workspace());
        let verified = crate::log::verify(store, workspace, &key, running).await;
        assert_eq!(verified.expect("it holds").entries, 8);
    }
}
