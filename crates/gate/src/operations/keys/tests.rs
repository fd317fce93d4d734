use protocol::csr::CertificateSigningRequest;
use protocol::keys::PrivateKey;
use store::on_both;

use super::offer::{Offer, offer};
use super::*;
use crate::connections::Move;
use crate::operations::connections::{Reason, approve};
use crate::operations::life;
use crate::operations::request::{Request, request};
use crate::start::ROOMS;
use crate::testing::{KEY, NOW, OTHER, World, handover, new_key};

mod csrs;
mod factors;
mod leaks;
mod line;

fn csr(key: &PrivateKey) -> HandedIn {
    let request = CertificateSigningRequest::new(key, "Example Accounting", None);
    HandedIn::text(&request.expect("a request").to_pem())
}

fn print(key: &PrivateKey) -> String {
    key.public().fingerprint().to_string()
}

fn why() -> Reason {
    Reason {
        reason: "a test".to_owned(),
    }
}

/// Lets a provider in with this key.
async fn enrol(world: &World, name: &str, key: &PrivateKey) {
    let input = Request {
        name: name.to_owned(),
        handover: HandedIn::text(&handover(key).to_json()),
        role: None,
        scope: None,
        addresses: None,
        addresses_reason: None,
        client_certificate: None,
        place: crate::connections::Place::Gate,
        mode: crate::connections::Mode::default(),
        until: None,
        contact: None,
    };
    let (gate, operator) = (&world.gate, &world.operator);
    request(gate, operator, input).await.expect("kept");
    let approved = approve(gate, operator, name, crate::testing::grant()).await;
    approved.expect("approved");
}

async fn bring(
    world: &World,
    name: &str,
    key: &PrivateKey,
    overlap: u64,
    again: bool,
) -> Result<Vec<ShownKey>, ApiError> {
    let input = Rotate {
        csr: csr(key),
        overlap_seconds: overlap,
        again,
        reason: "as agreed".to_owned(),
    };
    let done = rotate(&world.gate, &world.operator, name, input).await?;
    Ok(done.keys)
}

async fn offered_by(
    world: &World,
    name: &str,
    key: &PrivateKey,
) -> Result<Vec<ShownKey>, ApiError> {
    let input = Offer { csr: csr(key) };
    offer(&world.gate, name, KEY.public().fingerprint(), input).await
}

/// The keys that the connection's door tries now, in their order.
fn door(world: &World, name: &str) -> Vec<String> {
    door_at(world, name, world.gate.clock.now())
}

fn door_at(world: &World, name: &str, now: Millis) -> Vec<String> {
    let directory = world.gate.directory.load();
    let provider = directory.named(name).expect("there");
    let keys = provider.keys.at(now);
    let both = keys.map(|(key, before)| [Some(key), before]);
    both.into_iter()
        .flatten()
        .flatten()
        .map(|key| key.fingerprint().to_string())
        .collect()
}

async fn states(world: &World, name: &str) -> Vec<(String, String)> {
    let keys = list(&world.gate, name).await.expect("keys");
    let mut states: Vec<_> = keys
        .into_iter()
        .map(|key| (key.fingerprint, key.state))
        .collect();
    states.sort_by(|a, b| a.1.cmp(&b.1));
    states
}

on_both! {
    rooms: &ROOMS,
    async fn a_rotation_by_the_client_overlaps_and_ends_by_itself(store: TestStore) {
        let world = World::over(store).await;
        enrol(&world, "acme", &KEY).await;
        assert_eq!(door(&world, "acme"), [print(&KEY)]);
        bring(&world, "acme", &OTHER, 60, false).await.expect("rotated");
        assert_eq!(door(&world, "acme"), [print(&OTHER), print(&KEY)], "the newest first");
        let soon = world.gate.clock.now().plus(60_000);
        assert_eq!(door_at(&world, "acme", soon), [print(&OTHER)]);
        let shown = crate::operations::connections::show(&world.gate, "acme").expect("there");
        assert_eq!(shown.connection.fingerprint, print(&OTHER));
        // Also after a restart.
        let world = world.again().await;
        assert_eq!(door(&world, "acme"), [print(&OTHER), print(&KEY)]);
    }

    rooms: &ROOMS,
    async fn a_rotation_by_the_provider_waits_for_the_client(store: TestStore) {
        let world = World::over(store).await;
        enrol(&world, "acme", &KEY).await;
        let (first, second) = (new_key(), new_key());
        offered_by(&world, "acme", &first).await.expect("kept");
        assert_eq!(door(&world, "acme"), [print(&KEY)], "nothing is changed by an offer");
        // Another offer takes its place; whoever confirms the first one is told.
        offered_by(&world, "acme", &second).await.expect("kept");
        offered_by(&world, "acme", &second).await.expect("the same again");
        let confirmed = |key: &PrivateKey| {
            let (gate, operator, print) = (world.gate.clone(), world.operator.clone(), print(key));
            async move { confirm(&gate, &operator, "acme", &print, Confirm { overlap_seconds: 60, reason: "as agreed".to_owned() }).await }
        };
        assert_eq!(confirmed(&first).await.expect_err("given up").status(), 409);
        assert_eq!(confirmed(&new_key()).await.expect_err("unknown").status(), 404);
        confirmed(&second).await.expect("confirmed");
        assert_eq!(door(&world, "acme"), [print(&second), print(&KEY)]);
        assert_eq!(confirmed(&second).await.expect_err("once").status(), 409);
        let states = states(&world, "acme").await;
        let words: Vec<_> = states.iter().map(|(_, state)| state.as_str()).collect();
        assert_eq!(words, ["ACTIVE", "RETIRED", "RETIRING"]);
    }

    rooms: &ROOMS,
    /// A provider cannot use up what its client needs in an emergency.
    async fn offers_end_before_the_clients_own_rotations_do(store: TestStore) {
        let world = World::over(store).await;
        enrol(&world, "acme", &KEY).await;
        let fill = |deed: &mut Deed<'_, '_>| {
            let connection = there(deed, "acme")?;
            for number in 1..MAX_KEYS / 2 {
                let mut modulus = KEY.public().modulus().to_vec();
                modulus.splice(8..16, number.to_be_bytes());
                let key = PublicKey::from_parts(&modulus, &[1, 0, 1]).expect("a key");
                let held = HeldKey::new("acme", key, KeyState::Retired, deed.at);
                rows::keys::put(deed.writing, deed.workspace, connection.api_key, &held)?;
            }
            Ok(())
        };
        world.gate.deed(fill).await.expect("filled");
        let error = offered_by(&world, "acme", &OTHER).await.expect_err("too many");
        assert_eq!(error.status(), 409);
        bring(&world, "acme", &OTHER, 0, false).await.expect("the client's");
        let long = Offer { csr: HandedIn::text(&" ".repeat(33 * 1024)) };
        let long = offer(&world.gate, "acme", OTHER.public().fingerprint(), long).await;
        assert_eq!(long.expect_err("too long").status(), 400);
    }

    rooms: &ROOMS,
    async fn an_offer_can_be_refused(store: TestStore) {
        let world = World::over(store).await;
        enrol(&world, "acme", &KEY).await;
        offered_by(&world, "acme", &OTHER).await.expect("kept");
        let reason = Reason { reason: "not asked for".to_owned() };
        refuse(&world.gate, &world.operator, "acme", &print(&OTHER), reason).await.expect("refused");
        assert_eq!(door(&world, "acme"), [print(&KEY)]);
        let again = offered_by(&world, "acme", &OTHER).await.expect_err("used up");
        assert_eq!(again.status(), 409);
    }

    rooms: &ROOMS,
    async fn each_change_of_a_key_has_a_reason_and_the_log_keeps_it(store: TestStore) {
        let world = World::over(store).await;
        enrol(&world, "acme", &KEY).await;
        offered_by(&world, "acme", &OTHER).await.expect("kept");
        let (gate, operator, offered) = (&world.gate, &world.operator, print(&OTHER));
        let at = Some(world.gate.clock.now().plus(1_000).0);
        for bad in [String::new(), " ".to_owned(), "x".repeat(501)] {
            let why = || bad.clone();
            let input = Rotate { csr: csr(&new_key()), overlap_seconds: 0, again: false, reason: why() };
            let confirmation = Confirm { overlap_seconds: 0, reason: why() };
            for outcome in [
                rotate(gate, operator, "acme", input).await,
                confirm(gate, operator, "acme", &offered, confirmation).await,
                refuse(gate, operator, "acme", &offered, Reason { reason: why() }).await,
                expire(gate, operator, "acme", &print(&KEY), Expire { expires_at: at, reason: why() }).await,
            ] {
                assert_eq!(outcome.expect_err("no reason").status(), 400);
            }
        }
        assert_eq!(door(&world, "acme"), [print(&KEY)]);
        let input = Expire { expires_at: at, reason: "a key a quarter".to_owned() };
        expire(gate, operator, "acme", &print(&KEY), input).await.expect("set");
        let input = Confirm { overlap_seconds: 0, reason: "the yearly change".to_owned() };
        confirm(gate, operator, "acme", &offered, input).await.expect("confirmed");
        let kept = world.everything().await;
        let told = |kind: &str, reason: &str| {
            let entry = kept.split(&format!("\"event\":\"{kind}\"")).nth(1).expect(kind);
            let entry = entry.split('}').next().expect("an end");
            assert!(entry.contains(reason), "{kind}: {entry}");
        };
        told("key_expiry_set", "a key a quarter");
        told("key_rotated", "the yearly change");
    }

    rooms: &ROOMS,
    async fn in_an_emergency_the_old_key_dies_at_once(store: TestStore) {
        let world = World::over(store).await;
        enrol(&world, "acme", &KEY).await;
        bring(&world, "acme", &OTHER, 0, false).await.expect("rotated");
        assert_eq!(door(&world, "acme"), [print(&OTHER)]);
        // A call that was under way is not answered any more.
        let directory = world.gate.directory.load();
        let provider = directory.named("acme").expect("there");
        assert!(!provider.keys.used(KEY.public().fingerprint(), NOW));
    }

    rooms: &ROOMS,
    async fn never_more_than_two_keys_are_let_in(store: TestStore) {
        let world = World::over(store).await;
        enrol(&world, "acme", &KEY).await;
        bring(&world, "acme", &OTHER, 60, false).await.expect("rotated");
        let third = new_key();
        bring(&world, "acme", &third, 60, false).await.expect("rotated");
        assert_eq!(door(&world, "acme"), [print(&third), print(&OTHER)]);
    }

    rooms: &ROOMS,
    async fn a_retired_key_comes_back_by_word_alone_and_for_its_own_connection(store: TestStore) {
        let world = World::over(store).await;
        enrol(&world, "acme", &KEY).await;
        bring(&world, "acme", &OTHER, 0, false).await.expect("rotated");
        let error = bring(&world, "acme", &KEY, 0, false).await.expect_err("retired");
        assert!(error.message().contains("--again"), "{error}");
        let same = bring(&world, "acme", &OTHER, 0, false).await.expect_err("the same");
        assert!(same.message().contains("already"), "{same}");
        enrol(&world, "rival", &new_key()).await;
        for again in [false, true] {
            let error = bring(&world, "rival", &KEY, 0, again).await.expect_err("another's");
            assert!(error.message().contains("another connection"), "{error}");
        }
        // What a provider is told says nothing of anybody else's key.
        let told = offered_by(&world, "rival", &KEY).await.expect_err("another's");
        assert!(!told.message().contains("connection"), "{told}");
        bring(&world, "acme", &KEY, 0, true).await.expect("back");
        assert_eq!(door(&world, "acme"), [print(&KEY)]);
    }

    rooms: &ROOMS,
    async fn the_gates_own_keys_are_no_providers(store: TestStore) {
        let world = World::over(store).await;
        enrol(&world, "acme", &KEY).await;
        let own = world.gate.folder.key(crate::folder::KeyName::Webhooks).expect("a key");
        let error = bring(&world, "acme", &own, 0, false).await.expect_err("the gate's");
        assert!(error.message().contains("the gate's own"), "{error}");
    }

    rooms: &ROOMS,
    async fn an_expired_key_lets_nobody_in(store: TestStore) {
        let world = World::over(store).await;
        enrol(&world, "acme", &KEY).await;
        let at = world.gate.clock.now().plus(1_000);
        let expires = |at| Expire { expires_at: at, reason: "as agreed".to_owned() };
        expire(&world.gate, &world.operator, "acme", &print(&KEY), expires(Some(at.0))).await.expect("set");
        assert_eq!(door(&world, "acme"), [print(&KEY)]);
        assert!(door_at(&world, "acme", at).is_empty());
        let shown = list(&world.gate, "acme").await.expect("keys");
        assert_eq!(shown[0].expires_at, Some(at));
        expire(&world.gate, &world.operator, "acme", &print(&KEY), expires(None)).await.expect("set");
        assert_eq!(door_at(&world, "acme", at), [print(&KEY)]);
    }

    rooms: &ROOMS,
    async fn the_last_use_of_each_key_is_known_and_survives(store: TestStore) {
        let world = World::over(store).await;
        enrol(&world, "acme", &KEY).await;
        let used = |world: &World, at| {
            let directory = world.gate.directory.load();
            directory.named("acme").expect("there").keys.used(KEY.public().fingerprint(), at)
        };
        assert!(used(&world, NOW.plus(5)));
        assert!(used(&world, NOW.plus(3)), "two at once");
        let shown = list(&world.gate, "acme").await.expect("keys");
        assert_eq!(shown[0].last_used, Some(NOW.plus(5)));
        // A change elsewhere reads the directory anew, and forgets nothing.
        enrol(&world, "other", &OTHER).await;
        let shown = list(&world.gate, "acme").await.expect("keys");
        assert_eq!(shown[0].last_used, Some(NOW.plus(5)));
        // Replaced at once, it has no place in memory any more: when it was used is known all the same.
        bring(&world, "acme", &new_key(), 0, false).await.expect("rotated");
        let last = |keys: Vec<ShownKey>| keys.into_iter().find(|key| key.fingerprint == print(&KEY)).and_then(|key| key.last_used);
        assert_eq!(last(list(&world.gate, "acme").await.expect("keys")), Some(NOW.plus(5)));
        keep_uses(&world.gate).await.expect("written");
        let world = world.again().await;
        assert_eq!(last(list(&world.gate, "acme").await.expect("keys")), Some(NOW.plus(5)));
    }

    rooms: &ROOMS,
    async fn who_is_revoked_gets_no_key(store: TestStore) {
        let world = World::over(store).await;
        enrol(&world, "acme", &KEY).await;
        life::close(&world.gate, &world.operator, "acme", Move::Revoke, why()).await.expect("revoked");
        assert_eq!(bring(&world, "acme", &OTHER, 0, false).await.expect_err("revoked").status(), 409);
        assert_eq!(bring(&world, "nobody", &OTHER, 0, false).await.expect_err("unknown").status(), 404);
        let too_long = bring(&world, "acme", &OTHER, 31 * 24 * 60 * 60, false).await;
        assert_eq!(too_long.expect_err("too long").status(), 400);
    }
}
